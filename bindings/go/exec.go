package reaper

import (
	"context"
	"os"
	"runtime"
	"syscall"

	"reaper/bindings/go/internal/abi"
)

// ExecOptions say what a further process in a container is.
type ExecOptions struct {
	// Process is a process object of the runtime specification: the text as []byte, json.RawMessage or string, or any
	// value that encoding/json makes it of, such as a *specs.Process.
	Process any
	// LayOver lays Process over the container's own process, as it was created: what it does not have is the
	// container's, and environment, groups and capabilities are added to the container's.
	LayOver bool

	// Stdin, Stdout, Stderr, ExtraFiles, Console, ConsoleSocket, PidFile and Strict are as in CreateOptions.
	Stdin, Stdout, Stderr *os.File
	ExtraFiles            []*os.File
	Console               bool
	ConsoleSocket         string
	PidFile               string
	Strict                bool

	// NoNewPrivs sets no_new_privs (prctl(2)), whatever Process says.
	NoNewPrivs bool
	// IgnorePaused asks for it in a paused container too: Exec returns when that goes on.
	IgnorePaused bool
}

const (
	execStrict       = 1 << 1
	execLayOver      = 1 << 2
	execIgnorePaused = 1 << 3
	execNoNewPrivs   = 1 << 4
)

func (o *ExecOptions) request() (abi.ExecRequest, error) {
	process, err := configText(o.Process)
	if err != nil {
		return abi.ExecRequest{}, err
	}
	request := abi.ExecRequest{
		Process: process, PidFile: o.PidFile, ConsoleSocket: o.ConsoleSocket, Console: o.Console,
		Stdio: [3]int32{descriptor(o.Stdin), descriptor(o.Stdout), descriptor(o.Stderr)},
	}
	for _, file := range o.ExtraFiles {
		request.ExtraFds = append(request.ExtraFds, descriptor(file))
	}
	for flag, wanted := range map[uint32]bool{execStrict: o.Strict, execLayOver: o.LayOver,
		execIgnorePaused: o.IgnorePaused, execNoNewPrivs: o.NoNewPrivs} {
		if wanted {
			request.Flags |= flag
		}
	}
	return request, nil
}

// Process is a handle on a further process in a container. Any number of goroutines may use it at once.
type Process struct {
	handle  *abi.Process
	id      string
	console *os.File
}

// Exec runs a further process in a running container, in its namespaces, its root and its cgroups. nil means that
// execve(2) has succeeded, with an identity that was read back and compared. The process is a child of this one, and
// nothing of it is written down: Wait for it. ErrStatus: the container does not run, or it is paused.
func (c *Container) Exec(options ExecOptions) (*Process, error) {
	defer runtime.KeepAlive(options)
	request, err := options.request()
	if err != nil {
		return nil, err
	}
	handle, master, failure := c.handle.Exec(request)
	if failure != nil {
		return nil, failed("exec", c.id, failure)
	}
	process := &Process{handle: handle, id: c.id}
	if master >= 0 {
		process.console = abi.File(int32(master), "console in "+c.id)
	}
	return process, nil
}

// Close frees the handle, once, and takes the zombie of a process that has ended; another one lives on.
func (p *Process) Close() error {
	p.handle.Close()
	return nil
}

// Console is the master of its terminal, if ExecOptions.Console asked for it: see Container.Console.
func (p *Process) Console() *os.File { return p.console }

// Pid is its process id in this pid namespace, also after it ended; 0 after Close.
func (p *Process) Pid() int { return int(p.handle.Pid()) }

// Pidfd is a new descriptor for its pidfd (pidfd_open(2)), yours to close: readable when the process has ended.
func (p *Process) Pidfd() (*os.File, error) {
	number, failure := p.handle.Pidfd()
	if failure != nil {
		return nil, failed("pidfd", p.id, failure)
	}
	return abi.File(number, "pidfd in "+p.id), nil
}

// Kill sends a signal to it. ErrNotRunning: it has ended.
func (p *Process) Kill(signal syscall.Signal) error {
	return failed("kill", p.id, p.handle.Kill(int32(signal)))
}

// Wait waits until it has ended, and tells how: as Container.Wait.
func (p *Process) Wait(ctx context.Context) (ExitStatus, error) {
	status, failure, err := p.handle.Wait(ctx)
	return exitStatus("wait", p.id, status, failure, err)
}
