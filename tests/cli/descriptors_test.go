package cli

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// ls opens the directory itself with the lowest free number.
var listDescriptors = []string{"/bin/ls", "/proc/self/fd"}

func openExtra(b *box, count int) {
	b.t.Helper()
	for i := 0; i < count; i++ {
		file, err := os.Open(b.file(fmt.Sprintf("extra-%d", i), fmt.Sprintf("text %d", i), 0o644))
		check(b.t, err)
		b.t.Cleanup(func() { file.Close() })
		b.extra = append(b.extra, file)
	}
}

// What the caller has open above 2 stays with the caller.
func TestOnlyStandardDescriptorsByDefault(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	openExtra(b, 5)
	want(t, "descriptors", b.output(config(listDescriptors...)), "0\n1\n2\n3\n")
}

func TestPreserveDescriptors(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	openExtra(b, 5)
	want(t, "descriptors", b.output(config(listDescriptors...), "--preserve-fds", "2"), "0\n1\n2\n3\n4\n5\n")
	got := b.output(config("/bin/sh", "-c", "cat <&3; cat <&4"), "--preserve-fds=2")
	want(t, "what they hold", got, "text 0text 1")
	want(t, "none", b.output(config(listDescriptors...), "--preserve-fds", "0"), "0\n1\n2\n3\n")
}

// A descriptor that is not open is named, also where a file of our own would have taken its number.
func TestPreserveClosedDescriptor(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	openExtra(b, 2)
	b.write(config("true"))
	b.globals = []string{"--log", b.dir + "/log"}
	for _, command := range []string{"create", "run"} {
		b.fails(phrases("--preserve-fds", "descriptor 5 is not open"), command, "-b", b.bundle, "--preserve-fds", "3", "c")
		b.fails(phrases("descriptor 5 is not open"), command, "-b", b.bundle, "--preserve-fds", "2000000000", "c")
	}
	want(t, "containers", b.ok("list", "-q"), "")
}

// Nothing but the three and what was asked for, also while a container waits in `created`.
func TestStartedProgramHasNoDescriptorsOfOurs(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	openExtra(b, 3)
	pid := b.create("c", config(forever...), "--preserve-fds", "1")
	b.ok("start", "c")
	// The loader of a program that has only just begun has one open for each library: a moment, a leak for ever.
	eventually(t, "descriptors 0 1 2 3 and no others", func() bool {
		entries, err := os.ReadDir(procPath(pid, "fd"))
		check(t, err)
		names := []string{}
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		return strings.Join(names, " ") == "0 1 2 3"
	})
}

// foreground run passes all three through.
func TestStandardStreamsOfRun(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	file, err := os.Open(b.file("in", "from stdin\n", 0o644))
	check(t, err)
	defer file.Close()
	b.stdin = file
	got := b.run(config("/bin/sh", "-c", "cat; echo to stderr >&2"))
	want(t, "result", got, result{"from stdin\n", "to stderr\n", 0})
}

// create's streams are the container's.
func TestStandardStreamsOfCreate(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	file, err := os.Open(b.file("in", "from stdin\n", 0o644))
	check(t, err)
	defer file.Close()
	out, err := os.Create(b.dir + "/out")
	check(t, err)
	defer out.Close()
	b.stdin, b.stdout = file, out
	pid := b.create("c", config("/bin/cat"))
	b.stdin, b.stdout = nil, nil
	b.ok("start", "c")
	reap(t, pid)
	want(t, "output", read(t, out.Name()), "from stdin\n")
}

// The reader of a container's output sees its end when the program ends: nothing of ours keeps the pipe open, neither
// while it waits nor after, and not another container that was made meanwhile.
func TestOutputPipeEnds(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	reader, writer, err := os.Pipe()
	check(t, err)
	defer reader.Close()
	b.stdout = writer
	pid := b.create("c", config("echo", "last words"))
	b.stdout = nil
	check(t, writer.Close())
	b.create("other", config(forever...))
	b.ok("start", "c")
	check(t, reader.SetReadDeadline(time.Now().Add(patience)))
	text, err := io.ReadAll(reader)
	check(t, err)
	want(t, "output", string(text), "last words\n")
	reap(t, pid)
}

