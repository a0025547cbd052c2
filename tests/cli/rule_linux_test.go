package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go/features"
)

func (b *box) features() features.Features {
	b.t.Helper()
	var known features.Features
	check(b.t, json.Unmarshal([]byte(b.ok("features")), &known))
	return known
}

func TestRule088NamespaceByPath(t *testing.T) {
	b, whole := rooted(t, "exec sleep 1000000")
	holder := b.create("holder", whole)
	guest := whole.copyOf(t)
	guest.linux()["namespaces"] = append(namespaces("pid", "mount"), object{"type": "uts", "path": procPath(holder, "ns/uts")})
	pid := b.create("guest", guest)
	sameNamespace(t, "uts", pid, holder)
	guest.linux()["namespaces"] = append(namespaces("pid", "mount"), object{"type": "uts", "path": procPath(holder, "ns/ipc")})
	b.write(guest)
	b.fails(phrases("/linux/namespaces/2"), "create", "--bundle", b.bundle, "wrong")
	for id, pid := range map[string]int{"guest": pid, "holder": holder} {
		b.ok("delete", "--force", id)
		reap(t, pid)
	}
}

// Each type alone, beside a container that has one of each.
func TestRule088EveryTypeByPath(t *testing.T) {
	needRoots(t)
	b := newBox(t)
	whole := config(sleeper...)
	links := map[string]string{"pid": "pid", "network": "net", "mount": "mnt", "ipc": "ipc", "uts": "uts", "cgroup": "cgroup", "time": "time"}
	if _, err := os.Readlink("/proc/self/ns/time"); err != nil {
		delete(links, "time") // not in every kernel
	}
	kinds := []string{}
	for kind := range links {
		kinds = append(kinds, kind)
	}
	whole.linux()["namespaces"] = namespaces(kinds...)
	holder := b.create("holder", whole)
	b.ok("start", "holder")
	for kind, link := range links {
		guest := whole.copyOf(t)
		guest.linux()["namespaces"] = []any{object{"type": kind, "path": procPath(holder, "ns/"+link)}}
		pid := b.create("guest", guest)
		b.ok("start", "guest")
		sameNamespace(t, link, pid, holder)
		b.ok("delete", "--force", "guest")
		reap(t, pid)
	}
	b.ok("delete", "--force", "holder")
	reap(t, holder)
}

func sameNamespace(t *testing.T, kind string, one, other int) {
	t.Helper()
	theirs, err := os.Readlink(procPath(other, "ns/"+kind))
	check(t, err)
	joined, err := os.Readlink(procPath(one, "ns/"+kind))
	check(t, err)
	want(t, "the joined "+kind+" namespace", joined, theirs)
}

// The types that a process does not simply enter: pid, of which its children are, and user, which everything else belongs to.
func TestRule088PidAndUserNamespaceByPath(t *testing.T) {
	needRoots(t)
	b := newBox(t)
	whole := config(sleeper...)
	ids := []any{object{"containerID": 0, "hostID": 200000, "size": 65536}}
	whole.linux()["namespaces"] = namespaces("user", "pid", "uts")
	whole.linux()["uidMappings"], whole.linux()["gidMappings"] = ids, ids
	holder := b.create("holder", whole)
	b.ok("start", "holder")
	guest := whole.copyOf(t)
	joined := []any{}
	for _, kind := range []string{"pid", "uts", "user"} {
		joined = append(joined, object{"type": kind, "path": procPath(holder, "ns/"+kind)})
	}
	guest.linux()["namespaces"] = joined
	pid := b.create("guest", guest)
	b.ok("start", "guest")
	for _, kind := range []string{"pid", "uts", "user"} {
		sameNamespace(t, kind, pid, holder)
	}
	b.ok("delete", "--force", "guest")
	reap(t, pid)
	guest.linux()["uidMappings"] = []any{object{"containerID": 0, "hostID": 200001, "size": 65536}}
	b.write(guest)
	b.fails(phrases("/linux/uidMappings"), "create", "--bundle", b.bundle, "wrong")
	b.ok("delete", "--force", "holder")
	reap(t, holder)
}

