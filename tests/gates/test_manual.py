"""The manual pages: every function, name and error code of reaper.h and every command and option of the CLI has its place in
one, nothing else stands there, and mandoc(1) and man(1) have nothing to say; nor has doxygen(1), which makes the same comments into HTML.
"""
import re
import shutil
import subprocess
import unittest

from gate import BUILD, SOURCE, Gate, run, without_comments

HEADER = SOURCE / "include/reaper.h"
RUNTIME = BUILD / "bin/reaper-runtime"
PAGES = BUILD / "man"


def plain(text):
    """A line of roff without fonts and escapes."""
    return re.sub(r"\\f[BIR]|\\&", "", text).replace("\\-", "-").replace("\\e", "\\")


def names_of(text):
    """The functions of a header, and the types that say more than that they exist."""
    code = without_comments(text)
    return (set(re.findall(r"^REAPER_API\b[^;(]*?(\w+)\(", code, re.M)) | set(re.findall(r"^typedef struct (\w+) \{", code, re.M))
            | set(re.findall(r"^typedef \w+ \(\*(\w+)\)", code, re.M)))


def undocumented(text, folder):
    """Names without a page of their own, pages without a name, and constants that no page says anything of."""
    names, pages = names_of(text) | {"reaper", "libreaper"}, {path.stem: path.read_text() for path in folder.glob("*.3")}
    findings = [f"{name} has no page" for name in names - set(pages)] + [f"{page}(3) is of nothing" for page in set(pages) - names]
    everything = plain("\n".join(pages.values()))
    constants = set(re.findall(r"^#define (REAPER_\w+) \S", text, re.M)) - {"REAPER_API"}
    findings += [f"no page has {name}" for name in constants if not re.search(rf"\b{name}\b", everything)]
    for name, page in pages.items():
        if target := re.match(r"\.so (\S+)\n$", page):
            other = folder.parent / target.group(1)
            if not other.is_file() or not re.search(rf"\b{name}\b", other.read_text()):
                findings.append(f"{name}(3) leads to {target.group(1)}, which does not have it")
    return findings


def without_meaning(text, folder):
    """What the header says of a function, a member or a constant and its page has lost: the first words of each comment."""
    pages = {path.stem: re.sub(r"\s+", " ", plain(path.read_text())) for path in folder.glob("*.3")}
    everything = "\n".join(pages.values())
    said = re.findall(r"^(?:#define|  \w).*/\* (.*) \*/$", text, re.M)
    said += [re.sub(r"\n \* ", " ", comment) for comment in re.findall(r"^/\*\n \* (.*?\n.*?)\n", text, re.M | re.S)[1:]]
    said = [re.sub(r"\s+", " ", words.split("Errors: ")[0].replace("`", "")).strip() for words in said]
    return [f"not in the pages: {words}" for words in said if words not in everything]


