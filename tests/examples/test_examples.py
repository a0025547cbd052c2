"""The examples in every language, on the installed library: built as their first lines say, they print the same line.

And the programs of README.md, which all do the same with the bundle that stands there, those of docs/cookbook.md, and
include/reaper.hpp.
"""
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "gates"))
from gate import BUILD, SOURCE, Gate, run  # noqa: E402

EXAMPLES = SOURCE / "examples"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror"]
STANDARDS = ["c++17", "c++20", "c++23"]
CXX = [name for name in ("g++", "clang++-19") if shutil.which(name)]
PAGES = {"readme": "README.md", "health": "docs/cookbook.md"}  # whose programs are called so here
USER = ("65534", "65534") if os.geteuid() == 0 else (str(os.getuid()), str(os.getgid()))


def installed():
    """What this build installs; where another user made the build, what that one has installed will do."""
    prefix = BUILD / "bindings/prefix"
    if os.access(BUILD, os.W_OK):
        prefix.parent.mkdir(exist_ok=True)
        lock = os.open(prefix.parent, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        run("cmake", "--install", BUILD, "--prefix", prefix)
        os.close(lock)
    return next(prefix.rglob("libreaper.so.0")).parent


def program_of(name, *places):
    """The path of a compiler; a skip where it is missing."""
    for place in (shutil.which(name), *places):
        if place and os.access(place, os.X_OK):
            return place
    raise unittest.SkipTest(f"SKIP: no {name} here")


def fenced(language, page="README.md"):
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", (SOURCE / page).read_text(), re.M | re.S)
    return block


class Examples(Gate):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.scratch = Path(folder.name)
        cls.state = cls.scratch / "state"
        library = installed()
        cls.environment = {**os.environ, "PKG_CONFIG_PATH": f"{library}/pkgconfig", "LD_LIBRARY_PATH": str(library),
                           "REAPER_RUNTIME_ROOT": str(cls.state), "GOTOOLCHAIN": "local", "CGO_ENABLED": "1",
                           "GOFLAGS": "-buildvcs=false " + os.environ.get("GOFLAGS", "")}
        cls.bundle = cls.scratch / "work/bundle"
        cls.bundle.mkdir(parents=True)
        (cls.bundle / "config.json").write_text(fenced("json"))

    def call(self, *command, cwd=None, **environment):
        """(output, errors, status) of a program."""
        done = subprocess.run([str(word) for word in command], cwd=cwd or self.bundle.parent, capture_output=True, text=True,
                              check=False, stdin=subprocess.DEVNULL, env={**self.environment, **environment})
        return done.stdout, done.stderr, done.returncode

    def pkg_config(self, *options):
        return run("pkg-config", *options, "reaper", env=self.environment).split()

    def compile(self, compiler, source, *options, linked=True):
        program = self.scratch / f"{Path(source).name}.out"
        run(compiler, *options, *STRICT, source, "-o", program,
            *(self.pkg_config("--cflags", "--libs") if linked else [*self.pkg_config("--cflags"), "-ldl"]))
        return program

    def build_go(self, folder, name):
        go = program_of("go", "/usr/local/go/bin/go")
        stdout, stderr, status = self.call(go, "build", "-o", self.scratch / name, ".", cwd=folder)
        self.assertEqual(0, status, stdout + stderr)
        return self.scratch / name

    def build_rust(self, name, crates=SOURCE / "bindings/rust"):
        """Without the test crates: the copy's manifest names no other crate, and nothing is fetched."""
        cargo = program_of("cargo", Path.home() / ".cargo/bin/cargo")
        copy = self.scratch / "crates"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(crates, copy / "bindings/rust", ignore=shutil.ignore_patterns("target", "Cargo.lock"))
        shutil.copytree(SOURCE / "include", copy / "include")
        manifest = copy / "bindings/rust/reaper/Cargo.toml"
        text = manifest.read_text().split("[dev-dependencies]")[0]
        manifest.write_text(re.sub(r"(?m)^.*(?:optional = true|\"dep:).*\n", "", text))
        if name in PAGES:
            (manifest.parent / f"examples/{name}.rs").write_text(fenced("rust", PAGES[name]))
        stdout, stderr, status = self.call(cargo, "build", "--offline", "-p", "reaper", "--example", name,
                                           cwd=copy / "bindings/rust", CARGO_TARGET_DIR=str(self.scratch / "target"))
        self.assertEqual(0, status, stdout + stderr)
        return self.scratch / f"target/debug/examples/{name}"

    def assert_hello(self, *command):
        self.assertEqual((f"hello from user {USER[0]}\n", "", 0), self.call(*command, *USER))
        self.assertEqual((f"hello from user {os.getuid()}\n", "", 0), self.call(*command))
        self.assert_nothing_left()
        # A failure is told with its code, and nothing is left.
        stdout, stderr, status = self.call(*command, "-1", "5")
        if stdout or status == 0:
            self.fail(f"{command} -1 5: {status} {stdout}")
        stdout, stderr, status = self.call(*command, REAPER_RUNTIME_ROOT=f"{self.bundle}/config.json/x")
        self.assertNotEqual(("", 0), (stderr, status))
        self.assertIn("config.json/x", stderr)
        self.assert_nothing_left()

    def assert_nothing_left(self):
        self.assertEqual([], list(self.state.iterdir()))

    def test_c(self):
        self.assert_hello(self.compile("gcc", EXAMPLES / "hello.c", "-std=c99"))

    def test_dlopen(self):
        program = self.compile("gcc", EXAMPLES / "hello_dlopen.c", "-std=gnu99", linked=False)
        self.assert_hello(program)
        self.assertNotIn("libreaper", run("readelf", "--dynamic", program))

    def test_dlopen_says_what_is_missing(self):
        program = self.compile("gcc", EXAMPLES / "hello_dlopen.c", "-std=gnu99", linked=False)
        stdout, stderr, status = self.call(program, LD_LIBRARY_PATH="")
        if status == 0:
            self.skipTest("SKIP: libreaper.so.0 is installed in this system")
        self.assertEqual(("", 1), (stdout, status))
        self.assertIn("libreaper.so.0", stderr)

    def other_version(self):
        """A folder with a library that says it is version 0.0.9, and has every function that is looked for."""
        folder = self.scratch / "other"
        folder.mkdir(exist_ok=True)
        names = set(re.findall(r"reaper_[a-z_]+(?=\))", (EXAMPLES / "hello_dlopen.c").read_text().split("static struct")[0]))
        (folder / "other.c").write_text('const char *reaper_version(void) { return "0.0.9"; }\n' + "".join(
            f"int {name}(void) {{ return 0; }}\n" for name in sorted(names - {"reaper_version"})))
        run("gcc", "-shared", "-fPIC", "-o", folder / "libreaper.so.0", folder / "other.c")
        return folder

    def test_another_version_is_refused(self):
        folder = self.other_version()
        program = self.compile("gcc", EXAMPLES / "hello_dlopen.c", "-std=gnu99", linked=False)
        for command in ([program], [sys.executable, EXAMPLES / "hello.py"]):
            stdout, stderr, status = self.call(*command, LD_LIBRARY_PATH=str(folder))
            self.assertEqual(("", 1), (stdout, status), stderr)
            self.assertIn("libreaper is 0.0", stderr)

    def test_cpp(self):
        self.assert_hello(self.compile("g++", EXAMPLES / "hello.cpp", "-std=c++17"))

    def test_python(self):
        self.assert_hello(sys.executable, EXAMPLES / "hello.py")

    def test_go(self):
        self.assert_hello(self.build_go(SOURCE / "bindings/go/examples/hello", "hello_go"))

    def test_rust(self):
        self.assert_hello(self.build_rust("hello"))

    def test_reaper_hpp(self):
        for compiler in CXX:
            for standard in STANDARDS:
                header = self.scratch / "header.cpp"
                header.write_text("#include <reaper.hpp>\n#include <reaper.hpp>\n")
                run(compiler, f"-std={standard}", *STRICT, "-fsyntax-only", header, *self.pkg_config("--cflags"))
        self.assertLess((SOURCE / "include/reaper.hpp").read_text().count("\n"), 300)
        program = self.compile("g++", SOURCE / "tests/examples/convenience.cpp", "-std=c++17", "-Wconversion")
        self.assertEqual(("", "", 0), self.call(program, self.state))
        self.assert_nothing_left()

    def assert_readme(self, *command):
        self.assertEqual(("hello\nexit code 7\n", "", 0), self.call(*command))
        self.assert_nothing_left()

    def assert_health(self, *command):
        """The health check of the cookbook, of a container that waits, that has ended, and that is not there."""
        runtime = BUILD / "bin/reaper-runtime"
        self.call("sh", "-c", f"{runtime} create --supervise --bundle bundle patient </dev/null >/dev/null 2>&1")
        self.assertEqual(("alive\n", "", 0), self.call(*command, "patient"))
        self.assertEqual(("", "", 0), self.call(runtime, "start", "patient"))
        self.assertEqual(0, self.call(runtime, "wait", "patient")[2])
        self.assertEqual(("ended: exit code 7\n", "", 1), self.call(*command, "patient"))
        self.assertEqual(("", "", 0), self.call(runtime, "delete", "patient"))
        stdout, stderr, status = self.call(*command, "patient")
        self.assertEqual(("", 2), (stdout, status))
        self.assertIn("does not exist", stderr)
        self.assert_nothing_left()

    def written(self, name, language):
        path = self.scratch / name
        path.write_text(fenced(language, PAGES[path.stem]))
        return path

    def test_readme_cpp(self):
        self.assert_readme(self.compile("g++", self.written("readme.cpp", "cpp"), "-std=c++17"))

    def test_readme_python(self):
        self.assert_readme(sys.executable, self.written("readme.py", "python"))

    def go_program(self, name):
        copy = self.scratch / f"module_{name}"
        shutil.copytree(SOURCE / "bindings/go", copy)
        (copy / "examples" / name).mkdir()
        (copy / "examples" / name / "main.go").write_text(fenced("go", PAGES[name]))
        return self.build_go(copy / "examples" / name, f"{name}_go")

    def test_readme_go(self):
        self.assert_readme(self.go_program("readme"))

    def test_readme_rust(self):
        self.assert_readme(self.build_rust("readme"))

    def test_health_c(self):
        self.assert_health(self.compile("gcc", self.written("health.c", "c"), "-std=c99"))

    def test_health_go(self):
        self.assert_health(self.go_program("health"))

    def test_health_rust(self):
        self.assert_health(self.build_rust("health"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
