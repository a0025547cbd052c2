package reaper

// All of cgo is in this file: each function of reaper.h as abi.Library has it, and the way back for messages.

/*
#cgo pkg-config: reaper
#include <reaper.h>
#include <stdlib.h>

extern void reaperGoLog(uintptr_t logger, int32_t level, char *message);

static void reaper_go_log(void *logger, int32_t level, const char *message) {
	reaperGoLog((uintptr_t)logger, level, (char *)message);
}
static inline uintptr_t reaper_go_log_address(void) { return (uintptr_t)reaper_go_log; }
*/
import "C"

import (
	"fmt"
	"runtime/cgo"
	"unsafe"

	"reaper/bindings/go/internal/abi"
)

// Load is for the package purego, which has the same functions as this one and finds the library when the program runs.
// Here it was linked: Load("") is nil, and another path is refused with ErrUnsupported.
func Load(path string) error {
	if path != "" {
		return &Error{Code: CodeUnsupported, Op: "load", Message: fmt.Sprintf("this program is linked to the library, %q "+
			"cannot take its place: package purego can load it", path), Stage: "load"}
	}
	return nil
}

func library() (*abi.Library, error) { return &linked, nil }

// The structs of package abi are those of the header that this is compiled with, or this does not compile.
const (
	_ = -(unsafe.Sizeof(abi.RuntimeOptions{}) ^ C.sizeof_reaper_runtime_options)
	_ = -(unsafe.Sizeof(abi.CreateOptions{}) ^ C.sizeof_reaper_create_options)
	_ = -(unsafe.Sizeof(abi.ExecOptions{}) ^ C.sizeof_reaper_exec_options)
	_ = -(unsafe.Sizeof(abi.ExitStatus{}) ^ C.sizeof_reaper_exit_status)
)

type (
	ptr       = abi.Ptr
	runtimeC  = *C.reaper_runtime
	container = *C.reaper_container
	process   = *C.reaper_process
)

func errorOut(err *ptr) **C.reaper_error             { return (**C.reaper_error)(unsafe.Pointer(err)) }
func textOut(out *ptr) **C.char                      { return (**C.char)(unsafe.Pointer(out)) }
func numberOut(out *int32) *C.int32_t                { return (*C.int32_t)(unsafe.Pointer(out)) }
func runtimeOut(out *ptr) **C.reaper_runtime         { return (**C.reaper_runtime)(unsafe.Pointer(out)) }
func containerOut(out *ptr) **C.reaper_container     { return (**C.reaper_container)(unsafe.Pointer(out)) }
func processOut(out *ptr) **C.reaper_process         { return (**C.reaper_process)(unsafe.Pointer(out)) }
func createOptions(o ptr) *C.reaper_create_options   { return (*C.reaper_create_options)(o) }
func runtimeOptions(o ptr) *C.reaper_runtime_options { return (*C.reaper_runtime_options)(o) }

