package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// sandbox is what containerd's CRI plugin makes of a pod's sandbox, as far as host mode goes.
func sandbox(program ...string) object {
	sandbox := config(program...)
	sandbox["annotations"] = object{"io.kubernetes.cri.container-type": "sandbox"}
	return sandbox.with("noNewPrivileges", true)
}

// No host has a program /pause. A sandbox runs all the same: tiny, with the identity of its config, and as a real process.
func TestPause(t *testing.T) {
	t.Parallel()
	for signal, wanted := range map[string]string{"TERM": `"exitCode":0`, "INT": `"exitCode":0`, "KILL": `"signal":9`,
		"HUP": `"signal":1`} {
		b := newBox(t)
		pid := b.create("p", sandbox("/pause"), "--supervise")
		b.wantStatus("p", "created")
		b.ok("start", "p")
		b.wantStatus("p", "running")
		want(t, "comm", read(t, procPath(pid, "comm")), "pause\n")
		want(t, "cmdline", strings.TrimRight(read(t, procPath(pid, "cmdline")), "\x00"), "/pause")
		status := procStatus(read(t, procPath(pid, "status")))
		wantFields(t, status, map[string]string{"NoNewPrivs": "1", "SigIgn": "0000000000000000", "Threads": "1"})
		b.fails(phrases("not created"), "start", "p")
		b.ok("kill", "p", signal)
		if line := b.ok("wait", "p"); !strings.Contains(line, wanted) {
			t.Errorf("after %s: %s", signal, line)
		}
		b.ok("delete", "p")
	}
}

// It has the descriptors of a container, and holds no other.
func TestPauseHoldsNothing(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("p", sandbox("/pause"))
	b.ok("start", "p")
	entries, err := os.ReadDir(procPath(pid, "fd")) // its own user may look: a program, not an init that hides
	check(t, err)
	want(t, "descriptors", len(entries), 3)
	b.ok("kill", "p", "TERM")
	want(t, "exit status for the parent", reap(t, pid).ExitStatus(), 0)
}

// The identity is as exact as any program's.
func TestPauseIdentity(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBox(t)
	pid := b.create("p", sandbox("/pause").with("user", object{"uid": 65535, "gid": 65534, "additionalGids": []int{7}}))
	b.ok("start", "p")
	wantFields(t, procStatus(read(t, procPath(pid, "status"))), map[string]string{
		"Uid": "65535 65535 65535 65535", "Gid": "65534 65534 65534 65534", "Groups": "7",
		"CapEff": "0000000000000000", "CapPrm": "0000000000000000"})
	check(t, syscall.Kill(pid, syscall.SIGTERM))
	want(t, "exit status for the parent", reap(t, pid).ExitStatus(), 0)
}

// Only a sandbox, only its program, and only as the engines spell it.
func TestPauseIsForSandboxesOnly(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		annotations object
		args        []string
	}{
		{object{}, []string{"/pause"}},
		{object{"io.kubernetes.cri.container-type": "container"}, []string{"/pause"}},
		{object{"io.kubernetes.cri.container-type": "sandbox"}, []string{"/pause", "-v"}},
		{object{"io.kubernetes.cri.container-type": "sandbox"}, []string{"/bin/pause"}},
		{object{"io.kubernetes.cri.container-type": "Sandbox"}, []string{"/pause"}},
	} {
		b := newBox(t)
		config := config(row.args...)
		config["annotations"] = row.annotations
		b.write(config)
		b.fails(phrases("no such file or directory", "pause"), "create", "-b", b.bundle, "p")
	}
}

// plan shows it with the annotation that asked for it.
func TestPauseInThePlan(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(sandbox("/pause"))
	text := b.ok("plan", "-b", b.bundle)
	for _, phrase := range []string{"pause", "/annotations/io.kubernetes.cri.container-type"} {
		if !strings.Contains(text, phrase) {
			t.Errorf("the plan lacks %s: %s", phrase, text)
		}
	}
	if strings.Contains(text, "execve") {
		t.Errorf("the plan executes a program: %s", text)
	}
}

// A starter that is killed half-way leaves a sandbox that is told from a created one.
func TestPauseStatusWithoutTheMark(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("p", sandbox("/pause"))
	b.ok("start", "p")
	directory := filepath.Join(b.root, "p")
	check(t, os.Rename(filepath.Join(directory, "started"), filepath.Join(directory, "gate")))
	b.wantStatus("p", "running")
	b.ok("kill", "p", fmt.Sprint(int(syscall.SIGTERM)))
	want(t, "exit status for the parent", reap(t, pid).ExitStatus(), 0)
}
