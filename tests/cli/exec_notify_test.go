package cli

import (
	"encoding/json"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// An agent listens for SCMP_ACT_NOTIFY in the box's directory.
func listenAsAgent(t *testing.T, b *box) *net.UnixListener {
	t.Helper()
	agent, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(b.dir, "agent"), Net: "unix"})
	check(t, err)
	t.Cleanup(func() { agent.Close() })
	return agent
}

// asked has a filter that asks the agent about a call that nobody makes.
func asked(b *box, args ...string) object {
	whole := config(args...).with("noNewPrivileges", true)
	whole.linux()["seccomp"] = object{"defaultAction": "SCMP_ACT_ALLOW",
		"syscalls":     []object{{"names": []string{"sched_get_priority_max"}, "action": "SCMP_ACT_NOTIFY"}},
		"listenerPath": filepath.Join(b.dir, "agent"), "listenerMetadata": "mine"}
	return whole
}

// takeListener closes the listener; the connection is at its end then.
func takeListener(t *testing.T, agent *net.UnixListener) specs.ContainerProcessState {
	t.Helper()
	agent.SetDeadline(time.Now().Add(10 * time.Second))
	connection, err := agent.AcceptUnix()
	check(t, err)
	defer connection.Close()
	text, control := make([]byte, 65536), make([]byte, 256)
	size, controlSize, _, _, err := connection.ReadMsgUnix(text, control)
	check(t, err)
	var state specs.ContainerProcessState
	check(t, json.Unmarshal(text[:size], &state))
	want(t, "fds", state.Fds, []string{specs.SeccompFdName})
	want(t, "metadata", state.Metadata, "mine")
	messages, err := syscall.ParseSocketControlMessage(control[:controlSize])
	check(t, err)
	descriptors, err := syscall.ParseUnixRights(&messages[0])
	check(t, err)
	want(t, "descriptors", len(descriptors), 1)
	syscall.Close(descriptors[0])
	_, err = connection.Read(text)
	want(t, "then", err != nil && err.Error() == "EOF", true)
	return state
}

// TestExecNotify: what is executed has a listener of its own, in the foreground and detached; without an agent it is an
// error of exit code 1, and the container runs on.
func TestExecNotify(t *testing.T) {
	b := newBox(t)
	agent := listenAsAgent(t, b)
	b.write(asked(b, sleeper...))
	if made := b.cli("create", "-b", b.bundle, "c"); strings.Contains(made.stderr, "libseccomp") {
		skip(t, "this build has no libseccomp")
	}
	b.ok("start", "c")
	first := takeListener(t, agent)
	want(t, "status of the start", first.State.Status, specs.ContainerState("created"))
	want(t, "output", b.ok("exec", "c", "/bin/echo", "here"), "here\n")
	further := takeListener(t, agent)
	want(t, "status of the exec", further.State.Status, specs.StateRunning)
	want(t, "container", further.State.Pid, first.Pid)
	want(t, "another process", further.Pid > 0 && further.Pid != first.Pid, true)

	pidFile := filepath.Join(b.dir, "pid")
	b.ok("exec", "--detach", "--pid-file", pidFile, "c", "/bin/true")
	want(t, "pid", strconv.Itoa(takeListener(t, agent).Pid), read(t, pidFile))

	agent.Close()
	b.fails(phrases("/linux/seccomp/listenerPath"), "exec", "c", "/bin/true")
	b.wantStatus("c", "running")
	b.ok("kill", "c", "KILL")
	reap(t, first.Pid)
	b.ok("delete", "c")
}
