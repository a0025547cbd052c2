package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// The end of all that lives in a container's cgroups: kill --all and delete.

func TestKillAllInCgroup(t *testing.T) {
	forEachKind(t, everyKind, func(t *testing.T, c *cgroupBox) {
		path := c.path + "/c"
		for _, one := range []struct {
			rest   string
			signal syscall.Signal
		}{{"exec sleep 1000000", syscall.SIGTERM}, {"exec sleep 1000000", syscall.SIGKILL}, {"exit 0", syscall.SIGTERM},
			{"exit 0", syscall.SIGKILL}} {
			pid := c.create("c", c.program(path, spawner(20, one.rest)...))
			c.ok("start", "c")
			living := 21
			if one.rest == "exit 0" {
				reap(t, pid)
				c.wantStatus("c", "stopped")
				living = 20
			}
			eventually(t, "all processes", func() bool { return len(c.members(path)) == living })
			c.ok("kill", "--all", "c", strconv.Itoa(int(one.signal)))
			if one.signal != syscall.SIGKILL { // after KILL none is alive when the command returns
				eventually(t, "the end of all", func() bool { return len(c.members(path)) == 0 })
			}
			want(t, "living processes", len(c.members(path)), 0)
			if one.rest != "exit 0" {
				want(t, "signal of the program", reap(t, pid).Signal(), one.signal)
			}
			c.ok("kill", "--all", "c", "KILL") // there is nobody, which is what was asked for
			c.ok("delete", "c")
			c.wantNothingLeft()
		}
	})
}

func TestKillAllOfAFrozenCgroup(t *testing.T) {
	forEachKind(t, everyKind, func(t *testing.T, c *cgroupBox) {
		path := c.path + "/c"
		pid := c.create("c", c.program(path, forever...))
		c.ok("start", "c")
		c.must("sh", "-c", `cd /sys/fs/cgroup; if [ -e freezer ]; then echo FROZEN > freezer$1/freezer.state; else `+
			`echo 1 > .$1/cgroup.freeze; fi`, "sh", path)
		c.ok("kill", "--all", "c", "KILL")
		want(t, "signal", reap(t, pid).Signal(), syscall.SIGKILL)
		c.ok("delete", "c")
		c.wantNothingLeft()
	})
}

func TestForkStormInCgroup(t *testing.T) {
	forEachKind(t, []string{"v1", "freezer", "hybrid", "v2"}, func(t *testing.T, c *cgroupBox) {
		for i, words := range [][]string{{"kill", "--all", "c", "KILL"}, {"delete", "--force", "c"}} {
			path := c.path + "/c"
			pid := c.create("c", c.program(path, helperPath, "helper", "storm", "20"))
			c.ok("start", "c")
			eventually(t, "the storm", func() bool { return len(c.members(path)) >= 20 })
			c.ok(words...)
			want(t, "signal", reap(t, pid).Signal(), syscall.SIGKILL)
			if i == 0 {
				want(t, "living processes", len(c.members(path)), 0)
				c.ok("delete", "c")
			}
			c.wantNothingLeft()
		}
	})
}

func TestDeleteEndsWhatIsLeft(t *testing.T) {
	forEachKind(t, everyKind, func(t *testing.T, c *cgroupBox) {
		path := c.path + "/c"
		directory := c.directory(path)
		script := fmt.Sprintf(`mkdir -p %[1]s/a/b/c %[1]s/d && (setsid sleep 1000000 >/dev/null 2>&1 &) ; `+
			`setsid sh -c 'echo 0 > %[1]s/a/b/c/cgroup.procs; exec sleep 1000000' >/dev/null 2>&1 & `+
			`until grep -q . %[1]s/a/b/c/cgroup.procs; do sleep 0.01; done`, directory)
		pid := c.create("c", c.program(path, "/bin/sh", "-c", script))
		c.ok("start", "c")
		want(t, "exit status", reap(t, pid).ExitStatus(), 0)
		members := c.members(path)
		want(t, "processes that are left", len(members), 2)
		c.fails(phrases("container not running"), "kill", "c", "9")
		c.ok("delete", "c")
		c.wantNothingLeft()
		for _, member := range members {
			reap(t, member) // ours now
		}
	})
}

