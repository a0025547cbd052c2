package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

var forever = []string{"/bin/sleep", "1000000"}

// The whole life of the specification, with the pid and the status that belong to each step.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("c", config("/bin/sh", "-c", "echo started; read line; exit 42"))
	b.wantStatus("c", "created")
	want(t, "pid of state", b.state("c").Pid, pid)
	b.ok("start", "c")
	status := reap(t, pid) // stdin is /dev/null
	want(t, "exit status", status.ExitStatus(), 42)
	b.wantStatus("c", "stopped")
	want(t, "pid of a stopped container", b.state("c").Pid, 0)
	b.ok("delete", "c")
	b.fails(phrases(`container "c" does not exist`), "state", "c")
}

// create does not run the program.
func TestCreateDoesNotRunTheProgram(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	mark := filepath.Join(b.dir, "mark")
	pid := b.create("c", config("touch", mark))
	if exists(mark) {
		t.Fatal("the program ran before start")
	}
	b.ok("start", "c")
	reap(t, pid)
	if !exists(mark) {
		t.Error("the program did not run after start")
	}
}

// The container's process is a child of the caller: nothing of ours in between, and the pid file has its own pid.
func TestProcessIsTheCallersChild(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("c", config(forever...))
	want(t, "parent of the created process", procStatus(read(t, procPath(pid, "status")))["PPid"], os.Getpid())
	b.ok("start", "c")
	fields := procStatus(read(t, procPath(pid, "status")))
	want(t, "parent of the program", fields["PPid"], os.Getpid())
	want(t, "name", fields["Name"], "sleep")
	b.ok("kill", "c", "KILL")
	want(t, "signal", reap(t, pid).Signal(), syscall.SIGKILL)
}

func TestPidFile(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("c", config(forever...))
	text := read(t, filepath.Join(b.dir, "pid-c"))
	want(t, "pid file", text, strconv.Itoa(pid)) // digits only: conmon and go-runc do not trim
	want(t, "link to it", b.state("c").Pid, pid)
	b.write(config("true"))
	target := b.file("target", "untouched", 0o644)
	link := filepath.Join(b.dir, "link")
	check(t, os.Symlink(target, link))
	b.ok("run", "-b", b.bundle, "--pid-file", link, "d")
	want(t, "target of a link with the pid file's name", read(t, target), "untouched")
	message := b.fails(phrases("ENOENT"), "create", "-b", b.bundle, "--pid-file", filepath.Join(b.dir, "no/pid"), "e")
	wantNoReservedPhrase(t, message)
	want(t, "containers", b.ok("list", "-q"), "c\n")
}

func TestSecondCreateOfOneID(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("c", config(forever...))
	before := b.ok("state", "c")
	b.fails(phrases("container with given ID already exists"), "create", "-b", b.bundle, "c")
	b.fails(phrases("container with given ID already exists"), "run", "-b", b.bundle, "c")
	want(t, "state after it", b.ok("state", "c"), before)
	b.ok("start", "c")
	b.fails(phrases("container with given ID already exists"), "create", "-b", b.bundle, "c")
	b.ok("kill", "c", "KILL")
	reap(t, pid)
	b.fails(phrases("container with given ID already exists"), "create", "-b", b.bundle, "c")
	b.ok("delete", "c")
	b.create("c", config("true")) // the id is free again
}

// Of many creates of one id, one wins, and the others leave nothing.
func TestConcurrentCreates(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("true"))
	var group sync.WaitGroup
	results := make([]result, 12)
	for i := range results {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			results[i] = b.cli("create", "-b", b.bundle, "c")
		}(i)
	}
	group.Wait()
	won := 0
	for _, one := range results {
		if one.code == 0 {
			won++
		} else if !strings.Contains(one.stderr, "container with given ID already exists") {
			t.Errorf("a loser says %q", one.stderr)
		}
	}
	want(t, "winners", won, 1)
	b.wantStatus("c", "created")
}

