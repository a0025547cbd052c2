package cli

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// The tests TestRuleNNN are the lines of tests/conformance/rules.tsv, one each: what the specification demands, seen from
// outside. docs/conformance.md is the table.

const busyboxPath = "/bin/busybox"

// needNamespaces skips where containers with namespaces cannot be made, or have nothing to run.
func needNamespaces(t *testing.T) {
	t.Helper()
	if !holds(t, capSysAdmin) {
		skip(t, "making namespaces needs CAP_SYS_ADMIN")
	}
	if !exists(busyboxPath) {
		skip(t, "no busybox here")
	}
}

// rooted is a box whose bundle has a root file system of one program, busybox, and a config that isolates it.
func rooted(t *testing.T, script string) (*box, object) {
	t.Helper()
	needNamespaces(t)
	b := newBox(t)
	program := filepath.Join(b.bundle, "rootfs/bin/busybox")
	check(t, os.MkdirAll(filepath.Dir(program), 0o755))
	copyFile(t, busyboxPath, program)
	whole := config("/bin/busybox", "sh", "-c", script)
	whole["root"] = object{"path": "rootfs"}
	whole["mounts"] = []object{mount("/proc", "proc", "proc"), mount("/dev", "tmpfs", "tmpfs", "mode=755")}
	whole["linux"] = object{"namespaces": namespaces("pid", "mount", "ipc", "uts", "network")}
	return b, whole
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	check(t, err)
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	check(t, err)
	_, err = io.Copy(out, in)
	check(t, err)
	check(t, out.Close())
}

func mount(destination, kind, source string, options ...string) object {
	return object{"destination": destination, "type": kind, "source": source, "options": append([]string{}, options...)}
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
