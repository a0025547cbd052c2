package reaper

import (
	"fmt"
	"os"
	"syscall"

	"reaper/bindings/go/internal/abi"
)

// Code is what went wrong, for programs: a REAPER_ERR_* of reaper.h. Codes are never renumbered.
type Code int32

// The codes. Each has an error for errors.Is.
const (
	CodeInvalid     Code = -1  // an argument or config.json is wrong; Error.Pointer names the field
	CodeUnsupported Code = -2  // right, but this build, kernel or mode cannot apply it
	CodeNotFound    Code = -3  // no container of that id; no bundle or config.json there
	CodeExists      Code = -4  // the id is in use
	CodeStatus      Code = -5  // the container's status does not allow this operation
	CodeBusy        Code = -6  // another operation holds the container; try again
	CodePermission  Code = -7  // the kernel refused, or a capability that is needed is not held
	CodeSystem      Code = -8  // a system call failed; Error.Errno and Error.Stage say which and why
	CodeNoMemory    Code = -9  // an allocation failed
	CodeTimeout     Code = -10 // the time limit was reached
	CodeCorrupt     Code = -11 // the record on disk cannot be believed
	CodeVerify      Code = -12 // identity or capabilities read back differ from what was asked for
	CodeExec        Code = -13 // the program could not be found or executed
	CodeUnknown     Code = -14 // the exit status can no longer be known
	CodeInternal    Code = -15 // a defect of the library
	CodeHook        Code = -16 // a hook failed; Error.Pointer names it
)

// String is the name in reaper.h, such as "REAPER_ERR_BUSY".
func (c Code) String() string {
	l, err := library()
	if err != nil {
		return fmt.Sprintf("code %d", int32(c))
	}
	return l.ErrorName(int32(c))
}

// For errors.Is: each is any *Error of its code.
var (
	ErrInvalid     error = sentinel{CodeInvalid}
	ErrUnsupported error = sentinel{CodeUnsupported}
	ErrNotFound    error = sentinel{CodeNotFound}
	ErrExists      error = sentinel{CodeExists}
	ErrStatus      error = sentinel{CodeStatus}
	ErrBusy        error = sentinel{CodeBusy}
	ErrPermission  error = sentinel{CodePermission}
	ErrSystem      error = sentinel{CodeSystem}
	ErrNoMemory    error = sentinel{CodeNoMemory}
	ErrTimeout     error = sentinel{CodeTimeout}
	ErrCorrupt     error = sentinel{CodeCorrupt}
	ErrVerify      error = sentinel{CodeVerify}
	ErrExec        error = sentinel{CodeExec}
	ErrUnknown     error = sentinel{CodeUnknown}
	ErrInternal    error = sentinel{CodeInternal}
	ErrHook        error = sentinel{CodeHook}

	// ErrNotRunning is an ErrStatus that says: there is no process (any more) for Kill or Pidfd.
	ErrNotRunning error = sentinel{}
)

type sentinel struct{ code Code }

func (s sentinel) Error() string {
	if s.code == 0 {
		return "reaper: container not running"
	}
	return "reaper: " + s.code.String()
}

// Error is what every function of this package fails with, but for three cases: the error of a context that ended,
// os.ErrClosed for a handle that was closed, and that of a Config which does not marshal.
type Error struct {
	Code    Code
	Errno   syscall.Errno // errno(3) of the system call that failed, or 0
	Op      string        // "create", "start", "kill", ...
	ID      string        // the container, if it is about one
	Message string        // one line, which stands alone
	Pointer string        // the JSON pointer (RFC 6901) of the field of config.json at fault, or ""
	Stage   string        // the step that failed: "config", "clone", "execve", ...
}

// Error is the message, which says what, where and why.
func (e *Error) Error() string { return "reaper: " + e.Op + ": " + e.Message }

// Unwrap is the Errno, or nil. With it errors.Is(err, fs.ErrPermission) and errors.Is(err, syscall.ENOSPC) are answered.
func (e *Error) Unwrap() error {
	if e.Errno == 0 {
		return nil
	}
	return e.Errno
}

// Is compares with ErrNotFound and the others by code.
func (e *Error) Is(target error) bool {
	wanted, ours := target.(sentinel)
	if ours && wanted.code == 0 {
		return e.Code == CodeStatus && (e.Op == "kill" || e.Op == "pidfd")
	}
	return ours && wanted.code == e.Code
}

// failed makes an error of what a call gave; nil when it gave none.
func failed(op, id string, failure *abi.Failure) error {
	switch {
	case failure == nil:
		return nil
	case failure.Closed:
		return fmt.Errorf("reaper: %s: %w", op, os.ErrClosed)
	}
	return &Error{Code: Code(failure.Code), Errno: failure.Errno, Op: op, ID: id, Message: failure.Message,
		Pointer: failure.Pointer, Stage: failure.Stage}
}
