package reaper

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func sleeper(t *testing.T, id string) *Container {
	t.Helper()
	c := create(t, runtimeOf(t, Options{}), id, CreateOptions{Config: shell("exec sleep 1000", "")})
	start(t, c)
	return c
}

func processOf(script string) string {
	return `{"args":["/bin/sh","-c","` + script + `"],"cwd":"/","env":["PATH=/usr/bin:/bin"]}`
}

func TestExec(t *testing.T) {
	c := sleeper(t, "exec")
	read, write := must2(os.Pipe())(t)
	defer read.Close()
	pidFile := t.TempDir() + "/pid"
	p, err := c.Exec(ExecOptions{Process: processOf("echo hello; exit 7"), Stdout: write, PidFile: pidFile})
	if err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	if text := must[[]byte](t)(io.ReadAll(read)); string(text) != "hello\n" {
		t.Errorf("%q", text)
	}
	status := must[ExitStatus](t)(p.Wait(within(t)))
	if status.Code != 7 || !status.Usage || status.StartedAt.IsZero() {
		t.Errorf("%+v", status)
	}
	if again := must[ExitStatus](t)(p.Wait(within(t))); again != status {
		t.Errorf("%+v, then %+v", status, again)
	}
	if text := must[[]byte](t)(os.ReadFile(pidFile)); string(text) != strconv.Itoa(p.Pid()) {
		t.Errorf("%s is not %d", text, p.Pid())
	}
	assertError(t, p.Kill(syscall.SIGTERM), wanted{is: ErrNotRunning, code: CodeStatus, op: "kill", id: "exec",
		stage: "status", part: "has ended"})
	_ = p.Close()
	if _, err := p.Wait(within(t)); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

func must2[A, B any](a A, b B, err error) func(*testing.T) (A, B) {
	return func(t *testing.T) (A, B) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a, b
	}
}

func TestExecLayOver(t *testing.T) {
	c := create(t, runtimeOf(t, Options{}), "over",
		CreateOptions{Config: strings.Replace(shell("exec sleep 1000", ""), `"env":[`, `"env":["COLOUR=red",`, 1)})
	start(t, c)
	p := must[*Process](t)(c.Exec(ExecOptions{
		Process: map[string]any{"args": []string{"sh", "-c", "test $COLOUR = red && test $SIZE = big"}, "env": []string{"SIZE=big"}},
		LayOver: true, NoNewPrivs: true, IgnorePaused: true, Strict: true}))
	if status := must[ExitStatus](t)(p.Wait(within(t))); !status.Success() {
		t.Error(status)
	}
	_ = p.Close()
}

func TestExecKillAndContext(t *testing.T) {
	c := sleeper(t, "kill")
	p := must[*Process](t)(c.Exec(ExecOptions{Process: processOf("exec sleep 1000")}))
	defer p.Close()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Wait(ended); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := p.Kill(syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	if status := must[ExitStatus](t)(p.Wait(within(t))); status.Signal != syscall.SIGKILL {
		t.Error(status)
	}
}

func TestExecErrors(t *testing.T) {
	c := sleeper(t, "errors")
	_, err := c.Exec(ExecOptions{Process: `{"args":["/nowhere"],"cwd":"/"}`})
	assertError(t, err, wanted{is: ErrExec, code: CodeExec, errno: syscall.ENOENT, op: "exec", id: "errors",
		pointer: "/process/args/0", stage: "find", part: "no such file or directory"})
	_, err = c.Exec(ExecOptions{})
	if err == nil {
		t.Error("nothing was executed")
	}
	if err := c.Kill(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wait(t, c)
	_, err = c.Exec(ExecOptions{Process: processOf("true")})
	assertError(t, err, wanted{is: ErrStatus, code: CodeStatus, op: "exec", id: "errors", stage: "status",
		part: "container not running"})
}

func TestExecAtOnce(t *testing.T) {
	c := sleeper(t, "crowd")
	var all sync.WaitGroup
	for i := 0; i < 8; i++ {
		all.Add(1)
		go func(code int) {
			defer all.Done()
			p, err := c.Exec(ExecOptions{Process: processOf("exit " + strconv.Itoa(code))})
			if err != nil {
				t.Error(err)
				return
			}
			if status, err := p.Wait(context.Background()); err != nil || status.Code != code {
				t.Error(status, err)
			}
			_ = p.Close()
		}(i)
	}
	all.Wait()
}
