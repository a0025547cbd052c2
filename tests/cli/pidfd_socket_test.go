package cli

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// received accepts one connection and returns its text and descriptor.
func received(t *testing.T, listener *net.UnixListener) (string, int) {
	t.Helper()
	check(t, listener.SetDeadline(time.Now().Add(patience)))
	connection, err := listener.AcceptUnix()
	check(t, err)
	defer connection.Close()
	text, control := make([]byte, 64), make([]byte, syscall.CmsgSpace(4))
	size, controlSize, _, _, err := connection.ReadMsgUnix(text, control)
	check(t, err)
	messages, err := syscall.ParseSocketControlMessage(control[:controlSize])
	check(t, err)
	descriptors, err := syscall.ParseUnixRights(&messages[0])
	check(t, err)
	return string(text[:size]), descriptors[0]
}

// The pidfd that is sent is that of the container's process, also below a supervisor.
func TestPidfdSocket(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"create", "create --supervise", "run -d"} {
		b := newBox(t)
		path := filepath.Join(b.dir, "pidfd.sock")
		listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		check(t, err)
		b.write(config(forever...))
		b.ok(append(strings.Fields(line), "-b", b.bundle, "--pidfd-socket", path, "c")...)
		text, pidfd := received(t, listener)
		want(t, "text", text, "pidfd")
		info := procStatus(read(t, fmt.Sprintf("/proc/self/fdinfo/%d", pidfd)))
		want(t, "the process behind the descriptor", info["Pid"], b.state("c").Pid)
		check(t, syscall.Close(pidfd))
		check(t, listener.Close())
		if line == "run -d" { // and that of a further process
			listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
			check(t, err)
			pidFile := filepath.Join(b.dir, "pid")
			b.ok("exec", "-d", "--pid-file", pidFile, "--pidfd-socket", path, "c", "sleep", "1000000")
			text, pidfd := received(t, listener)
			want(t, "text", text, "pidfd")
			info := procStatus(read(t, fmt.Sprintf("/proc/self/fdinfo/%d", pidfd)))
			pid := pidIn(t, pidFile)
			want(t, "the process behind the descriptor", info["Pid"], pid)
			check(t, syscall.Close(pidfd))
			check(t, listener.Close())
			check(t, syscall.Kill(pid, syscall.SIGKILL))
			reap(t, pid)
		}
		b.ok("delete", "--force", "c")
	}
}

// A socket that is not there, or that nobody listens at, is an error before anything is made.
func TestPidfdSocketErrors(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config(forever...))
	for path, errno := range map[string]string{
		filepath.Join(b.dir, "none"): "ENOENT", filepath.Join(b.bundle, configName): "ECONNREFUSED",
		filepath.Join(b.dir, strings.Repeat("x", 200)): "ENAMETOOLONG"} {
		b.fails(phrases("--pidfd-socket", errno), "create", "-b", b.bundle, "--pidfd-socket", path, "c")
		want(t, "list", b.ok("list", "-q"), "")
	}
	b.create("c", config(forever...))
	b.ok("start", "c")
	note := filepath.Join(b.dir, "note")
	b.fails(phrases("--pidfd-socket", "ENOENT"), "exec", "--pidfd-socket", filepath.Join(b.dir, "none"), "c", "touch", note)
	want(t, "whether it ran", exists(note), false)
}
