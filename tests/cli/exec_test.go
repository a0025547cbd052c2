package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// sleeping is a box with a running container "c".
func sleeping(t *testing.T, more map[string]interface{}) *box {
	t.Helper()
	b := newBox(t)
	c := config("/bin/sh", "-c", "exec sleep 1000")
	for name, value := range more {
		c.with(name, value)
	}
	b.create("c", c)
	b.ok("start", "c")
	return b
}

// What is printed by exec with these words; it must exit with 0.
func (b *box) exec(words ...string) string {
	b.t.Helper()
	return b.ok(append([]string{"exec"}, words...)...)
}

// pidIn is what a pid file says.
func pidIn(t *testing.T, file string) int {
	t.Helper()
	pid, err := strconv.Atoi(read(t, file))
	check(t, err)
	return pid
}

func TestExecForms(t *testing.T) {
	t.Parallel()
	b := sleeping(t, object{"cwd": "/usr", "env": []string{standardPATH, "COLOUR=red"}})
	// Whatever has become of the bundle since.
	b.write(config("/bin/false").with("cwd", "/nowhere"))
	const print = "pwd; echo $COLOUR-$SIZE"
	for _, row := range []struct {
		wanted string
		words  []string
	}{
		{"/usr\nred-\n", []string{"c", "sh", "-c", print}},
		{"/usr\nred-\n", []string{"c", "--", "sh", "-c", print}},
		{"/usr\nred-\n", []string{"--", "c", "sh", "-c", print}},
		{"/\nred-\n", []string{"--cwd", "/", "c", "sh", "-c", print}},
		{"/\nblue-big\n", []string{"c", "--cwd=/", "-e", "COLOUR=blue", "--env=SIZE=big", "sh", "-c", print}},
		{"-e x --\n", []string{"c", "printf", "%s %s %s\n", "-e", "x", "--"}}, // these are the command's own
	} {
		want(t, strings.Join(row.words, " "), b.exec(row.words...), row.wanted)
	}
	file := b.file("process.json", `{"args":["/bin/sh","-c","pwd; echo $COLOUR-"],"cwd":"/"}`, 0o644)
	want(t, "a file", b.exec("--process", file, "c"), "/\n-\n")
	want(t, "a file", b.exec("c", "-p", file), "/\n-\n")
}

func TestExecExitCodes(t *testing.T) {
	t.Parallel()
	b := sleeping(t, nil)
	for _, code := range []int{0, 1, 42, 126, 127, 255} {
		want(t, "exit code", b.cli("exec", "c", "sh", "-c", fmt.Sprintf("exit %d", code)).code, code)
	}
	for _, signal := range []int{1, 9, 15, 37} {
		got := b.cli("exec", "c", "sh", "-c", fmt.Sprintf("kill -%d $$", signal))
		want(t, fmt.Sprintf("exit code by signal %d", signal), got.code, 128+signal)
	}
	b.wantStatus("c", "running")
}

func TestExecIsRefused(t *testing.T) {
	t.Parallel()
	b := sleeping(t, nil)
	plain := b.file("plain", "", 0o644)
	b.fails(phrases(`exec: "nowhere": executable file not found in $PATH`), "exec", "c", "nowhere")
	b.fails(phrases(`exec "/nowhere": no such file or directory`), "exec", "c", "/nowhere")
	b.fails(phrases(fmt.Sprintf(`exec: "%s": permission denied`, plain)), "exec", "c", plain)
	b.fails(phrases("component \"/nowhere\" is missing"), "exec", "--cwd", "/nowhere", "c", "true")
	b.fails(phrases("missing COMMAND"), "exec", "c")
	b.fails(phrases("missing ID"), "exec")
	b.fails(phrases(`container "other" does not exist`), "exec", "other", "true")
	b.fails(phrases("with --process"), "exec", "-p", plain, "c", "true")
	b.fails(phrases("with --process"), "exec", "-p", plain, "-e", "A=1", "c")
	b.fails(phrases("ENOENT"), "exec", "-p", filepath.Join(b.dir, "none"), "c")
	b.fails(phrases("not a regular file"), "exec", "-p", "/dev/zero", "c")
	b.fails(phrases("process:1:"), "exec", "-p", plain, "c")
	b.fails(phrases("--env"), "exec", "-e", "", "c", "true")
	b.fails(phrases("NAME=value"), "exec", "-e", "NOTHING", "c", "true")
	b.fails(phrases("console socket"), "exec", "-d", "-t", "c", "true")
	for _, user := range []string{"root", "-1", "+1", "01", "1:", ":1", "4294967295", "4294967296", "1.0", " 1", "1:users"} {
		b.fails(phrases("--user takes UID or UID:GID"), "exec", "--user="+user, "c", "true")
	}
	b.ok("kill", "c", "KILL")
	b.waitStopped("c")
	b.fails(phrases("container not running"), "exec", "c", "true")
	b.create("d", config("true"))
	b.fails(phrases("is created, and its program has not been started"), "exec", "d", "true")
}

