package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// reaperState is the object `reaper` of state.
func (b *box) reaperState(id string) map[string]interface{} {
	b.t.Helper()
	var state struct {
		Reaper map[string]interface{} `json:"reaper"`
	}
	check(b.t, json.Unmarshal([]byte(b.ok("state", id)), &state))
	return state.Reaper
}

// supervisor is the pid in the state directory's own file.
func (b *box) supervisor(id string) int {
	b.t.Helper()
	pid, err := strconv.Atoi(strings.Fields(read(b.t, filepath.Join(b.root, id, "supervisor")))[0])
	check(b.t, err)
	return pid
}

func gone(pid int) bool {
	text, err := os.ReadFile(procPath(pid, "stat"))
	if err != nil {
		return true
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	return fields[0] == "Z" || fields[0] == "X"
}

func waitGone(t *testing.T, pid int) {
	t.Helper()
	eventually(t, fmt.Sprintf("the end of process %d", pid), func() bool { return gone(pid) })
}

// pidIn is the pid that a script wrote with `echo $$`.
func (b *box) pidIn(name string) int {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	waitForText(b.t, path, "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(read(b.t, path)))
	check(b.t, err)
	return pid
}

// Everybody can learn how it ended: another process, later, after all of it is gone.
func TestSupervisedExitIsForEverybody(t *testing.T) {
	t.Parallel()
	for script, wanted := range map[string]string{"exit 42": `"exitCode":42`, "kill -KILL $$": `"signal":9`} {
		b := newBox(t)
		pid := b.create("c", config("/bin/sh", "-c", script), "--supervise")
		supervisor := b.supervisor("c")
		if pid == supervisor {
			t.Errorf("the pid file names the supervisor")
		}
		b.ok("start", "c")
		reap(t, supervisor) // adopted by us, not its container
		if !gone(pid) {
			t.Errorf("the supervisor ended before its container")
		}
		for i := 0; i < 2; i++ {
			line := b.ok("wait", "c")
			if !strings.Contains(line, wanted) || !strings.Contains(line, `"maxRssKiB":`) {
				t.Errorf("wait says %s", line)
			}
			fields := waited(t, line)
			started, err := time.Parse(time.RFC3339Nano, fields["startedAt"].(string))
			check(t, err)
			finished, err := time.Parse(time.RFC3339Nano, fields["finishedAt"].(string))
			check(t, err)
			if finished.Before(started) {
				t.Errorf("finished %v before %v", finished, started)
			}
		}
		b.ok("delete", "c")
	}
}

// run --detach: at once, supervised, with the workload's pid in the pid file.
func TestRunDetached(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("/bin/sh", "-c", "read line; exit 5"))
	input, output, err := os.Pipe()
	check(t, err)
	b.stdin = input
	pidFile := filepath.Join(b.dir, "pid")
	b.ok("run", "--detach", "--bundle", b.bundle, "--pid-file", pidFile, "c")
	input.Close()
	b.stdin = nil
	b.wantStatus("c", "running")
	want(t, "pid file", read(t, pidFile), b.state("c").Pid)
	want(t, "supervision", b.reaperState("c")["supervision"], "active")
	want(t, "containment", b.reaperState("c")["containment"], "supervisor")
	want(t, "supervisorPid", b.reaperState("c")["supervisorPid"], b.supervisor("c"))
	output.Close()
	want(t, "exitCode", waited(t, b.ok("wait", "c"))["exitCode"], 5)
	b.wantStatus("c", "stopped")
	b.ok("delete", "c")
}

func TestRunDetachedWithoutSupervisor(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("/bin/sh", "-c", "exit 6"))
	b.ok("run", "-d", "--supervise=false", "-b", b.bundle, "c")
	state := b.state("c")
	want(t, "supervision", b.reaperState("c")["supervision"], "none")
	if exists(filepath.Join(b.root, "c", "supervisor")) {
		t.Errorf("there is a supervisor")
	}
	pid, err := strconv.Atoi(read(t, filepath.Join(b.root, "c", "pid")))
	check(t, err)
	want(t, "exit status for the parent", reap(t, pid).ExitStatus(), 6)
	_ = state
}

