package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// The placement of a container in cgroups of its own, on machines of every kind: each test makes the /sys/fs/cgroup
// that it wants (cgroup_view_test.go).

var everyKind = []string{"v1", "hybrid", "v2"}

func forEachKind(t *testing.T, kinds []string, body func(t *testing.T, c *cgroupBox)) {
	t.Parallel()
	for _, kind := range kinds {
		kind := kind
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			body(t, newCgroupBox(t, kind))
		})
	}
}

type cgroupState struct {
	Reaper struct {
		Containment string
		Cgroups     []struct {
			Hierarchy, Path string
			Made            bool
		}
	}
}

func (c *cgroupBox) reaperState(id string) cgroupState {
	c.t.Helper()
	var state cgroupState
	check(c.t, json.Unmarshal([]byte(c.ok("state", id)), &state))
	return state
}

// spawner double-forks processes that leave the session, and says so; then it goes on with `rest`.
func spawner(count int, rest string) []string {
	script := fmt.Sprintf("i=0; while [ $i -lt %d ]; do (setsid sleep 1000000 </dev/null >/dev/null 2>&1 &); "+
		"i=$((i+1)); done; %s", count, rest)
	return []string{"/bin/sh", "-c", script}
}

func TestOwnCgroup(t *testing.T) {
	forEachKind(t, everyKind, func(t *testing.T, c *cgroupBox) {
		path := c.path + "/pods/c"
		before := cgroupsOf(t, os.Getpid())
		pid := c.create("c", c.program(path, forever...))
		paths := cgroupsOf(t, pid)
		for _, hierarchy := range c.hierarchies() {
			want(t, "cgroup of "+hierarchy, paths[hierarchy], path)
		}
		state := c.reaperState("c").Reaper
		want(t, "containment", state.Containment, "cgroup")
		want(t, "cgroups in state", len(state.Cgroups), len(c.hierarchies()))
		for _, one := range state.Cgroups {
			if !contains(c.hierarchies(), one.Hierarchy) || !strings.HasSuffix(one.Path, path) || !one.Made {
				t.Errorf("state has the cgroup %+v", one)
			}
		}
		c.ok("start", "c")
		for _, hierarchy := range c.hierarchies() {
			want(t, "cgroup of the program, "+hierarchy, cgroupsOf(t, pid)[hierarchy], path)
		}
		for hierarchy, old := range before {
			want(t, "our own cgroup of "+hierarchy, cgroupsOf(t, os.Getpid())[hierarchy], old)
		}
		c.ok("kill", "c", "KILL")
		reap(t, pid)
		want(t, "containment of a stopped container", c.reaperState("c").Reaper.Containment, "cgroup")
		c.ok("delete", "c")
		c.wantNothingLeft() // the parent that was made for it, too
	})
}

// Without cgroupsPath everything stays where it is.
func TestNoCgroupAskedFor(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("c", config(forever...))
	for hierarchy, path := range cgroupsOf(t, os.Getpid()) {
		want(t, "cgroup of "+hierarchy, cgroupsOf(t, pid)[hierarchy], path)
	}
	state := b.ok("state", "c")
	if !strings.Contains(state, `"cgroups":[]`) || strings.Contains(state, `"containment":"cgroup"`) {
		t.Errorf("state: %s", state)
	}
	want(t, "a file that says which cgroups are its own", exists(filepath.Join(b.root, "c", "cgroup")), false)
}

// A relative path begins at the caller's own cgroup, which is the part of the tree that it may have been given.
func TestRelativeCgroup(t *testing.T) {
	forEachKind(t, everyKind, func(t *testing.T, c *cgroupBox) {
		own := c.path + "/caller"
		c.must(helperPath, "helper", "cgroup-make", own)
		c.wrapper = append(c.wrapper, "in="+own)
		pid := c.create("c", c.program("jobs/c", forever...))
		for _, hierarchy := range c.hierarchies() {
			want(t, "cgroup of "+hierarchy, cgroupsOf(t, pid)[hierarchy], own+"/jobs/c")
		}
		c.ok("delete", "--force", "c")
		reap(t, pid)
		for _, left := range c.left() {
			want(t, "what is left", strings.HasSuffix(left, own), true)
		}
	})
}

