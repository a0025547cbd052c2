"""The ABI is the one that was agreed on (tests/abi); each kind of change is seen. How to agree to one: docs/versioning.md."""
import re
import shutil
import unittest

import abi
import test_header
from gate import BUILD, Gate

HEADER, MAP = abi.HEADER.read_text(), abi.MAP.read_text()
HOW = "\nif it is wanted: python3 tests/gates/abi.py accept BUILD (docs/versioning.md)"


def changes(agreed, now, what):
    """What differs between two dictionaries."""
    return ([f"{what} {name} is gone" for name in sorted(agreed.keys() - now.keys())] +
            [f"{what} {name} is new" for name in sorted(now.keys() - agreed.keys())] +
            [f"{what} {name} was {agreed[name]} and is {now[name]}" for name in sorted(agreed.keys() & now.keys())
             if agreed[name] != now[name]])


def changed(pattern, replacement):
    text, count = re.subn(pattern, replacement, HEADER, flags=re.S)
    assert count == 1, pattern
    return text


@unittest.skipUnless(shutil.which("abidiff"), "SKIP: no abidiff here")
class Types(Gate):
    def compare(self, header, script=MAP):
        return abi.difference(abi.AGREED, header, script)

    def assert_seen(self, header, bit, words, script=MAP):
        status, report = self.compare(header, script)
        self.assertTrue(status & bit, f"status {status}: {report}")
        self.assertIn(words, report)

    def test_functions_and_types_are_those_agreed_on(self):
        status, report = self.compare(HEADER)
        self.assertEqual(0, status, report + HOW)

    def test_a_function_that_is_gone(self):
        self.assert_seen(changed(r"REAPER_API int reaper_spec\([^;]*;", ""), abi.INCOMPATIBLE, "reaper_spec")

    def test_a_new_function(self):
        header = changed(r"(REAPER_API int reaper_spec\([^;]*;)", r"\1\nREAPER_API int reaper_more(void);")
        script = MAP.replace("reaper_open;", "reaper_open;\n    reaper_more;")
        self.assert_seen(header, abi.CHANGED, "reaper_more", script)
        self.assertFalse(self.compare(header, script)[0] & abi.INCOMPATIBLE)

    def test_a_parameter_of_another_type(self):
        self.assert_seen(changed(r"(int reaper_wait\([^;]*)int64_t timeout_ms", r"\1int32_t timeout_ms"), abi.CHANGED, "int32_t")

    def test_a_member_that_moves(self):
        self.assert_seen(changed(r"const char \*bundle;", r"uint64_t first; const char *bundle;"), abi.CHANGED, "first")

    def test_a_struct_that_grows(self):
        self.assert_seen(changed(r"(int64_t max_rss_kib;)", r"\1 int64_t more;"), abi.CHANGED, "more")

    def test_another_node(self):
        self.assertNotEqual(0, self.compare(HEADER, MAP.replace("REAPER_0.1", "REAPER_0.9"))[0])


class Values(Gate):
    def test_constants_are_those_agreed_on(self):
        self.assert_clean(changes(abi.agreed_constants(), abi.constants(HEADER), "the constant"))

    def test_a_changed_and_a_new_constant_are_seen(self):
        header = HEADER.replace("#define REAPER_ERR_BUSY (-6)", "#define REAPER_ERR_BUSY (-66)\n#define REAPER_MORE 1U")
        self.assertEqual(["the constant REAPER_MORE is new", "the constant REAPER_ERR_BUSY was -6 and is -66"],
                         changes(abi.agreed_constants(), abi.constants(header), "the constant"))

    def test_flags_are_read(self):
        self.assertEqual("(1 << 3)", abi.constants(HEADER)["REAPER_CREATE_NO_NEW_KEYRING"])
        self.assertNotIn("REAPER_H", abi.constants(HEADER))


class Symbols(Gate):
    def test_symbols_are_those_agreed_on(self):
        built = abi.built_symbols(BUILD / "lib/libreaper.so")
        self.assertEqual(set(abi.agreed_symbols()), built, HOW)

    def test_nothing_came_later_than_this_version(self):
        now = tuple(map(int, abi.version().split(".")))
        self.assert_clean(f"{name} {since}" for name, since in abi.agreed_symbols().items()
                          if tuple(map(int, since.split("."))) > now)

    def test_a_symbol_stands_in_the_node_of_its_version(self):
        for name, since in abi.agreed_symbols().items():
            self.assertEqual(f"REAPER_{since.rpartition('.')[0]}", name.partition("@")[2], name)

    def test_the_map_names_the_functions_of_the_header(self):
        self.assertEqual(test_header.declared(HEADER), set(abi.nodes(MAP)))
        self.assertNotIn("reaper_*", MAP)


if __name__ == "__main__":
    unittest.main(verbosity=2)
