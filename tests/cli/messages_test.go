package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// logEntry is what engines unmarshal: these three members and no others.
type logEntry struct {
	Level string    `json:"level"`
	Msg   string    `json:"msg"`
	Time  time.Time `json:"time"`
}

func entries(t *testing.T, text string) []logEntry {
	t.Helper()
	var all []logEntry
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if line == "" {
			continue
		}
		var entry logEntry
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		check(t, decoder.Decode(&entry))
		all = append(all, entry)
	}
	return all
}

// podman unmarshals the whole file: one object, only on error.
func TestJSONLogOfAnError(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	log := filepath.Join(b.dir, "log.json")
	b.globals = []string{"--log", log, "--log-format", "json"}
	b.write(config("no-such-program"))
	message := b.fails(phrases("executable file not found"), "create", "-b", b.bundle, "c")
	text := read(t, log)
	var whole logEntry
	check(t, json.Unmarshal([]byte(text), &whole))
	want(t, "level", whole.Level, "error")
	want(t, "msg", whole.Msg+"\n", message) // the same line in both places
	if age := time.Since(whole.Time); age < 0 || age > time.Hour {
		t.Errorf("time is %v", whole.Time)
	}
	if !regexp.MustCompile(`"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"`).MatchString(text) {
		t.Errorf("time is not UTC with nanoseconds and Z: %s", text)
	}
}

// It is made even if nothing is ever said: containerd opens it without looking.
func TestLogIsMadeAndStaysEmptyOnSuccess(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	log := filepath.Join(b.dir, "log.json")
	b.globals = []string{"--log=" + log, "--log-format=json"}
	b.write(config("/bin/sh", "-c", "exit 3").with("unknownThing", 1)) // a warning is no error
	for _, words := range [][]string{{"create", "-b", b.bundle, "c"}, {"start", "c"}, {"state", "c"},
		{"delete", "--force", "c"}, {"run", "-b", b.bundle, "r"}, {"list"}, {"features"}, {"delete", "--force", "none"}} {
		check(t, os.RemoveAll(log))
		b.cli(words...)
		want(t, strings.Join(words, " "), read(t, log), "")
	}
}

// Appended to, never truncated; the last entry is the latest.
func TestLogIsAppendedTo(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	earlier := `{"level":"info","msg":"of another writer","time":"2026-01-02T03:04:05Z"}` + "\n"
	log := b.file("log.json", earlier, 0o600)
	b.globals = []string{"--log", log, "--log-format", "json"}
	b.fails(nil, "state", "one")
	b.fails(nil, "state", "two")
	all := entries(t, read(t, log))
	want(t, "entries", len(all), 3)
	want(t, "first", all[0].Msg, "of another writer")
	want(t, "last", all[2].Msg, `reaper-runtime: state: container "two" does not exist`)
}

// Whatever an argument holds, the log is JSON and stderr is one line.
func TestHostileTextInMessages(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	log := filepath.Join(b.dir, "log.json")
	b.globals = []string{"--log", log, "--log-format", "json"}
	for _, word := range []string{"a\nb", "a\"b\\", "a\x1b[31mb", "\xff\xfe", "a\x7f\x01", "\u2028é€😀",
		"{\"level\":\"error\"}"} {
		check(t, os.RemoveAll(log))
		b.fails(nil, "kill", "--", "c", word)
		text := read(t, log)
		want(t, "entries", len(entries(t, text)), 1)
		if bytes.ContainsAny([]byte(text[:len(text)-1]), "\n\x1b\x01\xff") {
			t.Errorf("raw bytes in the log: %q", text)
		}
	}
}

func TestTextLog(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	log := filepath.Join(b.dir, "log")
	b.globals = []string{"--log", log}
	b.fails(nil, "state", "x")
	wanted := `^time="[^"]+Z" level=error msg="reaper-runtime: state: container \\"x\\" does not exist"` + "\n$"
	if text := read(t, log); !regexp.MustCompile(wanted).MatchString(text) {
		t.Errorf("log is %q", text)
	}
}

func TestLogThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.globals = []string{"--log", filepath.Join(b.dir, "no/log")}
	wantNoReservedPhrase(t, b.fails(phrases("ENOENT", "no/log"), "list"))
}

// A FIFO that nobody reads does not hang the command, and what stands at the path of a link stays what it is.
func TestLogThatIsAFIFO(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	fifo := filepath.Join(b.dir, "fifo")
	check(t, syscall.Mkfifo(fifo, 0o666))
	b.globals = []string{"--log", fifo}
	b.fails(phrases("ENXIO", fifo), "list")
	reader, err := os.OpenFile(fifo, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	check(t, err)
	defer reader.Close()
	b.ok("list")
}

func TestLogThroughALink(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	canary := b.file("canary", "alive\n", 0o644)
	link := filepath.Join(b.dir, "log")
	check(t, os.Symlink("canary", link))
	b.globals = []string{"--log", link}
	b.fails(nil, "state", "x") // our own link: followed
	if text := read(t, canary); !strings.Contains(text, "alive\ntime=") {
		t.Errorf("the log is %q", text)
	}
	needRoot(t)
	check(t, os.Lchown(link, ordinaryUID, ordinaryUID))
	before := read(t, canary)
	b.fails(phrases("ELOOP", link), "state", "x")
	want(t, "canary", read(t, canary), before)
}

// Usage errors go the same ways, and name the nearest word.
func TestUsageErrors(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	log := filepath.Join(b.dir, "log.json")
	b.globals = []string{"--log", log, "--log-format", "json"}
	for _, one := range []struct{ phrase, line string }{
		{"did you mean create?", "craete x"}, {"did you mean --bundle?", "create --bundel /b x"},
		{"missing ID", "create"}, {"missing ID", "start"}, {"missing ID", "state"}, {"missing ID", "kill"},
		{"missing ID", "delete"}, {"missing ID", "run"}, {"missing ID", "wait"},
		{"unexpected argument", "state x y"}, {"needs a value", "create x --pid-file"},
		{"takes a number", "create --preserve-fds many x"}, {"unknown command", "checkpoint --help"},
		{"unknown command", "update --help"}, {"unknown command", "restore x"}, {"unknown option", "list --all"},
	} {
		check(t, os.RemoveAll(log))
		message := b.fails(phrases(one.phrase), strings.Fields(one.line)...)
		wantNoReservedPhrase(t, message)
		all := entries(t, read(t, log))
		want(t, "entries", len(all), 1)
		want(t, "msg", all[0].Msg+"\n", message)
	}
	b.globals = nil
	b.fails(phrases("missing command"))
}

// Options whose feature comes later are known, and refused by name before anything is done.
func TestUnsupportedOptions(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("true"))
	for _, globals := range [][]string{{"--systemd-cgroup"}, {"--cgroup-manager", "systemd"}} {
		b.globals = globals
		for _, command := range []string{"create", "run"} {
			b.fails(phrases(globals[0], "not supported"), command, "-b", b.bundle, "c")
		}
		// Their sender may clean up with them.
		b.ok("delete", "--force", "c")
		b.ok("list", "-q")
	}
	b.globals = nil
	want(t, "containers", b.ok("list", "-q"), "")
}

// What asks for nothing that this release does is accepted.
func TestHarmlessOptions(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("true"))
	b.globals = strings.Fields("--rootless=auto --cgroup-manager cgroupfs --log-level warning --systemd-cgroup=false")
	options := strings.Fields("--no-pivot --no-new-keyring --no-subreaper")
	b.ok(append(append([]string{"run", "-b", b.bundle}, options...), "c")...)
	b.ok(append(append([]string{"create", "-b", b.bundle, "-d", "--keep"}, options...), "c")...)
	b.globals = strings.Fields("--rootless true --cgroup-manager=disabled")
	b.ok("start", "c")
	b.ok("delete", "--force", "c")
}

