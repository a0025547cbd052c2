package cli

import (
	"strings"
	"testing"
)

// What "type": "cgroup" shows inside a root: the container's own cgroups, of version 1 and 2, and nothing above them.
var shownHierarchies = map[string][]string{"v1": {"pids", "freezer", "cpuset"}, "hybrid": {"pids", "freezer", "unified"}, "v2": {"."}}

const cgroupScript = `cd /sys/fs/cgroup; for h in $HIERARCHIES; do echo $h $(cat $h/cgroup.procs); done; ` +
	`(echo 1 >cgroup.procs) 2>/dev/null || (echo 1 >pids/cgroup.procs) 2>/dev/null || echo read-only; ` +
	`cat /proc/self/cgroup | grep -c ':/$'`

func cgroupConfig(c *cgroupBox, options ...string) object {
	whole := defaultConfig("sh", "-c", cgroupScript)
	whole.process()["env"] = append(whole.process()["env"].([]string), "HIERARCHIES="+strings.Join(shownHierarchies[c.kind], " "))
	delete(whole.process(), "capabilities")
	whole["mounts"] = []object{mount("/proc", "proc", "proc"), mount("/dev", "tmpfs", "tmpfs"),
		mount("/sys/fs/cgroup", "cgroup", "cgroup", append(options, "nosuid", "noexec", "nodev")...)}
	whole.linux()["cgroupsPath"] = c.path + "/shown"
	return whole
}

func wantShown(t *testing.T, c *cgroupBox, whole object, writable bool) {
	t.Helper()
	got := strings.Split(strings.TrimSpace(c.output(whole)), "\n")
	hierarchies := shownHierarchies[c.kind]
	if len(got) < len(hierarchies) {
		t.Fatalf("%q", got)
	}
	for i, name := range hierarchies {
		// The shell is 1, and what it runs is there too: nobody else of the machine is.
		words := strings.Fields(got[i])
		if len(words) < 2 || words[0] != name || words[1] != "1" {
			t.Errorf("%s: %q", name, got[i])
		}
	}
	want(t, "read-only", len(got) > len(hierarchies) && got[len(hierarchies)] == "read-only", !writable)
}

func TestCgroupMountsOfANamespace(t *testing.T) {
	forEachKind(t, []string{"v1", "hybrid", "v2"}, func(t *testing.T, c *cgroupBox) {
		c.busyboxRoot()
		wantShown(t, c, cgroupConfig(c), true)
		wantShown(t, c, cgroupConfig(c, "ro"), false)
	})
}

// Without a cgroup namespace, the container's cgroups are bound there: the same files.
func TestCgroupMountsWithoutANamespace(t *testing.T) {
	forEachKind(t, []string{"v1", "hybrid", "v2"}, func(t *testing.T, c *cgroupBox) {
		c.busyboxRoot()
		for _, options := range [][]string{nil, {"ro"}} {
			whole := cgroupConfig(c, options...)
			whole.linux()["namespaces"] = []object{{"type": "pid"}, {"type": "mount"}, {"type": "uts"}}
			wantShown(t, c, whole, options == nil)
		}
	})
}
