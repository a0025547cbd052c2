package abi

import (
	"runtime"
	"unsafe"
)

// Runtime is a reaper_runtime.
type Runtime struct {
	library *Library
	handle  *handle
	options Settings
}

// Settings are reaper_runtime_options.
type Settings struct {
	Root                     string
	Log                      func(level int32, message string)
	LogLevel                 uint32
	LockTimeout, KillTimeout uint64 // milliseconds
}

// NewRuntime is reaper_runtime_new.
func NewRuntime(library *Library, settings Settings) (*Runtime, *Failure) {
	if failure := refuseNul("the state directory", settings.Root); failure != nil {
		return nil, failure
	}
	logger := &sharedLogger{}
	if settings.Log != nil {
		logger.logger = library.NewLogger(settings.Log)
	}
	return newRuntime(library, settings, logger.retain())
}

func newRuntime(library *Library, settings Settings, logger *sharedLogger) (*Runtime, *Failure) {
	memory := arena{library: library}
	defer memory.free()
	options := (*RuntimeOptions)(Ptr(&memory.bytes(int(unsafe.Sizeof(RuntimeOptions{})))[0]))
	*options = RuntimeOptions{
		Size: uint64(unsafe.Sizeof(*options)), Root: memory.address(settings.Root), Log: logger.logger.Callback,
		LogData: logger.logger.Data, LogLevel: settings.LogLevel, LockTimeout: settings.LockTimeout,
		KillTimeout: settings.KillTimeout,
	}
	var out, err Ptr
	disturb()
	defer disturb()
	if failure := library.failure(library.RuntimeNew(Ptr(options), &out, &err), err); failure != nil {
		logger.release()
		return nil, failure
	}
	made := &Runtime{library, &handle{handle: out, free: library.RuntimeFree, logger: logger}, settings}
	closeWith(made, made.handle)
	return made, nil
}

// Close is reaper_runtime_free, once.
func (r *Runtime) Close() {
	defer runtime.KeepAlive(r)
	r.handle.close()
}

// Root is reaper_runtime_root; "" after Close.
func (r *Runtime) Root() (root string) {
	defer runtime.KeepAlive(r)
	_ = r.handle.read(func(handle Ptr) *Failure {
		root = r.library.RuntimeRoot(handle)
		return nil
	})
	return root
}

// Request is reaper_create_options. What is -1 in Stdio is /dev/null.
type Request struct {
	Bundle, PidFile            string
	Config                     []byte // nil: from the bundle
	Stdio                      [3]int32
	ExtraFds                   []int32
	Flags                      uint32
	ListenFds                  uint32
	ListenNames, ConsoleSocket string
	Console                    bool
}

// options puts the request into C's memory. With Console, the number is where the library writes the master to.
func (request *Request) options(memory *arena) (options Ptr, console *int32, failure *Failure) {
	failure = refuseNul("a path or a name of the options", request.Bundle, request.PidFile, request.ListenNames,
		request.ConsoleSocket)
	if failure != nil {
		return nil, nil, failure
	}
	made := (*CreateOptions)(Ptr(&memory.bytes(int(unsafe.Sizeof(CreateOptions{})))[0]))
	*made = CreateOptions{
		Size: uint64(unsafe.Sizeof(*made)), Bundle: memory.address(request.Bundle),
		PidFile: memory.address(request.PidFile), Flags: request.Flags | CreateStdio, Stdio: request.Stdio, ListenFdCount: request.ListenFds,
		ConsoleSocket: memory.address(request.ConsoleSocket), ListenNames: memory.address(request.ListenNames),
	}
	if request.Config != nil {
		config := memory.text(string(request.Config))
		made.Config, made.ConfigLength = uintptr(config), uint64(len(request.Config))
	}
	made.ExtraFds, made.ExtraFdCount = memory.numbers(request.ExtraFds)
	console, made.Console = memory.master(request.Console)
	return Ptr(made), console, nil
}

