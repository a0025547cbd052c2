// Code generated from ../reaper.go by internal/twin. DO NOT EDIT.

package reaper

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"reaper/bindings/go/internal/abi"
)

// Version of the library that was loaded, "0.1.0" for instance; "" when none can be (only package purego: see Load).
func Version() string {
	l, err := library()
	if err != nil {
		return ""
	}
	return l.Version()
}

// Commit is the source revision that the library was built from, "unknown", or "" as with Version.
func Commit() string {
	l, err := library()
	if err != nil {
		return ""
	}
	return l.Commit()
}

// Features is the features object of the runtime specification, which says what the library was built to do: it
// unmarshals into features.Features of runtime-spec.
func Features() (json.RawMessage, error) {
	l, err := library()
	if err != nil {
		return nil, err
	}
	text, failure := l.FeaturesText()
	return text, failed("features", "", failure)
}

// Spec is a config.json to begin with, which runs as it stands for root and for an ordinary user.
func Spec() (json.RawMessage, error) {
	l, err := library()
	if err != nil {
		return nil, err
	}
	text, failure := l.SpecText()
	return text, failed("spec", "", failure)
}

// Runtime is a handle on a state directory. Any number of goroutines may use it at once.
type Runtime struct {
	handle *abi.Runtime
}

// New makes a handle. Nothing is made on disk: the first Create makes the directory (0700).
func New(options Options) (*Runtime, error) {
	l, err := library()
	if err != nil {
		return nil, err
	}
	settings := abi.Settings{Root: options.Root, LogLevel: uint32(options.LogLevel),
		LockTimeout: milliseconds(options.LockTimeout), KillTimeout: milliseconds(options.KillTimeout)}
	if log := options.Log; log != nil {
		settings.Log = func(level int32, message string) { log(Level(level), message) }
	}
	handle, failure := abi.NewRuntime(l, settings)
	if failure != nil {
		return nil, failed("new", "", failure)
	}
	return &Runtime{handle}, nil
}

// milliseconds: 0 is the library's default, so what is shorter than one is one.
func milliseconds(d time.Duration) uint64 {
	switch {
	case d == 0:
		return 0
	case d < time.Millisecond:
		return 1
	}
	return uint64(d.Milliseconds())
}

// Close frees the handle, once; what was forgotten is closed when the collector finds it. Containers live on, and so do
// their handles.
func (r *Runtime) Close() error {
	r.handle.Close()
	return nil
}

// Root is the absolute path of the state directory; "" after Close.
func (r *Runtime) Root() string { return r.handle.Root() }

// Create makes everything that config.json asks for except the program, which waits for Start. The container's process
// becomes a child of this one: Wait for it, or set Supervise.
//
// The context is looked at before anything is made, and again when everything is: where it has ended by then, the
// container is deleted again. It does not interrupt what is being made, and it is of no meaning to the container later.
func (r *Runtime) Create(ctx context.Context, id string, options CreateOptions) (*Container, error) {
	defer runtime.KeepAlive(options)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	request, err := options.request()
	if err != nil {
		return nil, err
	}
	handle, master, failure := r.handle.Create(id, request)
	if failure != nil {
		return nil, failed("create", id, failure)
	}
	container := &Container{handle: handle, id: id}
	if master >= 0 {
		container.console = abi.File(int32(master), "console of "+id)
	}
	if err := ctx.Err(); err != nil {
		return nil, container.takeBack(err)
	}
	return container, nil
}

// Open makes a handle on a container that exists, whoever created it.
func (r *Runtime) Open(id string) (*Container, error) {
	handle, failure := r.handle.Open(id)
	if failure != nil {
		return nil, failed("open", id, failure)
	}
	return &Container{handle: handle, id: id}, nil
}

// Delete deletes by id. It also reaches containers that Open refuses: a corrupt record, an interrupted create.
func (r *Runtime) Delete(id string, flags ...DeleteFlag) error {
	return failed("delete", id, r.handle.Delete(id, deleteFlags(flags)))
}

// List tells of every container in the state directory.
func (r *Runtime) List() ([]Info, error) {
	text, failure := r.handle.List()
	if failure != nil {
		return nil, failed("list", "", failure)
	}
	var list []Info
	return list, unmarshal("list", text, &list)
}

// Plan is what Create would do with these options, operation by operation. Nothing is made or changed.
func (r *Runtime) Plan(options CreateOptions) (*Plan, error) {
	plan := new(Plan)
	text, err := r.foresee("plan", r.handle.Plan, options, abi.FormatJSON)
	if err != nil {
		return nil, err
	}
	return plan, unmarshal("plan", text, plan)
}

// PlanText is Plan as lines for people.
func (r *Runtime) PlanText(options CreateOptions) (string, error) {
	text, err := r.foresee("plan", r.handle.Plan, options, abi.FormatText)
	return string(text), err
}

// Check tells what would fail with these options, for this user on this host, and why: every error that can be foreseen
// of Create and Start. It fails only where it could not look. Nothing is made or changed.
func (r *Runtime) Check(options CreateOptions) (*Report, error) {
	report := new(Report)
	text, err := r.foresee("check", r.handle.Check, options, abi.FormatJSON)
	if err != nil {
		return nil, err
	}
	return report, unmarshal("check", text, report)
}

// CheckText is Check as lines for people.
func (r *Runtime) CheckText(options CreateOptions) (string, error) {
	text, err := r.foresee("check", r.handle.Check, options, abi.FormatText)
	return string(text), err
}

func (r *Runtime) foresee(op string, function func(abi.Request, uint32) ([]byte, *abi.Failure), options CreateOptions,
	format uint32) ([]byte, error) {
	defer runtime.KeepAlive(options)
	request, err := options.request()
	if err != nil {
		return nil, err
	}
	text, failure := function(request, format)
	return text, failed(op, "", failure)
}

func unmarshal(op string, text []byte, value any) error {
	if err := json.Unmarshal(text, value); err != nil {
		return fmt.Errorf("reaper: %s: what the library says is not understood: %w", op, err)
	}
	return nil
}
