package reaper

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestErrorsNameFieldStepAndNumber(t *testing.T) {
	r := runtimeOf(t, Options{})
	ctx := within(t)
	_, err := r.Create(ctx, "no such id!", CreateOptions{Config: shell("true", "")})
	assertError(t, err, wanted{is: ErrInvalid, code: CodeInvalid, op: "create", id: "no such id!", stage: errorStage(err),
		errno: errorNumber(err)})
	_, err = r.Create(ctx, "x", CreateOptions{Bundle: "/no/such/bundle"})
	assertError(t, err, wanted{is: ErrNotFound, code: CodeNotFound, errno: syscall.ENOENT, op: "create", id: "x",
		stage: errorStage(err), part: "/no/such/bundle"})
	if !errors.Is(err, syscall.ENOENT) {
		t.Errorf("%v does not unwrap to its errno", err)
	}
	_, err = r.Create(ctx, "x", CreateOptions{Config: `{"ociVersion":"1.2.0","process":{"args":["/bin/true"],"cwd":"no"}}`})
	assertError(t, err, wanted{is: ErrInvalid, code: CodeInvalid, op: "create", id: "x", pointer: "/process/cwd",
		stage: "config", errno: errorNumber(err)})
	if text := err.Error(); !strings.HasPrefix(text, "reaper: create: ") || strings.Contains(text, "\n") {
		t.Errorf("%q", text)
	}
	c := create(t, r, "x", CreateOptions{Config: shell("true", "")})
	_, err = r.Create(ctx, "x", CreateOptions{Config: shell("true", "")})
	assertError(t, err, wanted{is: ErrExists, code: CodeExists, errno: errorNumber(err), op: "create", id: "x",
		stage: errorStage(err)})
	err = c.Delete()
	assertError(t, err, wanted{is: ErrStatus, code: CodeStatus, op: "delete", id: "x", stage: errorStage(err),
		errno: errorNumber(err)})
	if errors.Is(err, ErrNotRunning) {
		t.Errorf("%v is no lack of a process", err)
	}
	err = c.Kill(syscall.Signal(1000))
	assertError(t, err, wanted{is: ErrInvalid, code: CodeInvalid, op: "kill", id: "x", stage: errorStage(err),
		errno: errorNumber(err)})
	_, err = New(Options{LogLevel: 77})
	assertError(t, err, wanted{is: ErrInvalid, code: CodeInvalid, op: "new", stage: errorStage(err), errno: errorNumber(err)})
}

func TestEverySentinelIsItsCodeAlone(t *testing.T) {
	all := map[Code]error{CodeInvalid: ErrInvalid, CodeUnsupported: ErrUnsupported, CodeNotFound: ErrNotFound,
		CodeExists: ErrExists, CodeStatus: ErrStatus, CodeBusy: ErrBusy, CodePermission: ErrPermission,
		CodeSystem: ErrSystem, CodeNoMemory: ErrNoMemory, CodeTimeout: ErrTimeout, CodeCorrupt: ErrCorrupt,
		CodeVerify: ErrVerify, CodeExec: ErrExec, CodeUnknown: ErrUnknown, CodeInternal: ErrInternal, CodeHook: ErrHook}
	for code := Code(-1); ; code-- {
		if code.String() == "REAPER_ERR_?" {
			if int(-code)-1 != len(all) {
				t.Errorf("the library has %d codes, this package %d", int(-code)-1, len(all))
			}
			break
		}
		for other, sentinel := range all {
			if errors.Is(&Error{Code: code}, sentinel) != (code == other) {
				t.Errorf("%v and %v", code, sentinel)
			}
		}
		if !strings.Contains(all[code].Error(), code.String()) {
			t.Errorf("%v is %v", code, all[code])
		}
	}
}

