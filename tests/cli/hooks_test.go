package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

var hookKinds = []string{"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}

// shellHook is a hook that runs a script; $RT in it is the CLI with the box's state directory, $DIR the box.
func (b *box) shellHook(script string) object {
	return object{"path": "/bin/sh", "args": []string{"sh", "-c", script},
		"env": []string{standardPATH, "RT=" + runtimePath + " --root " + b.root, "DIR=" + b.dir}}
}

// hooked is the config of a program that sleeps, with one hook of each kind that has a script.
func (b *box) hooked(scripts map[string]string) object {
	hooks := object{}
	for kind, script := range scripts {
		hooks[kind] = []object{b.shellHook(script)}
	}
	whole := config("sleep", "1000000")
	whole["hooks"] = hooks
	return whole
}

func (b *box) text(name string) string {
	text, _ := os.ReadFile(filepath.Join(b.dir, name))
	return string(text)
}

// Each of the six at its moment, and what `state` says in the middle of it.
func TestHooksOfAWholeLife(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	scripts := map[string]string{}
	for _, kind := range hookKinds {
		scripts[kind] = fmt.Sprintf("cat > $DIR/stdin-%[1]s; echo %[1]s >> $DIR/order; "+
			"$RT state c > $DIR/state-%[1]s 2> $DIR/error-%[1]s; $RT list -q > $DIR/list-%[1]s", kind)
	}
	pid := b.create("c", b.hooked(scripts))
	b.ok("start", "c")
	b.ok("kill", "c", "KILL")
	reap(t, pid)
	b.ok("delete", "c")
	want(t, "order", b.text("order"), strings.Join(hookKinds, "\n")+"\n")
	statuses := []string{"creating", "creating", "creating", "created", "running", "stopped"}
	for i, kind := range hookKinds {
		var told specs.State
		if err := json.Unmarshal([]byte(b.text("stdin-"+kind)), &told); err != nil {
			t.Errorf("stdin of %s: %v", kind, err)
		}
		want(t, "status on stdin of "+kind, told.Status, statuses[i])
		want(t, "bundle on stdin of "+kind, told.Bundle, b.bundle)
		if kind == "poststop" {
			want(t, "pid on stdin of poststop", told.Pid, 0)
			want(t, "state in poststop", b.text("state-"+kind), "")
			want(t, "error in poststop", b.text("error-"+kind), "reaper-runtime: state: container \"c\" does not exist\n")
			want(t, "list in poststop", b.text("list-"+kind), "")
			continue
		}
		want(t, "pid on stdin of "+kind, told.Pid, pid)
		var seen specs.State
		if err := json.Unmarshal([]byte(b.text("state-"+kind)), &seen); err != nil {
			t.Errorf("state in %s: %v (%s)", kind, err, b.text("error-"+kind))
		}
		want(t, "status in "+kind, seen.Status, statuses[i])
		want(t, "pid in "+kind, seen.Pid, pid)
		want(t, "list in "+kind, b.text("list-"+kind), "c\n")
	}
}

func TestHookEnvironmentIsExactlyItsOwn(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.env = append(os.Environ(), "SECRET=1", "NOTIFY_SOCKET=/run/notify", "LD_PRELOAD=")
	list := []object{}
	for i, env := range [][]string{{"ONE=1", "TWO=a b=c", "EMPTY=", "ONE=again"}, {}, nil} {
		hook := object{"path": "/bin/cp", "args": []string{"cp", "/proc/self/environ", fmt.Sprintf("%s/env%d", b.dir, i)}}
		if env != nil {
			hook["env"] = env
		}
		list = append(list, hook)
	}
	whole := config("true")
	whole["hooks"] = object{"createRuntime": list}
	b.create("c", whole)
	want(t, "environment", b.text("env0"), "ONE=1\x00TWO=a b=c\x00EMPTY=\x00ONE=again\x00")
	want(t, "empty environment", b.text("env1"), "")
	want(t, "absent environment", b.text("env2"), "")
	b.ok("delete", "--force", "c")
}

// What is edited after create changes nothing.
func TestHooksAreThoseOfCreate(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	pid := b.create("c", b.hooked(map[string]string{"startContainer": "echo start >> $DIR/log",
		"poststop": "echo stop >> $DIR/log"}))
	b.write(b.hooked(map[string]string{"startContainer": "echo other >> $DIR/log", "poststop": "echo other >> $DIR/log"}))
	b.ok("start", "c")
	check(t, os.Remove(filepath.Join(b.bundle, configName)))
	b.ok("delete", "--force", "c")
	reap(t, pid)
	want(t, "log", b.text("log"), "start\nstop\n")
}

// A failing hook is the CLI's error, in words that mean nothing else to callers, and the container is gone.
func TestFailingHookThroughTheCLI(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.write(b.hooked(map[string]string{"createRuntime": "exit 4", "poststop": "echo stop >> $DIR/log"}))
	b.fails(phrases("/hooks/createRuntime/0", `hook "/bin/sh" failed with exit status 4`), "create", "-b", b.bundle, "c")
	want(t, "log", b.text("log"), "stop\n")
	b.write(b.hooked(map[string]string{"poststart": "exit 5", "poststop": "echo stop >> $DIR/log"}))
	b.fails(phrases("/hooks/poststart/0", "exit status 5"), "run", "-b", b.bundle, "c")
	want(t, "log", b.text("log"), "stop\nstop\n")
	want(t, "list", b.ok("list", "-q"), "")
	// poststop's is a warning, and run ends as the program did.
	whole := b.hooked(map[string]string{"poststop": "exit 6"})
	whole["process"] = config("sh", "-c", "exit 9")["process"]
	got := b.run(whole)
	want(t, "exit code of run", got.code, 9)
	want(t, "stderr of run", got.stderr, "reaper-runtime: run: warning: /hooks/poststop/0: hook \"/bin/sh\" failed with "+
		"exit status 6\n")
}

// Operations on the container from inside its own hooks: what must not be is an error, and nothing hangs.
func TestHookOperatesOnItsOwnContainer(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	all := "for what in 'start c' 'kill c TERM' 'delete c' \"create -b $DIR/bundle c\"; do $RT $what 2>> $DIR/%s || true; done"
	pid := b.create("c", b.hooked(map[string]string{"createRuntime": fmt.Sprintf(all, "in-create"),
		"startContainer": "$RT start c 2>> $DIR/in-start; $RT delete c 2>> $DIR/in-start; true",
		"poststart":      "$RT start c 2>> $DIR/in-poststart; $RT kill c USR1 2>> $DIR/in-poststart; true"}))
	for _, phrase := range []string{"start: container \"c\" is still being created", "kill: container \"c\" is still being",
		"delete: container \"c\" is creating, not stopped", "create: container with given ID already exists"} {
		if !strings.Contains(b.text("in-create"), phrase) {
			t.Errorf("in create, no %q: %s", phrase, b.text("in-create"))
		}
	}
	b.ok("start", "c")
	for _, phrase := range []string{"start: container \"c\" is being started by process", "delete: container \"c\" is created"} {
		if !strings.Contains(b.text("in-start"), phrase) {
			t.Errorf("in start, no %q: %s", phrase, b.text("in-start"))
		}
	}
	want(t, "in poststart", b.text("in-poststart"),
		"reaper-runtime: start: container \"c\" is running, not created: it cannot be started\n")
	want(t, "how it ended", reap(t, pid).Signal(), syscall.SIGUSR1)
	b.ok("delete", "c")
}

// Deleted by force from its own hook: create or start fails, the poststop hooks run once, and nothing stays.
func TestHookDeletesItsOwnContainer(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	const remove = "$RT delete --force c 2>> $DIR/errors && echo deleted >> $DIR/log"
	b.write(b.hooked(map[string]string{"createContainer": remove, "poststop": "echo stop >> $DIR/log"}))
	b.fails(phrases(`container "c" was deleted while its hooks ran`), "create", "-b", b.bundle, "c")
	want(t, "log", b.text("log"), "stop\ndeleted\n")
	pid := b.create("c", b.hooked(map[string]string{"startContainer": remove, "poststop": "echo stop >> $DIR/log"}))
	b.fails(phrases(`container "c" does not exist`), "start", "c")
	reap(t, pid)
	want(t, "log", b.text("log"), "stop\ndeleted\nstop\ndeleted\n")
	pid = b.create("c", b.hooked(map[string]string{"poststart": remove, "poststop": "echo stop >> $DIR/log"}))
	b.ok("start", "c")
	reap(t, pid)
	want(t, "log", b.text("log"), "stop\ndeleted\nstop\ndeleted\nstop\ndeleted\n")
	want(t, "errors", b.text("errors"), "")
	want(t, "list", b.ok("list", "-q"), "")
}

// The same for one that kills its container's init.
func TestHookKillsItsOwnContainer(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	const kill = `state=$(cat); pid=${state#*\"pid\":}; pid=${pid%%,*}; kill -KILL $pid; ` +
		`until grep -q '^State:.Z' /proc/$pid/status; do :; done`
	b.write(b.hooked(map[string]string{"prestart": kill, "createRuntime": "echo never >> $DIR/log",
		"poststop": "echo stop >> $DIR/log"}))
	b.fails(phrases("the container's process was ended while its hooks ran"), "create", "-b", b.bundle, "c")
	want(t, "log", b.text("log"), "stop\n")
	pid := b.create("c", b.hooked(map[string]string{"startContainer": "$RT kill c KILL; until $RT state c | grep -q stopped; do :; done"}))
	b.fails(phrases(`container "c" is stopped, not created`), "start", "c")
	reap(t, pid)
	b.wantStatus("c", "stopped")
	b.ok("delete", "c")
}