// The forms of real callers, word by word.
func TestCallersLines(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("true"))
	log, pid := filepath.Join(b.dir, "log"), filepath.Join(b.dir, "pid")
	// containerd's go-runc
	b.globals = []string{"--log", log, "--log-format", "json"}
	b.ok("create", "--bundle", b.bundle, "--pid-file", pid, "c")
	b.ok("start", "c")
	b.waitStopped("c")
	b.ok("kill", "--all", "c", "9")
	b.ok("delete", "--force", "c")
	// conmon
	b.globals = []string{"--log-format=json", "--log=" + log}
	b.ok("create", "--bundle", b.bundle, "--pid-file", pid, "c")
	b.ok("start", "c")
	b.waitStopped("c")
	b.ok("delete", "--force", "c")
	// Slurm
	b.globals = []string{"--rootless=true"}
	b.ok("create", "c", "-b", b.bundle)
	b.ok("start", "c")
	b.waitStopped("c")
	b.ok("delete", "c", "--force")
	// buildkit
	b.globals = []string{"--log", log, "--log-format", "json"}
	b.ok("run", "--bundle", b.bundle, "--keep", "c")
	b.ok("delete", "c")
	want(t, "log", read(t, log), "")
}

// One line has the word "version": `docker info` takes the first that has it.
func TestVersion(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, word := range []string{"--version", "-v"} {
		lines := strings.Split(b.ok(word), "\n")
		want(t, "lines", len(lines), 4)
		for i, form := range []string{`^reaper-runtime version \d+\.\d+\.\d+$`, `^commit: \S+$`, `^spec: 1\.\d+\.\d+$`,
			"^$"} {
			if !regexp.MustCompile(form).MatchString(lines[i]) {
				t.Errorf("line %d is %q", i, lines[i])
			}
		}
		want(t, "lines with the word", strings.Count(strings.ToLower(strings.Join(lines, "\n")), "version"), 1)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	general := b.ok("--help")
	for _, command := range []string{"create", "start", "run", "state", "kill", "wait", "delete", "list", "plan",
		"features"} {
		if !strings.Contains(general, "\n  "+command) {
			t.Errorf("--help does not name %s", command)
		}
		text := b.ok(command, "--help")
		if !strings.HasPrefix(text, "Usage: reaper-runtime ") || !strings.Contains(text, command) {
			t.Errorf("%s --help is %q", command, text)
		}
		want(t, command+" -h", b.ok(command, "-h"), text)
	}
	want(t, "state directory", exists(b.root), false)
}

// --debug may say more, on stderr and in the log, and still one entry is the error.
func TestDebug(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	log := filepath.Join(b.dir, "log.json")
	b.globals = []string{"--debug", "--log", log, "--log-format", "json"}
	b.write(config("true").with("capabilites", object{}))
	got := b.cli("create", "-b", b.bundle, "c")
	want(t, "exit code", got.code, 0)
	want(t, "stdout", got.stdout, "")
	if !strings.Contains(got.stderr, "capabilites") {
		t.Errorf("--debug does not show the warning: %q", got.stderr)
	}
	b.cli("create", "-b", b.bundle, "c")
	levels := map[string]int{}
	for _, entry := range entries(t, read(t, log)) {
		levels[entry.Level]++
	}
	want(t, "errors", levels["error"], 1)
	if levels["warning"] == 0 {
		t.Errorf("levels in the log: %v", levels)
	}
}

// Output that nobody can take is an error, not a success.
func TestFullOutput(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	check(t, err)
	defer full.Close()
	b.stdout = full
	b.fails(phrases("stdout", "ENOSPC"), "features")
	b.fails(phrases("ENOSPC"), "list")
	b.fails(phrases("ENOSPC"), "--help")
	b.stdout = nil
}
