"""docs/conformance.md is made of tests/conformance/rules.tsv, every line of which has a test that is named after its number.

    python3 test_conformance.py --write    makes the page anew
"""
import re
import sys
import unittest

from gate import SOURCE, Gate

LINES = 116  # that the specification has, as we count them
PAGE = "docs/conformance.md"
RULES = "tests/conformance/rules.tsv"
TEST = re.compile(r"^func TestRule(\d{3})(\w*)\(t \*testing\.T\)", re.M)
STANDS = re.compile(r"holds|(refused|differs): .+")
HEAD = """# Conformance

The lines of the [OCI runtime specification](https://github.com/opencontainers/runtime-spec/tree/v1.3.0) 1.3 that a program can check, in our own
words, and how Reaper stands to each. Every one has a test that is named after its number (`TestRule001...`, in `tests/cli/rule_*_test.go`),
which CI runs as root and as an ordinary user; a line that is refused has one, too, which shows that it is an error by the field's name and
never left out without a word. This page is made of `tests/conformance/rules.tsv` by `tests/gates/test_conformance.py --write`.

| | | line | from | result | test |
|---|---|---|---|---|---|
"""
RUNC = """
## Where runc does otherwise

On purpose, and why:

| | runc | line |
|---|---|---|
"""


def rules_of(root):
    for line in (root / RULES).read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def tests_of(root):
    """The tests by their numbers: [(file, name)]."""
    tests = {}
    for path in sorted((root / "tests/cli").glob("rule_*_test.go")):
        for match in TEST.finditer(path.read_text()):
            tests.setdefault(int(match[1]), []).append((path.name, "TestRule" + match[1] + match[2]))
    return tests


def page_of(root):
    tests = tests_of(root)
    text, otherwise = HEAD, RUNC
    for number, level, section, line, stands, *runc in rules_of(root):
        named = "<br>".join(f"`{name}`" for _, name in tests.get(int(number), []))
        text += f"| {number} | {level} | {line} | {section} | {stands} | {named} |\n"
        if runc:
            otherwise += f"| {number} | {runc[0]} | {line} |\n"
    return text + otherwise


def findings_of(root):
    rules = list(rules_of(root))
    if [rule[0] for rule in rules] != [str(number) for number in range(1, LINES + 1)]:
        yield f"the numbers are not 1 to {LINES} in their order"
    tests = tests_of(root)
    for rule in rules:
        if len(rule) not in (5, 6) or not all(rule):
            yield f"line {rule[0]} has {len(rule)} columns"
        elif not STANDS.fullmatch(rule[4]):
            yield f"line {rule[0]}: {rule[4]!r} says neither that it holds nor why not"
        if int(rule[0]) not in tests:
            yield f"line {rule[0]} has no test TestRule{int(rule[0]):03}"
    for number in set(tests) - {int(rule[0]) for rule in rules}:
        yield f"TestRule{number:03} is for no line"
    if (root / PAGE).read_text() != page_of(root):
        yield f"{PAGE} is not what test_conformance.py --write makes"


class Conformance(Gate):
    def test_every_line_has_its_test(self):
        self.assert_clean(findings_of(SOURCE))

    def test_what_is_missing_is_found(self):
        root = self.tree()
        for folder in ("docs", "tests/conformance", "tests/cli"):
            (root / folder).mkdir(parents=True)
        (root / PAGE).write_text("")
        (root / RULES).write_text("1\tMUST\ta.md\tline\tholds\n2\tMUST\ta.md\tline\tmaybe\n")
        (root / "tests/cli/rule_x_test.go").write_text("func TestRule001Here(t *testing.T) {}\nfunc TestRule007(t *testing.T) {}\n")
        findings = list(findings_of(root))
        for wanted in ("the numbers are not", "line 2: 'maybe'", "line 2 has no test", "TestRule007 is for no line", "is not what"):
            self.assertTrue(any(wanted in finding for finding in findings), wanted)


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    (SOURCE / PAGE).write_text(page_of(SOURCE))
elif __name__ == "__main__":
    unittest.main()
