"""Every mutant can be made: its text stands exactly once, it changes it, and its tests are there (tests/mutation)."""
import sys
import unittest

from gate import SOURCE, Gate

sys.path.insert(0, str(SOURCE / "tests/mutation"))
from mutants import MUTANTS  # noqa: E402

# Where the program of a test of ctest comes from.
PLACES = {"unit": ("unit/test_{}.cpp", "init/test_{}.cpp"), "api": ("api/test_{}.c",), "cli": ("cli/{}_test.go",),
          "faults": ("faults/test_{}.c", "faults/test_{}.cpp"), "hostile": ("hostile/test_{}.c", "hostile/test_{}.cpp"),
          "threads": ("threads/test_{}.c",), "gate": ("gates/test_{}.py",)}


def is_there(test):
    kind, _, name = test.partition(".")
    return any((SOURCE / "tests" / place.format(name)).is_file() for place in PLACES.get(kind, ()))


def findings_of(mutants):
    names = [mutant[0] for mutant in mutants]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name} stands twice"
    for name, file, old, new, tests in mutants:
        path = SOURCE / file
        count = path.read_text().count(old) if path.is_file() else 0
        if count != 1:
            yield f"{name}: its text stands {count} times in {file}"
        if old == new:
            yield f"{name} changes nothing"
        if not tests.split():
            yield f"{name} names no test"
        for test in tests.split():
            if not is_there(test):
                yield f"{name}: there is no test {test}"


class Mutants(Gate):
    def test_every_mutant_can_be_made(self):
        self.assert_clean(findings_of(MUTANTS))

    def test_it_can_fail(self):
        name, file, old, new, tests = MUTANTS[0]
        for broken in ((name, file, old + " gone", new, tests), (name, "src/none.cpp", old, new, tests),
                       (name, file, old, old, tests), (name, file, old, new, ""), (name, file, old, new, "unit.none")):
            self.assertEqual(len(list(findings_of([broken]))), 1)
        self.assertEqual(list(findings_of([MUTANTS[0], MUTANTS[0]])), [f"{name} stands twice"])


if __name__ == "__main__":
    unittest.main()
