// Package cli drives the built reaper-runtime with real bundles and real programs.
//
// $REAPER_RUNTIME is the program. Every test has a directory of its own, a state directory in it, and deletes its
// containers by id. The tests run as root and as an ordinary user; what needs root is skipped with its reason.
package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

var (
	runtimePath string // the program under test
	helperPath  string // this binary, where every uid can execute it: see helper_test.go
)

const (
	patience      = 60 * time.Second // nothing here takes a second; only a hang takes this long
	prSetSubreap  = 36               // PR_SET_CHILD_SUBREAPER, prctl(2)
	ordinaryUID   = 12345            // an id that nobody has, also not in passwd
	otherUID      = 23456
	standardPATH  = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	ociVersion    = "1.3.0"
	configName    = "config.json"
	stateFileName = "state.json"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "helper" {
		os.Exit(helper(os.Args[2:]))
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	runtimePath = os.Getenv("REAPER_RUNTIME")
	if runtimePath == "" {
		fmt.Fprintln(os.Stderr, "REAPER_RUNTIME must name the reaper-runtime to test")
		return 1
	}
	syscall.Umask(0o022)
	// What was left open by whoever runs the tests is nothing of the containers'.
	for fd := 3; fd < 256; fd++ {
		syscall.CloseOnExec(fd)
	}
	// As a container engine does: create's containers become children of this process, which takes their status.
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetSubreap, 1, 0); errno != 0 {
		fmt.Fprintln(os.Stderr, "PR_SET_CHILD_SUBREAPER:", errno)
		return 1
	}
	directory, err := os.MkdirTemp("", "reaper-cli-helper-")
	if err == nil {
		defer os.RemoveAll(directory)
		err = installHelper(directory)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "installing the helper:", err)
		return 1
	}
	return m.Run()
}

func installHelper(directory string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(self)
	if err != nil {
		return err
	}
	helperPath = filepath.Join(directory, "helper")
	if err := os.WriteFile(helperPath, text, 0o755); err != nil {
		return err
	}
	return os.Chmod(directory, 0o755)
}

// skip leaves the test; the line on stdout is what reports count.
func skip(t *testing.T, reason string) {
	t.Helper()
	fmt.Printf("SKIP: %s\n", reason)
	t.Skip(reason)
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		skip(t, "needs root: changes to another user")
	}
}

// box is one test's world: a directory that every uid can enter, a state directory and a bundle.
type box struct {
	t          *testing.T
	dir        string
	root       string
	bundle     string
	credential *syscall.Credential // who calls the CLI; nil: we
	env        []string            // the CLI's environment; nil: ours
	wrapper    []string            // words before the CLI's path, such as unshare -n
	globals    []string            // options before the command
	stdin      *os.File
	stdout     *os.File // nil: read and returned
	extra      []*os.File
	cwd        string
}

func newBox(t *testing.T) *box {
	t.Helper()
	dir, err := os.MkdirTemp("", "reaper-cli-")
	check(t, err)
	check(t, os.Chmod(dir, 0o755))
	b := &box{t: t, dir: dir, root: filepath.Join(dir, "state"), bundle: filepath.Join(dir, "bundle"), cwd: dir}
	check(t, os.Mkdir(b.bundle, 0o755))
	t.Cleanup(b.cleanUp)
	return b
}

// cleanUp ends what a failed test left, by id, and insists that nothing stays.
func (b *box) cleanUp() {
	b.env, b.wrapper, b.globals, b.stdin, b.stdout, b.extra, b.cwd = nil, nil, nil, nil, nil, nil, b.dir
	entries, _ := os.ReadDir(b.root)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		if got := b.cli("delete", "--force", "--", entry.Name()); got.code != 0 {
			b.t.Errorf("clean-up of %s: %s", entry.Name(), got.stderr)
		}
	}
	check(b.t, os.RemoveAll(b.dir))
}

// asUser makes the CLI's caller an ordinary user who owns the box.
func (b *box) asUser(uid uint32) {
	b.t.Helper()
	needRoot(b.t)
	b.credential = &syscall.Credential{Uid: uid, Gid: uid}
	check(b.t, os.Chown(b.dir, int(uid), int(uid)))
	check(b.t, os.Chown(b.bundle, int(uid), int(uid)))
	if got := b.cli("--version"); got.code != 0 {
		skip(b.t, "the build directory cannot be entered by other users")
	}
}

type result struct {
	stdout, stderr string
	code           int
}