func TestRule089NewNamespaces(t *testing.T) {
	for kind, file := range map[string]string{"pid": "pid", "network": "net", "mount": "mnt", "ipc": "ipc", "uts": "uts", "cgroup": "cgroup",
		"user": "user", "time": "time"} {
		needRoots(t)
		b := newBox(t)
		whole := config(sleeper...)
		own, err := os.Readlink("/proc/self/ns/" + file)
		if kind == "time" && err != nil {
			continue // not in every kernel
		}
		check(t, err)
		whole.linux()["namespaces"] = namespaces(kind)
		if kind == "user" {
			ids := []any{object{"containerID": 0, "hostID": 200000, "size": 65536}}
			whole.linux()["uidMappings"], whole.linux()["gidMappings"] = ids, ids
		}
		pid := b.create("c", whole)
		b.ok("start", "c")
		theirs, err := os.Readlink(procPath(pid, "ns/"+file))
		check(t, err)
		if own == theirs {
			t.Errorf("%s: not a new one", kind)
		}
		b.ok("delete", "--force", "c")
		reap(t, pid)
	}
}

func TestRule090TypesThatAreNotListed(t *testing.T) {
	b := newBox(t)
	pid := b.create("c", config("/bin/sleep", "1000000"))
	b.ok("start", "c")
	for _, file := range []string{"pid", "net", "mnt", "ipc", "uts", "user", "cgroup", "time"} {
		own, _ := os.Readlink("/proc/self/ns/" + file)
		theirs, _ := os.Readlink(procPath(pid, "ns/"+file))
		want(t, file, theirs, own)
	}
}

func TestRule091NamespaceTwice(t *testing.T) {
	whole := config(sleeper...)
	whole.linux()["namespaces"] = namespaces("uts", "ipc", "uts")
	newBox(t).refuses(whole, "/linux/namespaces/2")
}

func TestRule092AnotherFileAtADevicesPath(t *testing.T) {
	b, whole := rooted(t, "true")
	check(t, os.Mkdir(filepath.Join(b.bundle, "rootfs/devices"), 0o755))
	check(t, os.WriteFile(filepath.Join(b.bundle, "rootfs/devices/mine"), nil, 0o644))
	whole.linux()["devices"] = []object{{"path": "/devices/mine", "type": "c", "major": 1, "minor": 3}}
	b.refuses(whole, "/linux/devices/0")
}

func TestRule093DefaultDevices(t *testing.T) {
	b, whole := rooted(t, "cd /dev; for d in null zero full random urandom tty; do test -c $d || echo $d; done; test -L ptmx || echo ptmx")
	want(t, "missing devices", b.output(whole), "")
}

func TestRule094NetDevices(t *testing.T) {
	// With devices to move: api/test_net_devices.c. A clash of names, and what there is none of, are errors.
	b, whole := rooted(t, "true")
	whole.linux()["netDevices"] = object{"no-such-device": object{}}
	b.refuses(whole, "/linux/netDevices/no-such-device")
}

func TestRule095CgroupsPath(t *testing.T) {
	forEachKind(t, everyKind, func(t *testing.T, c *cgroupBox) {
		var places []string
		for i := 0; i < 2; i++ {
			pid := c.create("c", c.program(c.path+"/same", forever...))
			places = append(places, fmt.Sprint(cgroupsOf(t, pid)))
			if !strings.Contains(places[i], c.path+"/same") {
				t.Errorf("not from the mount on: %s", places[i])
			}
			c.ok("delete", "--force", "c")
			reap(t, pid)
		}
		want(t, "the same path, the same place", places[1], places[0])
	})
}

// Nothing changes the owner of a cgroup: neither with nor without a namespace.
func TestRule096CgroupOwner(t *testing.T) {
	forEachKind(t, []string{"v2"}, func(t *testing.T, c *cgroupBox) {
		c.create("c", c.program(c.path+"/own", forever...))
		want(t, "owner", strings.TrimSpace(c.must("stat", "-c", "%u", c.directory(c.path+"/own"))), "0")
	})
}

func refusesLinux(t *testing.T, name string, value interface{}, pointer string) {
	t.Helper()
	whole := config(sleeper...)
	whole.linux()[name] = value
	newBox(t).refuses(whole, pointer)
}

func TestRule097DeviceRules(t *testing.T) {
	refusesLinux(t, "resources", object{"devices": []object{{"allow": false, "access": "rwm"}}}, "/linux/resources/devices")
}

func TestRule098PidsLimit(t *testing.T) {
	refusesLinux(t, "resources", object{"pids": object{"limit": 0}}, "/linux/resources/pids")
}

