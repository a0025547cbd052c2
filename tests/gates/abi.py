"""The ABI as it is, and as it was agreed on. `python3 tests/gates/abi.py accept BUILD` agrees to what BUILD has.

Three files say what was agreed on (docs/versioning.md):
    tests/abi/reaper.abi                    functions and types of reaper.h, as abidw (libabigail) sees them
    tests/abi/constants.txt                 names and values of its macros, which no binary shows
    packaging/debian/libreaper0.symbols     every symbol with its node and the version that brought it
Types are read from a stand-in with the functions of reaper.h and debug information: it is the same in every kind of build.
That the library's functions have these types is what its compiler has checked.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import elf
from gate import SOURCE, run, without_comments

HEADER = SOURCE / "include/reaper.h"
MAP = SOURCE / "cmake/reaper.map"
AGREED = SOURCE / "tests/abi/reaper.abi"
CONSTANTS = SOURCE / "tests/abi/constants.txt"
SYMBOLS = SOURCE / "packaging/debian/libreaper0.symbols"
CHANGED, INCOMPATIBLE = 4, 8  # bits of abidiff's status
# Nothing of the machine or of the place where it was made.
ABIDW = ["--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", "--no-architecture", "--no-elf-needed"]


def version():
    return re.search(r"project\(reaper VERSION (\d+\.\d+\.\d+)", (SOURCE / "CMakeLists.txt").read_text()).group(1)


def nodes(map_text):
    """{function: node} of a version script."""
    text = without_comments(map_text)
    return {name: node for node, body in re.findall(r"(REAPER_[\d.]+) \{(.*?)\}", text, re.S)
            for name in re.findall(r"(reaper_\w+);", body)}


def stand_in(header_text, map_text, folder):
    """A library with the functions that the header declares, and nothing inside."""
    folder = Path(folder)
    (folder / "reaper.h").write_text(header_text)
    (folder / "reaper.map").write_text(map_text)
    functions = re.findall(r"^REAPER_API\s+([^;]+);", without_comments(header_text), re.M)
    (folder / "reaper.c").write_text('#include "reaper.h"\n' + "".join(
        f"{function} {{ __builtin_trap(); }}\n" for function in functions))
    run("gcc", "-std=c99", "-g", "-gdwarf-4", "-w", "-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libreaper.so.0",
        f"-Wl,--version-script={folder / 'reaper.map'}", "-o", folder / "libreaper.so", "reaper.c", cwd=folder)
    return folder / "libreaper.so"


def described(header_text, map_text):
    """The text of reaper.abi for this header."""
    with tempfile.TemporaryDirectory() as folder:
        return run("abidw", *ABIDW, stand_in(header_text, map_text, folder))


def difference(agreed, header_text, map_text):
    """abidiff's status and report."""
    with tempfile.TemporaryDirectory() as folder:
        library = stand_in(header_text, map_text, folder)
        done = subprocess.run(["abidiff", "--no-architecture", "--no-corpus-path", "--no-show-locs", "--fail-no-debug-info",
                               agreed, library], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


def constants(header_text):
    """{name: value} of the macros of the header; what has no value of its own (the include guard) is not one."""
    found = {}
    for name, value in re.findall(r"^#define (REAPER_\w+)[ \t]+(.+?)\s*$", without_comments(header_text), re.M):
        if name != "REAPER_API":
            found[name] = value.strip("()").replace("U", "") if "<<" not in value else value.replace("U", "")
    return found


def constants_text(values):
    return "".join(f"{name} {value}\n" for name, value in sorted(values.items()))


def agreed_constants():
    return dict(line.split(" ", 1) for line in CONSTANTS.read_text().splitlines())


def agreed_symbols():
    """{symbol@node: version} of the symbols file (deb-symbols(5))."""
    return dict(re.findall(r"^ (\S+) (\S+)$", SYMBOLS.read_text(), re.M)) if SYMBOLS.exists() else {}


def built_symbols(library):
    """{symbol@node} of a library; a node is one of its own."""
    return {f"{name}@{node or name}" for name, node in elf.exported(library).items()}


def symbols_text(symbols):
    lines = "".join(f" {name} {since}\n" for name, since in sorted(symbols.items()))
    return f"libreaper.so.0 libreaper0 #MINVER#\n* Build-Depends-Package: libreaper-dev\n{lines}"


def accept(build):
    header, script, known = HEADER.read_text(), MAP.read_text(), agreed_symbols()
    AGREED.parent.mkdir(exist_ok=True)
    AGREED.write_text(described(header, script))
    CONSTANTS.write_text(constants_text(constants(header)))
    built = built_symbols(Path(build) / "lib/libreaper.so")
    SYMBOLS.write_text(symbols_text({name: known.get(name, version()) for name in built}))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "accept":
        sys.exit("usage: abi.py accept BUILD")
    accept(sys.argv[2])
