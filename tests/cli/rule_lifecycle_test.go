package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

var sleeper = []string{"/bin/sleep", "1000000"}

func TestRule001StateHasAVersion(t *testing.T) {
	b := newBox(t)
	b.create("c", config(sleeper...))
	want(t, "ociVersion", b.state("c").Version, specs.Version)
}

func TestRule002IDIsUnique(t *testing.T) {
	b := newBox(t)
	b.create("c", config(sleeper...))
	want(t, "id", b.state("c").ID, "c")
	b.fails(phrases("container with given ID already exists"), "create", "--bundle", b.bundle, "c")
}

func TestRule003StatusThroughALife(t *testing.T) {
	b := newBox(t)
	pid := b.create("c", config(sleeper...))
	b.wantStatus("c", "created")
	b.ok("start", "c")
	b.wantStatus("c", "running")
	b.ok("kill", "c", "KILL")
	reap(t, pid)
	b.wantStatus("c", "stopped")
}

// A stopped process (SIGSTOP) is not a new state: it runs.
func TestRule004NoOtherStatus(t *testing.T) {
	b := newBox(t)
	pid := b.create("c", config(sleeper...))
	b.ok("start", "c")
	check(t, syscall.Kill(pid, syscall.SIGSTOP))
	eventually(t, "the stop", func() bool { return strings.HasPrefix(procStatus(read(t, procPath(pid, "status")))["State"], "T") })
	b.wantStatus("c", "running")
}

func TestRule005CreatedIsBeforeTheProgram(t *testing.T) {
	b := newBox(t)
	scripts := map[string]string{"createRuntime": "$RT state c > $DIR/during"}
	b.create("c", b.hooked(scripts))
	b.wantStatus("c", "created")
	if !strings.Contains(b.text("during"), `"creating"`) {
		t.Errorf("the status during create: %s", b.text("during"))
	}
}

func TestRule006RunningIsAfterExecve(t *testing.T) {
	b := newBox(t)
	pid := b.create("c", config("/bin/sleep", "1000000"))
	b.ok("start", "c")
	b.wantStatus("c", "running")
	want(t, "program", strings.ReplaceAll(read(t, procPath(pid, "cmdline")), "\x00", " "), "/bin/sleep 1000000 ")
	b.ok("kill", "c", "KILL")
	b.waitStopped("c") // not reaped yet
	reap(t, pid)
	b.wantStatus("c", "stopped")
}

func TestRule007PidWhileThereIsOne(t *testing.T) {
	b := newBox(t)
	pid := b.create("c", config(sleeper...))
	want(t, "pid when created", b.state("c").Pid, pid)
	b.ok("start", "c")
	want(t, "pid when running", b.state("c").Pid, pid)
}

func TestRule008PidAsEachNamespaceSeesIt(t *testing.T) {
	b, whole := rooted(t, "exec sleep 1000000")
	whole["hooks"] = object{
		"createRuntime":  []object{b.shellHook("cat > $DIR/outside")},
		"startContainer": []object{{"path": "/bin/busybox", "args": []string{"sh", "-c", "cat > /inside"}}},
	}
	pid := b.create("c", whole)
	b.ok("start", "c")
	for path, wanted := range map[string]int{"outside": pid, "bundle/rootfs/inside": 1} {
		var told specs.State
		check(t, json.Unmarshal([]byte(b.text(path)), &told))
		want(t, path, told.Pid, wanted)
	}
	b.finishContainer("c", pid)
}

func TestRule009BundleIsAbsolute(t *testing.T) {
	b := newBox(t)
	b.write(config(sleeper...))
	b.ok("create", "--bundle", "bundle", "c") // the box's directory is the working directory
	want(t, "bundle", b.state("c").Bundle, b.bundle)
}

func TestRule010AnnotationsAreTheConfigs(t *testing.T) {
	b := newBox(t)
	whole := config(sleeper...)
	whole["annotations"] = object{"org.example.one": "1", "org.example.empty": ""}
	b.create("c", whole)
	want(t, "annotations", b.state("c").Annotations, map[string]string{"org.example.one": "1", "org.example.empty": ""})
	b.create("d", config(sleeper...))
	want(t, "no annotations", len(b.state("d").Annotations), 0)
}

func TestRule011StateIsOfTheSchema(t *testing.T) {
	b := newBox(t)
	pid := b.create("c", config(sleeper...))
	wantState(t, b.ok("state", "c"), "c", "created", b.bundle, pid)
}