func TestRule099BlockIO(t *testing.T) {
	refusesLinux(t, "resources", object{"blockIO": object{"weight": 100}}, "/linux/resources/blockIO")
	refusesLinux(t, "resources", object{"rdma": object{"mlx": object{"hcaHandles": 1}}}, "/linux/resources/rdma")
}

func TestRule100Unified(t *testing.T) {
	refusesLinux(t, "resources", object{"unified": object{"memory.max": "1"}}, "/linux/resources/unified")
}

func TestRule101NothingIsConvertedInSilence(t *testing.T) {
	refusesLinux(t, "resources", object{"memory": object{"kernelTCP": 1}}, "/linux/resources/memory")
	refusesLinux(t, "resources", object{"network": object{"classID": 1}}, "/linux/resources/network")
}

func TestRule102IntelRdt(t *testing.T) {
	refusesLinux(t, "intelRdt", object{"closID": "../above"}, "/linux/intelRdt/closID")
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	check(t, err)
	if !strings.Contains(string(mounts), " - resctrl ") {
		refusesLinux(t, "intelRdt", object{"l3CacheSchema": "L3:0=f"}, "/linux/intelRdt")
	}
	if os.Geteuid() != 0 || exec.Command("unshare", "--mount", "true").Run() != nil {
		skip(t, "needs root: mounts of its own")
	}
	// A tmpfs plays resctrl, with a class in it that somebody has configured; api.intel_rdt has the rest.
	b := newBox(t)
	whole := config("/bin/true")
	whole.linux()["intelRdt"] = object{"closID": "gold", "l3CacheSchema": "L3:0=0f"}
	b.write(whole)
	other := filepath.Join(b.dir, "other")
	check(t, os.Mkdir(other, 0755))
	whole.linux()["intelRdt"] = object{"closID": "gold", "l3CacheSchema": "L3:0=3"}
	text, err := json.Marshal(whole)
	check(t, err)
	check(t, os.WriteFile(filepath.Join(other, "config.json"), text, 0644))
	b.file("play", `set -e
mount -t tmpfs played $1
mkdir $1/gold
printf '    L3:0=000f\n' >$1/gold/schemata
: >$1/gold/tasks
sed "s, - tmpfs played , - resctrl resctrl ," /proc/self/mountinfo >$1/told
as() { sh -c 'mount --bind $0 /proc/$$/task/$$/mountinfo; shift; exec "$@"' $1/told "$@"; }
as $1 $2 --root $3 run --bundle $4 c
grep -q '^[0-9]' $1/gold/tasks && echo joined
as $1 $2 --root $3 run --bundle $5 c || echo refused
test -d $1/gold && echo stays
`, 0755)
	place := filepath.Join(b.dir, "resctrl")
	check(t, os.Mkdir(place, 0755))
	command := exec.Command("unshare", "--mount", "--propagation", "private", "sh", filepath.Join(b.dir, "play"), place,
		runtimePath, b.root, b.bundle, other)
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	check(t, command.Run())
	want(t, "output", stdout.String(), "joined\nrefused\nstays\n")
	want(t, "error", strings.Contains(stderr.String(), "/linux/intelRdt/l3CacheSchema"), true)
}