func TestExecUser(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := sleeping(t, object{"user": object{"uid": 5, "gid": 6, "additionalGids": []int{7}}})
	const ids = "id -u; id -g; id -G"
	want(t, "the container's", b.exec("c", "sh", "-c", ids), "5\n6\n6 7\n")
	want(t, "a uid", b.exec("-u", "8", "c", "sh", "-c", ids), "8\n6\n6 7\n")
	want(t, "both", b.exec("--user", "8:9", "-g", "10", "--additional-gids=11", "c", "sh", "-c", ids), "8\n9\n9 7 10 11\n")
	want(t, "as large as they get", b.exec("-u", "4294967294:4294967294", "c", "id", "-u"), "4294967294\n")
}

func TestExecCapabilities(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := sleeping(t, object{"capabilities": object{"bounding": []string{"CAP_KILL"}}})
	show := []string{"c", "grep", "-E", "^(CapPrm|CapBnd|NoNewPrivs)", "/proc/self/status"}
	want(t, "the container's", b.exec(show...), "CapPrm:\t0000000000000020\nCapBnd:\t0000000000000020\nNoNewPrivs:\t0\n")
	want(t, "more", b.exec(append([]string{"-c", "CAP_CHOWN", "--cap=CAP_SYS_TIME", "--no-new-privs"}, show...)...),
		"CapPrm:\t0000000002000001\nCapBnd:\t0000000002000021\nNoNewPrivs:\t1\n")
}

func TestExecDetached(t *testing.T) {
	t.Parallel()
	b := sleeping(t, nil)
	pidFile := filepath.Join(b.dir, "pid")
	note := filepath.Join(b.dir, "note")
	b.exec("-d", "--pid-file", pidFile, "c", "sh", "-c", "echo $$ > "+note+"; exit 6")
	pid := pidIn(t, pidFile)
	// It is left to whoever adopts it: this test is a subreaper.
	want(t, "exit status", reap(t, pid).ExitStatus(), 6)
	want(t, "its pid", read(t, note), fmt.Sprintf("%d\n", pid))
}

func TestExecDescriptors(t *testing.T) {
	t.Parallel()
	b := sleeping(t, nil)
	file := b.temporary("extra")
	defer file.Close()
	b.extra = []*os.File{file, file}
	b.exec("--preserve-fds", "2", "c", "sh", "-c", "echo three >&3; echo four >&4")
	want(t, "descriptors", read(t, file.Name()), "three\nfour\n")
	want(t, "without", b.exec("c", "sh", "-c", "ls /proc/self/fd | tr '\\n' ' '"), "0 1 2 3 ")
	b.fails(phrases("descriptor 5 is not open"), "exec", "--preserve-fds", "3", "c", "true")
}

func TestExecForwardsSignals(t *testing.T) {
	t.Parallel()
	b := sleeping(t, nil)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	run := &background{Cmd: b.command(ctx, "exec", "c", helperPath, "helper", "signals")}
	stdout, stderr := b.temporary("out"), b.temporary("err")
	defer stdout.Close()
	defer stderr.Close()
	run.out, run.err = stdout.Name(), stderr.Name()
	run.Stdout, run.Stderr = stdout, stderr
	check(t, run.Start())
	waitForText(t, run.out, "ready\n")
	for _, number := range []syscall.Signal{1, 2, 10, 28, 35, 15} {
		check(t, run.Process.Signal(number))
		waitForText(t, run.out, fmt.Sprintf("signal %d\n", int(number)))
	}
	want(t, "exit code", run.end(t), 7)
	want(t, "stderr", read(t, run.err), "")
	b.wantStatus("c", "running")
}

// At a person's terminal, and by a console socket.
func TestExecTerminal(t *testing.T) {
	t.Parallel()
	needTerminals(t)
	b := sleeping(t, nil)
	p := newPerson(t)
	before := p.modes()
	p.resize(33, 111)
	p.starts(b.command(context.Background(), "exec", "-t", "-e", "PS1="+prompt, "c", "/bin/sh", "-i"))
	p.sees(prompt)
	p.waitRaw()
	p.types("stty size\n")
	p.sees("33 111\r\n")
	p.types("exit 7\n")
	want(t, "exit code", p.exits(), 7)
	want(t, "modes", p.modes(), before)

	path, take := b.consoleSocket()
	b.exec("-d", "-t", "--console-socket", path, "--pid-file", filepath.Join(b.dir, "pid"), "c", "sh", "-c", "read x; exit $x")
	master, _ := take()
	_, err := master.WriteString("9\n")
	check(t, err)
	want(t, "exit status", reap(t, pidIn(t, filepath.Join(b.dir, "pid"))).ExitStatus(), 9)
}
