package cli

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What exec brings into a container in cgroups of its own is in all of them, as the container's own process is.
func TestExecCgroups(t *testing.T) {
	forEachKind(t, everyKind, func(t *testing.T, c *cgroupBox) {
		path := c.path + "/pod/c"
		pid := c.create("c", c.program(path, forever...))
		c.ok("start", "c")
		pidFile := filepath.Join(c.dir, "pid")
		c.exec("-d", "--pid-file", pidFile, "c", "sleep", "1000000")
		further := pidIn(t, pidFile)
		own, paths := cgroupsOf(t, pid), cgroupsOf(t, further)
		for hierarchy, wanted := range own {
			if contains(c.hierarchies(), hierarchy) {
				want(t, "cgroup of "+hierarchy, paths[hierarchy], wanted)
			}
		}
		// A cgroup is what kill reaches it by.
		c.ok("kill", "--all", "c", "KILL")
		want(t, "signal", int(reap(t, further).Signal()), 9)
		want(t, "signal", int(reap(t, pid).Signal()), 9)
		c.ok("delete", "c")
		c.wantNothingLeft()
	})
}

// freeze freezes a cgroup, or thaws it.
func (c *cgroupBox) freeze(path string, frozen bool) {
	c.t.Helper()
	words := map[bool][]string{true: {"FROZEN", "1"}, false: {"THAWED", "0"}}[frozen]
	c.must("sh", "-c", `cd /sys/fs/cgroup; if [ -e freezer ]; then echo $2 > freezer$1/freezer.state; else `+
		`echo $3 > .$1/cgroup.freeze; fi`, "sh", path, words[0], words[1])
}

// A paused container is refused, whichever cgroup above is frozen; with --ignore-paused exec returns when it goes on.
func TestExecPaused(t *testing.T) {
	forEachKind(t, everyKind, func(t *testing.T, c *cgroupBox) {
		path := c.path + "/pod/c"
		pid := c.create("c", c.program(path, forever...))
		c.ok("start", "c")
		note := filepath.Join(c.dir, "note")
		for _, frozen := range []string{path, filepath.Dir(path)} {
			c.freeze(frozen, true)
			c.fails(phrases(`container "c" is paused`), "exec", "c", "touch", note)
			want(t, "whether it ran", exists(note), false)
			c.freeze(frozen, false)
			want(t, "exec", c.exec("c", "echo", "goes on"), "goes on\n")
		}
		c.freeze(path, true)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		waiting := c.command(ctx, "exec", "--ignore-paused", "c", "sh", "-c", "echo went on; exit 5")
		output := c.temporary("out")
		defer output.Close()
		waiting.Stdout = output
		check(t, waiting.Start())
		for len(c.members(path)) < 2 { // it has come in
			if ctx.Err() != nil {
				t.Fatal("nobody has come into the cgroup")
			}
			time.Sleep(time.Millisecond)
		}
		want(t, "output of what is frozen", read(t, output.Name()), "")
		c.freeze(path, false)
		err := waiting.Wait()
		want(t, "exit code", waiting.ProcessState.ExitCode(), 5)
		want(t, "output", read(t, output.Name()), "went on\n")
		if err != nil && !strings.Contains(err.Error(), "exit status 5") {
			t.Error(err)
		}
		c.ok("delete", "--force", "c")
		reap(t, pid)
		c.wantNothingLeft()
	})
}

// One whose cgroup was removed behind our back, or has handed its controllers on, is told so and nothing runs.
func TestExecWithoutItsCgroup(t *testing.T) {
	forEachKind(t, []string{"v2"}, func(t *testing.T, c *cgroupBox) {
		path := c.path + "/c"
		pid := c.create("c", c.program(path, forever...))
		c.ok("start", "c")
		c.must("sh", "-c", `mkdir /sys/fs/cgroup$1/other && echo $2 > /sys/fs/cgroup$1/other/cgroup.procs && rmdir /sys/fs/cgroup$1/c`,
			"sh", c.path, strconv.Itoa(pid))
		c.fails(phrases("the container's cgroup was removed", "ENOENT"), "exec", "c", "true")
		c.ok("delete", "--force", "c")
		reap(t, pid)
	})
}