// Create is reaper_create. The master of a terminal is -1 where none was asked for.
func (r *Runtime) Create(id string, request Request) (*Container, int, *Failure) {
	defer runtime.KeepAlive(r)
	if failure := refuseNul("the id", id); failure != nil {
		return nil, -1, failure
	}
	memory := arena{library: r.library}
	defer memory.free()
	options, console, failure := request.options(&memory)
	if failure != nil {
		return nil, -1, failure
	}
	container, failure := r.container(func(handle Ptr, out, err *Ptr) int32 {
		return r.library.Create(handle, memory.text(id), options, out, err)
	})
	return container, masterOf(console, failure), failure
}

// Open is reaper_open.
func (r *Runtime) Open(id string) (*Container, *Failure) {
	defer runtime.KeepAlive(r)
	if failure := refuseNul("the id", id); failure != nil {
		return nil, failure
	}
	memory := arena{library: r.library}
	defer memory.free()
	return r.container(func(handle Ptr, out, err *Ptr) int32 {
		return r.library.Open(handle, memory.text(id), out, err)
	})
}

func (r *Runtime) container(call func(handle Ptr, out, err *Ptr) int32) (container *Container, failure *Failure) {
	made, failure := r.library.child(r.handle, r.library.ContainerFree, call)
	if made != nil {
		container = &Container{library: r.library, handle: made}
		closeWith(container, made)
	}
	return container, failure
}

// Delete is reaper_delete_id. The header wants the handle to itself for that one, so it gets one of its own: nothing
// waits behind a create whose hooks take their time.
func (r *Runtime) Delete(id string, flags uint32) *Failure {
	defer runtime.KeepAlive(r)
	if failure := refuseNul("the id", id); failure != nil {
		return failure
	}
	return r.handle.read(func(runtime Ptr) *Failure {
		settings := r.options
		settings.Root = r.library.RuntimeRoot(runtime)
		own, failure := newRuntime(r.library, settings, r.handle.logger.retain())
		if failure != nil {
			return failure
		}
		defer own.Close()
		memory := arena{library: r.library}
		defer memory.free()
		return own.handle.alone(func(handle Ptr) *Failure {
			var err Ptr
			return r.library.failure(r.library.DeleteID(handle, memory.text(id), flags, &err), err)
		})
	})
}

// List is reaper_list.
func (r *Runtime) List() (text []byte, failure *Failure) {
	defer runtime.KeepAlive(r)
	failure = r.handle.read(func(handle Ptr) *Failure {
		text, failure = r.library.text(func(out, err *Ptr) int32 { return r.library.List(handle, out, err) })
		return failure
	})
	return text, failure
}

// Plan is reaper_plan, Check is reaper_check.
func (r *Runtime) Plan(request Request, format uint32) ([]byte, *Failure) {
	return r.foresee(r.library.Plan, request, format)
}

// Check is reaper_check.
func (r *Runtime) Check(request Request, format uint32) ([]byte, *Failure) {
	return r.foresee(r.library.Check, request, format)
}

func (r *Runtime) foresee(function func(runtime, options Ptr, format uint32, out, err *Ptr) int32, request Request,
	format uint32) (text []byte, failure *Failure) {
	defer runtime.KeepAlive(r)
	memory := arena{library: r.library}
	defer memory.free()
	options, _, failure := request.options(&memory)
	if failure != nil {
		return nil, failure
	}
	failure = r.handle.read(func(handle Ptr) *Failure {
		text, failure = r.library.text(func(out, err *Ptr) int32 { return function(handle, options, format, out, err) })
		return failure
	})
	return text, failure
}

// text makes a call that returns a string.
func (l *Library) text(call func(out, err *Ptr) int32) ([]byte, *Failure) {
	var out, err Ptr
	if failure := l.failure(call(&out, &err), err); failure != nil {
		return nil, failure
	}
	return l.take(out), nil
}

// FeaturesText is reaper_features.
func (l *Library) FeaturesText() ([]byte, *Failure) { return l.text(l.Features) }

// SpecText is reaper_spec.
func (l *Library) SpecText() ([]byte, *Failure) { return l.text(l.Spec) }
