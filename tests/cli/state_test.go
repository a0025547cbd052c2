package cli

import (
	"encoding/json"
	"os"
	accounts "os/user"
	"strconv"
	"strings"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
)

// listRow is what the rows of `list --format json` have.
type listRow struct {
	ID      string `json:"id"`
	Pid     int    `json:"pid"`
	Status  string `json:"status"`
	Bundle  string `json:"bundle"`
	Created string `json:"created"`
	Owner   string `json:"owner"`
	Error   string `json:"error"`
}

func (b *box) list() []listRow {
	b.t.Helper()
	var rows []listRow
	decoder := json.NewDecoder(strings.NewReader(b.ok("list", "--format", "json")))
	decoder.DisallowUnknownFields()
	check(b.t, decoder.Decode(&rows))
	return rows
}

// wantState checks what the specification requires of a state object (runtime.md, State; schema/state-schema.json).
func wantState(t *testing.T, text string, id, status, bundle string, pid int) {
	t.Helper()
	var fields map[string]json.RawMessage
	check(t, json.Unmarshal([]byte(text), &fields))
	for _, name := range []string{"ociVersion", "id", "status", "bundle"} {
		if fields[name] == nil {
			t.Errorf("state lacks %s", name)
		}
	}
	var state struct {
		specs.State
		Created string `json:"created"`
		Reaper  struct {
			Containment, Supervision *string
			Credentials              map[string]json.RawMessage
			Exit                     json.RawMessage
			Namespaces, Warnings     *[]json.RawMessage
		} `json:"reaper"`
	}
	check(t, json.Unmarshal([]byte(text), &state))
	want(t, "ociVersion", state.Version, specs.Version)
	want(t, "id", state.ID, id)
	want(t, "status", state.Status, status)
	want(t, "bundle", state.Bundle, bundle)
	want(t, "pid", state.Pid, pid)
	created, err := time.Parse(time.RFC3339Nano, state.Created)
	check(t, err)
	if !strings.HasSuffix(state.Created, "Z") || time.Since(created) > time.Hour || time.Since(created) < 0 {
		t.Errorf("created is %q", state.Created)
	}
	if state.Reaper.Containment == nil || state.Reaper.Supervision == nil || state.Reaper.Credentials == nil ||
		state.Reaper.Namespaces == nil || state.Reaper.Warnings == nil {
		t.Errorf("the object `reaper` is not complete: %s", fields["reaper"])
	}
	want(t, "exit is there when stopped", state.Reaper.Exit != nil, status == "stopped")
}

func TestStateJSON(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("c", config("/bin/sh", "-c", "kill -STOP $$; exit 3"))
	wantState(t, b.ok("state", "c"), "c", "created", b.bundle, pid)
	b.ok("start", "c")
	wantState(t, b.ok("state", "c"), "c", "running", b.bundle, pid)
	eventually(t, "the program's stop", func() bool {
		return strings.HasPrefix(procStatus(read(t, procPath(pid, "status")))["State"], "T")
	})
	wantState(t, b.ok("state", "c"), "c", "running", b.bundle, pid)
	b.ok("kill", "c", "CONT")
	b.waitStopped("c")
	wantState(t, b.ok("state", "c"), "c", "stopped", b.bundle, 0)
	reap(t, pid)
	wantState(t, b.ok("state", "c"), "c", "stopped", b.bundle, 0)
}

func TestAnnotationsReachState(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	annotated := config("true")
	annotations := map[string]string{"org.opencontainers.image.stopSignal": "SIGINT", "empty": "", "a b/\"\\": "é\n\t€"}
	annotated["annotations"] = annotations
	b.create("c", annotated)
	want(t, "annotations", b.state("c").Annotations, annotations)
	b.create("d", config("true"))
	want(t, "annotations when there are none", len(b.state("d").Annotations), 0)
}

// How it ended stands in the state of a container that nobody has reaped yet.
func TestStateTellsTheExit(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	exit := func() map[string]interface{} {
		var state struct {
			Reaper struct{ Exit map[string]interface{} }
		}
		check(t, json.Unmarshal([]byte(b.ok("state", "c")), &state))
		return state.Reaper.Exit
	}
	pid := b.create("c", config("/bin/sh", "-c", "exit 42"))
	b.ok("start", "c")
	b.waitStopped("c")
	want(t, "exitCode", exit()["exitCode"], 42)
	reap(t, pid)
	b.ok("delete", "c")
	pid = b.create("c", config(forever...))
	b.ok("start", "c")
	b.ok("kill", "c", "9")
	b.waitStopped("c")
	want(t, "signal", exit()["signal"], 9)
	want(t, "exitCode", exit()["exitCode"], nil)
	reap(t, pid)
}

