package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRule048ConfigStandsInTheBundle(t *testing.T) {
	b := newBox(t)
	b.fails(phrases("config.json"), "create", "--bundle", b.bundle, "c")
	b.accepts(config(sleeper...))
}

func TestRule049ConfigIsUTF8(t *testing.T) {
	b := newBox(t)
	b.writeText("{\"ociVersion\":\"1.0.0\",\"annotations\":{\"a\":\"\xff\"}}")
	b.fails(phrases("UTF-8"), "create", "--bundle", b.bundle, "c")
}

func TestRule050NamesAreNotRepeated(t *testing.T) {
	b := newBox(t)
	b.writeText(`{"ociVersion":"1.0.0","process":{"args":["true"],"cwd":"/","cwd":"/tmp"}}`)
	b.fails(phrases(`the name "cwd" stands twice`), "create", "--bundle", b.bundle, "c")
}

func TestRule051UnknownPropertiesAreNoError(t *testing.T) {
	b := newBox(t)
	whole := config(sleeper...).with("orgExampleNew", object{"deep": []int{1}})
	whole["orgExampleNew"] = 1
	b.accepts(whole)
}

func TestRule052WrongValuesAreErrors(t *testing.T) {
	b := newBox(t)
	for pointer, value := range map[string]interface{}{"/process/cwd": 1, "/process/noNewPrivileges": "yes", "/process/args": "sleep",
		"/process/env": []int{1}, "/process/user": []int{}, "/process/rlimits": object{}} {
		b.refuses(config(sleeper...).with(filepath.Base(pointer), value), pointer)
	}
}

func TestRule053Versions(t *testing.T) {
	b := newBox(t)
	for version, accepted := range map[string]bool{"1.0.0": true, "1.0.2-dev": true, "1.1.0+build": true, "1.3.0": true, "2.0.0": false,
		"0.9.0": false, "1.0": false, "v1.0.0": false, "01.0.0": false, "": false} {
		whole := config(sleeper...)
		whole["ociVersion"] = version
		if accepted {
			b.accepts(whole)
		} else {
			b.refuses(whole, "/ociVersion")
		}
	}
}

func TestRule054Root(t *testing.T) {
	b, whole := rooted(t, "test -x /bin/busybox && ! test -e /etc")
	want(t, "relative to the bundle", b.output(whole), "")
	whole["root"] = object{"path": filepath.Join(b.bundle, "rootfs")}
	want(t, "absolute", b.output(whole), "")
	whole["root"] = object{"path": "missing"}
	b.refuses(whole, "/root/path")
	b.accepts(config(sleeper...)) // without root, linux and mounts: host mode
}

func TestRule055ReadOnlyRoot(t *testing.T) {
	b, whole := rooted(t, "! busybox touch /file 2>/dev/null && busybox touch /dev/file")
	whole["root"].(object)["readonly"] = true
	whole.with("env", []string{"PATH=/bin"})
	want(t, "exit code", b.run(whole).code, 0)
}

func TestRule056MountsInTheirOrder(t *testing.T) {
	b, whole := rooted(t, "/bin/busybox cat /a/b/name; ! test -e /a/hidden")
	check(t, os.MkdirAll(filepath.Join(b.bundle, "rootfs/a/hidden"), 0o755))
	check(t, os.Mkdir(filepath.Join(b.bundle, "data"), 0o755))
	check(t, os.WriteFile(filepath.Join(b.bundle, "data/name"), []byte("second\n"), 0o644))
	whole.mounts(mount("/a", "tmpfs", "tmpfs"), mount("/a/b", "bind", "data", "bind"))
	want(t, "output", b.output(whole), "second\n")
}

func TestRule057RelativeDestination(t *testing.T) {
	b, whole := rooted(t, "/bin/busybox grep -c ' /data/deep tmpfs' /proc/mounts")
	want(t, "output", b.output(whole.mounts(mount("data/deep", "tmpfs", "tmpfs"))), "1\n")
}

// Every option of the table in config.md, Linux mount options.
var mountOptions = strings.Fields("async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand noatime nodev " +
	"nodiratime noexec noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev " +
	"rdiratime relatime remount rexec rnoatime rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate " +
	"rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime suid symfollow " +
	"sync tmpcopyup unbindable idmap ridmap")

