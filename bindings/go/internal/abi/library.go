// Package abi is include/reaper.h in Go, without a way to call it: the two front ends bring that, by cgo or by dlopen.
// Here is what both need around the calls: memory, handles that are freed once, errors as values, and the wait on a
// pidfd. Nothing here knows what a container is.
package abi

import "unsafe"

// Ptr is an address in C: a handle, or memory of Library.Malloc. Go's collector has no business with it.
type Ptr = unsafe.Pointer

// Library is every function that reaper.h declares, under its name there without `reaper_`, and memory to call them
// with. `out` and `err` are variables of the caller; what is read through a Ptr lies in C's memory.
type Library struct {
	ErrorCode, ErrorErrno                  func(err Ptr) int32
	ErrorMessage, ErrorPointer, ErrorStage func(err Ptr) string
	ErrorFree                              func(err Ptr)
	ErrorName                              func(code int32) string
	Free                                   func(text Ptr)

	Version, Commit func() string
	Features, Spec  func(out, err *Ptr) int32

	RuntimeNew  func(options Ptr, out, err *Ptr) int32
	RuntimeFree func(runtime Ptr)
	RuntimeRoot func(runtime Ptr) string

	Create      func(runtime, id, options Ptr, out, err *Ptr) int32
	Open        func(runtime, id Ptr, out, err *Ptr) int32
	DeleteID    func(runtime, id Ptr, flags uint32, err *Ptr) int32
	List        func(runtime Ptr, out, err *Ptr) int32
	Plan, Check func(runtime, options Ptr, format uint32, out, err *Ptr) int32

	ContainerFree      func(container Ptr)
	ContainerID        func(container Ptr) string
	Start              func(container Ptr, err *Ptr) int32
	State              func(container Ptr, out, err *Ptr) int32
	Status, Pid, Pidfd func(container Ptr, out *int32, err *Ptr) int32
	Kill               func(container Ptr, signal int32, flags uint32, err *Ptr) int32
	Delete             func(container Ptr, flags uint32, err *Ptr) int32
	Wait               func(container Ptr, timeoutMs int64, out Ptr, err *Ptr) int32

	Exec         func(container, options Ptr, out, err *Ptr) int32
	ProcessFree  func(process Ptr)
	ProcessPid   func(process Ptr) int32
	ProcessPidfd func(process Ptr, out *int32, err *Ptr) int32
	ProcessKill  func(process Ptr, signal int32, err *Ptr) int32
	ProcessWait  func(process Ptr, timeoutMs int64, out Ptr, err *Ptr) int32

	Malloc     func(size uintptr) Ptr // never nil
	FreeMemory func(memory Ptr)
	NewLogger  func(log func(level int32, message string)) Logger
}

// Logger is a reaper_log_callback with its data. Release is called when no handle has it any more.
type Logger struct {
	Callback, Data uintptr
	Release        func()
}

// Values of reaper.h that the front ends do not name themselves.
const (
	CodeTimeout = -10

	CreateStdio = 1 << 0
	ExecStdio   = 1 << 0

	FormatText = 0
	FormatJSON = 1
)

// RuntimeOptions is reaper_runtime_options; pointers are numbers, for it lies in C's memory.
type RuntimeOptions struct {
	Size        uint64
	Root        uintptr
	Log         uintptr
	LogData     uintptr
	LogLevel    uint32
	Flags       uint32
	LockTimeout uint64
	KillTimeout uint64
}

// CreateOptions is reaper_create_options.
type CreateOptions struct {
	Size          uint64
	Bundle        uintptr
	Config        uintptr
	ConfigLength  uint64
	PidFile       uintptr
	ExtraFds      uintptr
	ExtraFdCount  uint32
	Flags         uint32
	Stdio         [3]int32
	ListenFdCount uint32
	ConsoleSocket uintptr
	Console       uintptr
	ListenNames   uintptr
}

// ExecOptions is reaper_exec_options.
type ExecOptions struct {
	Size          uint64
	Process       uintptr
	ProcessLength uint64
	PidFile       uintptr
	ExtraFds      uintptr
	ExtraFdCount  uint32
	Flags         uint32
	Stdio         [3]int32
	Reserved      uint32
	ConsoleSocket uintptr
	Console       uintptr
}

// ExitStatus is reaper_exit_status.
type ExitStatus struct {
	Size         uint64
	ExitCode     int32
	Signal       int32
	CoreDumped   uint32
	Reserved     uint32
	StartedAtNs  int64
	FinishedAtNs int64
	UserTimeUs   int64
	SystemTimeUs int64
	MaxRssKib    int64
}