// A detached run whose program cannot be started leaves nothing.
func TestRunDetachedFails(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("/bin/sh", "-c", "exit").with("args", []string{"/no/such/program"}))
	b.fails(phrases("no such file or directory"), "run", "-d", "-b", b.bundle, "c")
	want(t, "list", b.ok("list", "-q"), "")
}

// Daemons that fork twice and lead sessions of their own are ended with the container.
func TestSupervisedDaemons(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"kill --all", "delete --force", "delete"} {
		b := newBox(t)
		script := fmt.Sprintf(`(setsid sh -c 'echo $$ >%[1]s/one; exec sleep 1000' &)
setsid sh -c '(sh -c "echo \$\$ >%[1]s/two; trap \"\" TERM; while :; do sleep 1000; done" &) ; exit'
while ! [ -s %[1]s/one ] || ! [ -s %[1]s/two ]; do sleep 0.01; done; %[2]s`, b.dir,
			map[bool]string{true: "exit 3", false: "exec sleep 1000"}[how == "delete"])
		b.write(config("/bin/sh", "-c", script))
		b.ok("run", "-d", "-b", b.bundle, "c")
		pids := []int{b.pidIn("one"), b.pidIn("two"), b.supervisor("c")}
		switch how {
		case "kill --all":
			b.ok("kill", "--all", "c", "TERM")
			waitGone(t, pids[0])
			b.waitStopped("c")
			if gone(pids[1]) {
				t.Errorf("it ignores SIGTERM, and ended all the same")
			}
			b.ok("kill", "--all", "c", "KILL")
			if !gone(pids[1]) {
				t.Errorf("kill --all returned before the end")
			}
			waitGone(t, pids[2])
			b.ok("kill", "--all", "c", "KILL") // nobody is there any more: no error
			b.ok("delete", "c")
		case "delete --force":
			b.ok("delete", "--force", "c")
		case "delete":
			b.waitStopped("c")
			b.ok("delete", "c")
		}
		for _, pid := range pids {
			if !gone(pid) {
				t.Errorf("%s left process %d", how, pid)
			}
		}
		if exists(filepath.Join(b.root, "c")) {
			t.Errorf("%s left the directory", how)
		}
	}
}

// The supervisor's own death is told, and does not take the container with it.
func TestSupervisorLost(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config(forever...))
	b.ok("run", "-d", "-b", b.bundle, "c")
	pid, supervisor := b.state("c").Pid, b.supervisor("c")
	check(t, syscall.Kill(supervisor, syscall.SIGKILL))
	reap(t, supervisor)
	want(t, "supervision", b.reaperState("c")["supervision"], "lost")
	b.wantStatus("c", "running")
	b.ok("kill", "c", "KILL")
	want(t, "signal", waited(t, b.ok("wait", "c"))["signal"], 9) // we adopted it and did not reap it yet
	want(t, "signal for the parent", reap(t, pid).Signal(), syscall.SIGKILL)
	got := b.cli("wait", "c")
	if got.code != 0 && got.code != 3 {
		t.Errorf("wait: %d, %s", got.code, got.stderr)
	}
	if got.code == 0 {
		want(t, "signal", waited(t, got.stdout)["signal"], 9)
	}
	b.ok("delete", "c")
}

// create of a caller that wants the status itself has nobody in between, unless it asks.
func TestCreateIsUnsupervised(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("c", config("/bin/sh", "-c", "exit 9"))
	want(t, "supervision", b.reaperState("c")["supervision"], "none")
	b.ok("start", "c")
	want(t, "exit status", reap(t, pid).ExitStatus(), 9)
}

// As an ordinary user as well.
func TestSupervisedAsUser(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.asUser(ordinaryUID)
	b.write(config("/bin/sh", "-c", "(setsid sleep 1000 &) ; exit 4"))
	b.ok("run", "-d", "-b", b.bundle, "c")
	want(t, "exitCode", waited(t, b.ok("wait", "c"))["exitCode"], 4)
	b.ok("delete", "c")
}
