"""arm64: library, init and CLI are built by Debian's cross compiler, and their unit tests run under qemu-user. The libraries of
that architecture are Debian's, fetched by apt with lists and a state of its own: nothing of the machine's package manager is
touched, and no root is needed. What was fetched and built stays in the build directory.
"""
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

SOURCE = Path(os.environ.get("REAPER_SOURCE", Path(__file__).parents[2]))
sys.path.insert(0, str(SOURCE / "tests/gates"))
import elf  # noqa: E402
from gate import BUILD, Gate, run  # noqa: E402

COMPILER, QEMU = "aarch64-linux-gnu-g++", "qemu-aarch64-static"
PACKAGES = ("libc6", "libgcc-s1", "libstdc++6", "libcjson1", "libcjson-dev", "libcap-ng0", "libcap-ng-dev", "libseccomp2",
            "libseccomp-dev", "libcmocka0", "libcmocka-dev")
JOBS = str(min(2, os.cpu_count()))

# What cannot be shown under qemu-user, by test and function, and why. A function that fails without standing here is a
# finding, and so is one that stands here and passes.
SUBREAPER = "qemu-user refuses PR_SET_CHILD_SUBREAPER"
# Not run at all: statx(2) of qemu-user has no mount ids, by which what is hidden is told, so that no cgroup is found; and a test
# that fails there leaves processes behind.
NOT_RUN = r"^unit\.(cgroup$|fuzz_)"
# What reads a config or the command line is made of json's and plan's parts, whose tests are run: the soak's alone.
SOAK = bool(os.environ.get("REAPER_SOAK"))
if not SOAK:
    NOT_RUN += r"|^unit\.(config|cli)_"
PROC = "/proc/self/stat and /proc/self/exe are qemu-user's, and the loader's"
NOT_UNDER_QEMU = {
    **{("unit.cgroup_killed", f"test_{name}_in_version_{version}"): SUBREAPER
       for name in ("create", "delete") for version in (1, 2)},
    **{("unit.host_processes", name): SUBREAPER for name in ("children", "children_of_threads")},
    **{("unit.host_processes", name): PROC for name in ("own_stat", "hostile_names")},
    ("unit.host_access", "heads_of_programs"): PROC,
    **{("unit.plan_kernel", name): "it executes itself, which takes a kernel of that architecture"
       for name in ("as_we_are", "every_golden")},
    ("unit.plan_golden", "goldens"): "qemu-user has no NS_GET_NSTYPE; and the digest of a filter is one of its architecture",
}
# What a test itself says it cannot do: qemu-user has neither ptrace(2) nor filters of system calls, nor user namespaces.
SKIPS = ("ptrace is not allowed here", "seccomp filters are not allowed here", "user namespaces cannot be made here")


def emulated(root):
    """qemu, and the loader of the other architecture: with qemu's own -L, "/" would be that root, too."""
    return [QEMU, str(root / "usr/lib/ld-linux-aarch64.so.1"), "--library-path", str(root / "usr/lib/aarch64-linux-gnu")]


def fetched(folder):
    """A root with the libraries; made once for a build."""
    root = folder / "root"
    if root.exists():
        return root
    apt, new = folder / "apt", folder / "root.new"
    shutil.rmtree(new, ignore_errors=True)
    for name in ("state/lists/partial", "cache/archives/partial"):
        (apt / name).mkdir(parents=True, exist_ok=True)
    (apt / "state/status").touch()
    options = [word for option in (
        "APT::Architecture=arm64", "APT::Architectures=arm64", f"Dir::State={apt}/state",
        f"Dir::State::status={apt}/state/status", f"Dir::Cache={apt}/cache", "APT::Sandbox::User=", "Acquire::Languages=none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false") for word in ("-o", option)]
    run("apt-get", "--quiet", *options, "update")
    run("apt-get", "--quiet", *options, "download", *PACKAGES, cwd=apt)
    # Debian 12 has everything below /usr, and links to it. dpkg-deb would put a directory in the place of a link.
    for package in apt.glob("*.deb"):
        run("dpkg-deb", "--extract", package, new)
    shutil.copytree(new / "lib", new / "usr/lib", symlinks=True, dirs_exist_ok=True)
    shutil.rmtree(new / "lib")
    (new / "lib").symlink_to("usr/lib")
    shutil.rmtree(apt)
    return new.rename(root)


