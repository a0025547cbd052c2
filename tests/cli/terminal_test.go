package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

const (
	prompt   = "in> "
	fionread = 0x541b // FIONREAD, ioctl_tty(2)
)

// terminalConfig is a program with a terminal; PS1 is ours.
func terminalConfig(args ...string) object {
	c := config(args...).with("terminal", true)
	c.process()["env"] = []string{standardPATH, "PS1=" + prompt, "TERM=dumb"}
	return c
}

// sit starts `run` of this config at a person's terminal.
func (b *box) sit(config object, options ...string) *person {
	b.t.Helper()
	p := newPerson(b.t)
	b.write(config)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	b.t.Cleanup(cancel)
	p.starts(b.command(ctx, append(append([]string{"run", "-b", b.bundle}, options...), "c")...))
	return p
}

// A shell as a person expects it: prompt, echo once, size, exit code, and a terminal as it was before.
func TestTerminalInteractive(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	p := newPerson(t)
	before := p.modes()
	p.resize(33, 111)
	b.write(terminalConfig("/bin/sh", "-i"))
	p.starts(b.command(context.Background(), "run", "-b", b.bundle, "c"))
	p.sees(prompt)
	p.waitRaw()
	p.types("stty size; tty\n")
	p.sees("stty size; tty\r\n33 111\r\n/dev/")
	p.sees(prompt)
	if strings.Count(p.everything(), "stty size") != 1 {
		t.Errorf("what is typed must be shown once: %q", p.everything())
	}
	p.types("exit 7\n")
	want(t, "exit code", p.exits(), 7)
	want(t, "modes", p.modes(), before)
	want(t, "containers left", b.ok("list", "-q"), "")
}

func TestTerminalWindowSize(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	p := b.sit(terminalConfig("/bin/sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done"))
	p.sees("ready")
	for _, size := range [][2]uint16{{50, 132}, {10, 20}} {
		p.resize(size[0], size[1])
		p.sees(fmt.Sprintf("%d %d\r\n", size[0], size[1]))
	}
	check(t, p.command.Process.Signal(syscall.SIGTERM))
	want(t, "exit code", p.exits(), 128+15)
}

// consoleSize is for terminals of nobody: a person's window wins; without one it holds.
func TestTerminalConsoleSize(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	c := terminalConfig("stty", "size").with("consoleSize", object{"height": 11, "width": 22})
	p := b.sit(c)
	p.sees("24 80\r\n")
	want(t, "exit code", p.exits(), 0)
	want(t, "without a person", b.output(c), "11 22\r\n")
}

// ^Z, jobs, bg, fg and ^C are the inner shell's.
func TestTerminalJobControl(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	p := b.sit(terminalConfig("/bin/sh", "-i"))
	p.sees(prompt)
	p.types("sleep 1234567\n")
	p.sees("1234567\r\n")
	shell := b.state("c").Pid
	eventually(t, "the sleep", func() bool { // not the shell's child before its exec, which has no ^Z yet
		children := childrenOf(t, shell)
		if len(children) != 1 {
			return false
		}
		line, _ := os.ReadFile("/proc/" + children[0] + "/cmdline")
		return strings.HasPrefix(string(line), "sleep")
	})
	p.types("\x1a")
	p.sees("Stopped")
	p.sees(prompt)
	p.types("jobs\n")
	p.sees("Stopped")
	p.sees("sleep 1234567")
	p.types("bg\n")
	p.sees("sleep 1234567")
	p.sees(prompt)
	p.types("jobs\n")
	p.sees("Running")
	p.types("fg\n")
	p.sees("fg\r\nsleep 1234567")
	eventually(t, "the sleep in the foreground", func() bool {
		children := childrenOf(t, shell)
		return len(children) == 1 && foregroundOf(t, shell) == children[0]
	})
	p.types("\x03")
	p.sees(prompt)
	eventually(t, "the sleep's end", func() bool { return len(childrenOf(t, shell)) == 0 })
	p.types("exit 0\n")
	want(t, "exit code", p.exits(), 0)
}

func childrenOf(t *testing.T, pid int) []string {
	t.Helper()
	return strings.Fields(read(t, procPath(pid, fmt.Sprintf("task/%d/children", pid))))
}

