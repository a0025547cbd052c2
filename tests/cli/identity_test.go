package cli

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

var readStatus = []string{"/bin/cat", "/proc/self/status"}

func statusOf(b *box, config object) map[string]string {
	b.t.Helper()
	return procStatus(b.output(config))
}

func four(id uint32) string { return strings.TrimSpace(strings.Repeat(fmt.Sprint(id)+" ", 4)) }

func mask(bits ...uint) string {
	var value uint64
	for _, bit := range bits {
		value |= 1 << bit
	}
	return fmt.Sprintf("%016x", value)
}

const noCapabilities = "0000000000000000"

func TestUserAndGroupSwitch(t *testing.T) {
	t.Parallel()
	needRoot(t)
	got := statusOf(newBox(t), config(readStatus...).with("user", user(ordinaryUID, otherUID)))
	wantFields(t, got, map[string]string{"Uid": four(ordinaryUID), "Gid": four(otherUID), "Groups": "",
		"CapInh": noCapabilities, "CapPrm": noCapabilities, "CapEff": noCapabilities, "CapAmb": noCapabilities})
}

// The largest id that is one: the next means "leave unchanged" to the kernel.
func TestLargestID(t *testing.T) {
	t.Parallel()
	needRoot(t)
	got := statusOf(newBox(t), config(readStatus...).with("user", user(4294967294, 4294967294)))
	wantFields(t, got, map[string]string{"Uid": four(4294967294), "Gid": four(4294967294)})
}

// Ids that have been root in other runtimes are refused by their pointer.
func TestHostileIDsAreRefused(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, id := range []string{"-1", "4294967295", "4294967296", "18446744073709551616", "1e3", "1.0", `"0"`, "null"} {
		for _, field := range []string{"uid", "gid"} {
			ids := map[string]string{"uid": "1", "gid": "1", field: id}
			b.writeText(fmt.Sprintf(`{"ociVersion":"1.3.0","process":{"args":["id"],"cwd":"/","user":{"uid":%s,"gid":%s}}}`,
				ids["uid"], ids["gid"]))
			b.fails(phrases("/process/user/"+field), "run", "-b", b.bundle, "c")
		}
		b.writeText(fmt.Sprintf(`{"ociVersion":"1.3.0","process":{"args":["id"],"cwd":"/",`+
			`"user":{"uid":1,"gid":1,"additionalGids":[1,%s]}}}`, id))
		b.fails(phrases("/process/user/additionalGids/1"), "run", "-b", b.bundle, "c")
	}
}

// The supplementary groups are additionalGids and no others: not the caller's, and not the primary gid.
func TestGroupsAreExactlyAdditionalGids(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBox(t)
	for _, one := range []struct {
		given  interface{}
		wanted string
	}{
		{[]uint32{7, 4, 4294967294}, "4 7 4294967294"}, {[]uint32{}, ""}, {nil, ""},
		{[]uint32{otherUID}, fmt.Sprint(otherUID)},
	} {
		user := user(ordinaryUID, otherUID)
		if one.given != nil {
			user["additionalGids"] = one.given
		}
		b.wrapper = []string{"setpriv", "--groups", "11,12"}
		wantFields(t, statusOf(b, config(readStatus...).with("user", user)), map[string]string{"Groups": one.wanted})
	}
}

func TestUmask(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	identity := user(uint32(os.Getuid()), uint32(os.Getgid()))
	if os.Getuid() == 0 {
		identity["additionalGids"] = []uint32{}
	}
	identity["umask"] = 22 // decimal: JSON knows no other
	got := procStatus(b.run(config(readStatus...).with("user", identity)).stdout)
	wantFields(t, got, map[string]string{"Umask": "0026"})
}

// Without one, the caller's stays.
func TestUmaskIsInherited(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config(readStatus...))
	b.wrapper = []string{"/bin/sh", "-c", `umask 037; exec "$@"`, "sh"}
	wantFields(t, procStatus(b.ok("run", "-b", b.bundle, "c")), map[string]string{"Umask": "0037"})
}

// No `user`: the caller's identity, and no privilege is needed for it.
func TestSameIdentity(t *testing.T) {
	t.Parallel()
	got := statusOf(newBox(t), config(readStatus...))
	wanted := map[string]string{}
	own := ownStatus(t)
	for _, name := range []string{"Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb", "NoNewPrivs"} {
		wanted[name] = own[name]
	}
	wantFields(t, got, wanted)
}

func TestRootKeepsItsCapabilities(t *testing.T) {
	t.Parallel()
	needRoot(t)
	got := statusOf(newBox(t), config(readStatus...).with("user", user(0, 0)))
	own := ownStatus(t)
	wantFields(t, got, map[string]string{"Uid": four(0), "Gid": four(0), "CapPrm": own["CapPrm"], "CapEff": own["CapEff"],
		"CapInh": noCapabilities, "CapAmb": noCapabilities})
}

const (
	capChown, capKill, capSetgid, capSetuid, capNetBindService, capSysAdmin, capSysResource = 0, 5, 6, 7, 10, 21, 24
)

