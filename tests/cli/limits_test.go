package cli

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// limitsOf runs cat on the kernel's table of limits: name -> soft and hard.
func limitsOf(b *box, config object) map[string][]string {
	b.t.Helper()
	limits := map[string][]string{}
	for _, line := range strings.Split(b.output(config), "\n") {
		if len(line) > 26 {
			limits[strings.TrimSpace(line[:26])] = strings.Fields(line[26:])
		}
	}
	return limits
}

func rlimit(name string, soft, hard uint64) object {
	return object{"type": name, "soft": soft, "hard": hard}
}

func TestRlimitsAreReadBack(t *testing.T) {
	t.Parallel()
	got := limitsOf(newBox(t), config("/bin/cat", "/proc/self/limits").with("rlimits", []object{
		rlimit("RLIMIT_NOFILE", 100, 200), rlimit("RLIMIT_CORE", 0, 0), rlimit("RLIMIT_CPU", 3000, 4000),
		rlimit("RLIMIT_STACK", 4<<20, 8<<20)}))
	for name, wanted := range map[string]string{"Max open files": "100 200", "Max core file size": "0 0",
		"Max cpu time": "3000 4000", "Max stack size": "4194304 8388608"} {
		if len(got[name]) < 2 {
			t.Fatalf("no row %q", name)
		}
		want(t, name, strings.Join(got[name][:2], " "), wanted)
	}
}

// So few descriptors that nothing of ours could be opened after the limit is in force: the fourth is for the loader.
func TestRlimitOfFewDescriptors(t *testing.T) {
	t.Parallel()
	got := newBox(t).output(config("echo", "done").with("rlimits", []object{rlimit("RLIMIT_NOFILE", 4, 4)}))
	want(t, "stdout", got, "done\n")
}

func TestDuplicateRlimitIsRefused(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("true").with("rlimits", []object{rlimit("RLIMIT_CORE", 0, 0), rlimit("RLIMIT_CORE", 1, 1)}))
	b.fails(phrases("/process/rlimits/1/type", "earlier"), "run", "-b", b.bundle, "c")
}

func TestUnknownRlimitIsRefused(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("true").with("rlimits", []object{rlimit("RLIMIT_NO_SUCH", 0, 0)}))
	b.fails(phrases("/process/rlimits/0", "RLIMIT_NO_SUCH"), "run", "-b", b.bundle, "c")
}

// Without the capability a hard limit cannot be raised; the error says which one would be needed.
func TestRaisingAHardLimitNeedsACapability(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	if os.Getuid() == 0 {
		b.asUser(ordinaryUID)
	}
	var now syscall.Rlimit
	check(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now))
	b.write(config("true").with("rlimits", []object{rlimit("RLIMIT_NOFILE", 10, now.Max+1)}))
	b.fails(phrases("/process/rlimits", "CAP_SYS_RESOURCE"), "run", "-b", b.bundle, "c")
	want(t, "containers left", b.ok("list", "-q"), "")
}

func TestOOMScoreAdjust(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	got := b.output(config("/bin/cat", "/proc/self/oom_score_adj").with("oomScoreAdj", 432))
	want(t, "oom_score_adj", got, "432\n")
	got = b.output(config("/bin/cat", "/proc/self/oom_score_adj"))
	want(t, "oom_score_adj, not set", got, read(t, "/proc/self/oom_score_adj"))
}

func TestOOMScoreAdjustBelowTheCallers(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	lowest := config("/bin/cat", "/proc/self/oom_score_adj").with("oomScoreAdj", -999)
	if holds(t, capSysResource) {
		want(t, "oom_score_adj", b.output(lowest), "-999\n")
		b.asUser(ordinaryUID)
	}
	b.write(lowest)
	b.fails(phrases("/process/oomScoreAdj", "CAP_SYS_RESOURCE"), "run", "-b", b.bundle, "c")
}

// Whatever the caller blocks and ignores, the program starts with an empty mask and default dispositions. Handed on by
// a careless caller, an ignored TERM would make a container that nobody can stop in an orderly way.
func TestSignalsAreReset(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.wrapper = []string{helperPath, "helper", "exec-ignoring"}
	clean := map[string]string{"SigBlk": noCapabilities, "SigIgn": noCapabilities, "SigCgt": noCapabilities}
	wantFields(t, statusOf(b, config(readStatus...)), clean)
	pid := b.create("d", config("/bin/sleep", "1000000"))
	b.ok("start", "d")
	wantFields(t, procStatus(read(t, procPath(pid, "status"))), clean)
	b.ok("delete", "--force", "d")
}

// The control: the wrapper does hand on what the test above says is undone.
func TestSignalsWouldBeInherited(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.wrapper = []string{helperPath, "helper", "exec-ignoring", "/bin/cat", "/proc/self/status"}
	got := b.raw()
	if got["SigIgn"] == noCapabilities || got["SigBlk"] == noCapabilities {
		t.Errorf("SigIgn %s, SigBlk %s", got["SigIgn"], got["SigBlk"])
	}
}