def configure(root, build, *options):
    run("cmake", "-S", SOURCE, "-B", build, "-G", "Ninja" if shutil.which("ninja") else "Unix Makefiles",
        "-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64",
        f"-DCMAKE_CXX_COMPILER={COMPILER}", "-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc", "-DCMAKE_BUILD_TYPE=Debug",
        "-DCMAKE_C_FLAGS_DEBUG=-O0", "-DCMAKE_CXX_FLAGS_DEBUG=-O0", "-DCMAKE_INSTALL_LIBDIR=lib", "-DREAPER_PCH=ON",
        "-DREAPER_UNITY=ON", "-DREAPER_WERROR=ON", "-DREAPER_STATIC=OFF", "-DREAPER_TESTS=ON",
        f"-DCMAKE_EXE_LINKER_FLAGS=-Wl,-rpath-link,{root}/usr/lib/aarch64-linux-gnu",
        f"-DCMAKE_CROSSCOMPILING_EMULATOR={';'.join(emulated(root))}",
        *options, env={**os.environ, "PKG_CONFIG_SYSROOT_DIR": str(root), "PKG_CONFIG_LIBDIR":
                       f"{root}/usr/lib/aarch64-linux-gnu/pkgconfig:{root}/usr/share/pkgconfig"})


def compile_targets(build, *targets):
    run("cmake", "--build", build, "--parallel", JOBS, "--target", *targets)


def unit_tests(build):
    """The tests of rooms and init, name -> target; the corpora of the fuzzers are left to the machine's own architecture."""
    listed = json.loads(run("ctest", "--test-dir", build, "--show-only=json-v1", "--label-regex", "^unit$"))["tests"]
    return {test["name"]: test["name"].replace("unit.", "unit_") for test in listed if not re.match(NOT_RUN, test["name"])}


def outcome(output):
    """The functions of a cmocka program that passed, failed and were skipped, and the reasons for the latter."""
    names = {word: set(re.findall(rf"^\[ +{word} +\] (\w+)$", output, re.M)) for word in ("OK", "FAILED", "SKIPPED")}
    return names["OK"], names["FAILED"], names["SKIPPED"], set(re.findall(r"SKIP: (.*)", output))