// foregroundOf is the process group that the terminal of a process gives its keys to.
func foregroundOf(t *testing.T, pid int) string {
	t.Helper()
	return strings.Fields(read(t, procPath(pid, "stat")))[7]
}

// However it ends, the person's terminal is as it was.
func TestTerminalIsPutBack(t *testing.T) {
	t.Parallel()
	waits := "echo ready; while :; do sleep 0.05; done"
	for _, row := range []struct {
		name   string
		script string
		end    func(b *box, p *person)
		code   int
	}{
		{"normal end", "echo ready; exit 3", func(*box, *person) {}, 3},
		{"^C", waits, func(_ *box, p *person) { p.types("\x03") }, 128 + 2},
		{"TERM to run", waits, func(_ *box, p *person) { p.signal(syscall.SIGTERM) }, 128 + 15},
		{"HUP to run", waits, func(_ *box, p *person) { p.signal(syscall.SIGHUP) }, 128 + 1},
		{"KILL of the container", waits, func(b *box, _ *person) { b.ok("kill", "c", "KILL") }, 128 + 9},
		{"a program that dies of SEGV", "echo ready; ulimit -c 0; kill -SEGV $$", func(*box, *person) {}, 128 + 11},
		{"SEGV to run", waits, func(_ *box, p *person) { p.signal(syscall.SIGSEGV) }, -11},
		{"ABRT to run", waits, func(_ *box, p *person) { p.signal(syscall.SIGABRT) }, -6},
		{"BUS to run", waits, func(_ *box, p *person) { p.signal(syscall.SIGBUS) }, -7},
	} {
		row := row
		t.Run(row.name, func(t *testing.T) {
			b := newBox(t)
			p := newPerson(t)
			before := p.modes()
			b.wrapper = []string{"/bin/sh", "-c", `ulimit -c 0; exec "$@"`, "sh"}
			b.write(terminalConfig("/bin/sh", "-c", row.script))
			p.starts(b.command(context.Background(), "run", "-b", b.bundle, "c"))
			p.sees("ready")
			row.end(b, p)
			want(t, "exit code", p.exits(), row.code)
			want(t, "modes", p.modes(), before)
			if row.code < 0 { // the program's terminal is gone with run, and so is the program
				b.wrapper = nil
				b.waitStopped("c")
			}
		})
	}
}

func (p *person) signal(number syscall.Signal) {
	p.t.Helper()
	p.waitRaw()
	check(p.t, p.command.Process.Signal(number))
}

// A start that fails is told on a terminal that is not raw any more.
func TestTerminalStartFails(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	p := newPerson(t)
	before := p.modes()
	b.write(terminalConfig(b.file("orphan", "#!/no/such/interpreter\n", 0o755)))
	p.starts(b.command(context.Background(), "run", "-b", b.bundle, "c"))
	p.sees("no such file or directory")
	p.sees("\r\n")
	want(t, "exit code", p.exits(), 1)
	want(t, "modes", p.modes(), before)
	want(t, "containers left", b.ok("list", "-q"), "")
}

// atAShell starts an interactive shell at a person's terminal, with the CLI as $RUN.
func (b *box) atAShell(config object) *person {
	b.t.Helper()
	p := newPerson(b.t)
	b.write(config)
	shell := exec.Command("/bin/sh", "-i")
	shell.Dir = b.dir
	shell.Env = []string{standardPATH, "PS1=out> ", "TERM=dumb",
		fmt.Sprintf("RUN=%s --root %s run -b %s c", runtimePath, b.root, b.bundle)}
	p.starts(shell)
	b.t.Cleanup(func() { shell.Process.Kill() })
	p.sees("out> ")
	return p
}

// childOf is the pid of a shell's only child.
func (p *person) childOfShell() int {
	p.t.Helper()
	var pid int
	eventually(p.t, "the shell's child", func() bool {
		children := childrenOf(p.t, p.command.Process.Pid)
		if len(children) == 1 {
			fmt.Sscan(children[0], &pid)
		}
		return len(children) == 1
	})
	return pid
}

