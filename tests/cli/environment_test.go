package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The program's environment is process.env and nothing else: containerd's own holds secrets.
func TestEnvironmentIsExactlyProcessEnv(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.env = append(os.Environ(), "SECRET=1", "NOTIFY_SOCKET=/run/notify", "LISTEN_FDS=1", "LISTEN_PID=1",
		"REAPER_RUNTIME_ROOT="+b.root, "LD_PRELOAD=", "TZ=UTC")
	env := []string{"ONE=1", "TWO=a b=c", "EMPTY=", "ONE=again", standardPATH}
	got := b.output(config("/bin/cat", "/proc/self/environ").with("env", env))
	want(t, "environment", got, strings.Join(env, "\x00")+"\x00")
}

func TestEnvironmentMayBeEmpty(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	want(t, "environment", b.output(config("/bin/cat", "/proc/self/environ").with("env", []string{})), "")
	absent := config("/bin/cat", "/proc/self/environ")
	delete(absent.process(), "env")
	want(t, "environment without env", b.output(absent), "")
}

// Neither the caller's environment nor the CLI's is found in the waiting init.
func TestWaitingInitHasNoEnvironment(t *testing.T) {
	t.Parallel()
	needRoot(t) // a waiting init is not dumpable
	b := newBox(t)
	b.env = append(os.Environ(), "SECRET=do-not-pass")
	pid := b.create("c", config("true"))
	if text := read(t, procPath(pid, "environ")); strings.Contains(text, "SECRET") {
		t.Errorf("the waiting init has the caller's environment: %q", text)
	}
}

func TestRootFromEnvironment(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.create("c", config("true"))
	other := newBox(t)
	other.root = b.root // --root and the variable name the same
	want(t, "ids", other.ok("list", "-q"), "c\n")
	elsewhere := newBox(t)
	got := elsewhere.bare([]string{"REAPER_RUNTIME_ROOT=" + b.root}, "list", "-q")
	want(t, "ids by the variable", got.stdout, "c\n")
	// --root wins.
	got = elsewhere.bare([]string{"REAPER_RUNTIME_ROOT=" + b.root}, "--root", elsewhere.root, "list", "-q")
	want(t, "ids by --root", got.stdout, "")
	got = elsewhere.bare([]string{"XDG_RUNTIME_DIR=" + elsewhere.dir}, "list", "-f", "json")
	want(t, "exit code without any", got.code, 0)
	b.ok("delete", "--force", "c")
}

// The directory of an ordinary user without any set-up: below $XDG_RUNTIME_DIR, private, and made when it is needed.
func TestDefaultRootOfAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	if os.Getuid() == 0 {
		b.asUser(ordinaryUID)
	}
	b.write(config("echo", "rootless"))
	got := b.bare([]string{"XDG_RUNTIME_DIR=" + b.dir}, "run", "--keep", "-b", b.bundle, "c")
	want(t, "stdout", got.stdout, "rootless\n")
	info, err := os.Stat(filepath.Join(b.dir, "reaper"))
	check(t, err)
	want(t, "mode of the state directory", info.Mode().Perm(), os.FileMode(0o700))
	got = b.bare([]string{"XDG_RUNTIME_DIR=" + b.dir}, "delete", "c")
	want(t, "delete", got, result{})
}
