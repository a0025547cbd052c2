package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wantSpec makes an example and runs it as it stands.
func wantSpec(t *testing.T, b *box) {
	t.Helper()
	want(t, "stdout of spec", b.ok("spec", "--bundle", b.bundle), "")
	text := read(t, filepath.Join(b.bundle, configName))
	if !json.Valid([]byte(text)) || !strings.HasPrefix(text, "{\n  \"ociVersion\": \"1.") || !strings.HasSuffix(text, "}\n") {
		t.Errorf("spec writes %s", text)
	}
	want(t, "check", b.ok("check", "--strict", "--bundle", b.bundle), "")
	got := b.cli("run", "--strict", "--bundle", b.bundle, "c")
	want(t, "exit code", got.code, 0)
	want(t, "stderr", got.stderr, "")
	wantFields(t, procStatus(got.stdout), map[string]string{"NoNewPrivs": "1"})
}

func TestSpecRunsAsItStands(t *testing.T) {
	t.Parallel()
	wantSpec(t, newBox(t))
}

func TestSpecRunsForAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.asUser(ordinaryUID)
	wantSpec(t, b)
}

func TestSpecWritesOverNothing(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.writeText("mine")
	b.fails(phrases(configName, "EEXIST"), "spec", "--bundle", b.bundle)
	want(t, "what was there", read(t, filepath.Join(b.bundle, configName)), "mine")
	check(t, os.Remove(filepath.Join(b.bundle, configName)))
	// Nor through a link, wherever it leads.
	check(t, os.Symlink(filepath.Join(b.dir, "elsewhere"), filepath.Join(b.bundle, configName)))
	b.fails(phrases("EEXIST"), "spec", "--bundle", b.bundle)
	want(t, "elsewhere", exists(filepath.Join(b.dir, "elsewhere")), false)
	check(t, os.Remove(filepath.Join(b.bundle, configName)))
	b.fails(phrases("ENOENT"), "spec", "--bundle", filepath.Join(b.dir, "nothing"))
}

// As runc has it: into the working directory, and --rootless asks for what is so anyway.
func TestSpecInTheWorkingDirectory(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.cwd = b.bundle
	b.ok("spec", "--rootless")
	want(t, "made", exists(filepath.Join(b.bundle, configName)), true)
}