func TestRule012EveryOperationIsTheCreators(t *testing.T) {
	b := newBox(t)
	pid := b.create("c", config(sleeper...))
	for _, words := range [][]string{{"state", "c"}, {"start", "c"}, {"kill", "c", "KILL"}} {
		b.ok(words...)
	}
	reap(t, pid)
	b.ok("delete", "c")
	b.isEmpty()
}

func TestRule013WhatCannotBeMadeIsAnError(t *testing.T) {
	b, whole := rooted(t, "true")
	b.refuses(whole.mounts(mount("/data", "bind", "/nowhere", "bind")), "/mounts/2", "ENOENT")
}

func TestRule014CreateDoesNotRunTheProgram(t *testing.T) {
	b := newBox(t)
	pid := b.create("c", config("/bin/sh", "-c", "echo ran > "+filepath.Join(b.dir, "marker")))
	b.ok("kill", "c", "KILL")
	reap(t, pid)
	want(t, "marker", exists(filepath.Join(b.dir, "marker")), false)
}

func TestRule015ConfigIsReadOnce(t *testing.T) {
	b := newBox(t)
	pid := b.create("c", config("/bin/sh", "-c", "exit 3"))
	b.write(config("/bin/sh", "-c", "exit 4"))
	b.ok("start", "c")
	want(t, "exit status", reap(t, pid).ExitStatus(), 3)
}

func TestRule016HooksOfCreate(t *testing.T) {
	b := newBox(t)
	b.create("c", b.hooked(ordered("prestart", "createRuntime", "createContainer", "startContainer", "poststart")))
	want(t, "order", b.text("order"), "prestart\ncreateRuntime\ncreateContainer\n")
}

// ordered is a script for each kind that writes its name down.
func ordered(kinds ...string) map[string]string {
	scripts := map[string]string{}
	for _, kind := range kinds {
		scripts[kind] = "echo " + kind + " >> $DIR/order"
	}
	return scripts
}

func TestRule017HooksOfStart(t *testing.T) {
	b := newBox(t)
	scripts := ordered("startContainer")
	scripts["poststart"] = "while ! grep -q program $DIR/order; do sleep 0.01; done; echo poststart >> $DIR/order"
	whole := b.hooked(scripts).with("args", []string{"/bin/sh", "-c", "echo program >> " + filepath.Join(b.dir, "order") + "; sleep 1000000"})
	b.create("c", whole)
	want(t, "before start", b.text("order"), "")
	b.ok("start", "c")
	want(t, "order", b.text("order"), "startContainer\nprogram\npoststart\n")
}

// failingHook lets the operation of a kind of hooks fail, and insists on what the specification says of that.
func failingHook(t *testing.T, kind string) {
	b := newBox(t)
	scripts := ordered("poststop")
	scripts[kind] = "exit 5"
	b.write(b.hooked(scripts))
	creates := kind != "startContainer" && kind != "poststart"
	if !creates {
		b.ok("create", "--bundle", b.bundle, "c")
		b.fails(phrases("/hooks/"+kind+"/0"), "start", "c")
	} else {
		b.fails(phrases("/hooks/"+kind+"/0"), "create", "--bundle", b.bundle, "c")
	}
	want(t, "the poststop hooks after a failing "+kind, b.text("order"), "poststop\n")
	b.isEmpty()
}

func TestRule018FailingHookOfCreate(t *testing.T) {
	for _, kind := range []string{"prestart", "createRuntime", "createContainer"} {
		failingHook(t, kind)
	}
}

func TestRule019FailingStartContainer(t *testing.T) { failingHook(t, "startContainer") }

func TestRule020FailingPoststart(t *testing.T) { failingHook(t, "poststart") }

func TestRule021DeleteUndoesCreate(t *testing.T) {
	b, whole := rooted(t, "true")
	before := read(t, "/proc/self/mountinfo")
	pid := b.create("c", whole)
	b.ok("start", "c")
	reap(t, pid)
	b.ok("delete", "c")
	b.isEmpty()
	want(t, "mounts", read(t, "/proc/self/mountinfo"), before)
}

func TestRule022FailingPoststopIsAWarning(t *testing.T) {
	b := newBox(t)
	whole := b.hooked(nil)
	whole["hooks"] = object{"poststop": []object{b.shellHook("exit 5"), b.shellHook("echo second > $DIR/order")}}
	pid := b.create("c", whole)
	b.ok("start", "c")
	b.ok("kill", "c", "KILL")
	reap(t, pid)
	got := b.cli("delete", "c")
	want(t, "exit code", got.code, 0)
	if !strings.Contains(got.stderr, "/hooks/poststop/0") {
		t.Errorf("no warning: %q", got.stderr)
	}
	want(t, "the next hook", b.text("order"), "second\n")
	b.isEmpty()
}