func TestConcurrentStarts(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	out := filepath.Join(b.dir, "out")
	pid := b.create("c", config("/bin/sh", "-c", "echo ran >> "+out))
	var group sync.WaitGroup
	codes := make([]int, 8)
	for i := range codes {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			codes[i] = b.cli("start", "c").code
		}(i)
	}
	group.Wait()
	reap(t, pid)
	want(t, "runs", read(t, out), "ran\n")
	won := 0
	for _, code := range codes {
		if code == 0 {
			won++
		}
	}
	want(t, "winners", won, 1)
}

func TestStartTwice(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("c", config(forever...))
	b.ok("start", "c")
	message := b.fails(nil, "start", "c")
	wantNoReservedPhrase(t, message)
	b.wantStatus("c", "running")
	b.ok("kill", "c", "KILL")
	reap(t, pid)
	b.fails(nil, "start", "c")
	b.wantStatus("c", "stopped")
}

// delete wants `stopped`; --force ends the process first.
func TestDeleteOfALivingContainer(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("c", config(forever...))
	message := b.fails(phrases("created"), "delete", "c")
	wantNoReservedPhrase(t, message)
	b.wantStatus("c", "created")
	b.ok("start", "c")
	b.fails(phrases("running"), "delete", "c")
	b.wantStatus("c", "running")
	b.ok("delete", "--force", "c")
	want(t, "signal", reap(t, pid).Signal(), syscall.SIGKILL)
	b.fails(phrases(`container "c" does not exist`), "state", "c")
	pid = b.create("d", config(forever...))
	b.ok("delete", "-f", "d")
	reap(t, pid)
	want(t, "containers left", b.ok("list", "-q"), "")
}

func TestUnknownIDs(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, rootExists := range []bool{false, true} {
		if rootExists {
			b.create("other", config("true"))
		}
		for _, words := range [][]string{{"start", "x"}, {"state", "x"}, {"kill", "x"}, {"kill", "--all", "x", "9"},
			{"delete", "x"}, {"wait", "x"}} {
			b.fails(phrases(`container "x" does not exist`), words...)
		}
		b.ok("delete", "--force", "x")
		b.ok("delete", "-f", "x")
	}
}

// An id is judged before any path is made of it, in every command. In a state directory of the test's own.
func TestHostileIDs(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("true"))
	canary := b.file("canary", "alive", 0o644)
	hostile := []string{"", ".", "..", "/", "../canary", "../bundle", "a/b", "a/../..", "-x", "+x", "a b", "a\nb", "é",
		strings.Repeat("a", 256), b.dir, "a\x01"}
	for _, id := range hostile {
		for _, words := range [][]string{{"create", "-b", b.bundle}, {"run", "-b", b.bundle}, {"start"}, {"state"},
			{"kill"}, {"delete"}, {"delete", "--force"}, {"wait"}} {
			got := b.cli(append(words, "--", id)...)
			if got.code != 1 || got.stdout != "" || strings.Count(got.stderr, "\n") != 1 {
				t.Errorf("%v of id %q: exit code %d, stdout %q, stderr %q", words, id, got.code, got.stdout, got.stderr)
			}
			wantNoReservedPhrase(t, got.stderr)
		}
	}
	want(t, "canary", read(t, canary), "alive")
	want(t, "containers", b.ok("list", "-q"), "")
}

func TestOddButValidIDs(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("true"))
	for _, id := range []string{"a", "_", "0", "A.b_c+d-e", strings.Repeat("z", 255), "state.json"} {
		b.ok("run", "-b", b.bundle, id)
	}
}

func TestKillSignals(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, one := range []struct {
		words  []string
		wanted syscall.Signal
	}{
		{nil, syscall.SIGTERM}, {phrases("15"), syscall.SIGTERM}, {phrases("KILL"), syscall.SIGKILL},
		{phrases("SIGKILL"), syscall.SIGKILL}, {phrases("9"), syscall.SIGKILL}, {phrases("usr1"), syscall.SIGUSR1},
		{phrases("RTMIN+3"), syscall.Signal(37)}, {phrases("SIGRTMAX"), syscall.Signal(64)},
	} {
		pid := b.create("c", config(forever...))
		b.ok("start", "c")
		b.ok(append([]string{"kill", "c"}, one.words...)...)
		want(t, fmt.Sprintf("signal by %v", one.words), int(reap(t, pid).Signal()), int(one.wanted))
		b.ok("delete", "c")
	}
}

