package reaper

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
)

func TestLife(t *testing.T) {
	r := runtimeOf(t, Options{})
	began := time.Now()
	c := create(t, r, "life", CreateOptions{Config: shell("exit 7", "")})
	if c.ID() != "life" {
		t.Errorf("id %q", c.ID())
	}
	if status := must[Status](t)(c.Status()); status != StatusCreated {
		t.Errorf("status %q", status)
	}
	state := must[*State](t)(c.State())
	pid := must[int](t)(c.Pid())
	if state.ID != "life" || state.Status != StatusCreated || state.Pid != pid || pid <= 0 || state.OCIVersion == "" ||
		state.Created.Before(began.Add(-limit)) || state.Reaper.Supervision != "none" ||
		!json.Valid(state.Raw) || len(state.Reaper.Credentials) == 0 {
		t.Errorf("%+v", state)
	}
	start(t, c)
	status := wait(t, c)
	if status.Code != 7 || status.Signal != 0 || status.Success() || status.String() != "exit status 7" ||
		status.StartedAt.Before(began.Add(-limit)) || !status.Usage || status.MaxRSS <= 0 {
		t.Errorf("%#v", status)
	}
	if again := wait(t, c); again != status {
		t.Errorf("%+v, then %+v", status, again)
	}
	if status := must[Status](t)(c.Status()); status != StatusStopped {
		t.Errorf("status %q", status)
	}
	if err := c.Delete(); err != nil {
		t.Fatal(err)
	}
	if again := wait(t, c); again.Code != 7 {
		t.Errorf("after delete: %+v", again)
	}
	_, err := c.State()
	assertError(t, err, wanted{is: ErrNotFound, code: CodeNotFound, op: "state", id: "life",
		stage: errorStage(err), part: "does not exist"})
}

// errorStage is for where the step is the library's own business.
func errorStage(err error) string {
	var e *Error
	_ = errors.As(err, &e)
	return e.Stage
}

func TestSignalEndsIt(t *testing.T) {
	r := runtimeOf(t, Options{})
	c := create(t, r, "sleeper", CreateOptions{Config: shell("exec sleep 1000", "")})
	start(t, c)
	before := pidfds(t)
	waited := make(chan error)
	go func() {
		_, err := c.Wait(within(t))
		waited <- err
	}()
	for pidfds(t) == before { // it has looked, and waits
		time.Sleep(time.Millisecond)
	}
	if err := c.Kill(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-waited; err != nil {
		t.Fatal(err)
	}
	status := wait(t, c)
	if status.FinishedAt.Before(status.StartedAt) { // who saw it end knows when
		t.Errorf("%#v", status)
	}
	if status.Code != -1 || status.Signal != syscall.SIGTERM || status.String() != "signal: terminated" {
		t.Errorf("%+v", status)
	}
	err := c.Kill(syscall.SIGTERM)
	assertError(t, err, wanted{is: ErrNotRunning, code: CodeStatus, op: "kill", id: "sleeper", stage: errorStage(err),
		errno: errorNumber(err), part: "container not running"})
	if !errors.Is(err, ErrStatus) || errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if err := c.Kill(syscall.SIGKILL, All); err != nil {
		t.Errorf("with All on a stopped container: %v", err)
	}
	remove(t, c)
}

// pidfds counts descriptors, those of the handles included.
func pidfds(t *testing.T) (count int) {
	t.Helper()
	list := must[[]os.DirEntry](t)(os.ReadDir("/proc/self/fd"))
	for _, entry := range list {
		if name, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil && strings.Contains(name, "pidfd") {
			count++
		}
	}
	return count
}

func errorNumber(err error) syscall.Errno {
	var e *Error
	_ = errors.As(err, &e)
	return e.Errno
}

func TestContextEndsTheWaitAndNothingElse(t *testing.T) {
	r := runtimeOf(t, Options{})
	c := create(t, r, "patient", CreateOptions{Config: shell("exec sleep 1000", "")})
	start(t, c)
	ctx, cancel := context.WithCancel(context.Background())
	waiting := make(chan error)
	go func() {
		_, err := c.Wait(ctx)
		waiting <- err
	}()
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := c.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a look: %v", err)
	}
	late, done := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer done()
	if _, err := c.Wait(late); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("out of time: %v", err)
	}
	if status := must[Status](t)(c.Status()); status != StatusRunning {
		t.Errorf("status %q", status)
	}
	if err := c.Delete(Force); err != nil {
		t.Fatal(err)
	}
	if status, err := c.Wait(ctx); err != nil || status.Signal != syscall.SIGKILL {
		t.Errorf("a look after the end: %+v, %v", status, err)
	}
}

