package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// run's exit code is the program's, or 128 and the signal.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, code := range []int{0, 1, 2, 42, 126, 127, 128, 255} {
		want(t, "exit code", b.run(config("/bin/sh", "-c", fmt.Sprintf("exit %d", code))).code, code)
	}
	for _, signal := range []int{1, 2, 3, 6, 9, 11, 15, 37, 64} {
		got := b.run(config("/bin/sh", "-c", fmt.Sprintf("ulimit -c 0; kill -%d $$", signal)))
		want(t, fmt.Sprintf("exit code by signal %d", signal), got.code, 128+signal)
	}
	want(t, "containers left", b.ok("list", "-q"), "")
}

func TestRunDeletes(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.output(config("true"))
	b.fails(phrases("does not exist"), "state", "c")
	entries, err := os.ReadDir(b.root)
	check(t, err)
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") {
			t.Errorf("the state directory still has %s", entry.Name())
		}
	}
}

func TestRunKeep(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	want(t, "exit code", b.run(config("/bin/sh", "-c", "exit 9"), "--keep").code, 9)
	b.wantStatus("c", "stopped")
	b.ok("delete", "c")
}

// A program that cannot be started leaves nothing behind, with --keep too: there was no container to keep.
func TestRunThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config(b.file("orphan", "#!/no/such/interpreter\n", 0o755)))
	b.fails(phrases("no such file or directory"), "run", "-b", b.bundle, "c")
	b.fails(phrases("no such file or directory"), "run", "--keep", "-b", b.bundle, "c")
	b.writeText(`{"ociVersion":"1.3.0"}`) // create accepts it, start cannot, and what waits in between is ended
	b.fails(phrases("process"), "run", "-b", b.bundle, "c")
	want(t, "containers left", b.ok("list", "-q"), "")
}

func TestRunPidFile(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pidFile := filepath.Join(b.dir, "pid")
	got := b.output(config("/bin/sh", "-c", "echo $$"), "--pid-file", pidFile)
	want(t, "pid file", read(t, pidFile)+"\n", got)
}

// background runs `run` until it is waited for; its container prints into out.
type background struct {
	*exec.Cmd
	out, err string
}

func (b *box) background(config object, options ...string) *background {
	b.t.Helper()
	b.write(config)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	b.t.Cleanup(cancel)
	run := &background{Cmd: b.command(ctx, append(append([]string{"run", "-b", b.bundle}, options...), "c")...)}
	stdout, stderr := b.temporary("out"), b.temporary("err")
	defer stdout.Close()
	defer stderr.Close()
	run.out, run.err = stdout.Name(), stderr.Name()
	run.Stdout, run.Stderr = stdout, stderr
	check(b.t, run.Start())
	return run
}

func (run *background) end(t *testing.T) int {
	t.Helper()
	if err := run.Wait(); err != nil {
		if _, exited := err.(*exec.ExitError); !exited {
			t.Fatal(err)
		}
	}
	return exitCode(run.ProcessState)
}

// Every signal that can be caught reaches the program, from the ones that people send to the real-time ones.
func TestRunForwardsSignals(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	run := b.background(config(helperPath, "helper", "signals"))
	waitForText(t, run.out, "ready\n")
	for _, number := range []syscall.Signal{1, 2, 3, 10, 12, 13, 14, 28, 30, 35, 37, 64, 15} {
		check(t, run.Process.Signal(number))
		waitForText(t, run.out, fmt.Sprintf("signal %d\n", int(number)))
	}
	want(t, "exit code", run.end(t), 7)
	want(t, "stderr", read(t, run.err), "")
	want(t, "containers left", b.ok("list", "-q"), "")
}

func TestRunEndsByForwardedSignal(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, number := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1} {
		run := b.background(config("/bin/sh", "-c", "echo ready; exec sleep 1000000"))
		waitForText(t, run.out, "ready\n")
		check(t, run.Process.Signal(number))
		want(t, "exit code", run.end(t), 128+int(number))
	}
}

// ^Z stops the program and us; fg goes on with both.
func TestRunStopsAndContinues(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	run := b.background(config("/bin/sh", "-c", "echo ready; exec sleep 1000000"))
	waitForText(t, run.out, "ready\n")
	pid := b.state("c").Pid
	is := func(process int, letter string) func() bool {
		return func() bool {
			return strings.HasPrefix(procStatus(read(t, procPath(process, "status")))["State"], letter)
		}
	}
	check(t, run.Process.Signal(syscall.SIGTSTP))
	eventually(t, "the program's stop", is(pid, "T"))
	eventually(t, "our stop", is(run.Process.Pid, "T"))
	check(t, run.Process.Signal(syscall.SIGCONT))
	eventually(t, "our going on", is(run.Process.Pid, "S"))
	eventually(t, "the program's going on", is(pid, "S"))
	check(t, run.Process.Signal(syscall.SIGTERM))
	want(t, "exit code", run.end(t), 128+15)
}

// Killed itself, run leaves a container that goes on and can be removed.
func TestRunIsKilled(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	run := b.background(config("/bin/sh", "-c", "echo ready; exec sleep 1000000"))
	waitForText(t, run.out, "ready\n")
	check(t, run.Process.Kill())
	want(t, "exit code", run.end(t), -9)
	b.wantStatus("c", "running")
	pid := b.state("c").Pid
	b.ok("delete", "--force", "c")
	want(t, "signal", reap(t, pid).Signal(), syscall.SIGKILL)
}

// A caller that ignores SIGCHLD (or blocks everything) still gets the exit code.
func TestRunUnderACarelessCaller(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.wrapper = []string{helperPath, "helper", "exec-ignoring"}
	want(t, "exit code", b.run(config("/bin/sh", "-c", "exit 42")).code, 42)
}

// The container's end is seen, whatever its children do with the streams.
func TestRunEndsWithTheFirstProcess(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	got := b.run(config("/bin/sh", "-c", "sleep 1000000 & echo $!; exit 4"))
	want(t, "exit code", got.code, 4)
	var child int
	_, err := fmt.Sscan(got.stdout, &child)
	check(t, err)
	check(t, syscall.Kill(child, syscall.SIGKILL)) // host mode has nothing that would end it; it is ours by now
	reap(t, child)
}