func TestKillRefusesUnknownSignals(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("c", config(forever...))
	for _, word := range []string{"NOPE", "65", "-1x", "SIGRTMIN+99", "", "9 "} {
		b.fails(phrases("unknown signal", word), "kill", "--", "c", word)
	}
	b.wantStatus("c", "created")
	want(t, "alive", syscall.Kill(pid, 0), nil)
}

// A created container ends by a signal whose default is to end: engines stop containers that were never started.
func TestKillOfACreatedContainer(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, signal := range []string{"TERM", "INT", "HUP", "KILL", "USR1", "RTMIN+3"} {
		pid := b.create("c", config(forever...))
		b.ok("kill", "c", signal)
		reap(t, pid)
		b.wantStatus("c", "stopped")
		b.fails(phrases("container not running"), "kill", "c")
		b.fails(nil, "start", "c")
		b.ok("delete", "c")
	}
}

// A signal whose default is to do nothing leaves it as it is.
func TestHarmlessSignalToACreatedContainer(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("c", config("/bin/sh", "-c", "exit 5"))
	for _, signal := range []string{"WINCH", "URG", "CHLD", "CONT"} {
		b.ok("kill", "c", signal)
	}
	b.wantStatus("c", "created")
	b.ok("start", "c")
	want(t, "exit code", reap(t, pid).ExitStatus(), 5)
}

func TestKillOfAStoppedContainer(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("c", config("true"))
	b.ok("start", "c")
	b.waitStopped("c")                                          // a zombie reads stopped
	b.fails(phrases("container not running"), "kill", "c", "9") // the words that containerd looks for
	b.ok("kill", "--all", "c", "9")
	reap(t, pid)
	b.fails(phrases("container not running"), "kill", "c", "9")
	b.ok("kill", "--all", "c", "9")
	b.ok("kill", "-a", "c")
}

// kill --all reaches a descendant that left the session and the process group; plain kill does not.
func TestKillAll(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config(helperPath, "helper", "spawn"))
	out := filepath.Join(b.dir, "out")
	file, err := os.Create(out)
	check(t, err)
	defer file.Close()
	b.stdout = file
	pid := b.create("c", config(helperPath, "helper", "spawn"))
	b.stdout = nil
	b.ok("start", "c")
	waitForText(t, out, "\n")
	child, err := strconv.Atoi(strings.Fields(read(t, out))[1])
	check(t, err)
	want(t, "child is alive", syscall.Kill(child, 0), nil)
	b.ok("kill", "--all", "c", "KILL")
	want(t, "signal of the program", reap(t, pid).Signal(), syscall.SIGKILL)
	want(t, "signal of its child", reap(t, child).Signal(), syscall.SIGKILL) // ours now, as the subreaper
	b.ok("delete", "c")
}

// What create has read is what start runs.
func TestConfigEditsAfterCreateChangeNothing(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	out := filepath.Join(b.dir, "out")
	pid := b.create("c", config("/bin/sh", "-c", "echo first > "+out))
	b.write(config("/bin/sh", "-c", "echo second > "+out))
	b.ok("start", "c")
	reap(t, pid)
	want(t, "output", read(t, out), "first\n")
	pid = b.create("d", config("/bin/sh", "-c", "echo third > "+out))
	check(t, os.Remove(filepath.Join(b.bundle, configName)))
	b.ok("start", "d")
	reap(t, pid)
	want(t, "output", read(t, out), "third\n")
}

// A relative bundle is relative to the caller's directory, and the state has it absolute.
func TestRelativeBundle(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("true"))
	b.ok("create", "--bundle", "bundle", "c")
	want(t, "bundle", b.state("c").Bundle, b.bundle)
	b.cwd = b.bundle
	b.ok("create", "d")
	want(t, "bundle", b.state("d").Bundle, b.bundle)
	b.ok("create", "e", "-b", ".")
	want(t, "bundle", b.state("e").Bundle, b.bundle)
}

