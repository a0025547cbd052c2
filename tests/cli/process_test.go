package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEcho(t *testing.T) {
	t.Parallel()
	want(t, "stdout", newBox(t).output(config("echo", "hello from a container")), "hello from a container\n")
}

// Arguments arrive as they are: spaces, quotes, empty ones, bytes above ASCII.
func TestArgumentsAreVerbatim(t *testing.T) {
	t.Parallel()
	got := newBox(t).output(config("printf", "<%s>\n", "a b", "", "'\"$HOME`", "é\t€", "-x", "--"))
	want(t, "stdout", got, "<a b>\n<>\n<'\"$HOME`>\n<é\t€>\n<-x>\n<-->\n")
}

func TestShellScript(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.file("input", "3\n1\n2\n", 0o644)
	got := b.output(config("/bin/sh", "-c", "sort input | while read n; do printf '%s.' $n; done").with("cwd", b.dir))
	want(t, "stdout", got, "1.2.3.")
}

// A script with a #! line is executed by its path.
func TestScriptWithInterpreterLine(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	script := b.file("script", "#!/bin/sh\necho \"$0 $1\"\nexit 3\n", 0o755)
	got := b.run(config(script, "x"))
	want(t, "stdout", got.stdout, script+" x\n")
	want(t, "exit code", got.code, 3)
}

func TestFailingProgram(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	got := b.run(config("false"))
	want(t, "exit code", got.code, 1)
	want(t, "stderr", got.stderr, "")
	want(t, "stdout", got.stdout, "")
}

// args[0] is looked up in the PATH of process.env, not in the caller's.
func TestProgramIsFoundByProcessEnv(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, name := range []string{"first", "second"} {
		check(t, os.Mkdir(filepath.Join(b.dir, name), 0o755))
	}
	b.file("first/tool", "not executable", 0o644)
	b.file("second/tool", "#!/bin/sh\necho second\n", 0o755)
	path := "PATH=" + filepath.Join(b.dir, "first") + ":" + filepath.Join(b.dir, "second")
	want(t, "stdout", b.output(config("tool").with("env", []string{path})), "second\n")
	b.env = []string{path}
	b.write(config("tool"))
	b.fails(phrases(`exec: "tool": executable file not found in $PATH`), "run", "-b", b.bundle, "c")
}

func TestWorkingDirectory(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	directory := filepath.Join(b.dir, "with space")
	check(t, os.Mkdir(directory, 0o755))
	want(t, "pwd", b.output(config("/bin/pwd").with("cwd", directory)), directory+"\n")
}

// A missing cwd names the component and never says what callers take for a missing program.
func TestMissingWorkingDirectory(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("true").with("cwd", filepath.Join(b.dir, "no/such")))
	wanted := phrases("/process/cwd", "ENOENT", filepath.Join(b.dir, "no")+`" is missing`)
	message := b.fails(wanted, "run", "-b", b.bundle, "c")
	wantNoReservedPhrase(t, message)
}

// A path that execve refuses is answered with the words that docker, podman and conmon map to 126 and 127.
func TestExecErrors(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	plain := b.file("plain", "text", 0o644)
	missing := filepath.Join(b.dir, "missing")
	cases := []struct{ program, phrase string }{
		{"no-such-program", `exec: "no-such-program": executable file not found in $PATH`},
		{plain, `exec: "` + plain + `": permission denied`},
		{b.dir, `exec: "` + b.dir + `": permission denied`},
		{missing, `exec "` + missing + `": no such file or directory`},
		{plain + "/below", "ENOTDIR"},
	}
	for _, one := range cases {
		b.write(config(one.program))
		b.fails(phrases(one.phrase), "run", "-b", b.bundle, "c")
		b.fails(phrases(one.phrase), "create", "-b", b.bundle, "c")
		want(t, "containers left", b.ok("list", "-q"), "")
	}
}

// What only execve itself can find: a file that no kernel runs, and an interpreter that is missing.
func TestExecFailsAtStart(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	garbage := b.file("garbage", "\x01\x02 no program", 0o755)
	orphan := b.file("orphan", "#!/no/such/interpreter\n", 0o755)
	b.write(config(garbage))
	b.fails(phrases(`exec: "`+garbage+`"`, "ENOEXEC"), "run", "-b", b.bundle, "c")
	b.write(config(orphan))
	b.fails(phrases(`exec "`+orphan+`": no such file or directory`), "run", "-b", b.bundle, "c")
	want(t, "containers left", b.ok("list", "-q"), "")
}

// A start that fails leaves a stopped container that can be deleted.
func TestFailedStartLeavesStopped(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.create("c", config(b.file("orphan", "#!/no/such/interpreter\n", 0o755)))
	b.fails(phrases("no such file or directory"), "start", "c")
	b.wantStatus("c", "stopped")
	b.ok("delete", "c")
}

var reservedPhrases = []string{"no such file or directory", "permission denied", "executable file not found",
	"does not exist", "container not running", "no such process", "already finished", "already exists"}

// Callers lower-case what we say and search it for these, so they must mean one thing each.
func wantNoReservedPhrase(t *testing.T, message string) {
	t.Helper()
	for _, phrase := range reservedPhrases {
		if strings.Contains(strings.ToLower(message), phrase) {
			t.Errorf("%q holds the reserved phrase %q", message, phrase)
		}
	}
}