// Where only a part of the hierarchy is mounted, "/" is its top, and the container is found again from elsewhere.
func TestCgroupMountOfAPart(t *testing.T) {
	forEachKind(t, []string{"v2"}, func(t *testing.T, c *cgroupBox) {
		part := c.path + "/part"
		c.must(helperPath, "helper", "cgroup-make", part+"/own")
		whole := c.wrapper
		c.wrapper = append(append([]string{}, whole...), "in="+part+"/own", "root="+part)
		first := c.create("c", c.program("/c", forever...))
		want(t, "absolute", cgroupsOf(t, first)["unified"], part+"/c")
		second := c.create("d", c.program("d", forever...))
		want(t, "relative", cgroupsOf(t, second)["unified"], part+"/own/d")
		want(t, "path in state", c.reaperState("d").Reaper.Cgroups[0].Path, cgroupMount+"/own/d")
		c.wrapper = whole // here the same cgroup has another path
		c.ok("kill", "--all", "c", "KILL")
		want(t, "signal", reap(t, first).Signal(), syscall.SIGKILL)
		c.ok("delete", "c")
		c.wrapper = append(append([]string{}, whole...), "root="+part+"/own")
		c.ok("delete", "--force", "d")
		reap(t, second)
		c.wrapper = []string{helperPath, "helper", "cgroup-view", "none"}
		c.write(c.program("/e", forever...))
		c.fails(phrases("/linux/cgroupsPath", "no cgroup file system is mounted"), "create", "-b", c.bundle, "e")
	})
}

// What cannot be seen cannot be called gone.
func TestDeleteWhereTheCgroupIsNotVisible(t *testing.T) {
	forEachKind(t, []string{"v2"}, func(t *testing.T, c *cgroupBox) {
		path := c.path + "/c"
		pid := c.create("c", c.program(path, forever...))
		whole := c.wrapper
		c.wrapper = []string{helperPath, "helper", "cgroup-view", "none"}
		c.ok("kill", "c", "KILL")
		reap(t, pid)
		wantNoReservedPhrase(t, c.fails(phrases("is not visible here"), "delete", "c"))
		c.fails(phrases("is not visible here"), "delete", "--force", "c")
		c.wrapper = whole
		want(t, "left", len(c.left()), 1)
		c.ok("delete", "c")
		c.wantNothingLeft()
	})
}

// An empty cgroup that somebody made for the container is used, and stays.
func TestCgroupThatWasThere(t *testing.T) {
	forEachKind(t, everyKind, func(t *testing.T, c *cgroupBox) {
		path := c.path + "/given"
		c.must(helperPath, "helper", "cgroup-make", path)
		pid := c.create("c", c.program(path, spawner(3, "exit 0")...))
		for _, one := range c.reaperState("c").Reaper.Cgroups {
			want(t, "made", one.Made, false)
		}
		c.ok("start", "c")
		reap(t, pid)
		want(t, "processes that are left", len(c.members(path)), 3)
		c.ok("delete", "c")
		want(t, "processes after delete", len(c.members(path)), 0)
		want(t, "cgroups after delete", len(c.left()), len(c.hierarchies()))
		pid = c.create("c", c.program(path, forever...)) // and can be used again
		c.ok("delete", "-f", "c")
		reap(t, pid)
	})
}

// config-linux.md: a cgroup that is not fit for a container is an error: one in use, or a frozen one.
func TestUnfitCgroups(t *testing.T) {
	forEachKind(t, everyKind, func(t *testing.T, c *cgroupBox) {
		path := c.path + "/c"
		pid := c.create("c", c.program(path, forever...))
		c.write(c.program(path, forever...))
		c.fails(phrases("/linux/cgroupsPath", "has processes in it already"), "create", "-b", c.bundle, "d")
		c.write(c.program(filepath.Dir(path), forever...)) // its parent: they are below
		c.fails(phrases("/linux/cgroupsPath", "has processes in it already"), "create", "-b", c.bundle, "d")
		want(t, "containers", c.ok("list", "-q"), "c\n")
		want(t, "alive", syscall.Kill(pid, 0), nil)
		c.ok("delete", "--force", "c")
		reap(t, pid)
		frozen := c.path + "/frozen"
		c.must(helperPath, "helper", "cgroup-make", frozen)
		c.must("sh", "-c", `cd /sys/fs/cgroup; if [ -e freezer ]; then echo FROZEN > freezer$1/freezer.state; else `+
			`echo 1 > .$1/cgroup.freeze; fi`, "sh", frozen)
		for _, cgroup := range []string{frozen, frozen + "/below"} {
			c.write(c.program(cgroup, forever...))
			c.fails(phrases("/linux/cgroupsPath", "is frozen"), "create", "-b", c.bundle, "d")
		}
		want(t, "containers", c.ok("list", "-q"), "")
		for _, left := range c.left() {
			want(t, "what is left", strings.HasSuffix(left, frozen), true)
		}
	})
}

