package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// Views of /sys/fs/cgroup, each in a mount namespace of its own: whatever this machine has mounted, the program sees
// only what the test wants, and the hierarchies that the machine itself depends on stay out of reach.
var views = map[string][]string{
	"v1":       {"pids", "freezer", "cpuset"},
	"freezer":  {"freezer"}, // nothing that could stop a fork but freezing
	"cpuset":   {"cpuset"},  // nothing at all
	"hybrid":   {"pids", "freezer", "unified"},
	"v2":       nil,
	"readonly": nil,
	"none":     {},
}

const (
	cgroupMount  = "/sys/fs/cgroup"
	viewFailed   = 99
	cgroupPrefix = "/reaper-test-"
)

// cgroupView is `helper cgroup-view KIND [in=/CGROUP] [root=/CGROUP] COMMAND...`: it shows that view to the command,
// which runs inside a cgroup of it, and sees no more of version 2 than the part below `root`.
func cgroupView(args []string) int {
	runtime.LockOSThread()
	err := makeView(args[0])
	args = args[1:]
	for err == nil && strings.Contains(args[0], "=/") {
		name, path, _ := strings.Cut(args[0], "=")
		if name == "in" {
			err = enterCgroup(path)
		} else {
			err = syscall.Mount(cgroupMount+path, cgroupMount, "", syscall.MS_BIND, "")
		}
		args = args[1:]
	}
	if err == nil {
		var path string
		if path, err = exec.LookPath(args[0]); err == nil {
			err = syscall.Exec(path, args, os.Environ())
		}
	}
	fmt.Fprintln(os.Stderr, "cgroup-view:", err)
	return viewFailed
}

func makeView(kind string) error {
	if err := syscall.Unshare(syscall.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	names := views[kind]
	if names == nil {
		var flags uintptr
		if kind == "readonly" {
			flags = syscall.MS_RDONLY
		}
		if err := syscall.Mount("none", cgroupMount, "cgroup2", 0, ""); err != nil || flags == 0 {
			return err
		}
		return syscall.Mount("", cgroupMount, "", syscall.MS_BIND|syscall.MS_REMOUNT|flags, "")
	}
	if err := syscall.Mount("none", cgroupMount, "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	for _, name := range names {
		point := filepath.Join(cgroupMount, name)
		if err := os.Mkdir(point, 0o755); err != nil {
			return err
		}
		kind, options := "cgroup", name
		if name == "unified" {
			kind, options = "cgroup2", ""
		}
		if err := syscall.Mount("none", point, kind, 0, options); err != nil {
			return fmt.Errorf("mount %s: %w", name, err)
		}
	}
	return nil
}

// viewRoots are the hierarchies of the view that we are in.
func viewRoots() []string {
	if exists(filepath.Join(cgroupMount, "cgroup.procs")) {
		return []string{cgroupMount}
	}
	roots, _ := filepath.Glob(cgroupMount + "/*")
	return roots
}

func enterCgroup(path string) error {
	for _, root := range viewRoots() {
		if err := os.WriteFile(filepath.Join(root, path, "cgroup.procs"), []byte("0"), 0); err != nil {
			return err
		}
	}
	return nil
}

// makeCgroup is `helper cgroup-make PATH`, in every hierarchy of a view. A cpuset of version 1 gets its parent's share.
func makeCgroup(args []string) int {
	for _, root := range viewRoots() {
		at := root
		for _, name := range strings.Split(strings.Trim(args[0], "/"), "/") {
			parent := at
			at = filepath.Join(at, name)
			if err := os.Mkdir(at, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
				fmt.Println(err)
				return 1
			}
			for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
				if text, err := os.ReadFile(filepath.Join(parent, file)); err == nil && filepath.Base(root) == "cpuset" {
					_ = os.WriteFile(filepath.Join(at, file), text, 0)
				}
			}
		}
	}
	return 0
}

// cgroupTree is every cgroup at and below a path, parents first.
func cgroupTree(path string) []string {
	var tree []string
	_ = filepath.Walk(path, func(at string, info os.FileInfo, err error) error {
		if err == nil && info.IsDir() {
			tree = append(tree, at)
		}
		return nil
	})
	sort.Strings(tree)
	return tree
}

// cleanCgroups is `helper cgroup-clean PATH`: ends and removes whatever a test left there, in every hierarchy of a view.
func cleanCgroups(args []string) int {
	if !strings.HasPrefix(args[0], cgroupPrefix) {
		fmt.Println("not a test's:", args[0])
		return 1
	}
	for end := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		left := 0
		for _, root := range viewRoots() {
			tree := cgroupTree(filepath.Join(root, args[0]))
			for i := len(tree) - 1; i >= 0; i-- {
				for _, file := range []string{"cgroup.freeze", "freezer.state"} { // a frozen process does not die
					_ = os.WriteFile(filepath.Join(tree[i], file), []byte(thawed[file]), 0)
				}
				text, _ := os.ReadFile(filepath.Join(tree[i], "cgroup.procs"))
				for _, word := range strings.Fields(string(text)) {
					if pid, err := strconv.Atoi(word); err == nil && pid > 1 {
						_ = syscall.Kill(pid, syscall.SIGKILL)
					}
				}
				if syscall.Rmdir(tree[i]) != nil {
					left++
				}
			}
		}
		if left == 0 {
			return 0
		}
		if time.Now().After(end) {
			fmt.Println("cannot be removed:", args[0])
			return 1
		}
	}
}

var thawed = map[string]string{"cgroup.freeze": "0", "freezer.state": "THAWED"}

