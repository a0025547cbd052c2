"""The Debian packages: built of the tree, installed into a clean root, used there by programs of both kinds, and purged
without a trace. The root is made by mmdebstrap, has the essential packages and what ours depend on, and is nobody's.
"""
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("REAPER_SOURCE", Path(__file__).parents[2]))
sys.path.insert(0, str(SOURCE / "tests/gates"))
import test_package  # noqa: E402
from gate import Gate, run  # noqa: E402

NAMES = ("libreaper0", "libreaper-dev", "reaper-runtime")
DEPENDENCIES = ("libcjson-dev", "libseccomp2")
# The package manager's own notes.
NOTES = re.compile(r"^(var/lib/dpkg|var/log|var/cache/ldconfig|etc/ld\.so\.cache|tmp|proc)\b")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}


def missing():
    """Why this cannot run here, or None."""
    if os.geteuid() != 0:
        return "a clean root needs root"
    for program in ("mmdebstrap", "dh", "dpkg-buildpackage"):
        if not shutil.which(program):
            return f"no {program} here"
    made = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, check=False)
    return None if made.returncode == 0 else "making namespaces needs CAP_SYS_ADMIN"


def picture(root):
    """Every file of a tree but the package manager's notes: name -> what it is."""
    seen = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = Path(folder, name)
            short = path.relative_to(root).as_posix()
            if NOTES.match(short):
                continue
            facts = path.lstat()
            content = ""
            if path.is_symlink():
                content = os.readlink(path)
            elif stat.S_ISREG(facts.st_mode):
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            seen[short] = (oct(facts.st_mode), facts.st_uid, facts.st_gid, content)
    return seen


def differences(before, after):
    return [f"{name}: {before.get(name)} -> {after.get(name)}" for name in sorted(before.keys() | after.keys())
            if before.get(name) != after.get(name)]