def unexplained(text, page):
    """Error codes without a section of their own in docs/errors.md that says cause and cure, and sections of nothing."""
    codes = set(re.findall(r"^#define (REAPER_ERR_\w+) ", text, re.M))
    sections = dict(re.findall(r"^## (REAPER_ERR_\w+)\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    findings = [f"docs/errors.md says nothing of {code}" for code in codes - set(sections)]
    findings += [f"docs/errors.md has {code}, which is no code" for code in set(sections) - codes]
    return findings + [f"docs/errors.md: {code} has no {word}" for code, said in sections.items() for word in ("Cause", "Cure")
                       if not re.search(rf"\b{word}: ", said)]


def unlisted(properties, page):
    """Rows of docs/properties.md that reaper-config(5) does not have as they are."""
    rows = re.findall(r"^\| `/(\S+)` \| (\S+) \| (\w+) \|", properties, re.M)
    lines = plain(page)
    return [f"reaper-config(5) does not have {name}" for name, kind, what in rows
            if f".TP\n{name.replace('/', '.')} ({kind})\n{what}" not in lines]


def helped(*command):
    """(the left column of the options, the operands) of a --help."""
    text = run(RUNTIME, *command, "--help")
    rows = re.findall(r"^  (?:    |(?=-))(-.*?)(?:  +\S.*)?$", text, re.M)
    return set(re.sub(r" {2,}.*", "", row) for row in rows), re.search(r"\[OPTIONS\] ?(.*)", text.splitlines()[0]).group(1)


def tags(page):
    """The options that a page explains: the line behind each .TP that begins with a dash."""
    return {plain(line) for line in re.findall(r"^\.TP\n(.*)$", page, re.M) if plain(line).startswith("-")}


def synopsis(page):
    return re.sub(r'[ "]', "", plain(re.search(r"\.SH SYNOPSIS\n(.*?)\.SH", page, re.S).group(1))).replace("\n", " ")


def commands():
    text = run(RUNTIME, "--help")
    return re.findall(r"^  (\w+)", text.split("Commands:\n")[1].split("\n\n")[0], re.M)


def different(name, page, options, operands):
    findings = [f"{name}(1) does not have {option}" for option in options - tags(page)]
    findings += [f"{name}(1) has {option}, which --help has not" for option in tags(page) - options]
    wanted = "".join(f".RI[{word.strip('[]')}] " if word.startswith("[") else f".I{word} " for word in operands.split())
    return findings + ([] if synopsis(page).endswith(wanted) else [f"{name}(1): the synopsis does not end in {operands}"])


def lint(page):
    """What mandoc says, but for style."""
    done = subprocess.run(["mandoc", "-Tlint", "-W", "warning", page], cwd=PAGES, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines()


def groff_warnings(page):
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page], cwd=PAGES, check=False,
                          capture_output=True, text=True, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "MANWIDTH": "80"})
    return [line for line in done.stderr.splitlines() if "warning" in line or "error" in line]


def doxygen_warnings(header, scratch):
    """Of a run with the tree's own settings over this text."""
    (scratch / "reaper.h").write_text(header)
    settings = (BUILD / "Doxyfile").read_text() + f"INPUT={scratch}/reaper.h\nOUTPUT_DIRECTORY={scratch}/out\n"
    done = subprocess.run(["doxygen", "-"], input=settings, cwd=scratch, capture_output=True, text=True, check=False)
    return done.stderr.splitlines() + ([] if done.returncode == 0 else [f"doxygen: exit code {done.returncode}"])


