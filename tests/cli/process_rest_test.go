package cli

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// syscall has it for arm64 alone.
var sysSchedGetattr = map[string]uintptr{"amd64": 315, "arm64": 275}[runtime.GOARCH]

// printAttributes is a container's program: what it runs under, in the kernel's words.
func printAttributes() int {
	var attributes struct {
		size, policy      uint32
		flags             uint64
		nice              int32
		priority          uint32
		runtime, deadline uint64
		period            uint64
	}
	syscall.RawSyscall6(sysSchedGetattr, 0, uintptr(unsafe.Pointer(&attributes)), unsafe.Sizeof(attributes), 0, 0, 0)
	const whoProcess, onlyAsk = 1, 0xffffffff
	priority, _, _ := syscall.RawSyscall(syscall.SYS_IOPRIO_GET, whoProcess, 0, 0)
	domain, _, _ := syscall.RawSyscall(syscall.SYS_PERSONALITY, onlyAsk, 0, 0)
	fmt.Printf("policy %d nice %d ioprio %d personality %d\n", attributes.policy, attributes.nice, priority, domain)
	return 0
}

func TestSchedulerPriorityAndPersonality(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	all := config(helperPath, "helper", "attributes").
		with("scheduler", object{"policy": "SCHED_BATCH", "nice": 19}).
		with("ioPriority", object{"class": "IOPRIO_CLASS_IDLE", "priority": 1}).
		with("execCPUAffinity", object{"initial": "0", "final": "0-3,7"})
	all["linux"] = object{"personality": object{"domain": "LINUX32"}}
	const idle1 = 3<<13 | 1
	want(t, "attributes", b.output(all), fmt.Sprintf("policy 3 nice 19 ioprio %d personality 8\n", idle1))
}

// Each wrong value is refused by its pointer, and nothing is left.
func TestWrongAttributes(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, one := range []struct {
		name    string
		value   interface{}
		phrases []string
	}{
		{"scheduler", object{"policy": "SCHED_FIF", "priority": 1},
			phrases("/process/scheduler/policy", `did you mean "SCHED_FIFO"?`)},
		{"scheduler", object{"policy": "SCHED_RR"}, phrases("/process/scheduler/priority", "1 to 99")},
		{"scheduler", object{"policy": "SCHED_ISO"}, phrases("/process/scheduler/policy", "no such scheduler")},
		{"ioPriority", object{"class": "IOPRIO_CLASS_BE", "priority": 8}, phrases("/process/ioPriority/priority")},
		{"execCPUAffinity", object{"final": "3-0"}, phrases("/process/execCPUAffinity/final", `"3-0"`)},
	} {
		b.write(config("true").with(one.name, one.value))
		wantNoReservedPhrase(t, b.fails(one.phrases, "run", "-b", b.bundle, "c"))
	}
	text := config("true")
	text["linux"] = object{"personality": object{"domain": "LINUX64"}}
	b.write(text)
	b.fails(phrases("/linux/personality/domain", "LINUX"), "create", "-b", b.bundle, "c")
	want(t, "containers", b.ok("list", "-q"), "")
}

// A label is refused where the kernel has no such module, and never dropped.
func TestLabelsNeedTheirModule(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for name, place := range map[string]string{
		"apparmorProfile": "/sys/module/apparmor", "selinuxLabel": "/sys/fs/selinux/enforce"} {
		if exists(place) {
			continue
		}
		b.write(config("true").with(name, "x"))
		b.fails(phrases("/process/"+name, "is not enabled in this kernel"), "run", "-b", b.bundle, "c")
	}
}

func TestSessionKeyring(t *testing.T) {
	t.Parallel()
	if !exists("/proc/keys") {
		skip(t, "no /proc/keys here")
	}
	b := newBox(t)
	// The program sees the keyring that it possesses. Its user's other ones it may see as well: so no id is used twice.
	seen := func(id string, options ...string) string {
		id = fmt.Sprintf("%s-%d", id, os.Getpid())
		b.write(config("/bin/grep", "-c", "keyring  *_ses."+id+":", "/proc/keys"))
		return b.cli(append(append([]string{"run", "-b", b.bundle}, options...), id)...).stdout
	}
	if got := seen("own"); got != "1\n" {
		if strings.Contains(read(t, "/proc/self/status"), "Seccomp:\t2") {
			skip(t, "keyctl is not allowed here")
		}
		t.Errorf("with a keyring of its own: %q", got)
	}
	want(t, "without", seen("none", "--no-new-keyring"), "0\n")
	want(t, "plan", strings.Contains(b.ok("plan", "-b", b.bundle), `keyring "_ses.<id>"`), true)
}