// command prepares the CLI with files, not pipes, as its output: a container may keep them open.
func (b *box) command(ctx context.Context, args ...string) *exec.Cmd {
	words := append([]string{}, b.wrapper...)
	words = append(words, runtimePath, "--root", b.root)
	words = append(append(words, b.globals...), args...)
	command := exec.CommandContext(ctx, words[0], words[1:]...)
	command.Dir = b.cwd
	command.Env = b.env
	command.Stdin = b.stdinOrNil()
	command.ExtraFiles = b.extra
	command.SysProcAttr = &syscall.SysProcAttr{Credential: b.credential}
	return command
}

// A nil *os.File in an io.Reader would not be nil.
func (b *box) stdinOrNil() io.Reader {
	if b.stdin == nil {
		return nil
	}
	return b.stdin
}

// cli runs the CLI to its end.
func (b *box) cli(args ...string) result {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return b.finish(ctx, b.command(ctx, args...))
}

// bare runs the CLI with these words and this environment alone.
func (b *box) bare(env []string, words ...string) result {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, runtimePath, words...)
	command.Dir, command.Env = b.cwd, env
	command.SysProcAttr = &syscall.SysProcAttr{Credential: b.credential}
	return b.finish(ctx, command)
}

func (b *box) finish(ctx context.Context, command *exec.Cmd) result {
	b.t.Helper()
	stdout, stderr := b.temporary("stdout"), b.temporary("stderr")
	defer stdout.Close()
	defer stderr.Close()
	command.Stdout, command.Stderr = stdout, stderr
	if b.stdout != nil {
		command.Stdout = b.stdout
	}
	err := command.Run()
	if ctx.Err() != nil {
		b.t.Fatalf("%v hangs", command.Args)
	}
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		b.t.Fatalf("%v: %v", command.Args, err)
	}
	return result{read(b.t, stdout.Name()), withoutProfiling(read(b.t, stderr.Name())), exitCode(command.ProcessState)}
}

// In a build for coverage, libgcov complains on stderr in a process that became another user and may not write its
// counts. Those lines are not the CLI's.
func withoutProfiling(text string) string {
	lines := strings.SplitAfter(text, "\n")
	kept := lines[:0]
	for _, line := range lines {
		if !strings.HasPrefix(line, "profiling:") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func exitCode(state *os.ProcessState) int {
	status := state.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return -int(status.Signal())
	}
	return status.ExitStatus()
}

func (b *box) temporary(name string) *os.File {
	b.t.Helper()
	file, err := os.CreateTemp(b.dir, name+"-")
	check(b.t, err)
	return file
}

// ok runs the CLI and insists on success in silence: nothing on stderr, and stdout is returned.
func (b *box) ok(args ...string) string {
	b.t.Helper()
	got := b.cli(args...)
	if got.code != 0 || got.stderr != "" {
		b.t.Fatalf("%v: exit code %d, stderr %q", args, got.code, got.stderr)
	}
	return got.stdout
}

// fails runs the CLI and insists on our own error: exit code 1, nothing on stdout, and one line on stderr with the
// prefix and every one of the phrases.
func (b *box) fails(phrases []string, args ...string) string {
	b.t.Helper()
	got := b.cli(args...)
	if got.code != 1 || got.stdout != "" {
		b.t.Fatalf("%v: exit code %d, stdout %q, stderr %q", args, got.code, got.stdout, got.stderr)
	}
	if !strings.HasPrefix(got.stderr, "reaper-runtime: ") || strings.Count(got.stderr, "\n") != 1 ||
		!strings.HasSuffix(got.stderr, "\n") {
		b.t.Errorf("%v: not one line with our prefix: %q", args, got.stderr)
	}
	for _, phrase := range phrases {
		if !strings.Contains(got.stderr, phrase) {
			b.t.Errorf("%v: stderr %q lacks %q", args, got.stderr, phrase)
		}
	}
	return got.stderr
}

func phrases(list ...string) []string { return list }

// object is any JSON object. The specification's types cannot say "no user at all", so configs are built of these.
type object map[string]interface{}

// config is a host-mode bundle of one program.
func config(args ...string) object {
	return object{
		"ociVersion": ociVersion,
		"process":    object{"args": args, "cwd": "/", "env": []string{standardPATH}},
	}
}

func (o object) process() object { return o["process"].(object) }

// with sets one member of process and returns the config.
func (o object) with(name string, value interface{}) object {
	o.process()[name] = value
	return o
}

func user(uid, gid uint32) object { return object{"uid": uid, "gid": gid} }

// write puts the config into the box's bundle.
func (b *box) write(config interface{}) {
	b.t.Helper()
	text, err := json.Marshal(config)
	check(b.t, err)
	b.writeText(string(text))
}

func (b *box) writeText(text string) {
	b.t.Helper()
	check(b.t, os.WriteFile(filepath.Join(b.bundle, configName), []byte(text), 0o644))
}

// file writes a file that everybody may read, and execute if told so.
func (b *box) file(name, text string, mode os.FileMode) string {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	check(b.t, os.WriteFile(path, []byte(text), mode))
	check(b.t, os.Chmod(path, mode))
	return path
}

// run is `run` of a config: the whole life of a container.
func (b *box) run(config object, options ...string) result {
	b.t.Helper()
	b.write(config)
	return b.cli(append(append([]string{"run", "--bundle", b.bundle}, options...), "c")...)
}

// output runs a config that must succeed and returns what it wrote.
func (b *box) output(config object, options ...string) string {
	b.t.Helper()
	got := b.run(config, options...)
	if got.code != 0 || got.stderr != "" {
		b.t.Fatalf("run: exit code %d, stderr %q, stdout %q", got.code, got.stderr, got.stdout)
	}
	return got.stdout
}

// create makes a container of the config and returns its pid from the pid file.
func (b *box) create(id string, config object, options ...string) int {
	b.t.Helper()
	b.write(config)
	pidFile := filepath.Join(b.dir, "pid-"+id)
	b.ok(append(append([]string{"create", "--bundle", b.bundle, "--pid-file", pidFile}, options...), id)...)
	pid, err := strconv.Atoi(read(b.t, pidFile))
	check(b.t, err)
	return pid
}

func (b *box) state(id string) specs.State {
	b.t.Helper()
	var state specs.State
	check(b.t, json.Unmarshal([]byte(b.ok("state", id)), &state))
	return state
}

func (b *box) status(id string) string {
	b.t.Helper()
	return string(b.state(id).Status)
}

func (b *box) wantStatus(id, wanted string) {
	b.t.Helper()
	if got := b.status(id); got != wanted {
		b.t.Errorf("status of %s is %q, not %q", id, got, wanted)
	}
}

// reap takes the status of a container's process, which is our child once its creator has ended.
func reap(t *testing.T, pid int) syscall.WaitStatus {
	t.Helper()
	var status syscall.WaitStatus
	eventually(t, fmt.Sprintf("the end of process %d", pid), func() bool {
		got, err := syscall.Wait4(pid, &status, syscall.WNOHANG, nil)
		if err != nil && err != syscall.EINTR {
			t.Fatalf("wait4(%d): %v", pid, err)
		}
		return got == pid
	})
	return status
}

// waitStopped waits for the end without reaping.
func (b *box) waitStopped(id string) {
	b.t.Helper()
	eventually(b.t, "the end of "+id, func() bool { return b.status(id) == "stopped" })
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if done() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waiting for %s: too long", what)
		}
	}
}