// Whatever leaves the session, forks twice or outlives the first process: a signal to all reaches it.
// A frozen container is ended all the same.
// Processes that fork and end faster than a pid can be read and signalled.
// What is still there when the container has stopped goes with it, and so do the cgroups that its programs have made.
// A create that fails leaves no cgroup, whenever it fails; a path that was there stays.
func TestFailingCreateLeavesNoCgroup(t *testing.T) {
	forEachKind(t, everyKind, func(t *testing.T, c *cgroupBox) {
		path := c.path + "/a/b/c"
		bad := c.program(path, forever...)
		bad.process()["cwd"] = filepath.Join(c.dir, "none")
		c.write(bad)
		c.fails(phrases("/process/cwd"), "create", "-b", c.bundle, "c")
		c.write(c.program(path, "no-such-program"))
		c.fails(phrases("executable file not found"), "create", "-b", c.bundle, "c")
		c.write(c.program(path, forever...))
		c.fails(phrases("ENOENT"), "create", "-b", c.bundle, "--pid-file", filepath.Join(c.dir, "none/pid"), "c")
		c.wantNothingLeft()
		c.must(helperPath, "helper", "cgroup-make", path)
		c.write(bad)
		c.fails(phrases("/process/cwd"), "create", "-b", c.bundle, "c")
		want(t, "cgroups that were there", len(c.left()), 3*len(c.hierarchies()))
		want(t, "containers", c.ok("list", "-q"), "")
	})
}

// One hierarchy fails when others are done: a name that is no directory there.
func TestFailureInOneHierarchy(t *testing.T) {
	forEachKind(t, []string{"v1"}, func(t *testing.T, c *cgroupBox) {
		c.write(c.program(c.path+"/pids.max/c", forever...)) // a file in one of them, a free name in the others
		wantNoReservedPhrase(t, c.fails(phrases("/linux/cgroupsPath", "ENOTDIR"), "create", "-b", c.bundle, "c"))
		c.wantNothingLeft()
	})
}

// A record that cannot be believed: the file beside it still tells which cgroup is the container's.
// Another cgroup of the same name, made when ours was gone, is nobody's to touch.
// Parents that were made go when nobody uses them; a neighbour's stay.
func TestSharedParents(t *testing.T) {
	forEachKind(t, everyKind, func(t *testing.T, c *cgroupBox) {
		first := c.create("c", c.program(c.path+"/pod/c", forever...))
		second := c.create("d", c.program(c.path+"/pod/d", forever...))
		c.ok("delete", "--force", "c")
		reap(t, first)
		want(t, "the neighbour", syscall.Kill(second, 0), nil)
		want(t, "its cgroup", len(c.members(c.path+"/pod/d")), 1)
		c.ok("delete", "--force", "d")
		reap(t, second)
	})
}

// A new cpuset of version 1 is empty, and no process fits into it: it gets what its parent has.
func TestCpuset(t *testing.T) {
	forEachKind(t, []string{"cpuset"}, func(t *testing.T, c *cgroupBox) {
		path := c.path + "/a/b"
		pid := c.create("c", c.program(path, forever...))
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			want(t, file, c.must("cat", c.directory(path)+"/"+file), c.must("cat", c.directory(c.path)+"/"+file))
		}
		c.ok("delete", "--force", "c") // here nothing but a look at the processes tells who is inside
		reap(t, pid)
		c.wantNothingLeft()
	})
}

