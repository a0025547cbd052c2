package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// ordinaryBox is called by an ordinary user: ourselves, or one that root becomes.
func ordinaryBox(t *testing.T) *box {
	t.Helper()
	b := newBox(t)
	if os.Getuid() == 0 {
		b.asUser(ordinaryUID)
	}
	return b
}

func (b *box) callerUID() uint32 {
	if b.credential != nil {
		return b.credential.Uid
	}
	return uint32(os.Getuid())
}

// Containers without any set-up: no root, no set-uid helper, no subordinate ids.
func TestOrdinaryUser(t *testing.T) {
	t.Parallel()
	b := ordinaryBox(t)
	got := statusOf(b, config(readStatus...))
	wantFields(t, got, map[string]string{"Uid": four(b.callerUID()), "CapPrm": noCapabilities, "CapEff": noCapabilities})
	pid := b.create("c", config("/bin/sh", "-c", "exit 6"))
	b.wantStatus("c", "created")
	b.ok("start", "c")
	b.waitStopped("c")
	b.ok("delete", "c")
	want(t, "exit code", reap(t, pid).ExitStatus(), 6)
	info, err := os.Stat(b.root)
	check(t, err)
	want(t, "mode of the state directory", info.Mode().Perm(), os.FileMode(0o700))
}

func TestOrdinaryUserKillsAndDeletes(t *testing.T) {
	t.Parallel()
	b := ordinaryBox(t)
	pid := b.create("c", config(forever...))
	b.ok("start", "c")
	b.ok("kill", "--all", "c", "TERM")
	reap(t, pid)
	b.ok("delete", "c")
	pid = b.create("d", config(forever...))
	b.ok("delete", "--force", "d")
	reap(t, pid)
	want(t, "containers", b.ok("list", "-q"), "")
}

// One's own ids in the config need no privilege either.
func TestOwnIDsNeedNoPrivilege(t *testing.T) {
	t.Parallel()
	b := ordinaryBox(t)
	uid := b.callerUID()
	got := b.run(config(readStatus...).with("user", user(uid, uid)))
	if os.Getuid() == 0 { // then the caller's groups are empty, and there is nothing to warn of
		want(t, "stderr", got.stderr, "")
	}
	want(t, "exit code", got.code, 0)
	wantFields(t, procStatus(got.stdout), map[string]string{"Uid": four(uid), "Gid": four(uid)})
}

// Another's ids do, and the error says what is missing and what helps.
func TestOtherIDsNeedPrivilege(t *testing.T) {
	t.Parallel()
	b := ordinaryBox(t)
	own := b.callerUID()
	for _, one := range []struct {
		identity object
		wanted   []string
	}{
		{user(0, 0), phrases("/process/user/uid", "CAP_SETUID", "run as root or leave out /process/user")},
		{user(own+1, own), phrases("/process/user/uid", "CAP_SETUID", "run as root or leave out /process/user")},
		{user(own, own+1), phrases("/process/user/gid", "CAP_SETGID", "run as root or leave out /process/user")},
		{object{"uid": own, "gid": own, "additionalGids": []uint32{0}},
			phrases("/process/user/additionalGids", "CAP_SETGID", "run as root or leave out /process/user")},
	} {
		b.write(config("true").with("user", one.identity))
		for _, command := range []string{"create", "run"} {
			wantNoReservedPhrase(t, b.fails(one.wanted, command, "-b", b.bundle, "c"))
		}
	}
	want(t, "containers", b.ok("list", "-q"), "")
}

// Capabilities that the caller lacks cannot be granted.
func TestCapabilitiesNeedPrivilege(t *testing.T) {
	t.Parallel()
	b := ordinaryBox(t)
	names := []string{"CAP_NET_ADMIN"}
	b.write(config("true").with("capabilities", object{"bounding": names, "permitted": names, "effective": names}))
	b.fails(phrases("/process/capabilities"), "run", "-b", b.bundle, "c")
}

// Root's state directory is closed to others; theirs is not theirs to open.
func TestUsersDoNotSeeEachOthersContainers(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBox(t)
	pid := b.create("c", config(forever...))
	b.credential = nil
	b.wrapper = []string{"setpriv", "--reuid", fmt.Sprint(otherUID), "--regid", fmt.Sprint(otherUID), "--clear-groups"}
	for _, words := range [][]string{{"state", "c"}, {"kill", "c", "KILL"}, {"delete", "c"}, {"list"},
		{"delete", "--force", "c"}} {
		b.fails(nil, words...)
	}
	b.wrapper = nil
	b.wantStatus("c", "created")
	want(t, "pid", b.state("c").Pid, pid)
}

// The working directory is entered as the target user.
func TestWorkingDirectoryOfTheTargetUser(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBox(t)
	closed := filepath.Join(b.dir, "closed")
	check(t, os.Mkdir(closed, 0o700))
	b.write(config("true").with("user", user(ordinaryUID, ordinaryUID)).with("cwd", closed))
	wanted := phrases("/process/cwd", "closed", fmt.Sprint("uid ", ordinaryUID), "0700")
	message := b.fails(wanted, "run", "-b", b.bundle, "c")
	wantNoReservedPhrase(t, message)
	check(t, os.Chown(closed, ordinaryUID, 0))
	want(t, "for its owner", b.output(config("/bin/pwd").with("user", user(ordinaryUID, ordinaryUID)).with("cwd", closed)),
		closed+"\n")
}

// And the program is looked up as that user.
func TestProgramOfTheTargetUser(t *testing.T) {
	t.Parallel()
	needRoot(t)
	b := newBox(t)
	program := b.file("program", "#!/bin/sh\necho ran\n", 0o700)
	b.write(config(program).with("user", user(ordinaryUID, ordinaryUID)))
	b.fails(phrases(`exec: "`+program+`": permission denied`), "run", "-b", b.bundle, "c")
}