// activated gives the CLI sockets as a service manager does, by its pid or without one.
func (b *box) activated(count int, env ...string) {
	b.t.Helper()
	for i := 0; i < count; i++ {
		listener, err := net.Listen("unix", filepath.Join(b.dir, fmt.Sprintf("s%d-%d", len(b.extra), i)))
		check(b.t, err)
		b.t.Cleanup(func() { listener.Close() })
		file, err := listener.(*net.UnixListener).File()
		check(b.t, err)
		b.t.Cleanup(func() { file.Close() })
		b.extra = append(b.extra, file)
	}
	b.env = append([]string{standardPATH}, env...)
}

const showListeners = `echo "$LISTEN_FDS:$LISTEN_FDNAMES:$([ "$LISTEN_PID" = $$ ] && echo mine)"; ls /proc/self/fd | tr '\n' ' '`

func TestSocketsOfAServiceManager(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.activated(2, "LISTEN_FDS=2", "LISTEN_FDNAMES=a:b", "NOTIFY_SOCKET=/run/none", "LISTEN_FDSX=1")
	script := config("/bin/sh", "-c", showListeners)
	want(t, "without a pid", b.output(script), "2:a:b:mine\n0 1 2 3 4 5 ")
	// Between the CLI's start and its look at the environment nothing may come: the shell execs it with its own pid.
	b.wrapper = []string{"/bin/sh", "-c", `LISTEN_PID=$$ exec "$@"`, "sh"}
	want(t, "with our pid", b.output(script), "2:a:b:mine\n0 1 2 3 4 5 ")
	b.wrapper = []string{"/bin/sh", "-c", `LISTEN_PID=1 exec "$@"`, "sh"}
	want(t, "for another process", b.output(script), "::\n0 1 2 3 ")
	b.wrapper = nil
	b.activated(1, "LISTEN_FDS=2")
	// One more is open and stays with the caller, until it is asked for: it comes after the sockets.
	want(t, "unnamed", b.output(script), "2::mine\n0 1 2 3 4 5 ")
	want(t, "and preserved", b.output(script, "--preserve-fds", "1"), "2::mine\n0 1 2 3 4 5 6 ")
	lies := script.with("env", []string{standardPATH, "LISTEN_FDS=7", "LISTEN_PID=1", "LISTEN_FDNAMES=x"})
	want(t, "process.env", b.output(lies), "2::mine\n0 1 2 3 4 5 ")
	env := b.output(config("/usr/bin/env"))
	if strings.Contains(env, "NOTIFY_SOCKET") || strings.Contains(env, "LISTEN_FDSX") {
		t.Errorf("the caller's environment: %q", env)
	}
}

// create as well: the sockets wait with the container.
func TestSocketsOfACreatedContainer(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.activated(1, "LISTEN_FDS=1")
	out, err := os.Create(filepath.Join(b.dir, "out"))
	check(t, err)
	defer out.Close()
	b.stdout = out
	pid := b.create("c", config("/bin/sh", "-c", showListeners))
	b.stdout, b.env, b.extra = nil, nil, nil
	b.ok("start", "c")
	reap(t, pid)
	want(t, "output", read(t, out.Name()), "1::mine\n0 1 2 3 4 ")
}

func TestWrongListenFds(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("true"))
	for value, phrase := range map[string]string{
		"x": "not a number", "-1": "not a number", "1 ": "not a number", "99999999999": "not a number",
		"1000": "is not open"} {
		b.env = []string{standardPATH, "LISTEN_FDS=" + value}
		b.fails(phrases("LISTEN_FDS", phrase), "run", "-b", b.bundle, "c")
	}
	b.activated(2, "LISTEN_FDS=2", "LISTEN_FDNAMES=one")
	b.fails(phrases("names"), "create", "-b", b.bundle, "c")
	// Other commands do not look at it.
	b.env = []string{standardPATH, "LISTEN_FDS=x"}
	want(t, "containers", b.ok("list", "-q"), "")
}