func TestRule058EveryMountOptionIsKnown(t *testing.T) {
	b, whole := rooted(t, "true")
	known := b.features().MountOptions
	for _, option := range mountOptions {
		if !contains(known, option) {
			t.Errorf("features does not list %s", option)
		}
	}
	for _, option := range mountOptions {
		if contains([]string{"remount", "mand", "idmap", "ridmap", "rbind", "bind"}, option) {
			continue // with tests of their own, or not of every kernel or file system
		}
		b.accepts(whole.copyOf(t).mountsAny(mount("/target", "tmpfs", "tmpfs", option)))
	}
}

// mountsAny is mounts for a config that was copied.
func (o object) mountsAny(more object) object {
	o["mounts"] = append(o["mounts"].([]interface{}), more)
	return o
}

func TestRule059BindAmongTheOptions(t *testing.T) {
	b, whole := rooted(t, "/bin/busybox cat /data/name")
	check(t, os.Mkdir(filepath.Join(b.bundle, "data"), 0o755))
	check(t, os.WriteFile(filepath.Join(b.bundle, "data/name"), []byte("bound\n"), 0o644))
	for _, option := range []string{"bind", "rbind"} {
		want(t, option, b.output(whole.copyOf(t).mountsAny(mount("/data", "tmpfs", "data", option))), "bound\n")
	}
}

func TestRule060MappingsComeInPairs(t *testing.T) {
	b, whole := rooted(t, "true")
	for _, name := range []string{"uidMappings", "gidMappings"} {
		one := mount("/data", "bind", "/bin", "bind", "idmap")
		one[name] = []object{{"containerID": 0, "hostID": 1000, "size": 1}}
		missing := map[string]string{"uidMappings": "gidMappings", "gidMappings": "uidMappings"}[name]
		b.refuses(whole.copyOf(t).mountsAny(one), "/mounts/2/"+missing)
	}
}

func TestRule061IdmapNeedsMappings(t *testing.T) {
	b, whole := rooted(t, "true")
	for _, option := range []string{"idmap", "ridmap"} {
		b.refuses(whole.copyOf(t).mountsAny(mount("/data", "bind", "/bin", "bind", option)), "/mounts/2/options")
	}
}

func TestRule062MappingsOfAMount(t *testing.T) {
	b, whole := rooted(t, "/bin/busybox stat -c %u:%g /data")
	one := mount("/data", "bind", b.bundle, "bind", "idmap")
	for _, name := range []string{"uidMappings", "gidMappings"} {
		one[name] = []object{{"containerID": 0, "hostID": 1000, "size": 1}}
	}
	got := b.run(whole.mounts(one))
	if strings.Contains(got.stderr, "takes no mapping") {
		skip(t, "the file system here takes no mapping of ids")
	}
	want(t, "owner", got.stdout, "1000:1000\n")
}

func TestRule063CwdIsAbsolute(t *testing.T) {
	newBox(t).refuses(config(sleeper...).with("cwd", "tmp"), "/process/cwd")
}

func TestRule064ArgsAsExecvp(t *testing.T) {
	b := newBox(t)
	b.refuses(config(), "/process/args")
	want(t, "found by PATH", b.output(config("echo", "found")), "found\n")
}

func TestRule065ConsoleSizeWithoutTerminal(t *testing.T) {
	newBox(t).accepts(config(sleeper...).with("consoleSize", object{"height": 24, "width": 80}))
}

func TestRule066Terminal(t *testing.T) {
	b := newBox(t)
	needTerminals(t)
	path, take := b.consoleSocket()
	pid := b.create("c", terminalConfig("/bin/sh", "-c", "test -t 0 && test -t 1 && test -t 2 && tty; sleep 1000000"), "--console-socket", path)
	master, slave := take()
	defer master.Close()
	b.ok("start", "c")
	want(t, "the terminal", strings.TrimSpace(readUntil(t, master, "\n")), slave)
	b.finishContainer("c", pid)
}

func TestRule067UnknownRlimit(t *testing.T) {
	newBox(t).refuses(config(sleeper...).with("rlimits", []object{{"type": "RLIMIT_PATIENCE", "soft": 1, "hard": 1}}), "/process/rlimits/0/type")
}

func TestRule068RlimitsAreReadBack(t *testing.T) {
	limits := []object{{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 88}}
	want(t, "limits", newBox(t).output(config("/bin/sh", "-c", "ulimit -Sn; ulimit -Hn").with("rlimits", limits)), "77\n88\n")
}

