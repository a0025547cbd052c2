package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// The lines of the specification that concern a further process as well.

// processors are those that this process may run on.
func processors(t *testing.T) []int {
	t.Helper()
	var list []int
	for _, part := range strings.Split(procStatus(read(t, "/proc/self/status"))["Cpus_allowed_list"], ",") {
		first, last := 0, 0
		if count, _ := fmt.Sscanf(part, "%d-%d", &first, &last); count == 1 {
			last = first
		}
		for ; first <= last; first++ {
			list = append(list, first)
		}
	}
	return list
}

const showProcessors = "while read -r name list; do [ $name = Cpus_allowed_list: ] && echo $list; done </proc/self/status; true"

func TestRule074ExecCPUAffinityOfExec(t *testing.T) {
	t.Parallel()
	cpus := processors(t)
	if len(cpus) < 2 {
		skip(t, "there is one processor alone here")
	}
	one, other := fmt.Sprint(cpus[0]), fmt.Sprint(cpus[1])
	b := sleeping(t, nil)
	all := b.exec("c", "sh", "-c", showProcessors)
	for _, row := range []struct {
		affinity object
		wanted   string
	}{
		{object{}, all},
		{object{"initial": one}, one + "\n"},
		{object{"final": other}, other + "\n"},
		{object{"initial": one, "final": other}, other + "\n"},
	} {
		want(t, fmt.Sprint(row.affinity), b.execDocument("c", showProcessors, object{"execCPUAffinity": row.affinity}), row.wanted)
	}
	want(t, "the container's own", procStatus(read(t, procPath(b.state("c").Pid, "status")))["Cpus_allowed_list"]+"\n", all)
}

// execDocument is what exec prints of a shell's script, with further members of its process document.
func (b *box) execDocument(id, script string, more object) string {
	b.t.Helper()
	document := object{"args": []string{"/bin/sh", "-c", script}, "cwd": "/", "env": []string{standardPATH}}
	for name, value := range more {
		document[name] = value
	}
	text, err := json.Marshal(document)
	check(b.t, err)
	return b.exec("--process", b.file("document.json", string(text), 0o644), id)
}

// `final` after the process is in the container's cgroup, which may reset what it was before.
func TestRule074ExecCPUAffinityAroundTheCgroup(t *testing.T) {
	cpus := processors(t)
	if len(cpus) < 2 {
		skip(t, "there is one processor alone here")
	}
	forEachKind(t, []string{"cpuset"}, func(t *testing.T, c *cgroupBox) {
		pid := c.create("c", c.program(c.path+"/c", forever...))
		c.ok("start", "c")
		affinity := object{"initial": fmt.Sprint(cpus[0]), "final": fmt.Sprint(cpus[1])}
		want(t, "processors", c.execDocument("c", showProcessors, object{"execCPUAffinity": affinity}), fmt.Sprintf("%d\n", cpus[1]))
		c.ok("delete", "--force", "c")
		reap(t, pid)
	})
}

func TestRule064ArgsOfExec(t *testing.T) {
	t.Parallel()
	b := sleeping(t, nil)
	b.fails(phrases("/process/args", "at least one"), "exec", "--process", b.file("p", `{"args":[],"cwd":"/"}`, 0o644), "c")
	b.fails(phrases("/process/cwd"), "exec", "--process", b.file("q", `{"args":["/bin/true"]}`, 0o644), "c")
	want(t, "by PATH", b.execDocument("c", "echo here", object{"args": []string{"echo", "here"}}), "here\n")
}

func TestRule075UserOfExec(t *testing.T) {
	t.Parallel()
	b := sleeping(t, nil)
	want(t, "umask is the caller's", b.exec("c", "sh", "-c", "umask"), ownUmask(t))
	if os.Getuid() != 0 {
		return
	}
	ids := object{"user": object{"uid": 7, "gid": 8, "additionalGids": []int{9}, "umask": 0o27}}
	want(t, "ids", b.execDocument("c", "id -u; id -g; id -G; umask", ids), "7\n8\n8 9\n0027\n")
}

func TestRule107PersonalityOfExec(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	c := config(forever...)
	c["linux"] = object{"personality": object{"domain": "LINUX32"}}
	b.create("c", c)
	b.ok("start", "c")
	want(t, "personality", b.exec("c", "cat", "/proc/self/personality"), "00000008\n")
}

func TestRule109OnlyStandardDescriptorsOfExec(t *testing.T) {
	t.Parallel()
	b := sleeping(t, nil)
	file := b.temporary("open")
	defer file.Close()
	b.extra = []*os.File{file, file}
	want(t, "descriptors", b.exec("c", "sh", "-c", "ls /proc/self/fd | tr '\\n' ' '"), "0 1 2 3 ") // 3 is that of ls itself
}
