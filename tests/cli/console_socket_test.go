package cli

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// consoleSocket listens where an engine would, and takes a terminal.
func (b *box) consoleSocket() (string, func() (*os.File, string)) {
	b.t.Helper()
	path := filepath.Join(b.dir, "console.sock")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	check(b.t, err)
	b.t.Cleanup(func() { listener.Close() })
	return path, func() (*os.File, string) {
		b.t.Helper()
		connection, err := listener.AcceptUnix()
		check(b.t, err)
		defer connection.Close()
		name, control := make([]byte, 4096), make([]byte, syscall.CmsgSpace(4))
		size, controlSize, _, _, err := connection.ReadMsgUnix(name, control)
		check(b.t, err)
		messages, err := syscall.ParseSocketControlMessage(control[:controlSize])
		check(b.t, err)
		descriptors, err := syscall.ParseUnixRights(&messages[0])
		check(b.t, err)
		master := os.NewFile(uintptr(descriptors[0]), "console")
		b.t.Cleanup(func() { master.Close() })
		return master, string(name[:size])
	}
}

func readUntil(t *testing.T, file *os.File, text string) string {
	t.Helper()
	var got []byte
	for piece := make([]byte, 4096); !strings.Contains(string(got), text); {
		count, err := file.Read(piece)
		got = append(got, piece[:count]...)
		if err != nil {
			t.Fatalf("%v after %q, without %q", err, got, text)
		}
	}
	return string(got)
}

// create, run --detach and a foreground run hand the terminal over; the streams of the caller are not the program's.
func TestTerminalConsoleSocket(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	needTerminals(t)
	path, take := b.consoleSocket()
	program := terminalConfig("/bin/sh", "-c", "tty; read line; echo \"got $line\"; exit 8")
	talk := func(master *os.File, slave string) {
		t.Helper()
		want(t, "the terminal's name", strings.TrimSpace(readUntil(t, master, "\n")), slave)
		_, err := master.WriteString("x\n")
		check(t, err)
		readUntil(t, master, "got x\r\n")
		if count, err := master.Read(make([]byte, 1)); err == nil { // EIO: the program has closed it
			t.Errorf("%d bytes after the end", count)
		}
		master.Close()
	}

	pid := b.create("c", program, "--console-socket", path)
	master, slave := take()
	b.ok("start", "c")
	talk(master, slave)
	want(t, "exit status", reap(t, pid).ExitStatus(), 8)
	b.ok("delete", "c")

	b.ok("run", "-d", "-b", b.bundle, "--console-socket", path, "c")
	talk(take())
	if got := b.ok("wait", "c"); !strings.Contains(got, `"exitCode":8`) {
		t.Errorf("wait: %q", got)
	}
	b.ok("delete", "c")

	run := b.background(program, "--console-socket="+path)
	talk(take())
	want(t, "exit code of run", run.end(t), 8)
	want(t, "stdout of run", read(t, run.out), "")
}

func TestTerminalNeedsSomebody(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(terminalConfig("true"))
	b.fails(phrases("/process/terminal", "--console-socket"), "create", "-b", b.bundle, "c")
	b.fails(phrases("/process/terminal", "--console-socket"), "run", "-d", "-b", b.bundle, "c")
	b.fails(phrases("console socket", "ENOENT"), "create", "-b", b.bundle, "--console-socket", b.dir+"/none", "c")
	b.fails(phrases("console socket", "ENOENT"), "run", "-b", b.bundle, "--console-socket", b.dir+"/none", "c")
	b.write(config("true"))
	path, _ := b.consoleSocket()
	b.fails(phrases("/process/terminal", "no use"), "create", "-b", b.bundle, "--console-socket", path, "c")
	b.write(config("true").with("terminal", 1))
	b.fails(phrases("/process/terminal", "true or false"), "run", "-b", b.bundle, "c")
	want(t, "containers left", b.ok("list", "-q"), "")
}
