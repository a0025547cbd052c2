"""The RPM packages: built by rpmbuild(8) of the source archive, their files compared with those of the Debian packages, and
installed into a root of their own, used from there and erased without a trace. What depends on what has Fedora's names, which
Debian's rpm(8) knows nothing of: --nodeps.
"""
import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("REAPER_SOURCE", Path(__file__).parents[2]))
sys.path.insert(0, str(SOURCE / "tests/gates"))
import test_package  # noqa: E402
from gate import Gate, run  # noqa: E402
from test_debian import differences, picture  # noqa: E402

# Which package of Debian's is which of ours.
PACKAGES = {"reaper": "reaper-runtime", "reaper-libs": "libreaper0", "reaper-devel": "libreaper-dev"}
# Fedora's places of what lies elsewhere in Debian; and what rpm adds by itself.
PLACES = ((r"^usr/lib64/", "usr/lib/TRIPLET/"), (r"^usr/libexec/reaper", "usr/lib/TRIPLET/libreaper0/reaper"))
OF_RPM = re.compile(r"^usr/(share/licenses/|lib/\.build-id)")
# Directories of Fedora's `filesystem`, and of the shells'.
SHARED = ("usr/bin", "usr/include", "usr/lib64/cmake", "usr/lib64/pkgconfig", "usr/libexec", "usr/share/bash-completion/completions",
          "usr/share/doc", "usr/share/fish/vendor_completions.d", "usr/share/licenses", "usr/share/man/man1", "usr/share/man/man3",
          "usr/share/man/man5", "usr/share/zsh/site-functions", "usr/lib")
# rpm's own notes.
DATABASE = re.compile(r"\brpm\b|\.rpmdb")


def as_in_debian(name):
    for pattern, place in PLACES:
        name = re.sub(pattern, place, name)
    return name


def expected(package):
    """What packaging/debian takes into a package: patterns of files or whole directories."""
    lines = (SOURCE / f"packaging/debian/{package}.install").read_text().splitlines()
    return [line.split()[0].replace("lib/*/", "lib/TRIPLET/") for line in lines]


def misplaced(package, files):
    """Files that Debian's package does not have, and what it has that is missing."""
    patterns = expected(PACKAGES[package])
    found = {name: [pattern for pattern in patterns if fnmatch.fnmatchcase(name, pattern) or name.startswith(pattern + "/")]
             for name in (as_in_debian(name) for name in files if not OF_RPM.match(name))}
    findings = [f"{package} has {name}, which {PACKAGES[package]} has not" for name, by in found.items() if not by]
    used = {pattern for by in found.values() for pattern in by}
    return findings + [f"{package} has nothing of {pattern}" for pattern in patterns if pattern not in used]


class Rpm(Gate):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("rpmbuild"):
            raise unittest.SkipTest("SKIP: no rpmbuild here")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.scratch = Path(folder.name)
        cls.packages = cls.built(cls.scratch / "rpm")

    @staticmethod
    def built(folder):
        """name -> file. Packages that are already there may be named by REAPER_RPMS, a directory of rpmbuild's (_topdir)."""
        folder = Path(os.environ.get("REAPER_RPMS", folder))
        if not (folder / "RPMS").exists():
            run(SOURCE / "scripts/package", "source", folder / "SOURCES")
            run("rpmbuild", "-bb", "--nodeps", "--define", f"_topdir {folder}", SOURCE / "packaging/reaper.spec")
        return {re.sub(r"-\d.*", "", path.name): path for path in folder.glob("RPMS/*/*.rpm")}

    def files(self, package):
        """Without directories."""
        lines = run("rpm", "--query", "--package", "--queryformat", "[%{FILEMODES:perms} %{FILENAMES}\n]", self.packages[package])
        return [line.split()[1].lstrip("/") for line in lines.splitlines() if not line.startswith("d")]

    def test_the_files_are_those_of_debian(self):
        self.assertEqual(set(PACKAGES), set(self.packages))
        for package in PACKAGES:
            self.assert_clean(misplaced(package, self.files(package)))

    def test_a_misplaced_file_is_seen(self):
        files = self.files("reaper-libs")
        self.assertEqual(1, len(misplaced("reaper-libs", files + ["usr/bin/other"])))
        self.assertEqual(1, len(misplaced("reaper-libs", [name for name in files if "libexec" not in name])))

    def test_dependencies(self):
        """The library is found by its name; the program and the headers ask for their own version of it."""
        asked = {name: run("rpm", "--query", "--package", "--requires", path) for name, path in self.packages.items()}
        self.assertIn("libreaper.so.0()(64bit)", run("rpm", "--query", "--package", "--provides", self.packages["reaper-libs"]))
        self.assertIn("libreaper.so.0(REAPER_0.1)(64bit)", asked["reaper"])
        for name in ("reaper", "reaper-devel"):
            self.assertRegex(asked[name], r"(?m)^reaper-libs\S* = \S+$")
        self.assertRegex(asked["reaper-libs"], r"(?m)^libseccomp\b")

    def rpm(self, *arguments):
        """rpm(8) on a root of its own; an ordinary user cannot change roots, for which there is nothing to run."""
        return run("rpm", "--root", self.root, *arguments)

    def test_life_of_the_packages(self):
        if os.geteuid() != 0:
            self.skipTest("SKIP: a clean root needs root")
        self.root = self.scratch / "root"
        self.root.mkdir()
        for name in SHARED:
            (self.root / name).mkdir(parents=True)
        self.rpm("--initdb")
        before = picture(self.root)
        self.rpm("--nodeps", "--install", *self.packages.values())
        self.assertIn("reaper-runtime version", self.life())
        self.assertIn("exit code 7", self.consumer())
        self.rpm("--nodeps", "--erase", *self.packages)
        self.assert_clean(line for line in differences(before, picture(self.root)) if not DATABASE.search(line.split(":")[0]))

    def environment(self, **more):
        return {"PATH": f"{self.root}/usr/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "REAPER_RUNTIME_ROOT": f"{self.scratch}/state", **more}

    def life(self):
        """The program of the root finds the library beside it, wherever both lie."""
        which = subprocess.run(["sh", "-c", "command -v reaper-runtime"], env=self.environment(), capture_output=True, check=True)
        self.assertEqual(f"{self.root}/usr/bin/reaper-runtime", which.stdout.decode().strip())
        return run("sh", SOURCE / "packaging/debian/tests/life", env=self.environment())

    def consumer(self):
        """A program of somebody else's on the library and the headers of the root."""
        bundle = self.scratch / "bundle"
        bundle.mkdir()
        (bundle / "config.json").write_text(test_package.CONFIG)
        (self.scratch / "consumer.c").write_text(test_package.CONSUMER)
        words = run("pkg-config", "--cflags", "--libs", "reaper", env=self.environment(
            PKG_CONFIG_PATH=f"{self.root}/usr/lib64/pkgconfig")).split()
        self.assertIn(f"-L{self.root}/usr/lib64", [re.sub(r"/[^/]+/\.\.", "", word) for word in map(os.path.normpath, words)])
        run("gcc", "-std=c99", self.scratch / "consumer.c", "-o", self.scratch / "consumer", *words)
        return run(self.scratch / "consumer", self.scratch / "state", bundle,
                   env=self.environment(LD_LIBRARY_PATH=f"{self.root}/usr/lib64"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