// SIGTSTP from outside stops both and gives the terminal back to the shell; fg takes it again, in the size of now.
func TestTerminalStopAndContinue(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	p := b.atAShell(terminalConfig("/bin/sh", "-c",
		"trap 'echo got-int; exit 5' INT; echo ready; while :; do sleep 0.05; done"))
	p.types("$RUN; echo code=$?\n")
	p.sees("ready")
	p.waitRaw()
	run := p.childOfShell()
	check(t, syscall.Kill(run, syscall.SIGTSTP))
	p.sees("out> ")
	if p.isRaw() {
		t.Error("the terminal is still raw")
	}
	eventually(t, "the program's stop", func() bool {
		return strings.HasPrefix(procStatus(read(t, procPath(b.state("c").Pid, "status")))["State"], "T")
	})
	p.resize(44, 99)
	p.types("fg\n")
	p.waitRaw()
	eventually(t, "the new size", func() bool { return b.sizeOf("c") == "44 99" })
	p.types("\x03")
	p.sees("got-int")
	p.sees("out> ")
	p.types("exit\n")
	p.exits()
}

// sizeOf asks the container's terminal for its size.
func (b *box) sizeOf(id string) string {
	b.t.Helper()
	terminal, err := os.Readlink(procPath(b.state(id).Pid, "fd/0"))
	check(b.t, err)
	size, err := exec.Command("stty", "-F", terminal, "size").Output()
	check(b.t, err)
	return strings.TrimSpace(string(size))
}

// Started in the background, run is stopped as every program that takes its terminal is; fg goes on with it.
func TestTerminalInTheBackground(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	p := b.atAShell(terminalConfig("/bin/sh", "-c", "echo hello; read line; echo \"got $line\""))
	p.types("$RUN &\n")
	run := p.childOfShell()
	eventually(t, "run's stop", func() bool {
		return strings.HasPrefix(procStatus(read(t, procPath(run, "status")))["State"], "T")
	})
	if strings.Contains(p.everything(), "hello") {
		t.Error("the program ran in the background")
	}
	p.types("fg\n")
	p.sees("hello")
	p.types("words\n")
	p.sees("got words")
	p.sees("out> ")
	if p.isRaw() {
		t.Error("the terminal is still raw")
	}
	p.types("exit\n")
	p.exits()
}

// The person's terminal is closed: so is the program's.
func TestTerminalHangUp(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	marker := filepath.Join(b.dir, "marker")
	p := b.sit(terminalConfig("/bin/sh", "-c", "trap 'echo hup > "+marker+"; exit 6' HUP; echo ready; while :; do sleep 0.05; done"))
	p.sees("ready")
	p.waitRaw()
	p.slave.Close()
	p.master.Close()
	want(t, "exit code", p.exits(), 6)
	want(t, "the program's word", read(t, marker), "hup\n")
	want(t, "containers left", b.ok("list", "-q"), "")
}

func numbers(last int) string {
	var text strings.Builder
	for i := 1; i <= last; i++ {
		fmt.Fprintf(&text, "%d\r\n", i)
	}
	return text.String()
}

// Killed itself, run can put nothing back; the program's terminal is closed with it, as a person's would be.
func TestTerminalRunIsKilled(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	p := b.sit(terminalConfig("/bin/sh", "-c", "echo ready; exec sleep 1000000"))
	p.sees("ready")
	p.signal(syscall.SIGKILL)
	want(t, "exit code", p.exits(), -9)
	b.waitStopped("c")
}

// Not a byte is lost at the end, however short the program lives and however slow its reader is.
func TestTerminalLosesNothing(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	needTerminals(t)
	wanted := numbers(3000)
	for i := 0; i < 30; i++ {
		if got := b.output(terminalConfig("seq", "3000")); got != wanted {
			t.Fatalf("round %d: %d bytes instead of %d", i, len(got), len(wanted))
		}
	}
	reader, writer, err := os.Pipe()
	check(t, err)
	defer reader.Close()
	b.write(terminalConfig("seq", "60000"))
	run := b.command(context.Background(), "run", "-b", b.bundle, "c")
	run.Stdout = writer
	check(t, run.Start())
	writer.Close()
	eventually(t, "everything on the way to be full", func() bool {
		var waiting int32
		control(t, reader, fionread, unsafe.Pointer(&waiting))
		return waiting > 40000
	})
	var got bytes.Buffer
	_, err = io.Copy(&got, reader)
	check(t, err)
	check(t, run.Wait())
	if got.String() != numbers(60000) {
		t.Errorf("%d bytes instead of %d", got.Len(), len(numbers(60000)))
	}
}