func TestRule023PoststopAfterAFailingCreate(t *testing.T) {
	b := newBox(t)
	scripts := ordered("prestart", "poststop")
	scripts["createRuntime"] = "exit 1"
	b.write(b.hooked(scripts))
	b.fails(phrases("/hooks/createRuntime/0"), "create", "--bundle", b.bundle, "c")
	want(t, "order", b.text("order"), "prestart\npoststop\n")
}

func TestRule024ErrorsChangeNothing(t *testing.T) {
	b := newBox(t)
	b.refuses(config(sleeper...).with("cwd", "/nowhere/at/all"), "/process/cwd")
	pid := b.create("refused", config(sleeper...)) // the id is free
	b.ok("start", "refused")
	b.fails(nil, "start", "refused")
	b.fails(nil, "delete", "refused")
	want(t, "pid after failing operations", b.state("refused").Pid, pid)
	b.wantStatus("refused", "running")
}

func TestRule025WarningsChangeNothing(t *testing.T) {
	b := newBox(t)
	whole := config("/bin/sh", "-c", "exit 6")
	whole["a property that nobody knows"] = true
	got := b.run(whole)
	want(t, "exit code", got.code, 6)
}

func TestRule026StateNeedsAnID(t *testing.T) { newBox(t).needsID("state") }

func (b *box) needsID(command string) {
	b.t.Helper()
	if got := b.cli(command); got.code != 1 || got.stdout != "" || got.stderr == "" {
		b.t.Errorf("%s without an id: %+v", command, got)
	}
}

func TestRule027StateOfAnUnknownID(t *testing.T) {
	newBox(t).fails(phrases(`container "nobody" does not exist`), "state", "nobody")
}

func TestRule028StateIsTheContainers(t *testing.T) {
	b := newBox(t)
	first, second := b.create("c", config(sleeper...)), b.create("d", config(sleeper...))
	want(t, "pid of c", b.state("c").Pid, first)
	want(t, "pid of d", b.state("d").Pid, second)
}

func TestRule029CreateNeedsABundleAndAnID(t *testing.T) {
	b := newBox(t)
	b.needsID("create")
	b.fails(nil, "create", "--bundle", filepath.Join(b.dir, "missing"), "c")
	b.fails(nil, "create", "c") // no config.json in the working directory
	b.isEmpty()
}

func TestRule030IDsThatAreTakenOrInvalid(t *testing.T) {
	b := newBox(t)
	pid := b.create("c", config(sleeper...))
	b.fails(phrases("container with given ID already exists"), "create", "--bundle", b.bundle, "c")
	want(t, "pid", b.state("c").Pid, pid)
	for _, id := range []string{"a b", "-c", ".c", "é", strings.Repeat("x", 256)} {
		b.fails(nil, "create", "--bundle", b.bundle, "--", id)
	}
	want(t, "list", b.ok("list", "-q"), "c\n")
}

func TestRule031CreateMakesEverythingButTheProcess(t *testing.T) {
	b, whole := rooted(t, "true")
	whole["hostname"] = "made-by-create"
	pid := b.create("c", whole)
	if text := read(t, procPath(pid, "mountinfo")); !strings.Contains(text, " /proc ") || !strings.Contains(text, " /dev ") {
		t.Errorf("mounts of a created container:\n%s", text)
	}
	for _, kind := range []string{"mnt", "uts", "net", "ipc", "pid"} {
		own, err := os.Readlink("/proc/self/ns/" + kind)
		check(t, err)
		theirs, err := os.Readlink(procPath(pid, "ns/"+kind))
		check(t, err)
		if own == theirs {
			t.Errorf("the %s namespace is ours", kind)
		}
	}
	b.ok("delete", "--force", "c")
	reap(t, pid)
}

func TestRule032ArgsAreNotAppliedByCreate(t *testing.T) {
	b := newBox(t)
	pid := b.create("c", config(sleeper...))
	if strings.Contains(read(t, procPath(pid, "cmdline")), "1000000") {
		t.Error("the arguments are there before start")
	}
}

func TestRule033ProcessIsApplied(t *testing.T) {
	b := newBox(t)
	want(t, "umask and cwd", b.output(config("/bin/sh", "-c", "umask; pwd").with("cwd", "/usr")), ownUmask(t)+"/usr\n")
}

