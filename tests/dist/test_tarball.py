"""The release tarball: what it needs of a system, that it can be put anywhere, and a program of somebody else's on it."""
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("REAPER_SOURCE", Path(__file__).parents[2]))
sys.path.insert(0, str(SOURCE / "tests/gates"))
import elf  # noqa: E402
import test_binaries  # noqa: E402
import test_install  # noqa: E402
import test_package  # noqa: E402
from gate import BUILD, Gate, run  # noqa: E402

GLIBC = (2, 28)
# Parts of glibc that were files of their own until 2.34.
MAY_NEED = {"libc.so.6", "libdl.so.2", "libpthread.so.0", "libm.so.6"}
CLEAN = test_package.CLEAN
NOT_FETCHED = 75  # scripts/lib/tarball.sh
FILTER = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["uname"], "action": "SCMP_ACT_ERRNO"}]}


def made(folder, **options):
    """A directory with the tarball, or a skip."""
    done = subprocess.run([SOURCE / "scripts/package", "tarball", folder], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False, **options)
    if done.returncode == NOT_FETCHED:
        raise unittest.SkipTest(f"SKIP: {done.stderr.strip().splitlines()[-1]}")
    if done.returncode != 0:
        raise AssertionError(f"scripts/package tarball: status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return folder


def too_new(path):
    """Findings: versions of glibc's symbols that a file needs and glibc 2.28 has not."""
    versions = set(re.findall(r"\bGLIBC_([\w.]+)", run("readelf", "--wide", "--version-info", path)))
    return [f"{path.name} needs GLIBC_{text}" for text in sorted(versions)
            if not re.fullmatch(r"[\d.]+", text) or tuple(map(int, text.split("."))) > GLIBC]


class Tarball(Gate):
    @classmethod
    def setUpClass(cls):
        if os.uname().machine != "x86_64":
            raise unittest.SkipTest("SKIP: the tarball is for x86_64")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.scratch = Path(folder.name)
        cls.scratch.chmod(0o755)
        cls.made = Path(os.environ.get("REAPER_TARBALL") or made(cls.scratch / "made"))
        cls.archive, = cls.made.glob("reaper-*-linux-x86_64.tar.gz")
        run("tar", "-xf", cls.archive, "-C", cls.scratch)
        cls.prefix = (cls.scratch / cls.archive.name.removesuffix(".tar.gz")).rename(cls.scratch / "moved")
        cls.cli = cls.prefix / "bin/reaper-runtime"
        cls.library = cls.prefix / "lib/libreaper.so.0"
        (cls.scratch / "bundle").mkdir()
        (cls.scratch / "bundle/config.json").write_text(test_package.CONFIG)

    def runtime(self, *arguments, **options):
        return subprocess.run([self.cli, "--root", self.scratch / "state", *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, env=CLEAN, **options)

    def test_checksums(self):
        self.assertIn(f"{self.archive.name}: OK", run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=self.made))

    def test_glibc_alone_and_no_new_one(self):
        for path, others in ((self.library, set()), (self.cli, {"libreaper.so.0"})):
            self.assert_clean(too_new(path))
            self.assert_clean(test_binaries.needs(path, MAY_NEED | others))
        self.assert_clean(test_binaries.static_program(self.prefix / "libexec/reaper/reaper-init"))

    def test_hardened(self):
        """The program as the other build's; DT_RPATH comes before LD_LIBRARY_PATH, DT_RUNPATH after it (ld.so(8))."""
        for path in (self.cli, self.library):
            self.assertRegex(run("readelf", "--file-header", path), r"Type: +DYN ")
            self.assertIn("NOW", " ".join(elf.tags(path, "FLAGS") + elf.tags(path, "FLAGS_1")))
            kinds = dict(elf.segments(path))
            self.assertIn("GNU_RELRO", kinds)
            self.assertNotIn("E", kinds["GNU_STACK"])
            self.assertEqual([], elf.tags(path, "RUNPATH"))
        self.assertEqual(["$ORIGIN/../lib", "/lib/x86_64-linux-gnu"], elf.tags(self.cli, "RPATH")[0].split(":")[:2])
        self.assertEqual([], elf.tags(self.library, "RPATH"))

    def test_a_new_glibc_is_found(self):
        """gettid(2) has its function since glibc 2.30."""
        tree = self.tree(new_DOT_c="int gettid(void);\nint main(void) { return gettid() < 0; }\n")
        run("gcc", tree / "new.c", "-o", tree / "new")
        self.assertIn("new needs GLIBC_2.30", too_new(tree / "new"))

    def test_exports_as_the_other_build(self):
        exported, others = elf.exported(self.library), elf.exported(BUILD / "lib/libreaper.so")
        nodes = set(exported.values())
        self.assertIn("REAPER_0.1", nodes)
        # GNU's linker defines a symbol for each node, too.
        self.assertEqual({name: node for name, node in others.items() if name not in nodes}, exported)
        self.assertEqual(["libreaper.so.0"], elf.tags(self.library, "SONAME"))
        flags = " ".join(elf.tags(self.library, "FLAGS") + elf.tags(self.library, "FLAGS_1"))
        for wanted in ("NODELETE", "NOW"):
            self.assertIn(wanted, flags)

    def test_files(self):
        """Those of an installation, but for libreaper.a; and what is said of the parts of others."""
        files = {path.relative_to(self.prefix).as_posix() for path in self.prefix.rglob("*") if not path.is_dir()}
        listed = run("cmake", "--install", BUILD, "--prefix", self.scratch / "other", env=CLEAN)
        normal = set(re.findall(rf"^-- (?:Installing|Up-to-date): {re.escape(str(self.scratch))}/other/(.*)$", listed, re.M))
        normal = {name for name in normal if not (self.scratch / "other" / name).is_dir() and "static" not in name}
        notices = {f"share/doc/reaper/{name}" for name in ("LICENSE", "VERSIONS", "licenses/cJSON", "licenses/libc++")}
        # Named after the kind of build.
        kind = {name for name in files | normal if re.search(r"reaper-targets-\w+\.cmake$", name)}
        self.assertEqual(normal - {"lib/libreaper.a"} - kind | notices, files - kind)
        self.assertIn("lib/cmake/reaper/reaper-targets-release.cmake", files)

    def test_no_path_of_the_build_is_in_it(self):
        """Of no file; so another directory gives the same bytes. zig's own directory lies below the build's."""
        places = (str(SOURCE).encode() + b"/", str(BUILD.parent).encode() + b"/", b"/reaper-package-", b"zig-cache")
        for path in self.prefix.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                self.assert_clean(f"{path.name}: {place.decode()}" for place in places if place in content)

    if os.environ.get("REAPER_SOAK"):  # it takes minutes
        def test_the_same_bytes_again(self):
            """Sources and build lie in other directories each time."""
            again = made(self.scratch / "again")
            self.assertEqual((self.made / "SHA256SUMS").read_text(), (again / "SHA256SUMS").read_text())

    def test_nothing_of_this_hour_or_user_is_in_it(self):
        with tarfile.open(self.archive) as archive:
            members = archive.getmembers()
        self.assertEqual([member.name for member in members], sorted((member.name for member in members)))
        self.assertEqual({(0, 0, "", "")}, {(member.uid, member.gid, member.uname, member.gname) for member in members})
        self.assertEqual(1, len({member.mtime for member in members}))
        self.assertEqual([], [member.name for member in members if member.mode & 0o6022 and not member.issym()])

    def test_a_container_runs(self):
        done = self.runtime("run", "--bundle", self.scratch / "bundle", "box")
        self.assertEqual((7, "", ""), (done.returncode, done.stdout, done.stderr))
        self.assertEqual("[]", self.runtime("list", "--format", "json").stdout.strip())

    def test_a_filter_is_compiled(self):
        """libseccomp is found where the distribution has it."""
        if not list(Path("/usr/lib").glob("*/libseccomp.so.2")) + list(Path("/usr/lib64").glob("libseccomp.so.2")):
            self.skipTest("SKIP: no libseccomp.so.2 here")
        bundle = self.scratch / "filtered"
        bundle.mkdir()
        (bundle / "config.json").write_text(json.dumps({
            "ociVersion": "1.2.0", "linux": {"seccomp": FILTER},
            "process": {"args": ["/bin/sh", "-c", "uname || exit 5"], "cwd": "/", "noNewPrivileges": True,
                        "env": ["PATH=/usr/bin:/bin"]}}))
        done = self.runtime("run", "--bundle", bundle, "filtered")
        self.assertEqual(5, done.returncode, done.stderr)

    def test_no_library_of_the_working_directory_is_taken(self):
        """The loader rule (docs/architecture.md), on a system that is not the build's."""
        bundle = self.scratch / "hostile"
        bundle.mkdir()
        (bundle / "hostile.c").write_text(test_install.HOSTILE)
        names = {name for path in (self.cli, self.library) for name in elf.tags(path, "NEEDED")}
        names = {name for name in names if not name.startswith("ld-linux")} - {"libreaper.so.0"}
        run("gcc", "-shared", "-fPIC", "-o", bundle / "hostile.so", bundle / "hostile.c")
        self.assertIn("libc.so.6", names)
        for name in names | {"libreaper.so.0", "libcjson.so.1", "libseccomp.so.2", "libcap-ng.so.0"}:
            (bundle / name).write_bytes((bundle / "hostile.so").read_bytes())
        run(self.cli, "--root", self.scratch / "state", "list", cwd=bundle,
            env={**CLEAN, "LD_LIBRARY_PATH": "/opt/containerd/lib:"})
        self.assertFalse((bundle / "taken").exists())

    def consumer(self, *words):
        (self.scratch / "consumer.c").write_text(test_package.CONSUMER)
        run("gcc", "-std=c99", self.scratch / "consumer.c", "-o", self.scratch / "consumer", *words)
        out = run(self.scratch / "consumer", self.scratch / "state", self.scratch / "bundle", env={
            **CLEAN, "LD_LIBRARY_PATH": str(self.prefix / "lib")})
        self.assertRegex(out, r"^\d+\.\d+\.\d+: exit code 7, REAPER_ERR_INVALID\n$")

    def test_a_program_by_pkg_config(self):
        """Where nothing of cJSON's is installed: it is inside."""
        words = run("pkg-config", "--cflags", "--libs", "reaper", env={
            **CLEAN, "PKG_CONFIG_LIBDIR": str(self.prefix / "lib/pkgconfig")}).split()
        self.consumer(*words)

    def test_a_program_by_cmake(self):
        project = self.scratch / "project"
        project.mkdir()
        (project / "consumer.c").write_text(test_package.CONSUMER)
        (project / "CMakeLists.txt").write_text(test_package.PROJECT % ("0.1", "", "reaper::reaper"))
        run("cmake", "-S", project, "-B", project / "b", f"-DCMAKE_PREFIX_PATH={self.prefix}", env=CLEAN)
        run("cmake", "--build", project / "b", env=CLEAN)
        self.assertIn("exit code 7", run(project / "b/consumer", self.scratch / "state", self.scratch / "bundle", env=CLEAN))


if __name__ == "__main__":
    unittest.main(verbosity=2)