// The first process decides when run ends, also where others keep its terminal open.
func TestTerminalEndsWithTheFirstProcess(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	needTerminals(t)
	got := b.run(terminalConfig("/bin/sh", "-c", "trap '' HUP; sleep 1000000 & echo $!; exit 4"))
	want(t, "exit code", got.code, 4)
	var child int
	_, err := fmt.Sscan(got.stdout, &child)
	check(t, err)
	check(t, syscall.Kill(child, syscall.SIGKILL))
	reap(t, child)
}

// A program may let go of its terminal and come back.
func TestTerminalComesBack(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	needTerminals(t)
	got := b.output(terminalConfig("/bin/sh", "-c",
		"echo before; exec </dev/null >/dev/null 2>&1; sleep 0.3; echo after >/dev/tty; sleep 0.3; seq 2000 >/dev/tty"))
	want(t, "output", got, "before\r\nafter\r\n"+numbers(2000))
}

// stdin that is no terminal is typed in, with ^D at its end.
func TestTerminalInputFromAPipe(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	needTerminals(t)
	for input, wanted := range map[string]string{
		"a\nb\n":        "<a>\r\n<b>\r\nend\r\n",
		"a\nno newline": "<a>\r\n<no newline>end\r\n",
		"":              "end\r\n",
	} {
		file := b.file("input", input, 0o644)
		b.stdin, _ = os.Open(file)
		got := b.output(terminalConfig("/bin/sh", "-c", "stty -echo; sed 's/.*/<&>/'; echo end"))
		b.stdin.Close()
		// What was typed before stty ran is echoed.
		if !strings.HasSuffix(got, wanted) {
			t.Errorf("%q: %q does not end in %q", input, got, wanted)
		}
	}
	b.stdin = nil
	large := b.file("large", strings.Repeat(strings.Repeat("x", 99)+"\n", 5000), 0o644)
	var err error
	b.stdin, err = os.Open(large)
	check(t, err)
	defer b.stdin.Close()
	got := b.output(terminalConfig("/bin/sh", "-c", "stty -echo; wc -c"))
	if !strings.HasSuffix(got, "500000\r\n") {
		t.Errorf("%q", got[max(0, len(got)-100):])
	}
}

func max(a, b int) int {
	if a > b {
		return a
	}
	return b
}

// Nobody reads what the program writes any more: its terminal is closed, and it is told.
func TestTerminalOutputIsClosed(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	needTerminals(t)
	b.write(terminalConfig("/bin/sh", "-c", "while :; do echo y; done"))
	reader, writer, err := os.Pipe()
	check(t, err)
	stderr := b.temporary("stderr")
	defer stderr.Close()
	run := b.command(context.Background(), "run", "-b", b.bundle, "c")
	run.Stdout, run.Stderr = writer, stderr
	check(t, run.Start())
	writer.Close()
	_, err = io.ReadFull(reader, make([]byte, 10))
	check(t, err)
	reader.Close()
	run.Wait()
	want(t, "exit code", exitCode(run.ProcessState), 128+1)
	if got := read(t, stderr.Name()); !strings.Contains(got, "write to stdout: EPIPE") {
		t.Errorf("stderr: %q", got)
	}
}

func needTerminals(t *testing.T) {
	t.Helper()
	newPerson(t)
}

// Through script(1), which is another's idea of a terminal.
func TestTerminalUnderScript(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("script"); err != nil {
		skip(t, "no script(1) here")
	}
	b := newBox(t)
	needTerminals(t)
	b.write(terminalConfig("/bin/sh", "-c", "stty size; tty; exit 9"))
	line := fmt.Sprintf("stty rows 31 cols 71; %s --root %s run -b %s c", runtimePath, b.root, b.bundle)
	command := exec.Command("script", "-qec", line, "/dev/null")
	input, keepOpen, err := os.Pipe() // at the end of its input script types ^D, wherever that goes
	check(t, err)
	defer keepOpen.Close()
	command.Stdin = input
	text, _ := command.Output()
	want(t, "exit code", exitCode(command.ProcessState), 9)
	if !strings.Contains(string(text), "31 71\r\n/dev/pts/") {
		t.Errorf("script saw %q", text)
	}
}
