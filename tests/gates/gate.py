"""What the gates share: where things are, C++ text without comments, and commands.

A gate is a rule about the shape of the tree or of what was built from it. Each is a function that returns findings, so that
its tests can show both that the tree has none and that a broken tree has some.
"""
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("REAPER_SOURCE", Path(__file__).parents[2]))
BUILD = Path(os.environ.get("REAPER_TEST_BUILD", SOURCE / "build"))
SANITIZED = bool(os.environ.get("REAPER_SANITIZE"))

# A comment, a raw string, a string or a character; the latter not after a digit, where ' separates digits.
TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|R\"([^()\\ ]{0,16})\(.*?\)\1\"|\"(?:\\.|[^\"\\\n])*\"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])*'",
    re.S)


def without_comments(text):
    """Comments become spaces, so that lines keep their numbers."""
    def blank(match):
        token = match.group()
        return re.sub(r"[^\n]", " ", token) if token.startswith(("//", "/*")) else token
    return TOKEN.sub(blank, text)


def without_strings(text):
    """Neither comments nor what stands in quotes, but for the names of included files."""
    def empty(match):
        line = text[text.rfind("\n", 0, match.start()) + 1:match.start()]
        if re.match(r"\s*#\s*include\s*$", line):
            return match.group()
        return '""' + "\n" * match.group().count("\n")
    text = without_comments(text)
    return TOKEN.sub(empty, text)


def literals(text):
    """(line, content) of every string literal; adjacent ones are one, as the compiler has it."""
    text = without_comments(text)
    joined = re.compile(r"(?:\"(?:\\.|[^\"\\\n])*\"\s*)+")
    for match in joined.finditer(text):
        line_start = text[text.rfind("\n", 0, match.start()) + 1:match.start()]
        if not re.match(r"\s*#\s*include", line_start):
            pieces = re.findall(r"\"((?:\\.|[^\"\\\n])*)\"", match.group())
            yield text.count("\n", 0, match.start()) + 1, "".join(pieces)


def code_files(root, *rooms):
    """C and C++ files below these folders of the tree, as (path relative to the tree, text)."""
    for room in rooms:
        for path in sorted((root / room).rglob("*")):
            if path.suffix in (".c", ".cpp", ".h") and path.is_file():
                yield path.relative_to(root).as_posix(), path.read_text()


def matches(root, rooms, pattern, allowed, keep_strings=False):
    """Findings "file:line: text" of a pattern outside the files that `allowed` (a regular expression) names."""
    findings = []
    for name, text in code_files(root, *rooms):
        if re.fullmatch(allowed, name):
            continue
        code = without_comments(text) if keep_strings else without_strings(text)
        for match in re.finditer(pattern, code, re.M):
            findings.append(f"{name}:{code.count(chr(10), 0, match.start()) + 1}: {match.group().strip()}")
    return findings


def run(*command, **options):
    """Output of a command, which must succeed."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Gate(unittest.TestCase):
    """assert_clean for the tree, and a temporary tree for showing that a gate can fail."""

    def assert_clean(self, findings):
        self.assertEqual([], list(findings), "\n" + "\n".join(map(str, findings)))

    def tree(self, **files):
        """A throw-away tree; `__` in a name is a slash and `_DOT_` a dot: src__core__x_DOT_cpp="..."."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for name, text in files.items():
            path = Path(folder.name, name.replace("__", "/").replace("_DOT_", "."))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Path(folder.name)
