"""include/reaper.h: every language that may include it, what it may not contain, and a comment for every function."""
import re
import shutil
import subprocess
import unittest

from gate import SOURCE, Gate, without_comments, without_strings

HEADER = SOURCE / "include/reaper.h"
STANDARDS = [("c", standard) for standard in ("c99", "c11", "c17")] + [
    ("c++", standard) for standard in ("c++98", "c++03", "c++11", "c++14", "c++17", "c++20", "c++23")]
FLAGS = ["-pedantic", "-Wall", "-Wextra", "-Wpadded", "-Werror", "-fsyntax-only"]
COMPILERS = [name for name in ("gcc", "clang-19") if shutil.which(name)]

# Codes are never renumbered. New ones are added here.
CODES = dict(OK=0, INVALID=-1, UNSUPPORTED=-2, NOT_FOUND=-3, EXISTS=-4, STATUS=-5, BUSY=-6, PERMISSION=-7, SYSTEM=-8,
             NO_MEMORY=-9, TIMEOUT=-10, CORRUPT=-11, VERIFY=-12, EXEC=-13, UNKNOWN=-14, INTERNAL=-15, HOOK=-16)


def compile_errors(text, compilers):
    """What the compilers say to the header in every standard: a source that includes it twice and nothing else."""
    errors = []
    for compiler in compilers:
        for language, standard in STANDARDS:
            done = subprocess.run([compiler, "-x", language, f"-std={standard}", *FLAGS, "-"], input=text + text, text=True,
                                  capture_output=True, check=False)
            if done.returncode != 0:
                errors.append(f"{compiler} {standard}: {done.stderr}")
    return errors


def declared(text):
    """The names of the functions that the header declares."""
    return set(re.findall(r"^REAPER_API\b[^;(]*?(\w+)\(", without_comments(text), re.M))


def codes(text):
    return {name: int(value) for name, value in
            re.findall(r"^#define REAPER_(?:ERR_)?(OK|(?<=ERR_)\w+) \(?(-?\d+)\)?", text, re.M)}


def forbidden(text):
    """What an ABI for other languages cannot carry, and C that not every standard has."""
    code = without_strings(text)
    words = r"\b(?:enum|bool|_Bool|FILE|time_t|size_t|ssize_t|off_t|long|inline|union|wchar_t|float|double)\b|\.\.\."
    return re.findall(words, code) + re.findall(r"^#\s*define\s+\w+\(.*", code, re.M) + re.findall(r"//[^\n]*", re.sub(
        r"/\*.*?\*/", "", text, flags=re.S))


def undocumented(text):
    """Functions whose paragraph has no comment before them."""
    text = text[text.index("#define REAPER_VERSION_PATCH"):]
    return [name for paragraph in re.split(r"\n\s*\n", text) for name in declared(paragraph)
            if "/*" not in paragraph.split(name)[0]]


def uses(text):
    """The comment of an operation says its errors: everything that can fail takes an `err`."""
    return [name for paragraph in re.split(r"\n\s*\n", text) for name in declared(paragraph)
            if re.search(rf"\b{name}\([^;]*reaper_error \*\*err", paragraph) and "Errors: " not in paragraph]


class Header(Gate):
    text = HEADER.read_text()

    def test_compiles_in_every_standard(self):
        self.assertIn("gcc", COMPILERS)
        self.assert_clean(compile_errors(self.text, COMPILERS))

    def test_the_matrix_can_fail(self):
        guard = "#endif /* REAPER_H */"
        for addition in ("struct padded { char a; int b; };", "static int unused(void);", "typedef int class;", "struct a {};"):
            with self.subTest(addition):
                broken = self.text.replace(guard, addition + "\n" + guard)
                self.assertTrue(compile_errors(broken, COMPILERS[:1]))

    def test_codes_keep_their_numbers(self):
        self.assertEqual(CODES, codes(self.text))
        self.assertNotEqual(CODES, codes(self.text.replace("REAPER_ERR_BUSY (-6)", "REAPER_ERR_BUSY (-16)")))

    def test_only_plain_c(self):
        self.assert_clean(forbidden(self.text))
        for line in ("enum a { B };", "#define F(x) x", "int f(const char *, ...);", "// x", "time_t t;"):
            self.assertTrue(forbidden(line), line)

    def test_every_function_has_a_comment(self):
        self.assertGreater(len(declared(self.text)), 20)
        self.assert_clean(undocumented(self.text))
        self.assertTrue(undocumented(self.text + "\n\nREAPER_API int reaper_new(void);\n"))

    def test_every_comment_of_what_fails_says_its_errors(self):
        self.assert_clean(uses(self.text))
        self.assertTrue(uses("/* x */\nREAPER_API int reaper_new(reaper_error **err);\n"))

    def test_every_function_is_of_this_library(self):
        self.assert_clean(name for name in declared(self.text) if not name.startswith("reaper_"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