func TestMissingBundle(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, bundle := range []string{filepath.Join(b.dir, "none"), b.bundle} { // no directory; no config.json in it
		for _, command := range []string{"create", "run"} {
			message := b.fails(phrases(bundle), command, "-b", bundle, "c")
			wantNoReservedPhrase(t, message)
		}
		wantNoReservedPhrase(t, b.fails(phrases(bundle), "plan", "-b", bundle))
	}
	want(t, "containers", b.ok("list", "-q"), "")
}

// A config without `process` can be created and cannot be started.
func TestCreateWithoutProcess(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.writeText(`{"ociVersion":"1.3.0"}`)
	b.ok("create", "-b", b.bundle, "c")
	b.wantStatus("c", "created")
	b.fails(phrases("process"), "start", "c")
	b.ok("delete", "--force", "c")
}

// Whatever the specification's versions of 1.x say is accepted, nothing else.
func TestOCIVersions(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, version := range []string{"1.0.0", "1.3.0", "1.0.2-dev", "1.1.0+build", "1.99.0", "1.0.0-rc.5+a.b"} {
		text := config("true")
		text["ociVersion"] = version
		want(t, version, b.run(text), result{})
	}
	for _, version := range []string{"2.0.0", "0.9.0", "1.0", "1", "", "v1.0.0", "1.0.0.0", "01.0.0", "x"} {
		text := config("true")
		text["ociVersion"] = version
		b.write(text)
		b.fails(phrases("/ociVersion"), "run", "-b", b.bundle, "c")
	}
}

// What this release cannot apply is refused by its pointer, and nothing is left.
func TestUnsupportedProperties(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for pointer, value := range map[string]interface{}{
		"/zos":    object{"x": 1},
		"/mounts": []object{{"destination": "/mnt", "type": "tmpfs", "source": "tmpfs"}},
		"/linux":  object{"intelRdt": object{"closID": "c"}},
		"/root":   object{"path": "rootfs"},
	} {
		text := config("true")
		text[pointer[1:]] = value
		b.write(text)
		b.fails(phrases(pointer), "create", "-b", b.bundle, "c")
	}
	b.write(config("true").with("terminal", true))
	b.fails(phrases("/process/terminal", "--console-socket"), "create", "-b", b.bundle, "c")
	want(t, "containers", b.ok("list", "-q"), "")
}

// Files and directories of the state are private whatever the umask.
func TestStateFilesArePrivate(t *testing.T) {
	t.Parallel()
	for _, mask := range []string{"0", "0777"} {
		b := newBox(t)
		b.wrapper = []string{"/bin/sh", "-c", "umask " + mask + `; exec "$@"`, "sh"}
		b.write(config("true"))
		b.ok("create", "-b", b.bundle, "c")
		check(t, filepath.Walk(b.root, func(path string, info os.FileInfo, err error) error {
			check(t, err)
			wanted := os.FileMode(0o600)
			if info.IsDir() {
				wanted = 0o700
			}
			if info.Mode()&os.ModeSocket == 0 && info.Mode().Perm() != wanted {
				t.Errorf("umask %s: %s has mode %v", mask, path, info.Mode())
			}
			return nil
		}))
	}
}

// A container whose record was damaged hides no other and can be removed with its process.
func TestCorruptRecord(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("bad", config(forever...))
	b.create("good", config(forever...))
	check(t, os.WriteFile(filepath.Join(b.root, "bad", stateFileName), []byte("{"), 0o600))
	b.fails(nil, "state", "bad")
	b.wantStatus("good", "created")
	ids := map[string]string{}
	for _, row := range b.list() {
		ids[row.ID] = row.Status
	}
	want(t, "list", ids, map[string]string{"bad": "corrupt", "good": "created"})
	b.fails(nil, "delete", "bad")
	got := b.cli("delete", "--force", "bad")
	want(t, "exit code of delete --force", got.code, 0)
	want(t, "stderr of delete --force", got.stderr, "reaper-runtime: delete: warning: container \"bad\": poststop hooks, if "+
		"it had any, were not run: its record cannot be read\n")
	reap(t, pid)
	want(t, "ids", b.ok("list", "-q"), "good\n")
}
