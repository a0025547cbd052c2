package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// inARoot is a box with a running container "c" in a root of busybox, as `runc spec` would have it.
func inARoot(t *testing.T) *box {
	t.Helper()
	b := newBox(t)
	b.busyboxRoot()
	b.create("c", defaultConfig("sleep", "1000000"))
	b.ok("start", "c")
	return b
}

// What exec runs is in the container's root and namespaces, and is what the container's own process is.
func TestExecInARoot(t *testing.T) {
	t.Parallel()
	b := inARoot(t)
	for _, row := range []struct{ what, script, wanted string }{
		{"host name", "hostname", "runc\n"},
		{"root", "ls /", "bin\ndev\nproc\nsys\n"},
		{"a read-only root", "touch /x 2>/dev/null || echo no", "no\n"},
		{"masked", "cat /proc/kcore 2>/dev/null | busybox wc -c", "0\n"},
		{"first process", "cat /proc/1/comm", "sleep\n"},
		{"processes", "ls /proc | grep -c '^[0-9]*$'", "4\n"}, // sleep, sh, ls, grep
		{"no new privileges", "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1\n"},
		{"capabilities", "grep -E 'Cap(Prm|Bnd)' /proc/self/status", "CapPrm:\t0000000020000420\nCapBnd:\t0000000020000420\n"},
		{"limits", "ulimit -n", "1024\n"},
		{"environment", "echo $TERM", "xterm\n"},
		{"descriptors", "ls /proc/self/fd | busybox wc -l", "4\n"},
		{"session", "read -r pid comm state parent group session rest </proc/self/stat; [ $session = $$ ] && echo own", "own\n"},
	} {
		want(t, row.what, b.exec("c", "sh", "-c", row.script), row.wanted)
	}
	// What is looked up is the container's: neither the host's programs nor its directories.
	b.fails(phrases(`exec: "go": executable file not found in $PATH`), "exec", "c", "go")
	b.fails(phrases(`exec "/usr/bin/env": no such file or directory`), "exec", "c", "/usr/bin/env")
	b.fails(phrases(`exec: "/proc/cpuinfo": permission denied`), "exec", "c", "/proc/cpuinfo")
	b.fails(phrases(fmt.Sprintf("component %q is missing", "/"+strings.Split(b.dir, "/")[1])), "exec", "--cwd", b.dir, "c", "true")
	want(t, "exit code of what a shell does not find", b.cli("exec", "c", "sh", "-c", "no-such-program 2>/dev/null").code, 127)
	want(t, "exit code of what a shell may not run", b.cli("exec", "c", "sh", "-c", "/proc/cpuinfo 2>/dev/null").code, 126)
}

// Its terminal is of the container's own devpts.
func TestExecTerminalInARoot(t *testing.T) {
	t.Parallel()
	needTerminals(t)
	b := inARoot(t)
	path, take := b.consoleSocket()
	pidFile := filepath.Join(b.dir, "pid")
	b.exec("-d", "-t", "--console-socket", path, "--pid-file", pidFile, "c", "sh", "-c", `read x; [ "$(tty)" = /dev/pts/$x ] && exit 9`)
	master, name := take()
	_, err := master.WriteString(filepath.Base(name) + "\n")
	check(t, err)
	want(t, "exit status", reap(t, pidIn(t, pidFile)).ExitStatus(), 9)
}
