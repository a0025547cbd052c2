package cli

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// neededNames are the libraries that the loader looks up for a file, by the file's own word and its libraries'.
func neededNames(t *testing.T) []string {
	t.Helper()
	text, err := exec.Command("ldd", runtimePath).Output()
	check(t, err)
	names := map[string]bool{}
	paths := []string{runtimePath}
	for _, line := range strings.Split(string(text), "\n") {
		if fields := strings.Fields(line); len(fields) >= 3 && fields[1] == "=>" {
			paths = append(paths, fields[2])
		}
	}
	for _, path := range paths {
		file, err := elf.Open(path)
		check(t, err)
		needed, err := file.ImportedLibraries()
		check(t, err)
		file.Close()
		for _, name := range needed {
			names[name] = true
		}
	}
	list := []string{}
	for name := range names {
		// The loader itself is mapped by the kernel; libc is the one library that whoever sets LD_LIBRARY_PATH may choose.
		if !strings.HasPrefix(name, "ld-linux") && !strings.HasPrefix(name, "libc.so") {
			list = append(list, name)
		}
	}
	return list
}

const hostileSource = `
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void taken(void) { close(open(MARK, O_CREAT | O_WRONLY, 0600)); }
`

// containerd sets LD_LIBRARY_PATH=/opt/containerd/lib: and the part behind the colon is the current directory, a
// tenant's bundle. No library of any name that we look up is taken from there, in any command.
func TestLoaderRule(t *testing.T) {
	t.Parallel()
	compiler, err := exec.LookPath("cc")
	if err != nil {
		skip(t, "no cc to make the hostile libraries with")
	}
	b := newBox(t)
	mark := filepath.Join(b.dir, "mark")
	source := b.file("hostile.c", hostileSource, 0o644)
	library := filepath.Join(b.bundle, "hostile.so")
	compile(t, compiler, "-shared", "-fPIC", "-Wl,-soname,hostile.so", fmt.Sprintf(`-DMARK="%s"`, mark), "-o", library,
		source)
	names := neededNames(t)
	for _, wanted := range []string{"libreaper.so", "libcjson.so"} {
		if !strings.Contains(strings.Join(names, " "), wanted) {
			t.Errorf("%s is not among the needed libraries %v: is this the right program?", wanted, names)
		}
	}
	// Looked up at run time: by libreaper (seccomp, new capabilities) and, for names of users, by libc.
	names = append(names, "libseccomp.so.2", "libcap-ng.so.0", "libstdc++.so.6", "libgcc_s.so.1", "libnss_files.so.2",
		"libnss_systemd.so.2", "libnss_sss.so.2", "libnss_ldap.so.2", "libnss_compat.so.2", "libnss_nis.so.2")
	for _, name := range names {
		err := os.Link(library, filepath.Join(b.bundle, name))
		if err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
	withFilter := config("/bin/sh", "-c", "exit 3").with("noNewPrivileges", true)
	if features := b.cli("features").stdout; strings.Contains(features, `"seccomp":{"enabled":true`) {
		withFilter["linux"] = object{"seccomp": object{"defaultAction": "SCMP_ACT_ALLOW"}}
	}
	b.write(withFilter)
	b.cwd = b.bundle
	b.env = append(os.Environ(), "LD_LIBRARY_PATH=/opt/containerd/lib:")
	for _, one := range []struct {
		line string
		code int
	}{
		{"--version", 0}, {"features", 0}, {"create c", 0}, {"start c", 0}, {"list", 0}, {"state c", 0},
		{"kill --all c", 0}, {"delete --force c", 0}, {"run d", 3}, {"plan", 0}, {"state none", 1},
	} {
		got := b.cli(strings.Fields(one.line)...)
		want(t, "exit code of "+one.line+" ("+got.stderr+")", got.code, one.code)
		if exists(mark) {
			t.Fatalf("%s loaded a library from the current directory", one.line)
		}
	}
	// The control: a program without our rule does fall for it.
	control := exec.Command(filepath.Join(b.dir, "control"))
	compile(t, compiler, "-o", control.Path, b.file("control.c", "int main(void) { return 0; }\n", 0o644),
		"-Wl,--no-as-needed", library)
	control.Dir, control.Env = b.bundle, b.env
	check(t, control.Run())
	want(t, "the hostile library works", exists(mark), true)
}

func compile(t *testing.T, compiler string, args ...string) {
	t.Helper()
	if text, err := exec.Command(compiler, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v: %s", compiler, args, err, text)
	}
}
