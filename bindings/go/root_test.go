package reaper

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// A container with namespaces and a root of its own: busybox, copied into the bundle.
func TestBusyboxInARoot(t *testing.T) {
	const busybox = "/bin/busybox"
	program, err := os.ReadFile(busybox)
	// CAP_SYS_ADMIN is bit 21 (capabilities(7)).
	status, _ := os.ReadFile("/proc/self/status")
	_, effective, _ := strings.Cut(string(status), "CapEff:\t")
	mask, _ := strconv.ParseUint(strings.SplitN(effective, "\n", 2)[0], 16, 64)
	switch {
	case os.Getuid() != 0 || mask&(1<<21) == 0:
		skip(t, "making namespaces needs CAP_SYS_ADMIN")
	case err != nil:
		skip(t, "no busybox here")
	}
	bundle := t.TempDir()
	if err := os.MkdirAll(bundle+"/rootfs/bin", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bundle+"/rootfs/bin/busybox", program, 0o755); err != nil {
		t.Fatal(err)
	}
	config := `{"ociVersion":"1.2.0","hostname":"inside","process":{"args":["/bin/busybox","sh","-c",` +
		`"echo $$; busybox hostname; busybox ls /"],"cwd":"/","env":["PATH=/bin"]},"root":{"path":"rootfs"},` +
		`"mounts":[{"destination":"/proc","type":"proc","source":"proc"}],"linux":{"namespaces":[{"type":"mount"},` +
		`{"type":"pid"},{"type":"ipc"},{"type":"uts"},{"type":"network"}]}}`
	r := runtimeOf(t, Options{})
	for _, noPivot := range []bool{false, true} {
		text := output(t, r, "busybox", CreateOptions{Bundle: bundle, Config: config, NoPivot: noPivot})
		if text != "1\ninside\nbin\ndev\nproc\n" {
			t.Errorf("%q", text)
		}
	}
}