func TestStateTellsTheCredentials(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.create("c", config("true"))
	var state struct {
		Reaper struct{ Credentials struct{ UID, GID *int } }
	}
	check(t, json.Unmarshal([]byte(b.ok("state", "c")), &state))
	want(t, "uid", *state.Reaper.Credentials.UID, os.Getuid())
	want(t, "gid", *state.Reaper.Credentials.GID, os.Getgid())
}

// create records warnings and says nothing: engines parse its stderr.
func TestWarningsAreRecorded(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	misspelt := config("true").with("capabilites", object{})
	b.create("c", misspelt) // fails if anything is on stderr
	text := b.ok("state", "c")
	if !strings.Contains(text, "/process/capabilites") || !strings.Contains(text, "capabilities") {
		t.Errorf("the misspelt name is not among the warnings: %s", text)
	}
	got := b.run(config("true").with("capabilites", object{}))
	want(t, "id in use", got.code, 1)
	b.ok("delete", "--force", "c")
	got = b.run(misspelt)
	want(t, "exit code", got.code, 0)
	if !strings.HasPrefix(got.stderr, "reaper-runtime: run: warning: /process/capabilites") {
		t.Errorf("run says %q", got.stderr)
	}
	b.fails(phrases("/process/capabilites"), "run", "--strict", "-b", b.bundle, "c")
	b.fails(phrases("/process/capabilites"), "create", "--strict", "-b", b.bundle, "c")
}

func TestList(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, made := range []bool{false, true} { // also when there is no state directory yet
		if made {
			b.create("gone", config("true"))
			b.ok("delete", "--force", "gone")
		}
		want(t, "json", b.ok("list", "-f", "json"), "[]\n")
		want(t, "table", b.ok("list"), "ID  PID  STATUS  BUNDLE  CREATED  OWNER\n")
		want(t, "quiet", b.ok("list", "-q"), "")
	}
	owner := strconv.Itoa(os.Getuid())
	if found, err := accounts.LookupId(owner); err == nil {
		owner = found.Username
	}
	pid := b.create("one", config(forever...))
	second := b.create("two", config("true"))
	b.ok("start", "two")
	b.waitStopped("two")
	rows := b.list()
	want(t, "rows", len(rows), 2)
	for i, wanted := range []listRow{{"one", pid, "created", b.bundle, rows[0].Created, owner, ""},
		{"two", 0, "stopped", b.bundle, rows[1].Created, owner, ""}} {
		want(t, "row", rows[i], wanted)
		_, err := time.Parse(time.RFC3339Nano, rows[i].Created)
		check(t, err)
	}
	want(t, "quiet", b.ok("list", "--quiet"), "one\ntwo\n")
	lines := strings.Split(b.ok("list", "--format=table"), "\n")
	want(t, "lines", len(lines), 4)
	want(t, "first row", strings.Fields(lines[1]),
		[]string{"one", strconv.Itoa(pid), "created", b.bundle, rows[0].Created, owner})
	for _, name := range []string{"PID", "STATUS", "BUNDLE", "CREATED", "OWNER"} {
		column := strings.Index(lines[0], name)
		if lines[1][column-1] != ' ' || lines[1][column] == ' ' || lines[2][column-1] != ' ' {
			t.Errorf("column %s is not aligned:\n%s", name, strings.Join(lines, "\n"))
		}
	}
	reap(t, second)
}

// CRI-O reads stdout and stderr of features as one JSON text.
func TestFeatures(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	text := b.ok("features")
	var all features.Features
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	check(t, decoder.Decode(&all))
	if all.OCIVersionMin == "" || all.OCIVersionMax == "" {
		t.Errorf("ociVersionMin %q, ociVersionMax %q", all.OCIVersionMin, all.OCIVersionMax)
	}
	want(t, "spec of --version", strings.Contains(b.ok("--version"), "spec: "+all.OCIVersionMax+"\n"), true)
	want(t, "hooks", strings.Join(all.Hooks, " "), strings.Join(hookKinds, " "))
	// A file system that nobody can write to, no state directory: it is fixed at build time.
	b.globals = []string{"--root", "/proc/none"}
	want(t, "again", b.ok("features"), text)
}