// forkStorm is `helper storm N`: N chains of processes, each of which forks its successor and ends at once, so that no
// pid means anything for long. By raw system calls, since Go's runtime does not survive a fork.
func forkStorm(args []string) int {
	count, err := strconv.Atoi(args[0])
	if err != nil {
		return 1
	}
	// What the chains leave comes to us and is gone: as zombies of the tests' process they would use up every pid.
	signal.Ignore(syscall.SIGCHLD)
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetSubreap, 1, 0); errno != 0 {
		return 1
	}
	for i := 0; i < count; i++ {
		if pid, _, _ := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0); pid == 0 {
			hop()
		}
	}
	fmt.Println("storming")
	for {
		time.Sleep(time.Hour)
	}
}

//go:norace
//go:nosplit
func hop() {
	syscall.RawSyscall(syscall.SYS_SETSID, 0, 0, 0)
	for {
		// A little rest, so that the storm does not take a whole machine from everybody else's tests.
		rest := [2]int64{0, 500_000}
		syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&rest)), 0, 0)
		pid, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
		if pid != 0 && errno == 0 {
			syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
		}
	}
}

// cgroupBox is a box whose CLI sees one view, and a cgroup path of its own, which is gone at the end.
type cgroupBox struct {
	*box
	kind string
	path string // "/reaper-test-...", unique
}

func newCgroupBox(t *testing.T, kind string) *cgroupBox {
	t.Helper()
	if os.Getuid() != 0 {
		skip(t, "needs root: mounts of its own")
	}
	c := &cgroupBox{box: newBox(t), kind: kind}
	c.path = cgroupPrefix + filepath.Base(c.dir)
	c.wrapper = []string{helperPath, "helper", "cgroup-view", kind}
	if output, err := c.inView("true"); err != nil {
		skip(t, "no such cgroup file systems can be mounted here: "+kind+": "+strings.TrimSpace(output))
	}
	if kind != "none" && kind != "readonly" {
		if output, err := c.inView(helperPath, "helper", "cgroup-make", c.path); err != nil {
			skip(t, "no cgroup can be made here: "+kind+": "+strings.TrimSpace(output))
		}
		t.Cleanup(func() { // before the box's own, which does not see the view
			c.wrapper = []string{helperPath, "helper", "cgroup-view", kind}
			entries, _ := os.ReadDir(c.root)
			for _, entry := range entries {
				c.cli("delete", "--force", "--", entry.Name())
			}
			if output, err := c.inView(helperPath, "helper", "cgroup-clean", c.path); err != nil {
				t.Errorf("%s: %s", c.path, output)
			}
		})
	}
	return c
}

// inView runs a command in the view.
func (c *cgroupBox) inView(words ...string) (string, error) {
	all := append([]string{"helper", "cgroup-view", c.kind}, words...)
	output, err := exec.Command(helperPath, all...).CombinedOutput()
	return string(output), err
}

func (c *cgroupBox) must(words ...string) string {
	c.t.Helper()
	output, err := c.inView(words...)
	if err != nil {
		c.t.Fatalf("%v: %v: %s", words, err, output)
	}
	return output
}

// directory is one hierarchy's directory of a cgroup: the one that a signal goes by.
func (c *cgroupBox) directory(path string) string {
	root := cgroupMount
	for _, name := range []string{"unified", "pids", "freezer", "cpuset"} {
		if contains(views[c.kind], name) {
			root = filepath.Join(cgroupMount, name)
			break
		}
	}
	return filepath.Join(root, path)
}

// members are the processes of a cgroup and of those below it.
func (c *cgroupBox) members(path string) []int {
	c.t.Helper()
	output := c.must("sh", "-c", `find "$1" -name cgroup.procs -exec cat {} + 2>/dev/null || true`, "sh", c.directory(path))
	var pids []int
	for _, word := range strings.Fields(output) {
		pid, err := strconv.Atoi(word)
		check(c.t, err)
		pids = append(pids, pid)
	}
	return pids
}

// left is every cgroup of this test but its own base. Cgroups of other tests may go while it looks.
func (c *cgroupBox) left() []string {
	c.t.Helper()
	var left []string
	check(c.t, filepath.WalkDir(cgroupMount, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENODEV) {
			return nil
		}
		if err == nil && entry.IsDir() && strings.Contains(path, c.path+"/") {
			left = append(left, path)
		}
		return err
	}))
	return left
}

func (c *cgroupBox) wantNothingLeft() {
	c.t.Helper()
	if left := c.left(); len(left) != 0 {
		c.t.Errorf("cgroups are left: %v", left)
	}
}

// program is a config in a cgroup.
func (c *cgroupBox) program(cgroup string, args ...string) object {
	text := config(args...)
	text["linux"] = object{"cgroupsPath": cgroup}
	return text
}

// cgroupsOf is /proc/PID/cgroup by hierarchy.
func cgroupsOf(t *testing.T, pid int) map[string]string {
	t.Helper()
	paths := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(read(t, procPath(pid, "cgroup"))), "\n") {
		fields := strings.SplitN(line, ":", 3)
		if fields[1] == "" {
			fields[1] = "unified"
		}
		paths[fields[1]] = fields[2]
	}
	return paths
}

func (c *cgroupBox) hierarchies() []string {
	if views[c.kind] == nil {
		return []string{"unified"}
	}
	return views[c.kind]
}

func contains(list []string, word string) bool {
	for _, one := range list {
		if one == word {
			return true
		}
	}
	return false
}
