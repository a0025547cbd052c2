package abi

import (
	"strings"
	"syscall"
)

// Failure is what an error object tells, or a call that never reached the library.
type Failure struct {
	Code    int32
	Errno   syscall.Errno
	Message string
	Pointer string
	Stage   string
	Closed  bool // the handle was closed; nothing else is set
}

var closed = &Failure{Closed: true}

// failure reads and frees the error object of a call; nil when there was no failure.
func (l *Library) failure(code int32, err Ptr) *Failure {
	if code == 0 {
		return nil
	}
	failure := &Failure{
		Code: code, Errno: syscall.Errno(l.ErrorErrno(err)),
		Message: l.ErrorMessage(err), Pointer: l.ErrorPointer(err), Stage: l.ErrorStage(err),
	}
	if err == nil { // there was no memory for it
		failure.Message = l.ErrorName(code)
	}
	l.ErrorFree(err)
	return failure
}

// refuseNul: C would take the text up to its first NUL for the whole, which is another id or path than was asked for.
func refuseNul(what string, texts ...string) *Failure {
	for _, text := range texts {
		if strings.IndexByte(text, 0) >= 0 {
			return &Failure{Code: codeInvalid, Errno: syscall.EINVAL, Message: what + " has a NUL byte", Stage: "arguments"}
		}
	}
	return nil
}

const codeInvalid = -1