func TestContextOfCreate(t *testing.T) {
	r := runtimeOf(t, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	// Its hook waits until the context has ended.
	gate := filepath.Join(t.TempDir(), "gate")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	config := strings.Replace(shell("true", ""), `"process"`,
		`"hooks":{"createRuntime":[{"path":"/bin/sh","args":["sh","-c","echo >`+gate+`; read x <`+gate+`"]}]},"process"`, 1)
	go func() {
		_, _ = os.ReadFile(gate)
		cancel()
		_ = os.WriteFile(gate, []byte("on\n"), 0)
	}()
	if _, err := r.Create(ctx, "late", CreateOptions{Config: config}); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	if list := must[[]Info](t)(r.List()); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	if _, err := r.Create(ctx, "never", CreateOptions{Config: config}); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
}

func TestOpenAndList(t *testing.T) {
	r := runtimeOf(t, Options{})
	if list := must[[]Info](t)(r.List()); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	first := create(t, r, "one", CreateOptions{Config: shell("exec sleep 1000", ""), Supervise: true})
	start(t, first)
	second := must[*Container](t)(r.Open("one"))
	list := must[[]Info](t)(r.List())
	if len(list) != 1 || list[0].ID != "one" || list[0].Status != StatusRunning || list[0].Owner == "" ||
		list[0].Pid != must[int](t)(second.Pid()) {
		t.Errorf("%+v", list)
	}
	if state := must[*State](t)(second.State()); state.Reaper.Supervision != "active" || state.Reaper.SupervisorPid <= 0 {
		t.Errorf("%+v", state)
	}
	if err := first.Kill(syscall.SIGKILL, All); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Container{first, second} {
		status := wait(t, c)
		if status.Signal != syscall.SIGKILL || status.FinishedAt.Before(status.StartedAt) {
			t.Errorf("%#v", status)
		}
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Delete("one"); err != nil {
		t.Error(err)
	}
	_, err := r.Open("one")
	assertError(t, err, wanted{is: ErrNotFound, code: CodeNotFound, op: "open", id: "one",
		stage: errorStage(err), part: "does not exist"})
}

func TestPidfdIsReadableAtTheEnd(t *testing.T) {
	r := runtimeOf(t, Options{})
	c := create(t, r, "fd", CreateOptions{Config: shell("exec sleep 1000", "")})
	start(t, c)
	file := must[*os.File](t)(c.Pidfd())
	defer file.Close()
	// That Go's poller takes it is what Wait stands on.
	if err := file.SetReadDeadline(time.Now().Add(limit)); err != nil {
		t.Fatalf("the poller does not take a pidfd: %v", err)
	}
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, file.Fd(), syscall.F_GETFD, 0)
	if errno != 0 || flags&syscall.FD_CLOEXEC == 0 {
		t.Errorf("flags %x, %v", flags, errno)
	}
	if err := c.Kill(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wait(t, c)
	_, err := c.Pidfd()
	assertError(t, err, wanted{is: ErrNotRunning, code: CodeStatus, op: "pidfd", id: "fd", stage: errorStage(err),
		errno: errorNumber(err)})
}

func TestEveryOptionReachesTheProgram(t *testing.T) {
	r := runtimeOf(t, Options{})
	bundle := t.TempDir()
	pidFile := filepath.Join(bundle, "pid")
	if err := os.WriteFile(bundle+"/config.json", []byte(shell("echo from the bundle", "")), 0o600); err != nil {
		t.Fatal(err)
	}
	if text := output(t, r, "bundle", CreateOptions{Bundle: bundle, PidFile: pidFile}); text != "from the bundle\n" {
		t.Errorf("%q", text)
	}
	if text, err := os.ReadFile(pidFile); err != nil || !isNumber(string(text)) {
		t.Errorf("%q, %v", text, err)
	}

	input := must[*os.File](t)(os.Open("/etc/hostname"))
	defer input.Close()
	script := `read line; echo "$line"; readlink /proc/self/fd/3; echo "$LISTEN_FDS $LISTEN_FDNAMES"; [ "$LISTEN_PID" = $$ ] && echo mine`
	text := output(t, r, "files", CreateOptions{Config: shell(script, ""), Stdin: input,
		ExtraFiles: []*os.File{input, input}, ListenFiles: 2, ListenNames: []string{"a", "b"}})
	name, _ := os.ReadFile("/etc/hostname")
	if text != strings.SplitAfter(string(name), "\n")[0]+"/etc/hostname\n2 a:b\nmine\n" {
		t.Errorf("%q", text)
	}

	// The session keyring is the caller's with NoNewKeyring, and NoCgroup passes over a path that would be refused.
	noCgroup := strings.Replace(shell("true", ""), `"process"`, `"linux":{"cgroupsPath":"/../x"},"process"`, 1)
	_, err := r.Create(within(t), "cgroup", CreateOptions{Config: noCgroup})
	assertError(t, err, wanted{is: ErrInvalid, code: CodeInvalid, op: "create", id: "cgroup",
		pointer: "/linux/cgroupsPath", stage: errorStage(err), errno: errorNumber(err)})
	plan := must[string](t)(r.PlanText(CreateOptions{Config: shell("true", "")}))
	without := must[string](t)(r.PlanText(CreateOptions{Config: shell("true", ""), NoNewKeyring: true}))
	if !strings.Contains(plan, "_ses.") || strings.Contains(without, "_ses.") {
		t.Errorf("%s\n%s", plan, without)
	}
	withCgroup := strings.Replace(shell("true", ""), `"process"`, `"linux":{"cgroupsPath":"reaper-test"},"process"`, 1)
	plan = must[string](t)(r.PlanText(CreateOptions{Config: withCgroup, NoCgroup: true}))
	if strings.Contains(plan, "reaper-test") {
		t.Error(plan)
	}
}

func isNumber(text string) bool {
	_, err := strconv.Atoi(text)
	return err == nil
}

func TestStrict(t *testing.T) {
	r := runtimeOf(t, Options{})
	config := shell("true", `,"capabilites":{}`)
	_, err := r.Create(within(t), "strict", CreateOptions{Config: config, Strict: true})
	assertError(t, err, wanted{is: ErrInvalid, code: CodeInvalid, op: "create", id: "strict",
		pointer: "/process/capabilites", stage: "plan", errno: errorNumber(err), part: `did you mean "capabilities"?`})
	c := create(t, r, "lenient", CreateOptions{Config: config})
	warnings := must[*State](t)(c.State()).Reaper.Warnings
	if len(warnings) != 1 || warnings[0].Pointer != "/process/capabilites" || warnings[0].Message == "" {
		t.Errorf("%+v", warnings)
	}
}

func TestConfigFromAnyValue(t *testing.T) {
	r := runtimeOf(t, Options{})
	umask := uint32(0o27)
	spec := &specs.Spec{Version: specs.Version, Process: &specs.Process{Args: []string{"/bin/sh", "-c", "umask"}, Cwd: "/",
		User: specs.User{UID: uint32(os.Getuid()), GID: uint32(os.Getgid()), Umask: &umask}}}
	text := must[[]byte](t)(json.Marshal(spec))
	for name, config := range map[string]any{"value": spec, "bytes": text, "raw": json.RawMessage(text), "text": string(text)} {
		if have := output(t, r, name, CreateOptions{Config: config}); have != "0027\n" {
			t.Errorf("%s: %q", name, have)
		}
	}
	var unsupported *json.UnsupportedTypeError
	if _, err := r.Create(within(t), "chan", CreateOptions{Config: make(chan int)}); !errors.As(err, &unsupported) {
		t.Errorf("%v", err)
	}
}

func TestConsole(t *testing.T) {
	if ptmx, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err != nil {
		skip(t, "no terminal can be made: "+err.Error())
	} else {
		_ = ptmx.Close()
	}
	r := runtimeOf(t, Options{})
	c := create(t, r, "tty", CreateOptions{Config: shell("read line; echo got $line; tty", `,"terminal":true`), Console: true})
	start(t, c)
	console := c.Console()
	if console == nil {
		t.Fatal("no console")
	}
	defer console.Close()
	// The poller has it, so that a read can be ended.
	if err := console.SetReadDeadline(time.Now().Add(limit)); err != nil {
		t.Error(err)
	}
	if _, err := console.WriteString("it\n"); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	buffer := make([]byte, 256)
	for {
		n, err := console.Read(buffer)
		text.Write(buffer[:n])
		if err != nil {
			if !errors.Is(err, syscall.EIO) {
				t.Error(err)
			}
			break
		}
	}
	if !strings.Contains(text.String(), "got it\r\n/dev/pts/") {
		t.Errorf("%q", text.String())
	}
	if status := wait(t, c); !status.Success() {
		t.Error(status)
	}
}

func TestLookingAhead(t *testing.T) {
	r := runtimeOf(t, Options{})
	good := CreateOptions{Config: shell("true", `,"umask":7`)}
	plan := must[*Plan](t)(r.Plan(good))
	last := plan.Operations[len(plan.Operations)-1]
	if last.Op != "execve" || last.Pointer != "/process/args" || len(plan.Identity) == 0 || len(plan.Warnings) != 1 {
		t.Errorf("%+v", plan)
	}
	if text := must[string](t)(r.PlanText(good)); !strings.Contains(text, "execve") {
		t.Error(text)
	}
	if report := must[*Report](t)(r.Check(CreateOptions{Config: shell("true", "")})); !report.OK {
		t.Errorf("%+v", report)
	}
	bad := CreateOptions{Config: `{"ociVersion":"1.2.0","process":{"args":["/no/such"],"cwd":"/"}}`}
	report := must[*Report](t)(r.Check(bad))
	if report.OK || len(report.Findings) == 0 || report.Findings[0].Level != "error" ||
		report.Findings[0].Code != CodeExec.String() || report.Findings[0].Pointer != "/process/args/0" {
		t.Errorf("%+v", report)
	}
	if text := must[string](t)(r.CheckText(bad)); !strings.HasPrefix(text, "error: ") {
		t.Error(text)
	}
	_, err := r.Plan(CreateOptions{Config: `{"ociVersion":`})
	assertError(t, err, wanted{is: ErrInvalid, code: CodeInvalid, op: "plan", stage: "json", part: "config.json:1:15"})
	if _, err := os.Stat(r.Root()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state directory was made: %v", err)
	}
}

func TestLibrary(t *testing.T) {
	if Version() == "" || Commit() == "" {
		t.Errorf("%q %q", Version(), Commit())
	}
	var known features.Features
	if err := json.Unmarshal(must[json.RawMessage](t)(Features()), &known); err != nil || known.OCIVersionMax == "" {
		t.Errorf("%v, %+v", err, known)
	}
	var spec specs.Spec
	if err := json.Unmarshal(must[json.RawMessage](t)(Spec()), &spec); err != nil || spec.Process == nil {
		t.Errorf("%v, %+v", err, spec)
	}
	if err := Load(""); err != nil {
		t.Error(err)
	}
	err := Load("/no/such/libreaper.so.0")
	assertError(t, err, wanted{is: ErrUnsupported, code: CodeUnsupported, op: "load", stage: "load", part: "/no/such"})
}

func TestHundredsOfGoroutines(t *testing.T) {
	r := runtimeOf(t, Options{LockTimeout: limit})
	const count = 200
	failures := make(chan error, count)
	var group sync.WaitGroup
	for i := 0; i < count; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			failures <- life(r, "c"+strconv.Itoa(i), i%200)
		}(i)
	}
	group.Wait()
	for i := 0; i < count; i++ {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	if list := must[[]Info](t)(r.List()); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

func life(r *Runtime, id string, code int) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	c, err := r.Create(ctx, id, CreateOptions{Config: shell("exit "+strconv.Itoa(code), "")})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Start(); err != nil {
		return err
	}
	status, err := c.Wait(ctx)
	if err != nil {
		return err
	}
	if status.Code != code {
		return errors.New(id + ": " + status.String())
	}
	return c.Delete()
}

// Hundreds of waits at once are no threads.
func TestWaitsBlockNoThread(t *testing.T) {
	r := runtimeOf(t, Options{})
	c := create(t, r, "long", CreateOptions{Config: shell("exec sleep 1000", "")})
	start(t, c)
	const count = 300
	before := threads(t)
	results := make(chan error, count)
	var begun sync.WaitGroup
	for i := 0; i < count; i++ {
		begun.Add(1)
		go func() {
			begun.Done()
			_, err := c.Wait(context.Background())
			results <- err
		}()
	}
	begun.Wait()
	for i := 0; i < 200; i++ { // let them come to their wait
		runtime.Gosched()
		time.Sleep(time.Millisecond)
	}
	if now := threads(t); now-before > count/2 {
		t.Errorf("%d threads, and with %d waits %d", before, count, now)
	}
	if err := c.Kill(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < count; i++ {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

func threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}