// Five sets, five different contents: each arrives as given. For root, execve would fill permitted by the kernel's
// rules, so this is an ordinary uid, where ambient is what survives.
func TestCapabilitySets(t *testing.T) {
	t.Parallel()
	needRoot(t)
	sets := object{
		"bounding":    []string{"CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"},
		"permitted":   []string{"CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_CHOWN"},
		"effective":   []string{"CAP_KILL"},
		"inheritable": []string{"CAP_NET_BIND_SERVICE", "CAP_CHOWN"},
		"ambient":     []string{"CAP_NET_BIND_SERVICE"},
	}
	got := statusOf(newBox(t), config(readStatus...).with("user", user(ordinaryUID, ordinaryUID)).
		with("capabilities", sets))
	wantFields(t, got, map[string]string{
		"CapBnd": mask(capChown, capKill, capNetBindService),
		"CapInh": mask(capChown, capNetBindService),
		"CapAmb": mask(capNetBindService),
		"CapPrm": mask(capNetBindService), // execve(2): ambient, for a file without capabilities
		"CapEff": mask(capNetBindService),
	})
}

// Sets that are not named are empty, and root without capabilities is nobody in particular.
func TestEmptyCapabilities(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBox(t)
	got := statusOf(b, config(readStatus...).with("user", user(0, 0)).with("capabilities", object{}))
	wantFields(t, got, map[string]string{"Uid": four(0), "CapBnd": noCapabilities, "CapPrm": noCapabilities,
		"CapEff": noCapabilities, "CapInh": noCapabilities, "CapAmb": noCapabilities})
}

// Root with a bounding set: execve gives permitted and effective what bounding allows.
func TestRootWithBoundingSet(t *testing.T) {
	t.Parallel()
	needRoot(t)
	names := []string{"CAP_CHOWN", "CAP_SETUID"}
	sets := object{"bounding": names, "permitted": names, "effective": names}
	got := statusOf(newBox(t), config(readStatus...).with("user", user(0, 0)).with("capabilities", sets))
	wanted := mask(capChown, capSetuid)
	wantFields(t, got, map[string]string{"CapBnd": wanted, "CapPrm": wanted, "CapEff": wanted, "CapInh": noCapabilities})
}

func TestUnknownCapability(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	names := []string{"CAP_NO_SUCH"}
	b.write(config("true").with("capabilities", object{"bounding": names, "permitted": names}))
	b.fails(phrases("/process/capabilities", "CAP_NO_SUCH"), "run", "--strict", "-b", b.bundle, "c")
	if os.Getuid() == 0 { // without privilege the bounding set cannot be emptied
		got := b.cli("run", "-b", b.bundle, "c")
		want(t, "exit code", got.code, 0)
		if !strings.Contains(got.stderr, "warning: ") || !strings.Contains(got.stderr, "CAP_NO_SUCH") {
			t.Errorf("no warning on stderr of run: %q", got.stderr)
		}
	}
}

// Ambient capabilities are what an ordinary user's program needs to take a low port.
func TestLowPortByAmbientCapability(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBox(t)
	b.wrapper = []string{"unshare", "-n"}
	names := []string{"CAP_NET_BIND_SERVICE"}
	bind := config(helperPath, "helper", "bind", "80").with("user", user(ordinaryUID, ordinaryUID))
	refused := b.run(bind)
	if refused.code == 0 {
		t.Errorf("port 80 without the capability: %q", refused.stdout)
	}
	bind.with("capabilities", object{"bounding": names, "permitted": names, "effective": names, "inheritable": names,
		"ambient": names})
	got := b.run(bind)
	if got.code != 0 || !strings.HasPrefix(got.stdout, "bound ") {
		t.Errorf("exit code %d, stdout %q, stderr %q", got.code, got.stdout, got.stderr)
	}
}

func TestNoNewPrivileges(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for given, wanted := range map[bool]string{true: "1", false: ownStatus(t)["NoNewPrivs"]} {
		got := statusOf(b, config(readStatus...).with("noNewPrivileges", given))
		wantFields(t, got, map[string]string{"NoNewPrivs": wanted})
	}
}

// A set-uid program wins nothing back with noNewPrivileges, and is the control for it without.
func TestSetUIDProgram(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBox(t)
	cat := b.file("cat", read(t, "/bin/cat"), 0o755)
	check(t, os.Chmod(cat, 0o4755|os.ModeSetuid))
	for given, wanted := range map[bool]string{true: strconv.Itoa(ordinaryUID), false: "0"} {
		got := statusOf(b, config(cat, "/proc/self/status").with("user", user(ordinaryUID, ordinaryUID)).
			with("noNewPrivileges", given))
		want(t, fmt.Sprintf("effective uid with noNewPrivileges %v", given), strings.Fields(got["Uid"])[1], wanted)
	}
}

// The caller's capabilities travel through one more exec than a fork would have. What the program gets is what a plain
// exec of the caller would have given it.
func TestCallersSetsAreRestored(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBox(t)
	b.asUser(ordinaryUID)
	b.credential = nil // setpriv changes the uid
	b.wrapper = []string{"setpriv", "--reuid", fmt.Sprint(ordinaryUID), "--regid", fmt.Sprint(ordinaryUID),
		"--clear-groups", "--inh-caps=+kill", "--ambient-caps=+kill"}
	got := statusOf(b, config(readStatus...))
	wantFields(t, got, map[string]string{"CapInh": mask(capKill), "CapAmb": mask(capKill), "CapPrm": mask(capKill)})
}

// Annotations are data: no key changes ids or capabilities.
func TestAnnotationsChangeNoPrivileges(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	plain := statusOf(b, config(readStatus...))
	annotated := config(readStatus...)
	annotated["annotations"] = object{"run.oci.keep_original_groups": "1", "org.opencontainers.uid": "0",
		"io.kubernetes.cri-o.userns-mode": "auto", "reaper.uid": "0", "uid": "0", "privileged": "true"}
	got := statusOf(b, annotated)
	for _, name := range []string{"Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb", "NoNewPrivs"} {
		want(t, name, got[name], plain[name])
	}
}
