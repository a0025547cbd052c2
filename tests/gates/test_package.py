"""What this build installs, used by somebody else's build: find_package, pkg-config, shared and static, after it was moved."""
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import elf
import test_header
from gate import BUILD, SOURCE, Gate, run

CLEAN = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
VERSION = re.search(r"project\(reaper VERSION (\d+)\.(\d+)\.(\d+)", (SOURCE / "CMakeLists.txt").read_text())
CONFIG = '{"ociVersion": "1.2.0", "process": {"args": ["/bin/sh", "-c", "exit 7"], "cwd": "/"}}'
# A container's whole life, and an error that is made of a config.json.
CONSUMER = r"""
#include <reaper.h>
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) {
  reaper_runtime_options where = {.size = sizeof where, .root = argv[argc - 2]};
  reaper_create_options how = {.size = sizeof how, .bundle = argv[argc - 1]};
  reaper_exit_status status = {.size = sizeof status};
  reaper_runtime *runtime; reaper_container *box; reaper_error *err;
  if (reaper_runtime_new(&where, &runtime, &err) || reaper_create(runtime, "consumer", &how, &box, &err) ||
      reaper_start(box, &err) || reaper_wait(box, -1, &status, &err) || reaper_delete(box, 0, &err))
    return fprintf(stderr, "%s\n", reaper_error_message(err)), 1;
  reaper_container_free(box);
  how.config = "{\"ociVersion\": \"1.2.0\", \"process\": {\"cwd\": 1}}";
  how.config_length = strlen(how.config);
  int code = reaper_create(runtime, "refused", &how, &box, &err);
  printf("%s: exit code %d, %s\n", reaper_version(), status.exit_code, reaper_error_name(code));
  reaper_error_free(err);
  reaper_runtime_free(runtime);
  return 0;
}
"""
PROJECT = """cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES C)
set(CMAKE_C_STANDARD 99)
find_package(reaper %s CONFIG REQUIRED %s)
add_executable(consumer consumer.c)
target_link_libraries(consumer PRIVATE %s)
"""


class Package(Gate):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.scratch = Path(folder.name)
        run("cmake", "--install", BUILD, "--prefix", cls.scratch / "first", env=CLEAN)
        cls.prefix = (cls.scratch / "first").rename(cls.scratch / "moved")
        cls.pc, = cls.prefix.rglob("reaper.pc")
        cls.library = cls.pc.parents[1]
        (cls.scratch / "bundle").mkdir()
        (cls.scratch / "bundle/config.json").write_text(CONFIG)
        (cls.scratch / "consumer.c").write_text(CONSUMER)

    def project(self, wanted="0.1", components="", target="reaper::reaper"):
        """A project of somebody else; the result of configuring it, and its build directory."""
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        (folder / "consumer.c").write_text(CONSUMER)
        (folder / "CMakeLists.txt").write_text(PROJECT % (wanted, components, target))
        done = subprocess.run(["cmake", "-S", folder, "-B", folder / "b", f"-DCMAKE_PREFIX_PATH={self.prefix}"],
                              capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=CLEAN)
        return done, folder / "b"

    def built(self, **options):
        done, folder = self.project(**options)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        run("cmake", "--build", folder, env=CLEAN)
        return folder / "consumer"

    def compiled(self, *flags, name):
        words = run("pkg-config", "--cflags", "--libs", *flags, "reaper",
                    env={**CLEAN, "PKG_CONFIG_PATH": str(self.pc.parent)}).split()
        run("gcc", "-std=c99", self.scratch / "consumer.c", "-o", self.scratch / name, *words)
        return self.scratch / name

    def assert_runs(self, program, **environment):
        out = run(program, self.scratch / "state", self.scratch / "bundle", env={**CLEAN, **environment})
        self.assertEqual(f"{'.'.join(VERSION.groups())}: exit code 7, REAPER_ERR_INVALID\n", out)

    def assert_static(self, program):
        self.assertNotIn("libreaper.so.0", elf.tags(program, "NEEDED"))
        self.assertIn("libcjson.so.1", elf.tags(program, "NEEDED"))

    def archive(self):
        path = self.library / "libreaper.a"
        if not path.exists():
            self.skipTest("SKIP: this build has no static library")
        return path

    def test_find_package(self):
        program = self.built()
        self.assertIn("libreaper.so.0", elf.tags(program, "NEEDED"))
        self.assert_runs(program)

    def test_find_package_static(self):
        self.archive()
        program = self.built(components="COMPONENTS static", target="reaper::reaper-static")
        self.assert_static(program)
        self.assert_runs(program)

    def test_pkg_config(self):
        program = self.compiled(name="shared")
        self.assertIn("libreaper.so.0", elf.tags(program, "NEEDED"))
        self.assert_runs(program, LD_LIBRARY_PATH=str(self.library))

    def test_pkg_config_static(self):
        """The archive alone, as where the .so is not installed."""
        self.archive()
        hidden = [path.rename(path.with_name(path.name + ".away")) for path in self.library.glob("libreaper.so*")]
        try:
            program = self.compiled("--static", name="static")
        finally:
            for path in hidden:
                path.rename(path.with_name(path.name.removesuffix(".away")))
        self.assert_static(program)
        self.assert_runs(program)

    def test_another_version_is_refused(self):
        major, minor, patch = (int(number) for number in VERSION.groups())
        for wanted in (f"{major}.{minor + 1}", f"{major + 1}.0", f"{major}.{minor}.{patch + 1}"):
            done, _ = self.project(wanted=wanted)
            self.assertNotEqual(0, done.returncode)
            self.assertIn(f'compatible with requested version "{wanted}"', " ".join(done.stderr.split()))

    def test_an_unknown_component_is_refused(self):
        done, _ = self.project(components="COMPONENTS nonsense")
        self.assertNotEqual(0, done.returncode)
        self.assertIn("nonsense", done.stderr)

    def test_no_path_of_the_build_is_in_the_files(self):
        for path in [self.pc, *self.prefix.rglob("*.cmake")]:
            text = path.read_text()
            self.assert_clean(f"{path.name}: {place}" for place in (BUILD, SOURCE, self.scratch) if f"{place}/" in text)

    def test_the_archive_shows_the_header_alone(self):
        out = run("nm", "--extern-only", "--defined-only", "--format=posix", self.archive())
        names = {line.split()[0] for line in out.splitlines() if " " in line}
        self.assertEqual(test_header.declared((SOURCE / "include/reaper.h").read_text()), names)


if __name__ == "__main__":
    unittest.main(verbosity=2)
