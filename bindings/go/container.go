package reaper

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"reaper/bindings/go/internal/abi"
)

// Container is a handle on a container. Any number of goroutines may use it at once; while Start or Delete runs, the
// others wait, so open a second handle (Runtime.Open) to look at a container, or to kill it, whose hooks take long.
type Container struct {
	handle  *abi.Container
	id      string
	console *os.File
}

// KillFlag is for Kill.
type KillFlag uint32

// All has Kill reach every process of the container that can be found, not only its first.
const All KillFlag = 1 << 0

// DeleteFlag is for Delete.
type DeleteFlag uint32

// Force has Delete end the process first, and sweep what a killed create has left.
const Force DeleteFlag = 1 << 0

func deleteFlags(flags []DeleteFlag) (all uint32) {
	for _, flag := range flags {
		all |= uint32(flag)
	}
	return all
}

// Close frees the handle, once, and nothing else: the container lives on. What was forgotten is closed when the
// collector finds it.
func (c *Container) Close() error {
	c.handle.Close()
	return nil
}

// ID is the container's id.
func (c *Container) ID() string { return c.id }

// Console is the master of the program's terminal, if CreateOptions.Console asked for it: yours to read, to write and to
// close. When its last copy is closed, the program gets SIGHUP. Reading fails with EIO when the program has gone.
func (c *Container) Console() *os.File { return c.console }

// takeBack deletes what was made for a context that has ended.
func (c *Container) takeBack(reason error) error {
	err := c.Delete(Force)
	if c.console != nil {
		_ = c.console.Close()
	}
	_ = c.Close()
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w; and what was made could not be deleted: %v", reason, err)
	}
	return reason
}

// Start runs the program. nil means that execve(2) has succeeded, with an identity that was read back and compared.
func (c *Container) Start() error { return failed("start", c.id, c.handle.Start()) }

// State is the state object of the runtime specification, and what Reaper adds.
func (c *Container) State() (*State, error) {
	text, failure := c.handle.State()
	if failure != nil {
		return nil, failed("state", c.id, failure)
	}
	state := &State{Raw: text}
	return state, unmarshal("state", text, state)
}

// Status is the status alone.
func (c *Container) Status() (Status, error) {
	number, failure := c.handle.Status()
	if failure != nil {
		return "", failed("status", c.id, failure)
	}
	names := [...]Status{1: StatusCreating, StatusCreated, StatusRunning, StatusStopped}
	if number < 1 || int(number) >= len(names) {
		return "", &Error{Code: CodeInternal, Op: "status", ID: c.id, Message: fmt.Sprintf("status %d", number)}
	}
	return names[number], nil
}

// Pid is the process id of the container's process in this pid namespace, also after it ended.
func (c *Container) Pid() (int, error) {
	number, failure := c.handle.Pid()
	return int(number), failed("pid", c.id, failure)
}

// Pidfd is a new pidfd (pidfd_open(2)) of the container's process, yours to close: readable when the process has ended.
// ErrNotRunning: it has, and was reaped.
func (c *Container) Pidfd() (*os.File, error) {
	number, failure := c.handle.Pidfd()
	if failure != nil {
		return nil, failed("pidfd", c.id, failure)
	}
	return abi.File(number, "pidfd of "+c.id), nil
}

// Kill sends a signal to the container's process, or with All to every one. ErrNotRunning: there is none.
func (c *Container) Kill(signal syscall.Signal, flags ...KillFlag) error {
	all := uint32(0)
	for _, flag := range flags {
		all |= uint32(flag)
	}
	return failed("kill", c.id, c.handle.Kill(int32(signal), all))
}

// Delete removes a stopped container, with Force any one. Afterwards the handle answers ErrNotFound, but keeps the exit
// status for Wait.
func (c *Container) Delete(flags ...DeleteFlag) error {
	return failed("delete", c.id, c.handle.Delete(deleteFlags(flags)))
}

// ExitStatus is how a container's process ended.
type ExitStatus struct {
	Code       int            // 0 to 255, or -1 if a signal ended it
	Signal     syscall.Signal // 0, or the signal that ended it
	CoreDumped bool

	StartedAt, FinishedAt time.Time // the zero time: not known

	// Not known where Usage is false: what was reaped by somebody else.
	Usage                bool
	UserTime, SystemTime time.Duration
	MaxRSS               int64 // bytes
}

// Success is exit code 0.
func (s ExitStatus) Success() bool { return s.Code == 0 }

// String is as os.ProcessState has it: "exit status 7", "signal: killed (core dumped)".
func (s ExitStatus) String() string {
	if s.Code >= 0 {
		return fmt.Sprintf("exit status %d", s.Code)
	}
	if s.CoreDumped {
		return "signal: " + s.Signal.String() + " (core dumped)"
	}
	return "signal: " + s.Signal.String()
}

// Wait waits until the container's process has ended, and tells how. Any number of goroutines may. No thread is
// blocked: the process's pidfd lies in the poller of Go's runtime, beside the sockets.
//
// The end of the context ends the wait and returns the context's error; it kills nothing. With a context that has
// ended already, Wait only looks. ErrUnknown: the process ended, and nobody can say how (see CreateOptions.Supervise).
func (c *Container) Wait(ctx context.Context) (ExitStatus, error) {
	status, failure, err := c.handle.Wait(ctx)
	return exitStatus("wait", c.id, status, failure, err)
}

func exitStatus(op, id string, status abi.ExitStatus, failure *abi.Failure, err error) (ExitStatus, error) {
	switch {
	case err != nil:
		return ExitStatus{}, err
	case failure != nil:
		return ExitStatus{}, failed(op, id, failure)
	}
	exit := ExitStatus{Code: int(status.ExitCode), Signal: syscall.Signal(status.Signal), CoreDumped: status.CoreDumped != 0,
		StartedAt: moment(status.StartedAtNs), FinishedAt: moment(status.FinishedAtNs)}
	if status.UserTimeUs >= 0 && status.SystemTimeUs >= 0 && status.MaxRssKib >= 0 {
		exit.Usage = true
		exit.UserTime = time.Duration(status.UserTimeUs) * time.Microsecond
		exit.SystemTime = time.Duration(status.SystemTimeUs) * time.Microsecond
		exit.MaxRSS = status.MaxRssKib * 1024
	}
	return exit, nil
}

func moment(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}
