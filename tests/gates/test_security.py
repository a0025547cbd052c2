"""docs/security.md names tests for every accident and requirement that touches host mode, and they exist."""
import re
import unittest

from gate import SOURCE, Gate, code_files, without_comments

# Rows of the field's accidents.
ROWS = {str(row) for row in range(1, 32)}
REQUIREMENTS = {f"R{number}" for number in range(1, 13)}
TEST = re.compile(r"`([a-z]+/[\w./]+\.(?:c|cpp|go|py|cases)):([\w-]+)`")


def is_test(root, file, name):
    path = root / "tests" / file
    if not path.is_file():
        return False
    quoted = re.escape(name)
    patterns = {".go": rf"^func {quoted}\(", ".py": rf"^ +def {quoted}\(", ".cases": rf"^{quoted} [A-Z]"}
    text = path.read_text()
    if path.suffix in patterns:
        return re.search(patterns[path.suffix], text, re.M) is not None
    # A function, and a line of main()'s table that has it.
    defined = re.search(rf"^(?:static )?void {quoted}\(void ?\*", text, re.M)
    return defined is not None and len(re.findall(rf"\b{quoted}\b", text)) > 1


def findings_of(root):
    page = (root / "docs/security.md").read_text()
    rows = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 3 and re.fullmatch(r"R?\d+", cells[1]):
            if cells[1] in rows:
                yield f"{cells[1]} stands twice"
            rows[cells[1]] = TEST.findall(cells[-2])
    for missing in sorted((ROWS | REQUIREMENTS) - set(rows)):
        yield f"{missing} is missing"
    for row, tests in rows.items():
        if not tests:
            yield f"{row} names no test"
    for file, name in TEST.findall(page):
        if not is_test(root, file, name):
            yield f"tests/{file} has no test {name}"


def unlisted(root):
    """Tests whose names claim a row or a requirement, and that the page does not name."""
    page = (root / "docs/security.md").read_text()
    for path in sorted((root / "tests/hostile").glob("test_*.c")):
        for name in re.findall(r"\bcmocka_unit_test\w*\((test_(?:row|R)\d+\w*)", path.read_text()):
            if f"`hostile/{path.name}:{name}`" not in page:
                yield f"docs/security.md does not name hostile/{path.name}:{name}"


def proc_writers(root):
    """Places that open something of /proc for writing and are not the helper that looks whether it is procfs."""
    for name, text in code_files(root, "src"):
        if name == "src/init/proc_file.cpp":
            continue
        for match in re.finditer(r"(?:\b|__NR_)open(?:at2?)?\b[^;]*\"/proc[^;]*;", without_comments(text)):
            if re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", match.group()):
                yield f"{name}: {' '.join(match.group().split())}"


class Security(Gate):
    def test_every_row_names_tests_that_exist(self):
        self.assert_clean(findings_of(SOURCE))

    def test_every_named_test_is_on_the_page(self):
        self.assert_clean(unlisted(SOURCE))

    def test_proc_is_written_to_by_one_helper(self):
        self.assert_clean(proc_writers(SOURCE))
        self.assertTrue(list(proc_writers(self.tree(
            src__init__x_DOT_cpp='void f() { call(__NR_openat, AT_FDCWD, "/proc/self/attr/exec", O_WRONLY, 0); }\n'))))
        self.assertTrue(list(proc_writers(self.tree(
            src__init__x_DOT_cpp='void f() {\n  open("/proc/self/x",\n    O_RDWR);\n}\n'))))
        self.assertFalse(list(proc_writers(self.tree(
            src__init__x_DOT_cpp='void f() { open("/proc/self/fd", O_RDONLY); open("/dev/null", O_RDWR); }\n'))))

    def broken(self, old, new):
        """What is found when the page says `new` in place of `old`."""
        page = (SOURCE / "docs/security.md").read_text()
        self.assertIn(old, page)
        root = self.tree(docs__security_DOT_md=page.replace(old, new))
        (root / "tests").symlink_to(SOURCE / "tests")
        return list(findings_of(root)) + list(unlisted(root))

    def test_a_missing_row_is_found(self):
        self.assertEqual([], self.broken("# Attacks", "# Attacks"))
        self.assertIn("10 is missing", self.broken("| 10 |", "| ten |"))
        self.assertIn("R7 is missing", self.broken("| R7 |", "| R99 |"))
        self.assertIn("R8 stands twice", self.broken("| R9 |", "| R8 |"))

    def test_a_test_that_is_not_there_is_found(self):
        self.assertIn("tests/hostile/test_ids.c has no test test_R1_nothing",
                      self.broken("test_R1_ids_in_the_api", "test_R1_nothing"))
        self.assertIn("tests/hostile/configs/ids.cases has no test no-such-case",
                      self.broken("ids.cases:uid-string", "ids.cases:no-such-case"))
        self.assertIn("R10 names no test", self.broken("`cli/limits_test.go:TestSignalsAreReset`", "none"))
        self.assertIn("tests/cli/no_test.go has no test TestSignalsAreReset",
                      self.broken("cli/limits_test.go", "cli/no_test.go"))


if __name__ == "__main__":
    unittest.main()
