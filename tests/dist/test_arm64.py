"""arm64: reaper-init, which has the architecture's own code, is built by the cross compiler and runs under qemu."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("REAPER_SOURCE", Path(__file__).parents[2]))
sys.path.insert(0, str(SOURCE / "tests/gates"))
import elf  # noqa: E402
from gate import BUILD, Gate, run  # noqa: E402

COMPILER, QEMU = "aarch64-linux-gnu-g++", "qemu-aarch64-static"


def answer(*command):
    """Of a reaper-init that is given no plan: it has nothing to carry out, and says so."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode


class Arm64(Gate):
    def test_init(self):
        for program in (COMPILER, QEMU):
            if not shutil.which(program):
                self.skipTest(f"SKIP: no {program} here")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        build = Path(folder.name)
        run("cmake", "-S", SOURCE, "-B", build, f"-DCMAKE_CXX_COMPILER={COMPILER}", "-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc",
            "-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64", "-DREAPER_WERROR=ON")
        run("cmake", "--build", build, "--parallel", str(os.cpu_count()), "--target", "reaper-init")
        program = build / "libexec/reaper-init"
        self.assertIn("AArch64", run("readelf", "--file-header", program))
        self.assert_clean(kind for kind, _ in elf.segments(program) if kind in ("INTERP", "DYNAMIC", "TLS"))
        self.assertEqual(answer(BUILD / "libexec/reaper-init"), answer(QEMU, program))


if __name__ == "__main__":
    unittest.main(verbosity=2)
