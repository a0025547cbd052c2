package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// withoutLimits is what the tools below run as their runtime: it takes the cgroup limits out of config.json, which this
// version refuses, and then is reaper-runtime. Everything else stays as the tool wrote it.
func withoutLimits(args []string) int {
	runtime, root, words := args[0], args[1], args[2:]
	for i, word := range words {
		if word == "--bundle" && i+1 < len(words) {
			if err := dropLimits(filepath.Join(words[i+1], configName)); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
	}
	err := syscall.Exec(runtime, append([]string{runtime, "--root", root}, words...), os.Environ())
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func dropLimits(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var config object
	if err := json.Unmarshal(text, &config); err != nil {
		return err
	}
	delete(config["linux"].(map[string]interface{}), "resources")
	text, err = json.Marshal(config)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

func needPrograms(t *testing.T, names ...string) {
	t.Helper()
	needRoots(t)
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			skip(t, "no "+name+" here")
		}
	}
}

// imageBundle is a bundle that umoci has unpacked, of an image that umoci has made.
func (b *box) imageBundle() string {
	b.t.Helper()
	needPrograms(b.t, "umoci", "busybox")
	out, err := exec.Command(os.Getenv("REAPER_TEST_DATA")+"/../image.sh", b.dir).CombinedOutput()
	if err != nil {
		b.t.Fatalf("image.sh: %v\n%s", err, out)
	}
	return b.bundle
}

func TestUmociBundle(t *testing.T) {
	b := newBox(t)
	path := filepath.Join(b.imageBundle(), configName)
	r := b.cli("run", "--bundle", b.bundle, "image")
	want(t, "exit code with limits", r.code, 1)
	if !strings.Contains(r.stderr, "/linux/resources") {
		t.Errorf("the refusal does not name the limits: %q", r.stderr)
	}
	check(t, dropLimits(path))
	var config object
	check(t, json.Unmarshal([]byte(read(t, path)), &config))
	script := func(text string) {
		config["process"].(map[string]interface{})["args"] = []string{"/bin/sh", "-c", text}
	}
	script("tty; echo $GREETING; exit 7") // umoci asks for a terminal
	p := b.sit(config)
	p.sees("/dev/pts/0")
	p.sees("hello")
	want(t, "exit code", p.exits(), 7)
	config["process"].(map[string]interface{})["terminal"] = false
	script("echo $GREETING $(hostname) $(id -u); cat /proc/self/status")
	got := b.output(config)
	for _, part := range []string{"hello umoci-default 0\n", "NoNewPrivs:\t1\n", "CapEff:\t0000000020000420\n"} {
		if !strings.Contains(got, part) {
			t.Errorf("%q is not in %q", part, got)
		}
	}
}

// inTools runs a script for which $runtime is reaper-runtime without limits, $rootfs an image's root and $storage a
// directory for the tool's own. What the tool writes elsewhere ends with a mount namespace.
func (b *box) inTools(script string) result {
	b.t.Helper()
	rootfs := filepath.Join(b.imageBundle(), "rootfs")
	runtime := b.file("runtime", fmt.Sprintf("#!/bin/sh\nexec '%s' helper without-limits '%s' '%s' \"$@\"\n",
		helperPath, runtimePath, b.root), 0o755)
	settings := b.file("containers.conf", fmt.Sprintf("[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n"+
		"runtime = \"crun\"\n[engine.runtimes]\ncrun = [\"%s\"]\n", runtime), 0o644)
	for _, name := range []string{"storage", "running"} {
		check(b.t, os.Mkdir(filepath.Join(b.dir, name), 0o755))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	command := exec.CommandContext(ctx, "unshare", "--mount", "sh", "-euc",
		"for place in /run /var/lib /var/tmp; do mount -t tmpfs none $place; done\n"+script)
	command.Dir = b.dir
	command.Env = []string{standardPATH, "HOME=" + b.dir, "runtime=" + runtime, "rootfs=" + rootfs,
		"storage=--storage-driver vfs --root " + b.dir + "/storage --runroot " + b.dir + "/running",
		"CONTAINERS_CONF=" + settings}
	return b.finish(ctx, command)
}

// buildah's config.json, with the seccomp profile of Debian's containers-common, and its ways to ask for the state.
func TestBuildahRuns(t *testing.T) {
	needPrograms(t, "buildah")
	b := newBox(t)
	r := b.inTools(`
		name=$(buildah $storage from scratch)
		cp -a "$rootfs/." "$(buildah $storage mount $name)/"
		run="buildah $storage run --isolation oci --runtime $runtime --network none $name"
		$run /bin/sh -c 'echo in $(id -u); cat /proc/self/status'
		code=0
		$run /bin/sh -c 'exit 3' || code=$?
		echo "code $code"`)
	for _, part := range []string{"in 0\n", "Seccomp:\t2\n", "code 3\n"} {
		if !strings.Contains(r.stdout, part) {
			t.Errorf("%q is not in %q; stderr %q", part, r.stdout, r.stderr)
		}
	}
}

// podman's, by conmon: foreground, detached, exec, kill and removal.
func TestPodmanRuns(t *testing.T) {
	needPrograms(t, "podman", "conmon")
	b := newBox(t)
	r := b.inTools(`
		podman="podman $storage --tmpdir /run/podman"
		image=$(tar -C "$rootfs" -c . | $podman import --quiet -)
		limits="--cgroups disabled --ulimit nofile=1024:1024 --ulimit nproc=4096:4096"
		code=0
		$podman run --rm --network none $limits $image /bin/sh -c 'echo in $(id -u); cat /proc/self/status; exit 5' || code=$?
		echo "code $code"
		$podman run --detach --name web --network none $limits $image /bin/sh -c 'sleep 1000 & wait' >&2
		code=0
		$podman exec web /bin/sh -c 'echo executed; exit 4' || code=$?
		echo "code $code"
		$podman rm --force --time 0 web >&2`)
	for _, part := range []string{"in 0\n", "Seccomp:\t2\n", "code 5\n", "executed\ncode 4\n"} {
		if !strings.Contains(r.stdout, part) {
			t.Errorf("%q is not in %q; stderr %q", part, r.stdout, r.stderr)
		}
	}
}
