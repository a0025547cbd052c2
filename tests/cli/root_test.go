package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const busybox = "/bin/busybox"

// needRoots skips where no container can have a root of its own.
func needRoots(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 || !holds(t, capSysAdmin) {
		skip(t, "making namespaces needs CAP_SYS_ADMIN")
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	check(t, err)
	check(t, os.MkdirAll(filepath.Dir(to), 0o755))
	check(t, os.WriteFile(to, text, 0o755))
}

// busyboxRoot makes the bundle's rootfs of busybox alone.
func (b *box) busyboxRoot() {
	b.t.Helper()
	needRoots(b.t)
	if _, err := os.Stat(busybox); err != nil {
		skip(b.t, "no busybox here")
	}
	bin := filepath.Join(b.bundle, "rootfs/bin")
	copyFile(b.t, busybox, filepath.Join(bin, "busybox"))
	for _, name := range []string{"sh", "cat", "ls", "id", "hostname", "grep", "touch", "tty", "stat", "mount", "sleep"} {
		check(b.t, os.Symlink("busybox", filepath.Join(bin, name)))
	}
}

func mount(destination, kind, source string, options ...string) object {
	return object{"destination": destination, "type": kind, "source": source, "options": append([]string{}, options...)}
}

// defaultConfig is what `runc spec` writes, without its limits of control groups.
func defaultConfig(args ...string) object {
	capabilities := []string{"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"}
	c := config(args...).with("user", user(0, 0)).with("noNewPrivileges", true).
		with("capabilities", object{"bounding": capabilities, "effective": capabilities, "permitted": capabilities}).
		with("rlimits", []object{{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}})
	c.process()["env"] = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"}
	c["root"] = object{"path": "rootfs", "readonly": true}
	c["hostname"] = "runc"
	c["mounts"] = []object{
		{"destination": "/proc", "type": "proc", "source": "proc"},
		mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
		mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
		mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
		mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
		mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
		mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro"),
	}
	c["linux"] = object{
		"namespaces": []object{{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"},
			{"type": "cgroup"}},
		"maskedPaths": []string{"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
			"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi"},
		"readonlyPaths": []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
	}
	return c
}

func TestDefaultConfigOfABundle(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.busyboxRoot()
	got := b.output(defaultConfig("sh", "-c", strings.Join([]string{
		"hostname", "echo $$", "id -u", "ls /", "touch /x 2>/dev/null || echo read-only", "cat /proc/keys",
		"(echo 1 > /proc/sys/kernel/panic) 2>/dev/null || echo sys",
		"touch /dev/shm/x && ls /dev/shm", "ulimit -n", "grep -E '^(CapEff|NoNewPrivs)' /proc/self/status",
		"(echo 1 > /sys/fs/cgroup/x) 2>/dev/null || echo cgroup", "echo x > /dev/null", "cat /proc/net/dev | grep -c :",
	}, "; ")))
	want(t, "output", got, "runc\n1\n0\nbin\ndev\nproc\nsys\nread-only\nsys\nx\n1024\n"+
		"CapEff:\t0000000020000420\nNoNewPrivs:\t1\ncgroup\n1\n")
}

// The console is the slave of the container's own devpts.
func TestDefaultConfigAtATerminal(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.busyboxRoot()
	c := defaultConfig("sh", "-i").with("terminal", true)
	c.process()["env"] = append(c.process()["env"].([]string), "PS1="+prompt)
	p := b.sit(c)
	p.sees(prompt)
	p.types("tty; stat -c '%F of %u' /dev/console; ls /dev/pts\n")
	p.sees("/dev/pts/0")
	p.sees("character special file of 0")
	p.sees("ptmx")
	p.types("exit 7\n")
	want(t, "exit code", p.exits(), 7)
	want(t, "containers left", b.ok("list", "-q"), "")
}

func TestNoPivot(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.busyboxRoot()
	c := defaultConfig("sh", "-c", "echo $$; cd ../..; ls; touch /x 2>/dev/null || echo read-only")
	want(t, "output", b.output(c, "--no-pivot"), "1\nbin\ndev\nproc\nsys\nread-only\n")
}

// libraries are the files that ldd(1) names.
var libraries = regexp.MustCompile(`(/\S+) \(0x`)

// hostRoot makes the bundle's rootfs of dynamically linked programs of the host's, with what they load.
func (b *box) hostRoot(programs ...string) {
	b.t.Helper()
	needRoots(b.t)
	rootfs := filepath.Join(b.bundle, "rootfs")
	for _, program := range programs {
		path, err := exec.LookPath(program)
		check(b.t, err)
		copyFile(b.t, path, filepath.Join(rootfs, "usr/bin", program))
		text, err := exec.Command("ldd", path).Output()
		check(b.t, err)
		for _, match := range libraries.FindAllStringSubmatch(string(text), -1) {
			copyFile(b.t, match[1], filepath.Join(rootfs, match[1]))
		}
	}
	check(b.t, os.MkdirAll(filepath.Join(rootfs, "etc"), 0o755))
	check(b.t, os.WriteFile(filepath.Join(rootfs, "etc/passwd"), []byte("guest:x:1000:1000::/:/usr/bin/bash\n"), 0o644))
	check(b.t, os.Symlink("usr/bin", filepath.Join(rootfs, "bin")))
}

// As of a distribution: programs with a dynamic loader, a users' database, and a shell that is not busybox.
func TestDynamicallyLinkedRoot(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.hostRoot("bash", "ls", "cat", "id")
	c := defaultConfig("/bin/bash", "-c", "id -un; id -u; cat /etc/passwd; ls -d /usr /etc; echo $$ $BASH")
	c.process()["user"] = user(1000, 1000)
	delete(c.process(), "capabilities")
	want(t, "output", b.output(c), "guest\n1000\nguest:x:1000:1000::/:/usr/bin/bash\n/etc\n/usr\n1 /bin/bash\n")
}
