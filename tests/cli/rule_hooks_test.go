package cli

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestRule076HookPathIsAbsolute(t *testing.T) {
	whole := config(sleeper...)
	whole["hooks"] = object{"prestart": []object{{"path": "bin/true"}}}
	newBox(t).refuses(whole, "/hooks/prestart/0/path")
}

func TestRule077HookTimeout(t *testing.T) {
	b := newBox(t)
	for _, timeout := range []int{0, -1} {
		whole := config(sleeper...)
		whole["hooks"] = object{"prestart": []object{{"path": "/bin/true", "timeout": timeout}}}
		b.refuses(whole, "/hooks/prestart/0/timeout")
	}
}

func TestRule078HooksInTheirOrder(t *testing.T) {
	b := newBox(t)
	whole := config(sleeper...)
	list := []object{}
	for _, number := range []string{"1", "2", "3"} {
		list = append(list, b.shellHook("echo "+number+" >> $DIR/order"))
	}
	whole["hooks"] = object{"createRuntime": list}
	b.accepts(whole)
	want(t, "order", b.text("order"), "1\n2\n3\n")
}

func TestRule079StateOnStandardInput(t *testing.T) {
	b := newBox(t)
	scripts := map[string]string{}
	for _, kind := range hookKinds {
		scripts[kind] = "cat > $DIR/" + kind
	}
	pid := b.create("c", b.hooked(scripts))
	b.ok("start", "c")
	b.finishContainer("c", pid)
	for i, status := range []string{"creating", "creating", "creating", "created", "running", "stopped"} {
		var told specs.State
		check(t, json.Unmarshal([]byte(b.text(hookKinds[i])), &told))
		want(t, "status told to "+hookKinds[i], told.Status, status)
		want(t, "id told to "+hookKinds[i], told.ID, "c")
	}
}

// namespacesOf runs a life whose hooks of one kind write down which namespaces they are in, and what / has.
func namespacesOf(t *testing.T, kind, script string) (*box, int, string) {
	t.Helper()
	b, whole := rooted(t, "exec sleep 1000000")
	hook := b.shellHook(script)
	if kind == "startContainer" {
		hook = object{"path": "/bin/busybox", "args": []string{"sh", "-c", script}, "env": []string{"PATH=/bin"}}
	}
	whole["hooks"] = object{kind: []object{hook}}
	pid := b.create("c", whole)
	b.ok("start", "c")
	theirs, err := os.Readlink(procPath(pid, "ns/uts"))
	check(t, err)
	return b, pid, theirs
}

const tellNamespaces = "readlink /proc/self/ns/uts /proc/self/ns/mnt > $DIR/told; ls / >> $DIR/told"

func inOurs(t *testing.T, b *box) {
	t.Helper()
	own, err := os.Readlink("/proc/self/ns/uts")
	check(t, err)
	if told := b.text("told"); !strings.Contains(told, own) || !strings.Contains(told, "etc") {
		t.Errorf("not in the runtime's namespaces and root: %s", told)
	}
}

func TestRule080PrestartAndCreateRuntime(t *testing.T) {
	for _, kind := range []string{"prestart", "createRuntime"} {
		// The container's namespaces are there, and its root is not yet: pivot_root has not taken the host's away.
		b, pid, theirs := namespacesOf(t, kind, tellNamespaces+"; read state; pid=${state#*\\\"pid\\\":}; pid=${pid%%,*}; "+
			"readlink /proc/$pid/ns/uts >> $DIR/told; test -e /proc/$pid/root/etc && echo before-pivot >> $DIR/told")
		inOurs(t, b)
		if told := b.text("told"); !strings.Contains(told, theirs) || !strings.Contains(told, "before-pivot") {
			t.Errorf("%s: %s", kind, told)
		}
		b.finishContainer("c", pid)
	}
}

func TestRule081CreateContainer(t *testing.T) {
	b, pid, theirs := namespacesOf(t, "createContainer", tellNamespaces)
	if told := b.text("told"); !strings.Contains(told, theirs) || !strings.Contains(told, "etc") {
		t.Errorf("not in the container's namespaces with the host's root: %s", told)
	}
	b.finishContainer("c", pid)
}

func TestRule082StartContainer(t *testing.T) {
	b, pid, theirs := namespacesOf(t, "startContainer", "readlink /proc/self/ns/uts > /told; ls / >> /told")
	if told := b.text("bundle/rootfs/told"); !strings.Contains(told, theirs) || strings.Contains(told, "etc") {
		t.Errorf("not in the container: %s", told)
	}
	b.finishContainer("c", pid)
}

func TestRule083Poststart(t *testing.T) {
	b, pid, _ := namespacesOf(t, "poststart", tellNamespaces+"; cat > $DIR/seen")
	inOurs(t, b)
	if !strings.Contains(b.text("seen"), `"running"`) {
		t.Errorf("state: %s", b.text("seen"))
	}
	b.finishContainer("c", pid)
}

func TestRule084Poststop(t *testing.T) {
	b, pid, _ := namespacesOf(t, "poststop", tellNamespaces+"; $RT state c 2> $DIR/gone || true")
	b.finishContainer("c", pid)
	inOurs(t, b)
	if !strings.Contains(b.text("gone"), "does not exist") {
		t.Errorf("the container is still there: %s", b.text("gone"))
	}
}