func TestNoUsableCgroups(t *testing.T) {
	forEachKind(t, []string{"none", "readonly"}, func(t *testing.T, c *cgroupBox) {
		expected := map[string][]string{
			"none":     {"/linux/cgroupsPath", "no cgroup file system is mounted here"},
			"readonly": {"/linux/cgroupsPath", cgroupMount, "EROFS"},
		}[c.kind]
		c.write(c.program(cgroupPrefix+"never/made", forever...))
		for _, command := range []string{"create", "run"} {
			wantNoReservedPhrase(t, c.fails(expected, command, "-b", c.bundle, "c"))
		}
		c.fails(expected, "plan", "-b", c.bundle)
		if got := c.cli("check", "-b", c.bundle); got.code != 1 || !strings.Contains(got.stdout, expected[1]) {
			t.Errorf("check: %+v", got)
		}
		want(t, "containers", c.ok("list", "-q"), "")
		c.globals = []string{"--cgroup-manager", "disabled"} // passes over what it cannot have
		own := c.create("d", c.program(cgroupPrefix+"never/made", forever...))
		c.ok("delete", "--force", "d")
		reap(t, own)
		c.globals = nil
		pid := c.create("c", config(forever...)) // only when it is asked for
		c.ok("delete", "--force", "c")
		reap(t, pid)
	})
}

// An ordinary user may make cgroups where somebody has given it the right to, and is told where not.
func TestOrdinaryUsersCgroups(t *testing.T) {
	forEachKind(t, []string{"v2", "v1"}, func(t *testing.T, c *cgroupBox) {
		id := strconv.Itoa(ordinaryUID)
		asUser := []string{"setpriv", "--reuid", id, "--regid", id, "--clear-groups"} // the view wants root before it
		if _, err := c.inView(append(asUser, runtimePath, "--version")...); err != nil {
			skip(t, "the build directory cannot be entered by other users")
		}
		check(t, os.Chown(c.dir, ordinaryUID, ordinaryUID))
		view := c.wrapper
		c.wrapper = append(append([]string{}, view...), asUser...)
		c.write(c.program(c.path+"/c", forever...))
		for _, words := range [][]string{{"create", "-b", c.bundle, "c"}, {"plan", "-b", c.bundle}} {
			message := c.fails(phrases("/linux/cgroupsPath", c.path, "EACCES"), words...)
			wantNoReservedPhrase(t, message)
		}
		// Delegated (cgroups(7)): the directory and its cgroup.procs are the user's, who lives in it.
		own := c.path + "/user"
		c.must(helperPath, "helper", "cgroup-make", own)
		c.must("sh", "-c", `for d in /sys/fs/cgroup$1 /sys/fs/cgroup/*$1; do [ ! -d $d ] || chown $2 $d $d/cgroup.procs; `+
			`done`, "sh", own, id)
		c.wrapper = append(append(append([]string{}, view...), "in="+own), asUser...)
		pid := c.create("c", c.program("c", forever...))
		for _, hierarchy := range c.hierarchies() {
			want(t, "cgroup of "+hierarchy, cgroupsOf(t, pid)[hierarchy], own+"/c")
		}
		c.ok("kill", "--all", "c", "KILL")
		reap(t, pid)
		c.ok("delete", "c")
		if c.kind == "v2" {
			// Its own directory, but reached from outside of what was given to it: the common ancestor is not the user's.
			c.wrapper = append(append([]string{}, view...), asUser...)
			c.write(c.program(own+"/c", forever...))
			c.fails(phrases("/linux/cgroupsPath", "cgroup.procs", "EACCES"), "create", "-b", c.bundle, "c")
		}
	})
}

// As an ordinary user on any machine: told, or placed; never something in between.
func TestCgroupOfWhoeverRunsThis(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		return // root has views of its own: TestOwnCgroup
	}
	b := newBox(t)
	text := config(forever...)
	text["linux"] = object{"cgroupsPath": "reaper-test"}
	b.write(text)
	if got := b.cli("plan", "-b", b.bundle); got.code == 0 {
		pid := b.create("c", text)
		b.ok("delete", "--force", "c")
		reap(t, pid)
		return
	}
	b.fails(phrases("/linux/cgroupsPath"), "create", "-b", b.bundle, "c")
	want(t, "containers", b.ok("list", "-q"), "")
}

// systemd's form is refused by name, with what to write instead.
func TestSystemdsFormOfAPath(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	text := config("true")
	text["linux"] = object{"cgroupsPath": "system.slice:reaper:c"}
	b.write(text)
	b.fails(phrases("/linux/cgroupsPath", "SLICE:PREFIX:NAME", "does not support"), "run", "-b", b.bundle, "c")
}

// A supervised container: its process is placed, its supervisor stays outside, and goes when all has ended.