func TestRule069RlimitTwice(t *testing.T) {
	one := object{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 88}
	newBox(t).refuses(config(sleeper...).with("rlimits", []object{one, one}), "/process/rlimits/1")
}

func TestRule070UnknownCapabilityIsAWarning(t *testing.T) {
	b := newBox(t)
	got := b.run(config("/bin/sh", "-c", "exit 4").with("capabilities", object{"bounding": []string{"CAP_TIME_TRAVEL"}}))
	if os.Getuid() != 0 {
		skip(t, "needs root: a bounding set of one's own")
	}
	want(t, "exit code", got.code, 4)
	if !strings.Contains(got.stderr, "CAP_TIME_TRAVEL") {
		t.Errorf("no warning: %q", got.stderr)
	}
}

func TestRule071OOMScoreAdj(t *testing.T) {
	b := newBox(t)
	want(t, "set", b.output(config("/bin/cat", "/proc/self/oom_score_adj").with("oomScoreAdj", 777)), "777\n")
	want(t, "not set", b.output(config("/bin/cat", "/proc/self/oom_score_adj")), read(t, "/proc/self/oom_score_adj"))
}

func TestRule072SchedulerDefaults(t *testing.T) {
	b := newBox(t)
	got := b.output(config(helperPath, "helper", "attributes").with("scheduler", object{"policy": "SCHED_BATCH"}))
	if !strings.HasPrefix(got, "policy 3 nice 0 ") {
		t.Errorf("attributes: %s", got)
	}
	b.refuses(config(sleeper...).with("scheduler", object{"policy": "SCHED_FIFO"}), "/process/scheduler") // priority 0 is none
}

func TestRule073IOPriorityOfTheGroup(t *testing.T) {
	b := newBox(t)
	got := b.output(config(helperPath, "helper", "attributes").with("ioPriority", object{"class": "IOPRIO_CLASS_IDLE", "priority": 0}))
	plain := b.output(config(helperPath, "helper", "attributes"))
	if got == plain {
		t.Errorf("ioPriority changed nothing: %s", got)
	}
}

func TestRule074ExecCPUAffinityIsNotForInit(t *testing.T) {
	b := newBox(t)
	affinity := object{"initial": "0", "final": "0"}
	allowed := func(o object) string { return procStatus(b.output(o))["Cpus_allowed_list"] }
	want(t, "processors", allowed(config("/bin/cat", "/proc/self/status").with("execCPUAffinity", affinity)),
		allowed(config("/bin/cat", "/proc/self/status")))
}

func TestRule075UserOfTheContainer(t *testing.T) {
	b := newBox(t)
	want(t, "umask is the caller's", b.output(config("/bin/sh", "-c", "umask")), ownUmask(t))
	needRoot(t)
	account := user(ordinaryUID, otherUID)
	account["additionalGids"] = []uint32{7, 8}
	fields := procStatus(b.output(config("/bin/cat", "/proc/self/status").with("user", account)))
	wantFields(t, fields, map[string]string{"Uid": fmt.Sprint(ordinaryUID, ordinaryUID, ordinaryUID, ordinaryUID),
		"Gid": fmt.Sprint(otherUID, otherUID, otherUID, otherUID), "Groups": "7 8"})
}

func TestRule085AnnotationsAreStrings(t *testing.T) {
	b := newBox(t)
	for _, annotations := range []object{{"": "x"}, {"a": 1}, {"a": nil}} {
		whole := config(sleeper...)
		whole["annotations"] = annotations
		b.refuses(whole, "/annotations")
	}
	whole := config(sleeper...)
	whole["annotations"] = object{"a": ""}
	b.accepts(whole)
}

func TestRule086UnknownAnnotations(t *testing.T) {
	whole := config(sleeper...)
	whole["annotations"] = object{"nobody.knows": "this"}
	newBox(t).accepts(whole)
}

// None of them changes what the program is: org.opencontainers.image.stopSignal is for whoever stops it.
func TestRule087AnnotationsOfTheSpecification(t *testing.T) {
	b := newBox(t)
	plain := procStatus(b.output(config("/bin/cat", "/proc/self/status")))
	whole := config("/bin/cat", "/proc/self/status")
	whole["annotations"] = object{"org.opencontainers.image.os": "linux", "org.opencontainers.image.stopSignal": "SIGKILL"}
	wantFields(t, procStatus(b.output(whole)), map[string]string{"Uid": plain["Uid"], "CapEff": plain["CapEff"], "SigIgn": plain["SigIgn"]})
}