// The same when the container never ran.
func TestOutputPipeEndsWithoutStart(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	reader, writer, err := os.Pipe()
	check(t, err)
	defer reader.Close()
	b.stdout = writer
	pid := b.create("c", config("true"))
	b.stdout = nil
	check(t, writer.Close())
	b.ok("delete", "--force", "c")
	check(t, reader.SetReadDeadline(time.Now().Add(patience)))
	_, err = io.ReadAll(reader)
	check(t, err)
	reap(t, pid)
}

// Standard descriptors that the caller closed are /dev/null for the program, and no file of ours takes their place.
func TestClosedStandardDescriptors(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	out := b.dir + "/out"
	program := config("/bin/sh", "-c", "for n in 0 1 2; do readlink /proc/$$/fd/$n; done > "+out)
	for _, closed := range []string{"0", "1", "2", "01", "02", "12", "012"} {
		b.wrapper = []string{helperPath, "helper", "exec-closed", closed}
		b.write(program)
		for i, words := range [][]string{{"run", "-b", b.bundle, "r"}, {"create", "-b", b.bundle, "c"}} {
			got := b.cli(words...)
			if got.code != 0 {
				t.Fatalf("%s closed: %v: %q", closed, words, got)
			}
			if i == 1 {
				pid := b.state1("c")
				b.ok("start", "c")
				reap(t, pid)
				b.ok("delete", "c")
			}
			for number, target := range strings.Fields(read(t, out)) {
				if number == 1 { // the shell's own redirection
					continue
				}
				isClosed := strings.Contains(closed, fmt.Sprint(number))
				if isClosed && target != "/dev/null" {
					t.Errorf("%s closed: %d is %s", closed, number, target)
				}
				if strings.Contains(target, "bundle") || strings.Contains(target, "state") {
					t.Errorf("%s closed: %d is a file of ours: %s", closed, number, target)
				}
			}
		}
	}
}

// state1 is the pid, read without the wrapper, which may have closed stdout.
func (b *box) state1(id string) int {
	b.t.Helper()
	wrapper := b.wrapper
	b.wrapper = nil
	defer func() { b.wrapper = wrapper }()
	return b.state(id).Pid
}

// openTerminal makes a pty and returns its two ends.
func openTerminal(t *testing.T) (*os.File, *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		skip(t, "no terminal can be made: "+err.Error())
	}
	t.Cleanup(func() { master.Close() })
	var number, unlock int32
	for request, argument := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlock, syscall.TIOCGPTN: &number} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request,
			uintptr(unsafe.Pointer(argument))); errno != 0 {
			t.Fatal("ioctl of the terminal:", errno)
		}
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	check(t, err)
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

// A person's terminal is no input for a program in the background; a foreground run keeps it.
func TestTerminalOnStdin(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	_, slave := openTerminal(t)
	b.stdin = slave
	out := b.dir + "/out"
	program := config("/bin/sh", "-c", "readlink /proc/$$/fd/0 > "+out)
	pid := b.create("c", program)
	b.ok("start", "c")
	reap(t, pid)
	want(t, "stdin of create's program", read(t, out), "/dev/null\n")
	b.ok("delete", "c")
	want(t, "run", b.run(program), result{})
	want(t, "stdin of run's program", read(t, out), slave.Name()+"\n")
}

// A program cannot push input into the caller's terminal: it is in a session of its own, and that terminal is not its
// controlling one (TIOCSTI).
func TestProgramHasNoControllingTerminal(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	_, slave := openTerminal(t)
	b.write(config("/bin/sh", "-c", "exec 3</dev/tty"))
	command := exec.Command(runtimePath, "--root", b.root, "run", "-b", b.bundle, "c")
	command.Stdin = slave
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	err := command.Run()
	if err == nil {
		t.Error("the program could open its caller's terminal as /dev/tty")
	}
}
