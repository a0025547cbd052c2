package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

type findings struct {
	OK       bool
	Findings []struct{ Level, Code, Pointer, Stage, Message string }
}

// check runs `check` of the box's bundle as JSON and compares its exit code with what it says.
func (b *box) check(options ...string) findings {
	b.t.Helper()
	got := b.cli(append([]string{"check", "--format", "json", "--bundle", b.bundle}, options...)...)
	want(b.t, "stderr", got.stderr, "")
	want(b.t, "lines", strings.Count(got.stdout, "\n"), 1)
	var found findings
	check(b.t, json.Unmarshal([]byte(got.stdout), &found))
	want(b.t, "exit code 0", got.code == 0, found.OK)
	errors := 0
	for _, finding := range found.Findings {
		if finding.Level == "error" {
			errors++
		}
	}
	want(b.t, "ok", found.OK, errors == 0)
	return found
}

func TestCheckOfWhatRuns(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("true").with("noNewPrivileges", true))
	want(t, "text", b.ok("check", "--bundle", b.bundle), "")
	want(t, "json", b.ok("check", "--bundle", b.bundle, "--format", "json"), `{"ok":true,"findings":[]}`+"\n")
	want(t, "state directory", exists(b.root), false)
	b.output(config("true").with("noNewPrivileges", true))
}

// All of what is wrong, one finding a line.
func TestCheckFindsEverything(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	wrong := config("no-such-program").with("capabilites", object{}).with("cwd", "/")
	wrong["hostnam"] = "x"
	b.write(wrong)
	got := b.cli("check", "--bundle", b.bundle)
	want(t, "exit code", got.code, 1)
	want(t, "stderr", got.stderr, "")
	lines := strings.Split(got.stdout, "\n")
	wanted := []string{
		`warning: /hostnam: unknown property "hostnam"; did you mean "hostname"?`,
		`warning: /process/capabilites: unknown property "capabilites"; did you mean "capabilities"?`,
		`error: exec: "no-such-program": executable file not found in $PATH`,
	}
	for i, line := range lines[:len(lines)-1] {
		if i < len(wanted) {
			want(t, "line", line, wanted[i])
		} else if !strings.HasPrefix(line, "note: ") {
			t.Errorf("one more finding: %s", line)
		}
	}
	b.write(config().with("cwd", "x").with("oomScoreAdj", 5000).with("rlimits", []object{rlimit("RLIMIT_X", 2, 1)}))
	var pointers []string
	for _, finding := range b.check().Findings {
		want(t, "level", finding.Level, "error")
		want(t, "code", finding.Code, "REAPER_ERR_INVALID")
		want(t, "stage", finding.Stage, "config")
		pointers = append(pointers, finding.Pointer)
	}
	want(t, "pointers", pointers, []string{"/process/args", "/process/cwd", "/process/rlimits/0/type",
		"/process/rlimits/0/soft", "/process/oomScoreAdj"})
}

// What create records and state shows, run prints and --strict refuses; in every command.
func TestStrictIsTheSameEverywhere(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("true").with("capabilites", object{}).with("noNewPrivileges", true))
	found := b.check()
	want(t, "ok", found.OK, true)
	want(t, "level", found.Findings[0].Level, "warning")
	found = b.check("--strict")
	want(t, "strict ok", found.OK, false)
	want(t, "level", found.Findings[0].Level, "error")
	message := "reaper-runtime: %: " + found.Findings[0].Message + "\n"
	for command, words := range map[string][]string{"plan": {"plan"}, "create": {"create", "c"}, "run": {"run", "c"}} {
		line := b.fails(phrases("/process/capabilites", `did you mean "capabilities"?`),
			append(words, "--strict", "--bundle", b.bundle)...)
		want(t, "message", line, strings.Replace(message, "%", command, 1))
	}
	b.ok("create", "--bundle", b.bundle, "c")
	var state struct {
		Reaper struct {
			Warnings []struct{ Pointer, Message string }
		}
	}
	check(t, json.Unmarshal([]byte(b.ok("state", "c")), &state))
	want(t, "warnings", len(state.Reaper.Warnings), 1)
	want(t, "pointer", state.Reaper.Warnings[0].Pointer, "/process/capabilites")
	want(t, "message", state.Reaper.Warnings[0].Pointer+": "+state.Reaper.Warnings[0].Message, found.Findings[0].Message)
}

// The config file itself.
func TestCheckOfAConfigThatIsNone(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	path := filepath.Join(b.bundle, configName)
	wantFirst := func(code, words string) {
		t.Helper()
		found := b.check()
		want(t, "ok", found.OK, false)
		want(t, "code", found.Findings[0].Code, code)
		if !strings.Contains(found.Findings[0].Message, words) {
			t.Errorf("%q lacks %q", found.Findings[0].Message, words)
		}
	}
	wantFirst("REAPER_ERR_NOT_FOUND", "it is missing")
	check(t, syscall.Mkfifo(path, 0o644))
	wantFirst("REAPER_ERR_INVALID", "is not a regular file")
	check(t, os.Remove(path))
	b.writeText("{\n  \"ociVersion\": 1.2.3\n}")
	wantFirst("REAPER_ERR_INVALID", "config.json:2:20: ")
	check(t, os.Truncate(path, 16<<20+1))
	wantFirst("REAPER_ERR_INVALID", "is larger than 16 MiB")
	check(t, os.Remove(path))
}