class Debian(Gate):
    @classmethod
    def setUpClass(cls):
        if reason := missing():
            raise unittest.SkipTest(f"SKIP: {reason}")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.scratch = Path(folder.name)
        cls.scratch.chmod(0o755)
        cls.root = cls.scratch / "root"
        # Both at once: one waits for the network and the disk, the other for the compiler.
        with open(cls.scratch / "root.log", "w+", encoding="utf-8") as log:
            clean = subprocess.Popen(["mmdebstrap", "--mode=root", "--variant=essential", f"--include={','.join(DEPENDENCIES)}",
                                      "--dpkgopt=force-unsafe-io", "bookworm", str(cls.root)], stdin=subprocess.DEVNULL,
                                     stdout=log, stderr=log)
            try:
                cls.packages = cls.built(cls.scratch / "packages")
            finally:
                status = clean.wait()
            log.seek(0)
            assert status == 0, log.read()

    @staticmethod
    def built(folder):
        """name -> file. Every symbol has to be listed; neither debug packages nor their debug information are made. Packages
        that are already there may be named by REAPER_PACKAGES."""
        folder = Path(os.environ.get("REAPER_PACKAGES", folder))
        if not folder.exists():
            run(SOURCE / "scripts/package", "deb", folder, env={
                **os.environ, "DPKG_GENSYMBOLS_CHECK_LEVEL": "4", "DEB_BUILD_OPTIONS": "noautodbgsym",
                "DEB_CXXFLAGS_STRIP": "-g", "DEB_CFLAGS_STRIP": "-g"})
        return {path.name.split("_")[0]: path for path in folder.glob("*.deb")}

    def inside(self, *command, check=True):
        """A command in the root, in namespaces of its own: what it leaves behind ends with them."""
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
             'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"', self.root, *command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=ENVIRONMENT)
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: status {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def install(self, *names):
        for name in names:
            shutil.copy(self.packages[name], self.root / "tmp")
        self.inside("dpkg", "-i", *(f"/tmp/{self.packages[name].name}" for name in names))

    def consumer(self):
        """A program of somebody else's, compiled with what is installed in the root."""
        triplet, = (path.parents[1].name for path in self.root.glob("usr/lib/*/pkgconfig/reaper.pc"))
        (self.root / "tmp/consumer.c").write_text(test_package.CONSUMER)
        words = run("pkg-config", "--cflags", "--libs", "reaper", env={
            "PATH": os.environ["PATH"], "PKG_CONFIG_LIBDIR": str(self.root / f"usr/lib/{triplet}/pkgconfig")}).split()
        run("gcc", "-std=c99", self.root / "tmp/consumer.c", "-o", self.root / "tmp/consumer", *words,
            f"-Wl,-rpath-link,{self.root}/usr/lib/{triplet}")
        (self.root / "tmp/bundle").mkdir()
        (self.root / "tmp/bundle/config.json").write_text(test_package.CONFIG)
        return "/tmp/consumer"

    def test_life_of_the_packages(self):
        self.assertEqual(set(NAMES), set(self.packages))
        before = picture(self.root)
        self.install(*NAMES)
        self.assertEqual("", self.inside("dpkg", "--audit").stdout)
        shutil.copy(SOURCE / "packaging/debian/tests/life", self.root / "tmp")
        self.assertIn("reaper-runtime version", self.inside("sh", "/tmp/life").stdout)
        self.assertIn("exit code 7", self.inside(self.consumer(), "/tmp/state", "/tmp/bundle").stdout)
        self.purge_with_a_container()
        self.inside("dpkg", "--purge", *NAMES)
        self.assert_clean(differences(before, picture(self.root)))

    def purge_with_a_container(self):
        """What a container left in the state directory is not the package's to remove. All in one pid namespace."""
        again = " ".join(f"/tmp/{self.packages[name].name}" for name in NAMES)
        self.inside("sh", "-euc", f"""
            reaper-runtime create --bundle /tmp/bundle left
            dpkg --purge {' '.join(NAMES)}
            test -e /run/reaper/left/state.json
            dpkg -i {again}
            reaper-runtime delete --force left
            """)

    def test_each_file_is_in_its_package(self):
        listed = {name: self.files(path) for name, path in self.packages.items()}
        self.assertTrue({"usr/include/reaper.h", "usr/include/reaper.hpp", "usr/share/man/man3/reaper_create.3.gz"}
                        <= listed["libreaper-dev"])
        self.assertIn("usr/bin/reaper-runtime", listed["reaper-runtime"])
        self.assertTrue(any(re.fullmatch(r"usr/lib/[^/]+/libreaper0/reaper/reaper-init", name) for name in listed["libreaper0"]))
        for name in listed["libreaper0"]:  # so that two SONAMEs and two architectures can be installed side by side
            self.assertRegex(name, r"^usr/lib/[^/]+/libreaper(\.so\.0|0/)|^usr/share/(doc|lintian/overrides)/libreaper0")

    @staticmethod
    def files(package):
        lines = run("dpkg-deb", "--contents", package).splitlines()
        return {re.sub(r" (->|link to) .*", "", line.split(maxsplit=5)[5]).removeprefix("./") for line in lines
                if not line.startswith("d")}

    def test_lintian(self):
        if not shutil.which("lintian"):
            self.skipTest("SKIP: no lintian here")
        done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error", "--profile", "debian", *self.packages.values()],
                              capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_a_trace_is_seen(self):
        tree = self.tree(etc__x="1")
        before = picture(tree)
        self.assertEqual([], differences(before, picture(tree)))
        for change in (lambda: (tree / "etc/x").write_text("2"), lambda: (tree / "new").mkdir(), lambda: (tree / "etc/x").chmod(0o600)):
            before = picture(tree)
            change()
            self.assertEqual(1, len(differences(before, picture(tree))))


if __name__ == "__main__":
    unittest.main(verbosity=2)