class Manual(Gate):
    header = HEADER.read_text()

    def pages(self):
        """Those that are no links."""
        found = [path for path in sorted(PAGES.glob("man[135]/*")) if not path.read_text().startswith(".so ")]
        self.assertGreater(len(found), 30)
        return found

    def page(self, text):
        return self.tree(page_DOT_1=text) / "page.1"

    def test_the_library(self):
        self.assertGreater(len(names_of(self.header)), 30)
        self.assert_clean(undocumented(self.header, PAGES / "man3"))

    def test_the_library_can_fail(self):
        for more in ("REAPER_API int reaper_new(void);\n", "#define REAPER_NEW 1\n", "typedef struct reaper_new {\n"):
            self.assertTrue(undocumented(self.header + more, PAGES / "man3"), more)
        self.assertTrue(undocumented(self.header.replace("reaper_spec", "reaper_other"), PAGES / "man3"))
        folder = self.tree(man3__reaper_DOT_3="", man3__libreaper_DOT_3="", man3__reaper_x_DOT_3=".so man3/reaper_y.3\n")
        self.assertEqual(1, len(undocumented("REAPER_API int reaper_x(void);\n", folder / "man3")))

    def test_nothing_that_the_header_says_is_lost(self):
        self.assert_clean(without_meaning(self.header, PAGES / "man3"))
        self.assertTrue(without_meaning("#define REAPER_X 1 /* unheard of */\n", PAGES / "man3"))
        self.assertTrue(without_meaning("/*\n * a\n */\n\n/*\n * unheard of\n * words\n */\n", PAGES / "man3"))

    def test_every_error_has_cause_and_cure(self):
        page = (SOURCE / "docs/errors.md").read_text()
        self.assert_clean(unexplained(self.header, page))
        self.assertTrue(unexplained(self.header + "#define REAPER_ERR_NEW (-99) /* x */\n", page))
        self.assertTrue(unexplained(self.header, page + "## REAPER_ERR_OLD\n\nCause: x. Cure: y.\n"))
        self.assertTrue(unexplained(self.header, page.replace("Cure: ", "")))

    def test_every_property(self):
        properties, page = (SOURCE / "docs/properties.md").read_text(), (PAGES / "man5/reaper-config.5").read_text()
        self.assertGreater(properties.count("\n| `/"), 200)
        self.assert_clean(unlisted(properties, page))
        self.assertTrue(unlisted(properties + "| `/process/new` | string | applied | x |\n", page))
        self.assertTrue(unlisted(properties, page.replace("refused", "applied", 20)))

    def test_the_program(self):
        names = commands()
        self.assertGreater(len(names), 10)
        self.assertEqual({"reaper-runtime"} | {f"reaper-runtime-{name}" for name in names},
                         {path.stem for path in (PAGES / "man1").iterdir()})
        main = (PAGES / "man1/reaper-runtime.1").read_text()
        self.assertEqual(set(names), set(re.findall(r"^\.BR (\w+) \", \" reaper\\-runtime\\-\1 \(1\)$", main, re.M)))
        self.assertEqual(helped()[0], tags(main))
        for name in names:
            options, operands = helped(name)
            self.assertIn("-h, --help", options)
            page = (PAGES / f"man1/reaper-runtime-{name}.1").read_text()
            self.assert_clean(different(name, page, options, operands))

    def test_the_program_can_fail(self):
        page = (PAGES / "man1/reaper-runtime-kill.1").read_text()
        options, operands = helped("kill")
        self.assertEqual([], different("kill", page, options, operands))
        for more, less, other in ((options | {"--new"}, page, operands), (options, page.replace("\\-all", "\\-al"), operands),
                                  (options - {"-a, --all"}, page, operands), (options, page, "ID"),
                                  (options, page.replace("\\-a\\fR, ", ""), operands)):
            self.assertTrue(different("kill", less, more, other))

    def test_mandoc(self):
        if not shutil.which("mandoc"):
            self.skipTest("SKIP: no mandoc here")
        self.assert_clean(finding for page in self.pages() for finding in lint(page))
        self.assertTrue(lint(self.page(".TH x 1\n.SH NAME\nx \\- y\n.XY\n")))

    def test_groff(self):
        if not shutil.which("man") or not shutil.which("groff"):
            self.skipTest("SKIP: no man and groff here")
        broken = self.page('.TH x 1 2026-01-01 "x" "y"\n.SH NAME\nx \\- \\*[nothing]y\n.ab\n')
        if not groff_warnings(broken):
            self.skipTest("SKIP: this man has no warnings")
        self.assert_clean(finding for page in self.pages() for finding in groff_warnings(page))

    def test_doxygen(self):
        if not shutil.which("doxygen"):
            self.skipTest("SKIP: no doxygen here")
        scratch = self.tree(x="")
        self.assert_clean(doxygen_warnings(self.header, scratch))
        pages = "".join(path.read_text() for path in (scratch / "out/html").glob("*.html"))
        self.assert_clean(name for name in names_of(self.header) if name not in pages)
        end = "#ifdef __cplusplus\n}"
        more = "/* \\unheard of */\nREAPER_API int reaper_new(void);\n\n"
        self.assertTrue(doxygen_warnings(self.header.replace(end, more + end), scratch))

    def test_no_mark_is_left(self):
        """Of CMake's, or of the header's own marks."""
        self.assert_clean(f"{page.name}: {mark}" for page in self.pages() for mark in re.findall(r"@\w+@|`", page.read_text()))


if __name__ == "__main__":
    unittest.main(verbosity=2)