type checkCase struct {
	what   string
	config object
}

// Every mistake here is one that create or start makes too: check says the same, with the same pointer, before.
func checkCases(b *box) []checkCase {
	b.file("data", "no program", 0o755)
	b.file("plain", "#!/bin/sh\n", 0o644)
	b.file("script", "#!/no/such/interpreter\n", 0o755)
	at := func(name string) string { return filepath.Join(b.dir, name) }
	version := config("true")
	version["ociVersion"] = "2.0.0"
	host := config("true")
	host["hostname"] = "x"
	namespaced := config("true")
	namespaced["linux"] = object{"namespaces": []object{{"type": "pid"}}}
	hooked := func(kind, path string) object {
		config := config("true")
		config["hooks"] = object{kind: []object{{"path": path}}}
		return config
	}
	return []checkCase{
		{"runs", config("true")},
		{"hook", hooked("createRuntime", at("nothing"))},
		{"hook's mode", hooked("prestart", at("plain"))},
		{"hook of start", hooked("startContainer", at("nothing"))},
		{"hook after start", hooked("poststart", at("nothing"))},
		{"hook at the end", hooked("poststop", at("nothing"))},
		{"version", version},
		{"hostname", host},
		{"namespace", namespaced},
		{"cwd", config("true").with("cwd", at("nothing/below"))},
		{"cwd is a file", config("true").with("cwd", at("plain"))},
		{"program", config("no-such-program")},
		{"path", config(at("nothing"))},
		{"mode", config(at("plain"))},
		{"format", config(at("data"))},
		{"interpreter", config(at("script"))},
		{"env", config("true").with("env", []string{"A"})},
		{"uid", config("true").with("user", object{"uid": -1, "gid": 0})},
		{"to root", config("true").with("user", user(0, 0))},
		{"to another", config("true").with("user", user(otherUID, otherUID))},
		{"groups", config("true").with("user", object{"uid": ordinaryUID, "gid": ordinaryUID,
			"additionalGids": []uint32{4}})},
		{"bounding", config("true").with("capabilities", object{"bounding": []string{}})},
		{"ambient", config("true").with("capabilities", object{"ambient": []string{"CAP_KILL"}})},
		{"rlimit", config("true").with("rlimits", []object{rlimit("RLIMIT_NPROC", 1<<40, 1<<40)})},
		{"oom", config("true").with("oomScoreAdj", -1000)},
		{"no more", config("true").with("noNewPrivileges", true).with("oomScoreAdj", 1000)},
	}
}

func TestCheckAgreesWithCreateAndStart(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	agrees(t, b)
}

// The same for a caller who may do little.
func TestCheckAgreesForAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.asUser(ordinaryUID)
	agrees(t, b)
}

func agrees(t *testing.T, b *box) {
	t.Helper()
	for _, row := range checkCases(b) {
		b.write(row.config)
		found := b.check()
		got := b.cli("create", "--bundle", b.bundle, "c")
		if got.code == 0 {
			got = b.cli("start", "c")
			want(t, "delete", b.cli("delete", "--force", "c").code, 0) // it may warn of a poststop hook
		}
		if found.OK != (got.code == 0) {
			t.Errorf("%s: check says %v, and then: %q", row.what, found.Findings, got.stderr)
			continue
		}
		if found.OK {
			continue
		}
		// "reaper-runtime: create: MESSAGE"; check may say more of an interpreter.
		message := strings.TrimSuffix(strings.SplitN(got.stderr, ": ", 3)[2], "\n")
		for _, finding := range found.Findings {
			if finding.Level != "error" {
				continue
			}
			if !strings.HasPrefix(finding.Message, message) {
				t.Errorf("%s: check says %q, and then: %q", row.what, finding.Message, message)
			}
			break
		}
	}
}

// Whether this user may make the cgroup is looked at, and none is made.
func TestCheckOfCgroups(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	if os.Getuid() == 0 {
		b.asUser(ordinaryUID)
	}
	asks := config("true")
	asks["linux"] = object{"cgroupsPath": "/reaper-" + filepath.Base(b.dir)}
	b.write(asks)
	found := b.check()
	got := b.cli("create", "--bundle", b.bundle, "c")
	want(t, "the same", found.OK, got.code == 0)
	for _, finding := range found.Findings {
		if finding.Level == "error" {
			want(t, "pointer", finding.Pointer, "/linux/cgroupsPath")
			want(t, "message", "reaper-runtime: create: "+finding.Message+"\n", got.stderr)
		}
	}
}

// Only one of the bundle's mistakes is the caller's: check tells which for whom.
func TestCheckTellsWhatThisUserLacks(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.asUser(ordinaryUID)
	b.write(config("true").with("user", object{"uid": 0, "gid": 0, "additionalGids": []uint32{0}}).
		with("capabilities", object{}))
	var text []string
	for _, finding := range b.check().Findings {
		text = append(text, finding.Code+" "+finding.Pointer)
	}
	want(t, "findings", strings.Join(text, "\n"), strings.Join([]string{
		"REAPER_ERR_PERMISSION /process/user/uid", "REAPER_ERR_PERMISSION /process/user/gid",
		"REAPER_ERR_PERMISSION /process/user/additionalGids", "REAPER_ERR_PERMISSION /process/capabilities/bounding",
	}, "\n"))
}
