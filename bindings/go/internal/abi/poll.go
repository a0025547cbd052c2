package abi

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// How often is looked where the poller does not take pidfds. (Linux 5.3 and newer let epoll have them.)
const pause = 10 * time.Millisecond

func setNonblock(fd int) { _ = syscall.SetNonblock(fd, true) }

// awaitReadable returns nil when the file can be read from, else the context's error.
func awaitReadable(ctx context.Context, file *os.File) error {
	if err := file.SetReadDeadline(time.Time{}); err != nil {
		return lookNowAndThen(ctx, file)
	}
	connection, err := file.SyscallConn()
	if err != nil {
		return err
	}
	// A deadline in the past is what ends the poller's wait.
	ended := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-ctx.Done():
			_ = file.SetReadDeadline(time.Unix(1, 0))
		case <-ended:
		}
	}()
	err = connection.Read(isReadable)
	close(ended)
	<-watched
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ctx.Err()
	}
	return err
}

// lookNowAndThen is the same without the poller.
func lookNowAndThen(ctx context.Context, file *os.File) error {
	connection, err := file.SyscallConn()
	if err != nil {
		return err
	}
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		readable := false
		if err := connection.Control(func(fd uintptr) { readable = isReadable(fd) }); err != nil || readable {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// isReadable is a poll(2) that does not wait.
func isReadable(fd uintptr) bool {
	wanted := struct {
		fd              int32
		events, revents int16
	}{fd: int32(fd), events: 1 /* POLLIN */}
	var now syscall.Timespec
	for {
		ready, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&wanted)), 1,
			uintptr(unsafe.Pointer(&now)), 0, 0, 0)
		if errno == syscall.EINTR {
			continue
		}
		return errno == 0 && ready > 0
	}
}