// ownUmask is what the shell says of our own umask, which a container without one keeps.
func ownUmask(t *testing.T) string {
	t.Helper()
	mask := syscall.Umask(0o022)
	syscall.Umask(mask)
	return fmt.Sprintf("%04o\n", mask)
}

func TestRule034UnappliedPropertyLeavesNoContainer(t *testing.T) {
	b := newBox(t)
	whole := config(sleeper...)
	whole.linux()["intelRdt"] = object{"closID": "c"}
	b.refuses(whole, "/linux/intelRdt")
}

func TestRule035ConfigIsJudgedFirst(t *testing.T) {
	b := newBox(t)
	whole := config(sleeper...).with("oomScoreAdj", "many")
	whole["hooks"] = object{"prestart": []object{b.shellHook("touch $DIR/ran")}}
	b.refuses(whole, "/process/oomScoreAdj")
	want(t, "a hook ran", exists(filepath.Join(b.dir, "ran")), false)
}

func TestRule036StartNeedsAnID(t *testing.T) { newBox(t).needsID("start") }

func TestRule037StartOfWhatIsNotCreated(t *testing.T) {
	b := newBox(t)
	pid := b.create("c", config(sleeper...))
	b.ok("start", "c")
	b.fails(nil, "start", "c")
	want(t, "pid", b.state("c").Pid, pid)
	b.ok("kill", "c", "KILL")
	reap(t, pid)
	b.fails(nil, "start", "c")
	b.wantStatus("c", "stopped")
}

func TestRule038StartRunsTheProgram(t *testing.T) {
	b := newBox(t)
	pid := b.create("c", config("/bin/sh", "-c", "exit 9"))
	b.ok("start", "c")
	want(t, "exit status", reap(t, pid).ExitStatus(), 9)
}

func TestRule039ProcessIsForStart(t *testing.T) {
	b := newBox(t)
	whole := config()
	delete(whole, "process")
	b.create("c", whole)
	b.fails(phrases("/process"), "start", "c")
	b.wantStatus("c", "created")
}

func TestRule040KillNeedsAnID(t *testing.T) { newBox(t).needsID("kill") }

func TestRule041KillOfAStoppedContainer(t *testing.T) {
	b := newBox(t)
	pid := b.create("c", config("/bin/true"))
	b.ok("start", "c")
	reap(t, pid)
	b.fails(phrases("container not running"), "kill", "c", "KILL")
	b.wantStatus("c", "stopped")
}

func TestRule042SignalsReachTheProcess(t *testing.T) {
	b := newBox(t)
	pid := b.create("c", config(sleeper...))
	b.ok("kill", "c", "TERM")
	want(t, "signal, created", reap(t, pid).Signal(), syscall.SIGTERM)
	b.ok("delete", "c")
	pid = b.create("c", config(sleeper...))
	b.ok("start", "c")
	b.ok("kill", "c", "USR1")
	want(t, "signal, running", reap(t, pid).Signal(), syscall.SIGUSR1)
}

func TestRule043DeleteNeedsAnID(t *testing.T) { newBox(t).needsID("delete") }

func TestRule044DeleteOfALivingContainer(t *testing.T) {
	b := newBox(t)
	pid := b.create("c", config(sleeper...))
	b.fails(nil, "delete", "c")
	b.wantStatus("c", "created")
	b.ok("start", "c")
	b.fails(nil, "delete", "c")
	want(t, "pid", b.state("c").Pid, pid)
}

func TestRule045DeleteRemovesWhatCreateMade(t *testing.T) {
	b := newBox(t)
	pid := b.create("c", config("/bin/true"))
	b.ok("start", "c")
	reap(t, pid)
	b.ok("delete", "c")
	b.isEmpty()
}

func TestRule046WhatWasThereStays(t *testing.T) {
	b, whole := rooted(t, "exec sleep 1000000")
	holder := b.create("holder", whole)
	joined := whole.copyOf(t)
	joined.linux()["namespaces"] = append(namespaces("pid", "mount"), object{"type": "uts", "path": procPath(holder, "ns/uts")})
	pid := b.create("guest", joined)
	b.ok("start", "guest")
	b.finishContainer("guest", pid)
	if _, err := os.Stat(procPath(holder, "ns/uts")); err != nil {
		t.Error(err)
	}
	b.wantStatus("holder", "created")
	b.ok("delete", "--force", "holder")
	reap(t, holder)
}

func TestRule047IDsCanBeUsedAgain(t *testing.T) {
	b := newBox(t)
	for i := 0; i < 3; i++ {
		want(t, "exit code", b.run(config("/bin/true")).code, 0)
	}
}
