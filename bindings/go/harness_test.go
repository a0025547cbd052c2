package reaper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// These tests are those of package purego too: its test files are links to them.

// limit is generous: only a defect reaches it. Nothing is asserted about time.
const limit = time.Minute

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// runtimeOf makes a runtime in a directory of this test alone. What the test leaves in it is deleted by force.
func runtimeOf(t *testing.T, options Options) *Runtime {
	t.Helper()
	options.Root = t.TempDir() + "/root"
	r, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		list, err := r.List()
		if err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
		for _, info := range list {
			if err := r.Delete(info.ID, Force); err != nil {
				t.Errorf("delete %s: %v", info.ID, err)
			}
		}
		_ = r.Close()
	})
	return r
}

// shell is a config.json for a line of shell; more is put into the object process: `,"umask":7`, or "".
func shell(script, more string) string {
	quoted, _ := json.Marshal(script)
	return `{"ociVersion":"1.2.0","process":{"args":["/bin/sh","-c",` + string(quoted) +
		`],"cwd":"/","env":["PATH=/usr/bin:/bin"],"noNewPrivileges":true` + more + `}}`
}

func create(t *testing.T, r *Runtime, id string, options CreateOptions) *Container {
	t.Helper()
	c, err := r.Create(within(t), id, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func start(t *testing.T, c *Container) {
	t.Helper()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
}

func wait(t *testing.T, c *Container) ExitStatus {
	t.Helper()
	status, err := c.Wait(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func remove(t *testing.T, c *Container) {
	t.Helper()
	if err := c.Delete(); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// output is the whole life of a container: what it wrote. It must end with 0.
func output(t *testing.T, r *Runtime, id string, options CreateOptions) string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	options.Stdout, options.Stderr = write, write
	c := create(t, r, id, options)
	start(t, c)
	_ = write.Close()
	text, err := io.ReadAll(read)
	if err != nil {
		t.Fatal(err)
	}
	if status := wait(t, c); !status.Success() {
		t.Fatalf("%s: %s", status, text)
	}
	remove(t, c)
	return string(text)
}

// wanted is what an error must say; part is part of its message.
type wanted struct {
	is      error
	code    Code
	errno   syscall.Errno
	op      string
	id      string
	pointer string
	stage   string
	part    string
}

func assertError(t *testing.T, err error, want wanted) {
	t.Helper()
	var have *Error
	if !errors.As(err, &have) {
		t.Fatalf("no *Error: %v", err)
	}
	if !errors.Is(err, want.is) || have.Code != want.code || have.Errno != want.errno || have.Op != want.op ||
		have.ID != want.id || have.Pointer != want.pointer || have.Stage != want.stage ||
		!strings.Contains(have.Message, want.part) {
		t.Fatalf("wanted %+v\nhave %+v", want, *have)
	}
}

// skip says why at the beginning of a line, where reports look for it.
func skip(t *testing.T, reason string) {
	t.Helper()
	fmt.Printf("SKIP: %s\n", reason)
	t.SkipNow()
}

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}