func TestCorruptRecordAndCgroup(t *testing.T) {
	forEachKind(t, everyKind, func(t *testing.T, c *cgroupBox) {
		path := c.path + "/c"
		for _, damaged := range [][]string{{stateFileName}, {stateFileName, "identity"}} {
			pid := c.create("c", c.program(path, spawner(3, "exit 0")...))
			c.ok("start", "c")
			reap(t, pid)
			members := c.members(path)
			want(t, "processes that are left", len(members), 3)
			for _, name := range damaged {
				check(t, os.WriteFile(filepath.Join(c.root, "c", name), []byte("damaged"), 0o600))
			}
			c.fails(nil, "delete", "c")
			want(t, "processes after a delete that failed", len(c.members(path)), 3)
			c.forceDelete("c")
			c.wantNothingLeft()
			for _, member := range members {
				reap(t, member)
			}
		}
		pid := c.create("c", c.program(path, forever...))
		for _, name := range []string{stateFileName, "cgroup"} {
			check(t, os.WriteFile(filepath.Join(c.root, "c", name), []byte("damaged"), 0o600))
		}
		c.fails(phrases("cgroup has a wrong checksum"), "delete", "--force", "c")
		want(t, "alive", syscall.Kill(pid, 0), nil)
		want(t, "its cgroup", len(c.members(path)), 1)
		check(t, syscall.Kill(pid, syscall.SIGKILL))
		reap(t, pid)
		check(t, os.Remove(filepath.Join(c.root, "c", "cgroup"))) // as a person does who has removed the cgroups
		c.forceDelete("c")
	})
}

func TestInnocentCgroupOfTheSameName(t *testing.T) {
	forEachKind(t, everyKind, func(t *testing.T, c *cgroupBox) {
		path := c.path + "/c"
		pid := c.create("c", c.program(path, "true"))
		c.ok("start", "c")
		reap(t, pid)
		c.must("sh", "-c", `for d in /sys/fs/cgroup$1 /sys/fs/cgroup/*$1; do [ ! -d $d ] || rmdir $d; done`, "sh", path)
		c.must(helperPath, "helper", "cgroup-make", path)
		c.must("sh", "-c", `sleep 1000000 >/dev/null 2>&1 & for d in /sys/fs/cgroup$1 /sys/fs/cgroup/*$1; do `+
			`[ ! -d $d ] || echo $! > $d/cgroup.procs; done`, "sh", path)
		members := c.members(path)
		want(t, "the innocent's processes", len(members), 1)
		c.ok("kill", "--all", "c", "KILL")
		c.ok("delete", "c")
		want(t, "the innocent's processes after delete", c.members(path), members)
		want(t, "its cgroups", len(c.left()), len(c.hierarchies()))
	})
}

func TestSupervisedInCgroup(t *testing.T) {
	forEachKind(t, everyKind, func(t *testing.T, c *cgroupBox) {
		path := c.path + "/c"
		pid := c.create("c", c.program(path, spawner(3, "exec sleep 1000000")...), "--supervise")
		c.ok("start", "c")
		eventually(t, "all processes", func() bool { return len(c.members(path)) == 4 })
		want(t, "containment", c.reaperState("c").Reaper.Containment, "cgroup")
		c.ok("kill", "--all", "c", "KILL")
		want(t, "living processes", len(c.members(path)), 0)
		c.ok("delete", "c")
		c.wantNothingLeft()
		want(t, "the process", syscall.Kill(pid, 0), syscall.ESRCH)
	})
}

// forceDelete may warn: of a damaged record nobody knows which hooks it had.
func (c *cgroupBox) forceDelete(id string) {
	c.t.Helper()
	if got := c.cli("delete", "--force", id); got.code != 0 {
		c.t.Fatalf("delete --force: %s", got.stderr)
	}
}
