package cli

import (
	"encoding/json"
	"os"
	"testing"
)

// The tests TestRuleNNN are the lines of tests/conformance/rules.tsv, one each: what the specification demands, seen from
// outside. docs/conformance.md is the table.

// rooted is a box whose bundle has the root file system of busyboxRoot(), and a config that isolates it.
func rooted(t *testing.T, script string) (*box, object) {
	t.Helper()
	b := newBox(t)
	b.busyboxRoot()
	whole := config("/bin/busybox", "sh", "-c", script)
	whole["root"] = object{"path": "rootfs"}
	whole["mounts"] = []object{mount("/proc", "proc", "proc"), mount("/dev", "tmpfs", "tmpfs", "mode=755")}
	whole["linux"] = object{"namespaces": namespaces("pid", "mount", "ipc", "uts", "network")}
	return b, whole
}

func (o object) mounts(more ...object) object {
	o["mounts"] = append(append([]object{}, o["mounts"].([]object)...), more...)
	return o
}

func namespaces(types ...string) []object {
	list := []object{}
	for _, one := range types {
		list = append(list, object{"type": one})
	}
	return list
}

func (o object) linux() object {
	if o["linux"] == nil {
		o["linux"] = object{}
	}
	return o["linux"].(object)
}

// copyOf is a deep copy, so that one row of a table cannot disturb the next.
func (o object) copyOf(t *testing.T) object {
	t.Helper()
	text, err := json.Marshal(o)
	check(t, err)
	var twin object
	check(t, json.Unmarshal(text, &twin))
	return generic(twin).(object)
}

// generic turns the maps that a decoder makes into objects.
func generic(value interface{}) interface{} {
	switch one := value.(type) {
	case object:
		for name := range one {
			one[name] = generic(one[name])
		}
		return one
	case map[string]interface{}:
		return generic(object(one))
	case []interface{}:
		for i := range one {
			one[i] = generic(one[i])
		}
	}
	return value
}

// refuses insists that create of a config fails with every phrase, and that nothing of it stays.
func (b *box) refuses(config object, phrases ...string) {
	b.t.Helper()
	b.write(config)
	b.fails(phrases, "create", "--bundle", b.bundle, "refused")
	b.isEmpty()
}

// accepts insists that create of a config succeeds, and takes it back.
func (b *box) accepts(config object) {
	b.t.Helper()
	pid := b.create("accepted", config)
	b.ok("delete", "--force", "accepted")
	reap(b.t, pid)
}

// isEmpty insists that there is no container, and nothing of one.
func (b *box) isEmpty() {
	b.t.Helper()
	want(b.t, "list", b.ok("list", "-q"), "")
	entries, _ := os.ReadDir(b.root)
	for _, entry := range entries {
		if entry.Name()[0] != '.' {
			b.t.Errorf("%s stays in the state directory", entry.Name())
		}
	}
}

// finishContainer ends what runs and takes the container away.
func (b *box) finishContainer(id string, pid int) {
	b.t.Helper()
	b.ok("kill", id, "KILL")
	reap(b.t, pid)
	b.ok("delete", id)
}