var linked = abi.Library{
	ErrorCode:    func(e ptr) int32 { return int32(C.reaper_error_code((*C.reaper_error)(e))) },
	ErrorErrno:   func(e ptr) int32 { return int32(C.reaper_error_errno((*C.reaper_error)(e))) },
	ErrorMessage: func(e ptr) string { return C.GoString(C.reaper_error_message((*C.reaper_error)(e))) },
	ErrorPointer: func(e ptr) string { return C.GoString(C.reaper_error_pointer((*C.reaper_error)(e))) },
	ErrorStage:   func(e ptr) string { return C.GoString(C.reaper_error_stage((*C.reaper_error)(e))) },
	ErrorFree:    func(e ptr) { C.reaper_error_free((*C.reaper_error)(e)) },
	ErrorName:    func(code int32) string { return C.GoString(C.reaper_error_name(C.int32_t(code))) },
	Free:         func(text ptr) { C.reaper_free((*C.char)(text)) },

	Version:  func() string { return C.GoString(C.reaper_version()) },
	Commit:   func() string { return C.GoString(C.reaper_commit()) },
	Features: func(out, err *ptr) int32 { return int32(C.reaper_features(textOut(out), errorOut(err))) },
	Spec:     func(out, err *ptr) int32 { return int32(C.reaper_spec(textOut(out), errorOut(err))) },

	RuntimeNew: func(options ptr, out, err *ptr) int32 {
		return int32(C.reaper_runtime_new(runtimeOptions(options), runtimeOut(out), errorOut(err)))
	},
	RuntimeFree: func(r ptr) { C.reaper_runtime_free(runtimeC(r)) },
	RuntimeRoot: func(r ptr) string { return C.GoString(C.reaper_runtime_root(runtimeC(r))) },

	Create: func(r, id, options ptr, out, err *ptr) int32 {
		return int32(C.reaper_create(runtimeC(r), (*C.char)(id), createOptions(options), containerOut(out), errorOut(err)))
	},
	Open: func(r, id ptr, out, err *ptr) int32 {
		return int32(C.reaper_open(runtimeC(r), (*C.char)(id), containerOut(out), errorOut(err)))
	},
	DeleteID: func(r, id ptr, flags uint32, err *ptr) int32 {
		return int32(C.reaper_delete_id(runtimeC(r), (*C.char)(id), C.uint32_t(flags), errorOut(err)))
	},
	List: func(r ptr, out, err *ptr) int32 {
		return int32(C.reaper_list(runtimeC(r), textOut(out), errorOut(err)))
	},
	Plan: func(r, options ptr, format uint32, out, err *ptr) int32 {
		return int32(C.reaper_plan(runtimeC(r), createOptions(options), C.uint32_t(format), textOut(out), errorOut(err)))
	},
	Check: func(r, options ptr, format uint32, out, err *ptr) int32 {
		return int32(C.reaper_check(runtimeC(r), createOptions(options), C.uint32_t(format), textOut(out), errorOut(err)))
	},

	ContainerFree: func(c ptr) { C.reaper_container_free(container(c)) },
	ContainerID:   func(c ptr) string { return C.GoString(C.reaper_container_id(container(c))) },
	Start:         func(c ptr, err *ptr) int32 { return int32(C.reaper_start(container(c), errorOut(err))) },
	State: func(c ptr, out, err *ptr) int32 {
		return int32(C.reaper_state(container(c), textOut(out), errorOut(err)))
	},
	Status: func(c ptr, out *int32, err *ptr) int32 {
		return int32(C.reaper_status(container(c), numberOut(out), errorOut(err)))
	},
	Pid: func(c ptr, out *int32, err *ptr) int32 {
		return int32(C.reaper_pid(container(c), numberOut(out), errorOut(err)))
	},
	Pidfd: func(c ptr, out *int32, err *ptr) int32 {
		return int32(C.reaper_pidfd(container(c), numberOut(out), errorOut(err)))
	},
	Kill: func(c ptr, signal int32, flags uint32, err *ptr) int32 {
		return int32(C.reaper_kill(container(c), C.int32_t(signal), C.uint32_t(flags), errorOut(err)))
	},
	Delete: func(c ptr, flags uint32, err *ptr) int32 {
		return int32(C.reaper_delete(container(c), C.uint32_t(flags), errorOut(err)))
	},
	Wait: func(c ptr, timeoutMs int64, out ptr, err *ptr) int32 {
		return int32(C.reaper_wait(container(c), C.int64_t(timeoutMs), (*C.reaper_exit_status)(out), errorOut(err)))
	},

	Exec: func(c, options ptr, out, err *ptr) int32 {
		return int32(C.reaper_exec(container(c), (*C.reaper_exec_options)(options), processOut(out), errorOut(err)))
	},
	ProcessFree: func(p ptr) { C.reaper_process_free(process(p)) },
	ProcessPid:  func(p ptr) int32 { return int32(C.reaper_process_pid(process(p))) },
	ProcessPidfd: func(p ptr, out *int32, err *ptr) int32 {
		return int32(C.reaper_process_pidfd(process(p), numberOut(out), errorOut(err)))
	},
	ProcessKill: func(p ptr, signal int32, err *ptr) int32 {
		return int32(C.reaper_process_kill(process(p), C.int32_t(signal), errorOut(err)))
	},
	ProcessWait: func(p ptr, timeoutMs int64, out ptr, err *ptr) int32 {
		return int32(C.reaper_process_wait(process(p), C.int64_t(timeoutMs), (*C.reaper_exit_status)(out), errorOut(err)))
	},

	Malloc:     func(size uintptr) ptr { return C.malloc(C.size_t(size)) },
	FreeMemory: func(memory ptr) { C.free(memory) },
	NewLogger: func(log func(int32, string)) abi.Logger {
		logger := cgo.NewHandle(log)
		return abi.Logger{Callback: uintptr(C.reaper_go_log_address()), Data: uintptr(logger), Release: logger.Delete}
	},
}

//export reaperGoLog
func reaperGoLog(logger C.uintptr_t, level C.int32_t, message *C.char) {
	abi.Log(cgo.Handle(logger).Value().(func(int32, string)), int32(level), C.GoString(message))
}
