package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// What the default profiles of container engines look like: linux.seccomp with conditions, which the engine decides.
type profile struct {
	DefaultAction   string `json:"defaultAction"`
	DefaultErrnoRet *uint  `json:"defaultErrnoRet"`
	ArchMap         []struct {
		Architecture     string   `json:"architecture"`
		SubArchitectures []string `json:"subArchitectures"`
	} `json:"archMap"`
	Syscalls []struct {
		Names    []string    `json:"names"`
		Action   string      `json:"action"`
		Args     []object    `json:"args"`
		ErrnoRet *uint       `json:"errnoRet"`
		Includes profileWhen `json:"includes"`
		Excludes profileWhen `json:"excludes"`
	} `json:"syscalls"`
}

type profileWhen struct {
	Caps      []string `json:"caps"`
	Arches    []string `json:"arches"`
	MinKernel string   `json:"minKernel"`
}

// The rights that engines give by default.
var engineCapabilities = []string{"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
	"CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT"}

func kernelAtLeast(t *testing.T, wanted string) bool {
	t.Helper()
	var name syscall.Utsname
	check(t, syscall.Uname(&name))
	var release strings.Builder
	for _, c := range name.Release {
		if c == 0 {
			break
		}
		release.WriteByte(byte(c))
	}
	var have, want [2]int
	_, err := fmt.Sscanf(release.String(), "%d.%d", &have[0], &have[1])
	check(t, err)
	_, err = fmt.Sscanf(wanted, "%d.%d", &want[0], &want[1])
	check(t, err)
	return have[0] > want[0] || have[0] == want[0] && have[1] >= want[1]
}

// linux.seccomp as an engine makes it for a container with these capabilities on this machine.
func (p profile) decided(t *testing.T, capabilities []string) object {
	t.Helper()
	own := map[string]string{"amd64": "SCMP_ARCH_X86_64", "arm64": "SCMP_ARCH_AARCH64"}[runtime.GOARCH]
	section := object{"defaultAction": p.DefaultAction}
	if p.DefaultErrnoRet != nil {
		section["defaultErrnoRet"] = *p.DefaultErrnoRet
	}
	for _, row := range p.ArchMap {
		if row.Architecture == own {
			section["architectures"] = append([]string{own}, row.SubArchitectures...)
		}
	}
	rules := []object{}
	for _, rule := range p.Syscalls {
		holds := len(rule.Includes.Arches) == 0 || contains(rule.Includes.Arches, runtime.GOARCH)
		holds = holds && !contains(rule.Excludes.Arches, runtime.GOARCH)
		for _, name := range rule.Includes.Caps {
			holds = holds && contains(capabilities, name)
		}
		for _, name := range rule.Excludes.Caps {
			holds = holds && !contains(capabilities, name)
		}
		holds = holds && (rule.Includes.MinKernel == "" || kernelAtLeast(t, rule.Includes.MinKernel))
		holds = holds && (rule.Excludes.MinKernel == "" || !kernelAtLeast(t, rule.Excludes.MinKernel))
		if !holds {
			continue
		}
		made := object{"names": rule.Names, "action": rule.Action}
		if len(rule.Args) != 0 {
			made["args"] = rule.Args
		}
		if rule.ErrnoRet != nil {
			made["errnoRet"] = *rule.ErrnoRet
		}
		rules = append(rules, made)
	}
	section["syscalls"] = rules
	return section
}

func readProfile(t *testing.T, path string) profile {
	t.Helper()
	text, err := os.ReadFile(path)
	check(t, err)
	var whole profile
	check(t, json.Unmarshal(text, &whole))
	if len(whole.Syscalls) < 2 || len(whole.ArchMap) < 2 {
		t.Fatalf("%s is no profile of an engine's", path)
	}
	return whole
}

// What an ordinary program does all day, and what these profiles are there to keep it from.
const profileScript = `set -e
grep -q '^Seccomp:	2$' /proc/self/status
d=$(mktemp -d); cd "$d"
echo one two three | tr ' ' '\n' | sort -r | { read first; test "$first" = two; }
ln -s a b; mkfifo p; (echo through >p) & read line <p; wait; test "$line" = through
chmod 700 .; ls -la / >/dev/null; find /etc -maxdepth 1 >/dev/null; sleep 0.01; date >/dev/null; id >/dev/null
(ulimit -n 64; umask 077; : >x); test -f x
setarch "$(uname -m)" true
if setarch -R true 2>/dev/null; then echo "a personality that is not allowed was taken"; exit 1; fi
cd /; rm -r "$d"`

const profilePython = `
import asyncio, hashlib, mmap, os, select, signal, socket, subprocess, threading, time
seen = []
thread = threading.Thread(target=lambda: seen.append(1)); thread.start(); thread.join(); assert seen
assert subprocess.run(["true"]).returncode == 0
a, b = socket.socketpair(); a.send(b"x"); assert b.recv(1) == b"x"
server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen(); client = socket.create_connection(server.getsockname())
poll = select.epoll(); poll.register(server, select.EPOLLIN); assert poll.poll(5)
memory = mmap.mmap(-1, 4096); memory[0:1] = b"y"; os.urandom(8); time.sleep(0.01)
asyncio.run(asyncio.sleep(0.01)); signal.signal(signal.SIGALRM, lambda *x: None); signal.setitimer(signal.ITIMER_REAL, 0.01); signal.pause()
pid = os.fork()
if pid == 0: os._exit(3)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
print(hashlib.sha256(b"done").hexdigest()[:8])
`

func runsUnderProfile(t *testing.T, whole profile) {
	t.Helper()
	b := newBox(t)
	for name, program := range map[string][]string{"shell": {"sh", "-c", profileScript}, "python": {"python3", "-c", profilePython}} {
		if _, err := exec.LookPath(program[0]); err != nil {
			continue
		}
		container := config(program...).with("noNewPrivileges", true)
		if os.Getuid() == 0 {
			container.with("capabilities", object{"bounding": engineCapabilities, "permitted": engineCapabilities, "effective": engineCapabilities})
		}
		container.linux()["seccomp"] = whole.decided(t, engineCapabilities)
		got := b.run(container)
		if strings.Contains(got.stderr, "libseccomp") && strings.Contains(got.stderr, "this build") {
			skip(t, "this build has no libseccomp")
		}
		if got.code != 0 {
			t.Errorf("%s: exit code %d\n%s%s", name, got.code, got.stdout, got.stderr)
		}
		if name == "python" {
			want(t, "its output", got.stdout, "a4c3ed04\n")
		}
	}
}

// golang-github-containers-common, which podman and buildah depend on.
func TestProfileOfPodman(t *testing.T) {
	const path = "/usr/share/containers/seccomp.json"
	if _, err := os.Stat(path); err != nil {
		skip(t, "podman's default profile is not installed here")
	}
	runsUnderProfile(t, readProfile(t, path))
}

// tests/profiles/go.mod brings it to the module cache: Docker's, from which containerd's is made.
func TestProfileOfDocker(t *testing.T) {
	cache := os.Getenv("GOMODCACHE")
	found, err := filepath.Glob(filepath.Join(cache, "github.com/moby/profiles/seccomp@*/default.json"))
	check(t, err)
	if cache == "" || len(found) == 0 {
		skip(t, "Docker's default profile is not in the module cache")
	}
	runsUnderProfile(t, readProfile(t, found[len(found)-1]))
}