// C would read up to the first NUL: another id, another path.
func TestNulBytesAreRefused(t *testing.T) {
	r := runtimeOf(t, Options{})
	ctx := within(t)
	config := shell("true", "")
	attempts := map[string]func() error{
		"create": func() error { _, err := r.Create(ctx, "a\x00b", CreateOptions{Config: config}); return err },
		"open":   func() error { _, err := r.Open("a\x00b"); return err },
		"delete": func() error { return r.Delete("a\x00b", Force) },
		"new":    func() error { _, err := New(Options{Root: "/tmp\x00x"}); return err },
		"bundle": func() error { _, err := r.Create(ctx, "a", CreateOptions{Bundle: "/tmp\x00x"}); return err },
		"pid": func() error {
			_, err := r.Create(ctx, "a", CreateOptions{Config: config, PidFile: "/tmp/\x00x"})
			return err
		},
		"names": func() error {
			_, err := r.Create(ctx, "a", CreateOptions{Config: config, ListenNames: []string{"a\x00"}})
			return err
		},
		"console": func() error { _, err := r.Plan(CreateOptions{Config: config, ConsoleSocket: "a\x00b"}); return err },
	}
	for name, attempt := range attempts {
		if err := attempt(); !errors.Is(err, ErrInvalid) || !errors.Is(err, syscall.EINVAL) ||
			!strings.Contains(err.Error(), "NUL") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.Create(ctx, "a", CreateOptions{Config: config + "\x00"}); !errors.Is(err, ErrInvalid) {
		t.Errorf("config: %v", err)
	}
	if list := must[[]Info](t)(r.List()); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

func TestWhatCannotBeDescribed(t *testing.T) {
	r := runtimeOf(t, Options{})
	ctx := within(t)
	shut := must[*os.File](t)(os.Open("/dev/null"))
	_ = shut.Close()
	for name, options := range map[string]CreateOptions{
		"stdin": {Stdin: shut}, "extra": {ExtraFiles: []*os.File{shut}}, "no extra": {ExtraFiles: []*os.File{nil}},
		"more names than files": {ListenNames: []string{"a", "b"}}, "more listeners": {ListenFiles: 1},
		"fewer than none": {ListenFiles: -1}, "two names in one": {ListenNames: []string{"a:b"}},
	} {
		options.Config = shell("true", "")
		if c, err := r.Create(ctx, "x", options); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
			if c != nil {
				_ = c.Delete(Force)
			}
		}
	}
}

func TestClosedHandles(t *testing.T) {
	r := runtimeOf(t, Options{})
	c := create(t, r, "x", CreateOptions{Config: shell("true", "")})
	for i := 0; i < 3; i++ {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	_, waitError := c.Wait(within(t))
	_, stateError := c.State()
	_, pidError := c.Pid()
	for _, err := range []error{c.Start(), c.Kill(syscall.SIGKILL), c.Delete(), waitError, stateError, pidError} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%v", err)
		}
	}
	if c.ID() != "x" {
		t.Errorf("%q", c.ID())
	}
	if err := r.Delete("x", Force); err != nil {
		t.Error(err)
	}
	// A container needs nothing of its runtime's handle.
	other := create(t, r, "y", CreateOptions{Config: shell("exit 3", "")})
	for i := 0; i < 3; i++ {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	start(t, other)
	if status := wait(t, other); status.Code != 3 {
		t.Error(status)
	}
	remove(t, other)
	if _, err := r.List(); !errors.Is(err, os.ErrClosed) || r.Root() != "" {
		t.Errorf("%v", err)
	}
}

// Close while others use the handle: they get their answer, or os.ErrClosed.
func TestCloseBesideCalls(t *testing.T) {
	r := runtimeOf(t, Options{})
	create(t, r, "x", CreateOptions{Config: shell("true", "")})
	for round := 0; round < 20; round++ {
		c := must[*Container](t)(r.Open("x"))
		var group sync.WaitGroup
		for i := 0; i < 8; i++ {
			group.Add(1)
			go func(i int) {
				defer group.Done()
				if i == 5 {
					_ = c.Close()
				}
				if _, err := c.State(); err != nil && !errors.Is(err, os.ErrClosed) {
					t.Error(err)
				}
			}(i)
		}
		group.Wait()
	}
}

// Handles that are forgotten are closed: their descriptors go. The collector is asked until it has.
func TestForgottenHandles(t *testing.T) {
	r := runtimeOf(t, Options{})
	create(t, r, "x", CreateOptions{Config: shell("true", "")})
	runtime.GC()
	before := descriptors(t)
	func() {
		for i := 0; i < 50; i++ {
			must[*Container](t)(r.Open("x"))
			other := must[*Runtime](t)(New(Options{Root: r.Root(), Log: func(Level, string) {}}))
			must[[]Info](t)(other.List())
		}
	}()
	for deadline := time.Now().Add(limit); descriptors(t) > before; {
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors, %d before", descriptors(t), before)
		}
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestLog(t *testing.T) {
	var lock sync.Mutex
	var lines []string
	r := runtimeOf(t, Options{LogLevel: LevelDebug, Log: func(level Level, message string) {
		lock.Lock()
		defer lock.Unlock()
		lines = append(lines, fmt.Sprintf("%d %s", level, message))
	}})
	c := create(t, r, "x", CreateOptions{Config: shell("true", `,"capabilites":{}`)})
	lock.Lock()
	text := strings.Join(lines, "\n")
	lock.Unlock()
	if !strings.Contains(text, "2 ") || !strings.Contains(text, "capabilites") {
		t.Errorf("%q", text)
	}
	// The container logs after its runtime was closed and forgotten: a poststop hook that fails is a warning.
	config := strings.Replace(shell("true", ""), `"process"`, `"hooks":{"poststop":[{"path":"/bin/false"}]},"process"`, 1)
	hooked := create(t, r, "hooked", CreateOptions{Config: config})
	if err := c.Delete(Force); err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	runtime.GC()
	if err := hooked.Delete(Force); err != nil {
		t.Fatal(err)
	}
	lock.Lock()
	defer lock.Unlock()
	if text := strings.Join(lines, "\n"); !strings.Contains(text, "poststop") {
		t.Errorf("%q", text)
	}
}

// A log function that panics, or ends its goroutine, must not unwind the library: the program ends. (A recover above
// the call must not be reached.)
func TestLogFunctionMustReturn(t *testing.T) {
	if what := os.Getenv("REAPER_TEST_LOG"); what != "" {
		defer func() {
			_ = recover()
			fmt.Println("recovered")
			os.Exit(0)
		}()
		r, _ := New(Options{Root: os.Getenv("REAPER_TEST_ROOT"), Log: func(Level, string) {
			if what == "panic" {
				panic("no words")
			}
			runtime.Goexit()
		}})
		_, _ = r.Create(within(t), "x", CreateOptions{Config: shell("true", `,"capabilites":{}`)})
		return
	}
	for what, words := range map[string]string{"panic": "no words", "exit": "ended its goroutine"} {
		root := filepath.Join(t.TempDir(), "root")
		command := exec.Command(os.Args[0], "-test.run=^TestLogFunctionMustReturn$")
		command.Env = append(os.Environ(), "REAPER_TEST_LOG="+what, "REAPER_TEST_ROOT="+root)
		text, err := command.CombinedOutput()
		if err == nil || !bytes.Contains(text, []byte(words)) || bytes.Contains(text, []byte("recovered")) {
			t.Errorf("%s: %v: %s", what, err, text)
		}
		if r, err := New(Options{Root: root}); err == nil {
			_ = r.Delete("x", Force)
		}
	}
}

func TestDurations(t *testing.T) {
	for d, want := range map[time.Duration]uint64{0: 0, 1: 1, time.Second: 1000, -1: 1, time.Hour: 3600000} {
		if have := milliseconds(d); have != want {
			t.Errorf("%v: %d", d, have)
		}
	}
}
