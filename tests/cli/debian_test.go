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

const inDebian = `. /etc/os-release; echo $ID $VERSION_CODENAME; id -un; getent passwd daemon | cut -d: -f1,3; perl -e 'print 6*7'; echo`

// What `runc spec` writes, for programs of a distribution; at a terminal too.
func TestDefaultConfigInDebian(t *testing.T) {
	b := newBox(t)
	c := defaultConfig("/bin/bash", "-c", inDebian+"; echo $$ $(hostname); touch /x 2>/dev/null || echo read-only")
	c["root"] = object{"path": debianRoot(t), "readonly": true}
	want(t, "output", b.output(c), "debian bookworm\nroot\ndaemon:1\n42\n1 runc\nread-only\n")
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
	want(t, "output", b.output(c), "debian bookworm\nroot\ndaemon:1\n42\n")
}
