"""The build that a packager makes, from the source archive and the bare commands to a program of somebody else's on the
installed library. It is the release build once more, in other directories: the same bytes."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import elf
from gate import BUILD, SOURCE, Gate, run

CLEAN = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
# All that the plain build may ask of a machine beside its libraries: the compiler, binutils, CMake with make, pkg-config, and what
# every Debian has (README.md).
TOOLS = ("cc", "c++", "gcc", "g++", "as", "ld", "ar", "nm", "ranlib", "objcopy", "strip", "cmake", "make", "pkg-config", "sh", "awk")
# A library that tells when it is loaded.
HOSTILE = "#include <stdlib.h>\n__attribute__((constructor)) static void taken(void) { system(\"touch taken\"); }\n"


def fenced(markdown, language):
    """The blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", markdown, re.M | re.S)


# What a packager hands out.
MADE = ("lib/libreaper.so", "lib/libreaper.a", "bin/reaper-runtime", "libexec/reaper-init", "reaper.pc",
        "man/man1/reaper-runtime.1", "man/man3/reaper_create.3", "man/man5/reaper-config.5")
# What a builder chooses that is in the bytes: the prefix is, because the library knows where reaper-init is installed.
CHOSEN = ("CMAKE_INSTALL_PREFIX", "REAPER_PCH", "REAPER_UNITY")


def chosen(build):
    """{name: value} of a build's cache."""
    return dict(re.findall(r"^(\w+):\w+=(.*)$", (build / "CMakeCache.txt").read_text(), re.M))


def different(one, other, names):
    """Findings: which of the files are not the same in both directories. One that is nowhere is not the same."""
    def content(folder, name):
        path = folder / name
        return path.read_bytes() if path.is_file() else None
    return [name for name in names if content(one, name) is None or content(one, name) != content(other, name)]


