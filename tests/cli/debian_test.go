package cli

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// debianRoot is the root that all tests of a build share (tests/debian_root.sh).
func debianRoot(t *testing.T) string {
	t.Helper()
	needRoots(t)
	out, err := exec.Command(os.Getenv("REAPER_TEST_DATA")+"/../debian_root.sh", os.Getenv("REAPER_TEST_BUILD")).Output()
	text := strings.TrimSpace(string(out))
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.ExitCode() == 77 {
		skip(t, strings.TrimPrefix(text, "SKIP: "))
	}
	check(t, err)
	return text
}

const inDebian = `. /etc/os-release; echo $ID $VERSION_CODENAME; id -un; getent passwd daemon | cut -d: -f1,3; perl -e 'print 6*7'; echo
apt-get --version | head -n 1 | cut -d ' ' -f 1; dpkg -l bash | tail -n 1 | cut -c 1-2; dpkg --verify coreutils && echo verified
python3 -c 'import os; print(os.uname().sysname)'`

const saidInDebian = "debian bookworm\nroot\ndaemon:1\n42\napt\nii\nverified\nLinux\n"

// What `runc spec` writes, for programs of a distribution; at a terminal too.
func TestDefaultConfigInDebian(t *testing.T) {
	b := newBox(t)
	c := defaultConfig("/bin/bash", "-c", inDebian+"; echo $$ $(hostname); touch /x 2>/dev/null || echo read-only")
	c["root"] = object{"path": debianRoot(t), "readonly": true}
	want(t, "output", b.output(c), saidInDebian+"1 runc\nread-only\n")
	c = defaultConfig("/bin/bash", "-c", "tty; stat -c %F /dev/console; test -t 0 && exit 7").with("terminal", true)
	c["root"] = object{"path": debianRoot(t), "readonly": true}
	p := b.sit(c)
	p.sees("/dev/pts/0")
	p.sees("character special file")
	want(t, "exit code", p.exits(), 7)
}

// What `reaper-runtime spec` writes, with another root.
func TestOurSpecInDebian(t *testing.T) {
	b := newBox(t)
	root := debianRoot(t)
	var c object
	b.ok("spec", "--bundle", b.bundle)
	check(t, json.Unmarshal([]byte(read(t, filepath.Join(b.bundle, configName))), &c))
	c["root"] = object{"path": root, "readonly": true}
	c["mounts"] = []object{mount("/proc", "proc", "proc")}
	c["linux"] = object{"namespaces": []object{{"type": "mount"}, {"type": "pid"}}}
	got := b.output(c)
	for _, part := range []string{"Process 1 in /:\n", "Uid:\t0\t0\t0\t0\n", "NoNewPrivs:\t1\n"} {
		if !strings.Contains(got, part) {
			t.Errorf("%q is not in %q", part, got)
		}
	}
	c["process"].(map[string]interface{})["args"] = []string{"/bin/bash", "-c", inDebian}
	want(t, "output", b.output(c), saidInDebian)
}

// What people do in such a container: a user is added, a package is made and installed by apt, and both are there for a program
// of that user. What is written to lies in copies of the root's own directories; the capabilities are those that engines give.
func TestPackagesAndUsersInDebian(t *testing.T) {
	b := newBox(t)
	script := `set -e
useradd --create-home --uid 1234 tester
su tester -c 'id -un; id -u; cd; pwd; echo mine >file; stat -c %U:%a file'
mkdir -p /tmp/p/DEBIAN /tmp/p/etc
printf 'Package: probe\nVersion: 1\nArchitecture: all\nMaintainer: me <me@example.org>\nDescription: a file\n' >/tmp/p/DEBIAN/control
printf '#!/bin/sh\nchown tester /etc/probe\n' >/tmp/p/DEBIAN/postinst
chmod 755 /tmp/p/DEBIAN/postinst
echo there >/tmp/p/etc/probe
dpkg-deb --build /tmp/p /tmp/p.deb >/dev/null
apt-get install --yes --quiet=2 /tmp/p.deb >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
dpkg-query -W -f '${Package} ${Status}\n' probe
su tester -c 'cat /etc/probe; stat -c %U /etc/probe'
apt-get purge --yes --quiet=2 probe >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
test ! -e /etc/probe && echo gone`
	c := defaultConfig("/bin/bash", "-c", script)
	capabilities := []string{"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_SETGID", "CAP_SETUID", "CAP_KILL",
		"CAP_SYS_CHROOT", "CAP_AUDIT_WRITE", "CAP_SETFCAP"}
	c.with("capabilities", object{"bounding": capabilities, "effective": capabilities, "permitted": capabilities})
	c.process()["env"] = append(c.process()["env"].([]string), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8")
	c["root"] = object{"path": debianRoot(t), "readonly": true}
	for _, directory := range []string{"/etc", "/var", "/home"} {
		c["mounts"] = append(c["mounts"].([]object), mount(directory, "tmpfs", "tmpfs", "nosuid", "nodev", "tmpcopyup"))
	}
	c["mounts"] = append(c["mounts"].([]object), mount("/tmp", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=1777"))
	want(t, "output", b.output(c), "tester\n1234\n/home/tester\ntester:644\nprobe install ok installed\nthere\ntester\ngone\n")
}
