package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

type planned struct {
	Operations []struct {
		Op, Pointer string
		Arguments   map[string]interface{}
	}
	Identity struct {
		UID, GID                            *uint32
		AdditionalGids                      []uint32
		NoNewPrivileges                     bool
		Capabilities, CapabilitiesAfterExec map[string][]string
	}
	Warnings []struct{ Pointer, Message string }
}

func (b *box) plan(options ...string) planned {
	b.t.Helper()
	var plan planned
	text := b.ok(append([]string{"plan", "--format", "json", "--bundle", b.bundle}, options...)...)
	want(b.t, "lines", strings.Count(text, "\n"), 1)
	check(b.t, json.Unmarshal([]byte(text), &plan))
	return plan
}

// plan shows what create would do and changes nothing.
func TestPlanAsText(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("echo", "hello").with("umask", 0).with("rlimits", []object{rlimit("RLIMIT_CORE", 0, 0)}))
	got := b.cli("plan", "--bundle", b.bundle)
	want(t, "exit code", got.code, 0)
	for _, phrase := range []string{"/process/rlimits/0", "/process/args", "exec", "warning", "/process/umask"} {
		if !strings.Contains(got.stdout, phrase) {
			t.Errorf("the plan lacks %q:\n%s", phrase, got.stdout)
		}
	}
	want(t, "stderr", got.stderr, "")
	want(t, "state directory", exists(b.root), false)
	want(t, "--format text", b.ok("plan", "--format", "text", "-b", b.bundle), got.stdout)
	b.fails(phrases("/process/umask"), "plan", "--strict", "-b", b.bundle)
	b.fails(phrases("/process/umask"), "plan", "--strict", "--format=json", "-b", b.bundle)
	b.fails(phrases("--format"), "plan", "--format", "yaml", "-b", b.bundle)
}

// The same as JSON: every operation of the text in its order, with its pointer.
func TestPlanAsJSON(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(config("echo", "hello").with("umask", 0).with("noNewPrivileges", true).
		with("rlimits", []object{rlimit("RLIMIT_CORE", 0, 0)}))
	plan := b.plan()
	var text []string
	for _, line := range strings.Split(b.ok("plan", "-b", b.bundle), "\n") {
		if words := strings.Fields(line); len(words) > 1 && words[0][0] >= '0' && words[0][0] <= '9' {
			text = append(text, line)
		}
	}
	want(t, "operations", len(plan.Operations), len(text))
	seen := map[string]map[string]interface{}{}
	for i, operation := range plan.Operations {
		want(t, "operation", operation.Op, strings.Fields(text[i])[1])
		if !strings.HasSuffix(text[i], operation.Pointer) {
			t.Errorf("%s is not asked for by %q: %s", operation.Op, operation.Pointer, text[i])
		}
		seen[operation.Op+" "+operation.Pointer] = operation.Arguments
	}
	want(t, "rlimit", seen["setrlimit /process/rlimits/0"],
		map[string]interface{}{"resource": "RLIMIT_CORE", "soft": 0, "hard": 0})
	want(t, "execve", seen["execve /process/args"],
		map[string]interface{}{"args": []string{"echo", "hello"}, "environmentEntries": 1})
	want(t, "no_new_privs", seen["no_new_privs /process/noNewPrivileges"], map[string]interface{}{})
	want(t, "noNewPrivileges", plan.Identity.NoNewPrivileges, true)
	want(t, "warnings", len(plan.Warnings), 1)
	want(t, "warned of", plan.Warnings[0].Pointer, "/process/umask")
	want(t, "state directory", exists(b.root), false)
}

// What is planned is what state tells.
func TestPlannedIdentityIsThatOfState(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	var state struct {
		Reaper struct{ Credentials, Warnings json.RawMessage }
	}
	var plan struct{ Identity, Warnings json.RawMessage }
	b.create("c", config("true").with("noNewPrivileges", true).with("argz", 1))
	check(t, json.Unmarshal([]byte(b.ok("plan", "--format", "json", "-b", b.bundle)), &plan))
	check(t, json.Unmarshal([]byte(b.ok("state", "c")), &state))
	want(t, "identity", string(plan.Identity), string(state.Reaper.Credentials))
	want(t, "warnings", string(plan.Warnings), string(state.Reaper.Warnings))
}