func TestRule103ErrnoRet(t *testing.T) {
	refusesLinux(t, "seccomp", object{"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}, "/linux/seccomp/defaultErrnoRet")
}

func TestRule104Listener(t *testing.T) {
	notified := []object{{"names": []string{"sched_get_priority_max"}, "action": "SCMP_ACT_NOTIFY"}}
	refusesLinux(t, "seccomp", object{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": notified}, "/linux/seccomp/syscalls/0/action")
	b := newBox(t)
	agent := listenAsAgent(t, b)
	got := b.run(asked(b, "/bin/true"))
	if strings.Contains(got.stderr, "libseccomp") {
		skip(t, "this build has no libseccomp")
	}
	want(t, "exit code", got.code, 0)
	state := takeListener(t, agent)
	want(t, "pid", state.Pid == state.State.Pid && state.Pid > 0, true)
	want(t, "bundle", state.State.Bundle, b.bundle)
}

func TestRule105ListenerMetadata(t *testing.T) {
	refusesLinux(t, "seccomp", object{"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"}, "/linux/seccomp/listenerMetadata")
}

func TestRule106PathsAreAbsolute(t *testing.T) {
	b, whole := rooted(t, "true")
	for _, name := range []string{"maskedPaths", "readonlyPaths"} {
		one := whole.copyOf(t)
		one.linux()[name] = []string{"/proc/kcore", "proc/keys"}
		b.refuses(one, "/linux/"+name+"/1")
	}
}

func TestRule107Personality(t *testing.T) {
	b := newBox(t)
	whole := config("/bin/uname", "-m")
	whole.linux()["personality"] = object{"domain": "LINUX32"}
	if machine, err := exec.Command("uname", "-m").Output(); err == nil && string(machine) == "x86_64\n" {
		want(t, "machine", b.output(whole), "i686\n")
	} else {
		b.accepts(whole)
	}
	refusesLinux(t, "personality", object{"domain": "BSD"}, "/linux/personality/domain")
	refusesLinux(t, "personality", object{"domain": "LINUX", "flags": []string{"ADDR_NO_RANDOMIZE"}}, "/linux/personality/flags")
}

func TestRule108MemoryPolicy(t *testing.T) {
	b := newBox(t)
	for _, mode := range b.features().Linux.MemoryPolicy.Modes {
		whole := config(sleeper...)
		policy := object{"mode": mode}
		if mode != "MPOL_DEFAULT" && mode != "MPOL_LOCAL" {
			policy["nodes"] = "0"
		}
		whole.linux()["memoryPolicy"] = policy
		b.accepts(whole)
	}
	want(t, "modes", len(b.features().Linux.MemoryPolicy.Modes), 7)
	refusesLinux(t, "memoryPolicy", object{"mode": "MPOL_NEAREST"}, "/linux/memoryPolicy/mode")
}

func TestRule109OnlyStandardDescriptors(t *testing.T) {
	b := newBox(t)
	b.extra = []*os.File{b.temporary("extra")}
	want(t, "descriptors", b.output(config("/bin/sh", "-c", "ls /proc/$$/fd")), "0\n1\n2\n")
}

func TestRule110LinksInDev(t *testing.T) {
	b, whole := rooted(t, "cd /dev; for l in fd stdin stdout stderr; do /bin/busybox readlink $l; done")
	want(t, "links", b.output(whole), "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n")
}

func TestRule111FeaturesVersions(t *testing.T) {
	b := newBox(t)
	known := b.features()
	for _, version := range []string{known.OCIVersionMin, known.OCIVersionMax} {
		whole := config(sleeper...)
		whole["ociVersion"] = version
		b.accepts(whole)
	}
	want(t, "order", known.OCIVersionMin <= known.OCIVersionMax, true)
}

// The Go types of that version know every name in the document.
func TestRule112NothingNewerThanTheVersion(t *testing.T) {
	b := newBox(t)
	want(t, "ociVersionMax", b.features().OCIVersionMax, ociVersion)
	decoder := json.NewDecoder(strings.NewReader(b.ok("features")))
	decoder.DisallowUnknownFields()
	var known features.Features
	check(t, decoder.Decode(&known))
}

func TestRule113FeaturesDoNotProbe(t *testing.T) {
	b := newBox(t)
	plain := b.ok("features")
	b.env = []string{}
	b.cwd = "/"
	want(t, "features elsewhere", b.ok("features"), plain)
}

func TestRule114NullIsUnknown(t *testing.T) {
	if text := newBox(t).ok("features"); strings.Contains(text, "null") {
		t.Errorf("something is said to be unknown: %s", text)
	}
}

func TestRule115WhatIsListedIsKnown(t *testing.T) {
	b := newBox(t)
	known := b.features()
	for _, kind := range known.Hooks {
		whole := config(sleeper...)
		whole["hooks"] = object{kind: []object{{"path": "/bin/true"}}}
		b.accepts(whole)
	}
	if os.Getuid() == 0 {
		got := b.run(config("/bin/true").with("capabilities", object{"bounding": known.Linux.Capabilities}))
		if strings.Contains(got.stderr, "unknown") {
			t.Errorf("a capability is listed and not known: %s", got.stderr)
		}
	}
	for _, kind := range known.Linux.Namespaces {
		whole := config(sleeper...)
		whole.linux()["namespaces"] = []object{{"type": string(kind), "path": "/proc/self/ns/" + namespaceFile(string(kind))}}
		b.accepts(whole) // our own is satisfied
	}
}

func namespaceFile(kind string) string {
	switch kind {
	case "network":
		return "net"
	case "mount":
		return "mnt"
	}
	return kind
}

func TestRule116UnsafeAnnotations(t *testing.T) {
	want(t, "annotations", newBox(t).features().PotentiallyUnsafeConfigAnnotations,
		[]string{"io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType"})
}
