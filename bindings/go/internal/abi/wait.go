package abi

import (
	"context"
	"sync/atomic"
	"time"
	"unsafe"
)

// waiter waits for what a handle stands for: a container's process, or a further one.
type waiter struct {
	library  *Library
	handle   *handle
	function func(handle Ptr, timeoutMs int64, out Ptr, err *Ptr) int32
	pidfd    func() (int32, *Failure)
	finished *int64 // when its end was seen, in nanoseconds; 0: it was not. The library knows only of its own waits.
}

// look is reaper_wait that only looks.
func (w waiter) look() (ExitStatus, *Failure) {
	memory := arena{library: w.library}
	defer memory.free()
	out := (*ExitStatus)(Ptr(&memory.bytes(int(unsafe.Sizeof(ExitStatus{})))[0]))
	out.Size = uint64(unsafe.Sizeof(*out))
	failure := w.handle.read(func(handle Ptr) *Failure {
		var err Ptr
		return w.library.failure(w.function(handle, 0, Ptr(out), &err), err)
	})
	if failure == nil && out.FinishedAtNs == 0 {
		out.FinishedAtNs = atomic.LoadInt64(w.finished)
	}
	return *out, failure
}

// wait lasts as long as the context. The goroutine waits, and no thread: the pidfd lies in the poller of Go's runtime,
// and the library is asked only before and after.
func (w waiter) wait(ctx context.Context) (ExitStatus, *Failure, error) {
	for {
		status, failure := w.look()
		if failure == nil || failure.Code != CodeTimeout {
			return status, failure, nil
		}
		if err := ctx.Err(); err != nil {
			return status, nil, err
		}
		pidfd, failure := w.pidfd()
		if failure != nil {
			// It has ended since, and whoever deleted it took its record: this handle still knows.
			if status, again := w.look(); again == nil || again.Code != CodeTimeout {
				return status, again, nil
			}
			return status, failure, nil
		}
		file := File(pidfd, "pidfd")
		err := awaitReadable(ctx, file)
		_ = file.Close()
		if err != nil {
			return status, nil, err
		}
		atomic.CompareAndSwapInt64(w.finished, 0, time.Now().UnixNano())
	}
}
