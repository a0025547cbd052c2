package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const keptMagic = "reaper filter 1\n"

func deniedConfig() object {
	whole := config("sh", "-c", "cd /usr 2>/dev/null && echo allowed || echo denied").with("noNewPrivileges", true)
	whole.linux()["seccomp"] = object{"defaultAction": "SCMP_ACT_ALLOW",
		"syscalls": []object{{"names": []string{"chdir"}, "action": "SCMP_ACT_ERRNO", "errnoRet": 1}}}
	return whole
}

// The kept filters of a state directory; nil: there is no place for them.
func (b *box) kept() []string {
	b.t.Helper()
	found, err := filepath.Glob(filepath.Join(b.root, ".kept", "*"))
	check(b.t, err)
	return found
}

func TestFilterIsKept(t *testing.T) {
	b := newBox(t)
	if got := b.run(deniedConfig()); strings.Contains(got.stderr, "libseccomp") {
		skip(t, "this build has no libseccomp")
	}
	run := func(wanted string) {
		t.Helper()
		got := b.run(deniedConfig())
		want(t, "stdout", got.stdout, wanted)
	}
	run("denied\n") // the state directory stands now
	want(t, "kept filters", len(b.kept()), 1)
	path := b.kept()[0]
	written, err := os.ReadFile(path)
	check(t, err)
	run("denied\n")

	// It is used: with another answer in it and a checksum that is right, the answer is that.
	changed := bytes.Replace(written[len(keptMagic)+64:], []byte{6, 0, 0, 0, 1, 0, 5, 0}, []byte{6, 0, 0, 0, 0, 0, 255, 127}, 1)
	sum := sha256.Sum256(changed)
	text := append([]byte(keptMagic+hex.EncodeToString(sum[:])), changed...)
	check(t, os.WriteFile(path, text, 0o600))
	run("allowed\n")

	// With a wrong one, or in anybody else's hands, it is made anew.
	for what, spoil := range map[string]func(){
		"a changed byte": func() { check(t, os.WriteFile(path, append(written[:len(written)-1:len(written)-1], 'x'), 0o600)) },
		"half of it":     func() { check(t, os.WriteFile(path, written[:len(written)/2], 0o600)) },
		"nothing":        func() { check(t, os.WriteFile(path, nil, 0o600)) },
		"open to others": func() { check(t, os.WriteFile(path, text, 0o600)); check(t, os.Chmod(path, 0o622)) },
		"another owner": func() {
			check(t, os.WriteFile(path, text, 0o600))
			if os.Getuid() == 0 {
				check(t, os.Chown(path, 1234, 1234))
			} else {
				check(t, os.Chmod(path, 0o640))
			}
		},
	} {
		spoil()
		run("denied\n")
		again, err := os.ReadFile(path)
		check(t, err)
		want(t, what+": written anew", bytes.Equal(again, written), true)
		status, err := os.Stat(path)
		check(t, err)
		want(t, what+": mode", status.Mode().Perm(), os.FileMode(0o600))
	}
	// It is no container.
	want(t, "list", b.ok("list", "--quiet"), "")
}

// plan and check make nothing.
func TestFilterIsNotKeptByALook(t *testing.T) {
	b := newBox(t)
	b.run(config("true")) // the state directory stands
	b.write(deniedConfig())
	for _, command := range []string{"plan", "check"} {
		b.cli(command, "--bundle", b.bundle)
		want(t, command+": kept filters", len(b.kept()), 0)
	}
}