// waitForText waits until a file holds the text.
func waitForText(t *testing.T, path, text string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%q in %s", text, path), func() bool {
		got, _ := os.ReadFile(path)
		return bytes.Contains(got, []byte(text))
	})
}

// procStatus reads what `cat /proc/self/status` printed: the kernel's own word on ids, sets, masks and signals.
func procStatus(text string) map[string]string {
	fields := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		if name, value, found := strings.Cut(line, ":"); found {
			fields[name] = strings.Join(strings.Fields(value), " ")
		}
	}
	return fields
}

func wantFields(t *testing.T, got map[string]string, wanted map[string]string) {
	t.Helper()
	for name, value := range wanted {
		if got[name] != value {
			t.Errorf("%s is %q, not %q", name, got[name], value)
		}
	}
}

func ownStatus(t *testing.T) map[string]string {
	t.Helper()
	// Of the main thread, whose signal mask Go leaves alone.
	return procStatus(read(t, "/proc/self/status"))
}

// holds says whether this process has a capability: root in a sandbox may lack some.
func holds(t *testing.T, capability uint) bool {
	t.Helper()
	effective, err := strconv.ParseUint(ownStatus(t)["CapEff"], 16, 64)
	check(t, err)
	return effective>>capability&1 == 1
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	check(t, err)
	return string(text)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, what string, got, wanted interface{}) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(wanted) {
		t.Errorf("%s: got %q, wanted %q", what, fmt.Sprint(got), fmt.Sprint(wanted))
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// raw runs the wrapper without the CLI behind it and reads its stdout as a status file.
func (b *box) raw() map[string]string {
	b.t.Helper()
	text, err := exec.Command(b.wrapper[0], b.wrapper[1:]...).Output()
	check(b.t, err)
	return procStatus(string(text))
}

func procPath(pid int, name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }
