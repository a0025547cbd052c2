package cli

import (
	"encoding/json"
	"testing"
	"time"
)

func waited(t *testing.T, text string) map[string]interface{} {
	t.Helper()
	fields := map[string]interface{}{}
	check(t, json.Unmarshal([]byte(text), &fields))
	return fields
}

// A waiter that is not the parent learns how the program ended, while nobody has reaped it.
func TestWaitTellsTheExitCode(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("c", config("/bin/sh", "-c", "exit 42"))
	b.ok("start", "c")
	fields := waited(t, b.ok("wait", "c"))
	want(t, "exitCode", fields["exitCode"], 42)
	want(t, "signal", fields["signal"], nil)
	want(t, "coreDumped", fields["coreDumped"], false)
	want(t, "exit status for the parent", reap(t, pid).ExitStatus(), 42) // the wait did not take it
}

func TestWaitTellsTheSignal(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("c", config(forever...))
	b.ok("start", "c")
	b.ok("kill", "c", "KILL")
	fields := waited(t, b.ok("wait", "--timeout", "60", "c"))
	want(t, "signal", fields["signal"], 9)
	want(t, "exitCode", fields["exitCode"], nil)
	started, _ := fields["startedAt"].(string) // by another process than this one
	_, err := time.Parse(time.RFC3339Nano, started)
	check(t, err)
	reap(t, pid)
}

func TestWaitTimesOut(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.create("c", config(forever...))
	for _, timeout := range []string{"0", "0.01"} {
		got := b.cli("wait", "--timeout", timeout, "c")
		want(t, "exit code", got.code, 4)
		want(t, "stdout", got.stdout, "")
	}
	b.wantStatus("c", "created")
}

// Reaped by somebody else and long gone, its status is unknown: never 0.
func TestWaitForAnUnknowableStatus(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("c", config("true"))
	b.ok("start", "c")
	reap(t, pid)
	got := b.cli("wait", "c")
	want(t, "exit code", got.code, 3)
	want(t, "stdout", got.stdout, "")
}
