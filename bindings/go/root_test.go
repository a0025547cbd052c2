package reaper

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

func needRoots(t *testing.T) {
	t.Helper()
	// CAP_SYS_ADMIN is bit 21 (capabilities(7)).
	status, _ := os.ReadFile("/proc/self/status")
	_, effective, _ := strings.Cut(string(status), "CapEff:\t")
	mask, _ := strconv.ParseUint(strings.SplitN(effective, "\n", 2)[0], 16, 64)
	if os.Getuid() != 0 || mask&(1<<21) == 0 {
		skip(t, "making namespaces needs CAP_SYS_ADMIN")
	}
}

// rooted is a container with namespaces and that root, where a shell runs the script.
func rooted(root, program, script string) string {
	return `{"ociVersion":"1.2.0","hostname":"inside","process":{"args":[` + program + `,"-c","` + script +
		`"],"cwd":"/","env":["PATH=/usr/bin:/bin"]},"root":{"path":"` + root + `","readonly":true},` +
		`"mounts":[{"destination":"/proc","type":"proc","source":"proc"},` +
		`{"destination":"/dev","type":"tmpfs","source":"tmpfs"}],"linux":{"namespaces":[{"type":"mount"},` +
		`{"type":"pid"},{"type":"ipc"},{"type":"uts"},{"type":"network"}]}}`
}

// A container with namespaces and a root of its own: busybox, copied into the bundle.
func TestBusyboxInARoot(t *testing.T) {
	const busybox = "/bin/busybox"
	needRoots(t)
	program, err := os.ReadFile(busybox)
	if err != nil {
		skip(t, "no busybox here")
	}
	bundle := t.TempDir()
	if err := os.MkdirAll(bundle+"/rootfs/bin", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bundle+"/rootfs/bin/busybox", program, 0o755); err != nil {
		t.Fatal(err)
	}
	config := rooted("rootfs", `"/bin/busybox","sh"`, "echo $$; busybox hostname; busybox ls /")
	r := runtimeOf(t, Options{})
	for _, noPivot := range []bool{false, true} {
		text := output(t, r, "busybox", CreateOptions{Bundle: bundle, Config: config, NoPivot: noPivot})
		if text != "1\ninside\nbin\ndev\nproc\n" {
			t.Errorf("%q", text)
		}
	}
}

// The same with the root of Debian's that the tests of a build share (tests/debian_root.sh).
func TestDebianInARoot(t *testing.T) {
	needRoots(t)
	root := os.Getenv("REAPER_DEBIAN_ROOT")
	if root == "" {
		skip(t, "no Debian root here")
	}
	config := rooted(root, `"/bin/bash"`, ". /etc/os-release; echo $$ $ID $VERSION_CODENAME; hostname; id -un; "+
		"touch /x 2>/dev/null || echo read-only; apt-get --version | head -n 1 | cut -c 1-3; dpkg --verify coreutils && echo verified; "+
		"python3 -c 'print(6*7)'")
	text := output(t, runtimeOf(t, Options{}), "debian", CreateOptions{Bundle: t.TempDir(), Config: config})
	if text != "1 debian bookworm\ninside\nroot\nread-only\napt\nverified\n42\n" {
		t.Errorf("%q", text)
	}
}