class Install(Gate):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.scratch = Path(folder.name)
        cls.prefix = cls.scratch / "P"
        build = cls.scratch / "build"
        cls.cache = chosen(BUILD)
        options = [f"-D{name}={cls.cache[name]}" for name in CHOSEN]
        bare = {**CLEAN, "PATH": str(cls.tools(cls.scratch / "tools"))}
        run("cmake", "-S", cls.source_archive(), "-B", build, "-DCMAKE_INSTALL_LIBDIR=lib", *options, env=bare)
        run("cmake", "--build", build, "--parallel", str(os.cpu_count()), env=bare)
        run("cmake", "--install", build, "--prefix", cls.prefix, env=bare)
        cls.cli = cls.prefix / "bin/reaper-runtime"

    @staticmethod
    def tools(folder):
        """A directory that has these programs alone."""
        folder.mkdir()
        for name in TOOLS:
            (folder / name).symlink_to(shutil.which(name))
        return folder

    @classmethod
    def source_archive(cls):
        """Unpacked. It says which revision it is of; the other build may be of an older one."""
        run(SOURCE / "scripts/package", "source", cls.scratch / "out", env={**os.environ, "SOURCE_DATE_EPOCH": "1"})
        archive, = (cls.scratch / "out").glob("*.tar.gz")
        run("tar", "-xf", archive, "-C", cls.scratch)
        source = cls.scratch / archive.name.removesuffix(".tar.gz")
        version = run(BUILD / "bin/reaper-runtime", "--version", env={})
        (source / "COMMIT").write_text(re.search(r"(?m)^commit: (\S+)$", version).group(1) + "\n")
        return source

    def test_the_same_bytes_in_another_directory(self):
        if self.cache["CMAKE_BUILD_TYPE"] != "Release":
            self.skipTest("SKIP: this build is for debugging, and has its directories in it")
        names = [name for name in MADE if name != "lib/libreaper.a" or self.cache["REAPER_STATIC"] == "ON"]
        self.assert_clean(different(BUILD, self.scratch / "build", names))

    def test_a_different_byte_is_found(self):
        one, other = self.tree(same="1", changed="1", alone="1"), self.tree(same="1", changed="2")
        self.assertEqual(["changed", "alone", "nowhere"], different(one, other, ("same", "changed", "alone", "nowhere")))

    def pkg_config(self, *arguments):
        return run("pkg-config", *arguments, "reaper", env={**CLEAN, "PKG_CONFIG_PATH": f"{self.prefix}/lib/pkgconfig"}).split()

    def test_the_files_are_there_and_no_others(self):
        files = {path.relative_to(self.prefix).as_posix() for path in self.prefix.rglob("*") if not path.is_dir()}
        version = re.search(r"VERSION (\d+\.\d+\.\d+)", (SOURCE / "CMakeLists.txt").read_text().split("project(")[1]).group(1)
        cmake = {f"lib/cmake/reaper/reaper-{name}.cmake" for name in (
            "config", "config-version", "targets", "targets-release", "static-targets", "static-targets-release")}
        self.assertEqual(cmake | {
            "bin/reaper-runtime", "lib/libreaper.so", "lib/libreaper.so.0", f"lib/libreaper.so.{version}", "lib/libreaper.a",
            "include/reaper.h", "include/reaper.hpp", "lib/pkgconfig/reaper.pc", "libexec/reaper/reaper-init"},
            {name for name in files if not name.startswith("share/")})
        self.assertEqual(self.shared(), {name for name in files if name.startswith("share/")})

    def shared(self):
        """What people use: the pages of docs/; the manual, whose names gate.manual compares with header and program."""
        documents = {f"share/doc/reaper/{path.name}" for path in (SOURCE / "docs").glob("*.md")}
        manual = {f"share/man/man1/{path.name}" for path in (SOURCE / "docs/man").glob("*.1")}
        manual |= {f"share/man/man3/{path.name}" for path in (self.scratch / "build/man/man3").iterdir()}
        manual |= {"share/man/man5/reaper-config.5"}
        self.assertLess({"share/man/man1/reaper-runtime.1", "share/man/man3/libreaper.3", "share/man/man3/reaper_create.3"}, manual)
        completions = {"share/bash-completion/completions/reaper-runtime", "share/zsh/site-functions/_reaper-runtime",
                       "share/fish/vendor_completions.d/reaper-runtime.fish"}
        return documents | manual | completions

    def test_nothing_is_set_uid(self):
        """R12 of the threat model (SECURITY.md)."""
        self.assert_clean(path for path in self.prefix.rglob("*") if path.lstat().st_mode & 0o6000)

    def test_the_installed_program_runs(self):
        text = run(self.cli, "--version", env={}, cwd="/")
        self.assertRegex(text, r"(?m)^reaper-runtime version \d+\.\d+\.\d+")
        self.assertIn("1.3.0", json.loads(run(self.cli, "features", env={}, cwd="/"))["ociVersionMax"])

    def test_the_installed_library_is_found_first(self):
        self.assertEqual(["$ORIGIN/../lib"], elf.tags(self.cli, "RPATH")[0].split(":")[:1])
        self.assertEqual([], elf.tags(self.cli, "RUNPATH"))
        self.assertEqual([], elf.tags(self.prefix / "lib/libreaper.so", "RPATH"))

    def test_no_library_of_the_working_directory_is_taken(self):
        """containerd's LD_LIBRARY_PATH ends in a colon: the working directory, which is a tenant's bundle."""
        bundle = self.scratch / "bundle"
        bundle.mkdir()
        (bundle / "hostile.c").write_text(HOSTILE)
        names = set(elf.tags(self.cli, "NEEDED") + elf.tags(self.prefix / "lib/libreaper.so", "NEEDED")) - {"libc.so.6"}
        names = {name for name in names if not name.startswith("ld-linux")} | {"libseccomp.so.2", "libstdc++.so.6"}
        self.assertIn("libcjson.so.1", names)
        for name in names:
            run("gcc", "-shared", "-fPIC", "-o", bundle / name, bundle / "hostile.c")
        run(self.cli, "--root", self.scratch / "state", "list", cwd=bundle,
            env={**CLEAN, "LD_LIBRARY_PATH": "/opt/containerd/lib:"})
        self.assertFalse((bundle / "taken").exists())

    def test_the_hostile_library_works(self):
        """The same trap catches a program without the rule."""
        bundle = self.scratch / "trap"
        bundle.mkdir()
        (bundle / "hostile.c").write_text(HOSTILE)
        (bundle / "victim.c").write_text("int main(void) { return 0; }\n")
        run("gcc", "-shared", "-fPIC", "-o", bundle / "libtrap.so", bundle / "hostile.c")
        run("gcc", "-o", bundle / "victim", bundle / "victim.c", "-Wl,--no-as-needed", f"-L{bundle}", "-ltrap")
        run(bundle / "victim", cwd=bundle, env={**CLEAN, "LD_LIBRARY_PATH": "/opt/containerd/lib:"})
        self.assertTrue((bundle / "taken").exists())

    def test_pkg_config(self):
        includes = [os.path.normpath(word[2:]) for word in self.pkg_config("--cflags") if word.startswith("-I")]
        self.assertIn(f"{self.prefix}/include", includes)
        libraries = self.pkg_config("--libs")
        self.assertIn("-lreaper", libraries)
        self.assert_clean(word for word in libraries if word in ("-lcjson", "-lcap-ng", "-lstdc++"))  # private

    def compile(self, source, name):
        program = self.scratch / name
        run("gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", source, "-o", program, *self.pkg_config("--cflags", "--libs"),
            f"-Wl,-rpath,{self.prefix}/lib")
        return program

    def bundle(self, name, config):
        folder = self.scratch / name / "bundle"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(config)
        return folder.parent

    def run_program(self, *command, cwd):
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                              env={**CLEAN, "REAPER_RUNTIME_ROOT": str(self.scratch / "state")})

    def test_the_example_of_the_readme(self):
        readme = (SOURCE / "README.md").read_text()
        (source,), (config,) = fenced(readme, "c"), fenced(readme, "json")
        self.assertLessEqual(source.strip().count("\n") + 1, 11, "ten lines and a brace")
        (self.scratch / "readme.c").write_text(source)
        done = self.run_program(self.compile(self.scratch / "readme.c", "readme"), cwd=self.bundle("readme.d", config))
        self.assertEqual(("hello\nexit code 7\n", "", 0), (done.stdout, done.stderr, done.returncode))

    def test_examples_run(self):
        program = self.compile(SOURCE / "examples/run.c", "run")
        config = '{"ociVersion": "1.2.0", "process": {"args": ["/bin/sh", "-c", "echo out; exit 5"], "cwd": "/"}}'
        done = self.run_program(program, "example", "bundle", cwd=self.bundle("run.d", config))
        self.assertEqual(("out\n", "", 5), (done.stdout, done.stderr, done.returncode))
        done = self.run_program(program, "example", "bundle", cwd=self.bundle("bad.d", config.replace('"/"', '"x"')))
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stderr, r"/process/cwd")


if __name__ == "__main__":
    unittest.main(verbosity=2)