def may_skip(name, reason):
    """Whether the machine's own tests may, too (tests/skips)."""
    listed = [line.split(maxsplit=2) for path in (SOURCE / "tests/skips").glob("*.txt")
              for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return reason in SKIPS or any(fnmatch.fnmatchcase(name, test) and fnmatch.fnmatchcase(reason, why) for _, test, why in listed)


def unexpected(name, status, output, table):
    """What is wrong with the run of a test, of which the table says what fails."""
    passed, failed, skipped, reasons = outcome(output)
    listed = {function for test, function in table if test == name}
    findings = [f"{name}: {function} fails" for function in failed - listed]
    findings += [f"{name}: {function} passes, or is no more" for function in listed - failed - skipped]
    findings += [f"{name}: skipped, {reason}" for reason in reasons if not may_skip(name, reason)]
    if not passed | failed | skipped or (status != "run") != bool(failed):
        findings.append(f"{name}: ends with {status}")
    return findings + ([] if not findings else [output])


class Arm64(Gate):
    @classmethod
    def setUpClass(cls):
        for program in (COMPILER, QEMU, "apt-get", "dpkg-deb"):
            if not shutil.which(program):
                raise unittest.SkipTest(f"SKIP: no {program} here")
        folder = BUILD / "arm64"
        folder.mkdir(parents=True, exist_ok=True)
        cls.root, cls.build = fetched(folder), folder / "build"

    def test_units_and_program(self):
        """As the tests need it: libraries are loaded from where they were fetched to."""
        configure(self.root, self.build, "-DREAPER_TARGET_ROOT=")
        tests = unit_tests(self.build)
        self.assertGreater(len(tests), 60 if SOAK else 45)
        compile_targets(self.build, "reaper-init", "reaper", "reaper-runtime", *tests.values())
        with self.subTest("units"):
            self.units(tests)
        with self.subTest("init"):
            self.init()
        with self.subTest("program"):
            self.program()
        with self.subTest("as a packager builds it"):
            self.paths()

    def units(self, tests):
        report = self.build / "report.xml"
        subprocess.run(["ctest", "--test-dir", self.build, "--label-regex", "^unit$", "--exclude-regex", NOT_RUN,
                        "--parallel", JOBS, "--output-junit", report, "--test-output-size-passed", "16777216",
                        "--test-output-size-failed", "16777216"],
                       stdin=subprocess.DEVNULL, capture_output=True, check=False, env={**os.environ, "REAPER_CALLERS": "1000"})
        cases = {case.get("name"): case for case in ElementTree.parse(report).getroot().iter("testcase")}
        self.assertEqual(set(tests), set(cases))
        passed, findings = 0, []
        for name, case in cases.items():
            output = case.findtext("system-out")
            passed += len(outcome(output)[0])
            findings += unexpected(name, case.get("status"), output, NOT_UNDER_QEMU)
        self.assert_clean(findings)
        self.assertGreater(passed, 400 if SOAK else 300)

    def init(self):
        """The one program with the architecture's own code: static, and asked for nothing it says so as the other does."""
        program = self.build / "libexec/reaper-init"
        self.assertIn("AArch64", run("readelf", "--file-header", program))
        self.assert_clean(kind for kind, _ in elf.segments(program) if kind in ("INTERP", "DYNAMIC", "TLS"))
        answers = [subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode
                   for command in ([BUILD / "libexec/reaper-init"], [QEMU, program])]
        self.assertEqual(*answers)

    def program(self):
        """The CLI says what the native one says: of itself, of what it can, and of configs, also of those that it refuses."""
        self.assertIn("AArch64", run("readelf", "--file-header", self.build / "bin/reaper-runtime"))
        native = [str(BUILD / "bin/reaper-runtime")]
        other = emulated(self.root) + [str(self.build / "bin/reaper-runtime")]
        for words in (["--version"], ["features"], ["--help"]):
            self.same(native + words, other + words)
        configs = sorted((SOURCE / "tests/data/config").glob("*.json")) + sorted((SOURCE / "tests/data/plan").glob("*.json"))[::4]
        texts = [text for text in (config.read_text() for config in configs) if "cgroupsPath" not in text]  # NOT_RUN
        self.assertGreater(len(texts), 30)
        for text in texts:
            # The machine's programs are none for the other architecture, as check rightly says.
            missing = re.sub(r'("args":\s*\[\s*)"[^"]*"', r'\1"/no/such/program"', text)
            with tempfile.TemporaryDirectory() as bundle:
                for command, content in (("check", missing), ("plan", text)):
                    Path(bundle, "config.json").write_text(content)
                    words = [command, "--bundle", bundle]
                    self.same(native + words, other + words)

    def same(self, native, other):
        self.maxDiff = None
        results = [subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
                   for command in (native, other)]
        # Each says the revision that it was configured at, and what a filter has become for its architecture.
        own = r'\b[0-9a-f]{12}\b|(?<=seccomp )"[0-9a-f]{64}"|instructions=\d+'
        says = [(done.returncode, re.sub(own, "...", done.stdout), done.stderr) for done in results]
        self.assertEqual(*says, native)

    def paths(self):
        """A cross build for another machine names the places that its libraries have there."""
        configure(self.root, self.build, f"-DREAPER_TARGET_ROOT={self.root}")
        compile_targets(self.build, "reaper", "reaper-runtime")
        dynamic = run("readelf", "--dynamic", self.build / "bin/reaper-runtime")
        self.assertIn("[$ORIGIN/../lib:/usr/lib/aarch64-linux-gnu]", dynamic)
        library = (self.build / "lib/libreaper.so").read_bytes()
        self.assertRegex(library, rb"/usr/lib/aarch64-linux-gnu\0")  # of those that are loaded
        self.assertNotIn(str(self.root).encode(), library)

    def test_a_failure_is_seen(self):
        output = "[       OK ] a\n[  FAILED  ] b\n[  FAILED  ] 1 test(s), listed below:\n"
        table = {("unit.x", "b"): "why"}
        self.assertEqual([], unexpected("unit.x", "fail", output, table))
        self.assertEqual([], unexpected("unit.x", "run", "SKIP: ptrace is not allowed here\n[  SKIPPED ] a\n", {}))
        for status, said, known in (("fail", output, {}), ("run", "[       OK ] b\n", table), ("fail", "[       OK ] a\n", {}),
                                    ("run", "", {}), ("run", "SKIP: the moon\n[  SKIPPED ] a\n", {})):
            self.assertTrue(unexpected("unit.x", status, said, known), (status, said))


if __name__ == "__main__":
    unittest.main(verbosity=2)
