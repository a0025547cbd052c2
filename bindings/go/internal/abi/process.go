package abi

import (
	"context"
	"runtime"
	"unsafe"
)

// Process is a reaper_process.
type Process struct {
	library  *Library
	handle   *handle
	finished int64 // as Container's
}

// ExecRequest is reaper_exec_options. What is -1 in Stdio is /dev/null.
type ExecRequest struct {
	Process                []byte
	PidFile, ConsoleSocket string
	Stdio                  [3]int32
	ExtraFds               []int32
	Flags                  uint32
	Console                bool
}

// options is as Request's.
func (request *ExecRequest) options(memory *arena) (options Ptr, console *int32, failure *Failure) {
	if failure = refuseNul("a path of the options", request.PidFile, request.ConsoleSocket); failure != nil {
		return nil, nil, failure
	}
	made := (*ExecOptions)(Ptr(&memory.bytes(int(unsafe.Sizeof(ExecOptions{})))[0]))
	*made = ExecOptions{
		Size: uint64(unsafe.Sizeof(*made)), Process: uintptr(memory.text(string(request.Process))),
		ProcessLength: uint64(len(request.Process)), PidFile: memory.address(request.PidFile),
		Flags: request.Flags | ExecStdio, Stdio: request.Stdio,
		ConsoleSocket: memory.address(request.ConsoleSocket),
	}
	made.ExtraFds, made.ExtraFdCount = memory.numbers(request.ExtraFds)
	console, made.Console = memory.master(request.Console)
	return Ptr(made), console, nil
}

// Exec is reaper_exec. The master of a terminal is -1 where none was asked for.
func (c *Container) Exec(request ExecRequest) (process *Process, master int, failure *Failure) {
	defer runtime.KeepAlive(c)
	memory := arena{library: c.library}
	defer memory.free()
	options, console, failure := request.options(&memory)
	if failure != nil {
		return nil, -1, failure
	}
	made, failure := c.library.child(c.handle, c.library.ProcessFree, func(container Ptr, out, err *Ptr) int32 {
		return c.library.Exec(container, options, out, err)
	})
	if made != nil {
		process = &Process{library: c.library, handle: made}
		closeWith(process, made)
	}
	return process, masterOf(console, failure), failure
}

// Close is reaper_process_free, once.
func (p *Process) Close() {
	defer runtime.KeepAlive(p)
	p.handle.close()
}

// Pid is reaper_process_pid; 0 after Close.
func (p *Process) Pid() (pid int32) {
	defer runtime.KeepAlive(p)
	_ = p.handle.read(func(handle Ptr) *Failure {
		pid = p.library.ProcessPid(handle)
		return nil
	})
	return pid
}

// Pidfd is reaper_process_pidfd.
func (p *Process) Pidfd() (int32, *Failure) {
	defer runtime.KeepAlive(p)
	number := int32(-1)
	failure := p.handle.read(func(handle Ptr) *Failure {
		var err Ptr
		return p.library.failure(p.library.ProcessPidfd(handle, &number, &err), err)
	})
	return number, failure
}

// Kill is reaper_process_kill.
func (p *Process) Kill(signal int32) *Failure {
	defer runtime.KeepAlive(p)
	return p.handle.read(func(handle Ptr) *Failure {
		var err Ptr
		return p.library.failure(p.library.ProcessKill(handle, signal, &err), err)
	})
}

// Wait is reaper_process_wait for as long as the context lasts. The second error is the context's.
func (p *Process) Wait(ctx context.Context) (ExitStatus, *Failure, error) {
	defer runtime.KeepAlive(p)
	return waiter{p.library, p.handle, p.library.ProcessWait, p.Pidfd, &p.finished}.wait(ctx)
}
