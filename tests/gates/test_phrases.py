"""Reserved phrases: callers lower-case our messages and search them, so each phrase has one meaning and one place."""
import re
import unittest

from gate import SOURCE, Gate, code_files, literals

PHRASES = ["no such file or directory", "permission denied", "executable file not found", "does not exist",
           "container not running", "no such process", "already finished", "already exists"]

# phrase -> (file, template) where it may stand: the failure of execve at start, the store's claim and look-up of an id, the
# refusal to signal what has ended.
PLACES = {
    "no such file or directory": [("src/launch/messages.cpp", r"(.*: )?no such file or directory")],
    "permission denied": [("src/launch/messages.cpp", r"(.*: )?permission denied")],
    "executable file not found": [("src/launch/messages.cpp", r"(.*: )?executable file not found in \$PATH")],
    "does not exist": [("src/store/id.cpp", r" does not exist")],
    "container not running": [("src/runtime/[a-z]+.cpp", r"container not running(: .*)?")],
    "already exists": [("src/store/[a-z]+.cpp", r"container with given ID already exists")],
}


def misplaced(root, places):
    """Phrases at places that are not theirs."""
    findings = []
    for name, text in code_files(root, "src", "cli"):
        for line, literal in literals(text):
            for phrase in PHRASES:
                if phrase in literal.lower() and not any(
                        re.fullmatch(file, name) and re.fullmatch(template, literal, re.S)
                        for file, template in places.get(phrase, [])):
                    findings.append(f"{name}:{line}: \"{literal}\"")
    return findings


def strerror_words(root):
    """strerror(3) says reserved phrases: nobody asks it (or what asks it), but to look for them in the words of a helper."""
    words = r"\b(?:strerror(?:_[lr])?\b|std::error_code|std::system_category|std::generic_category|perror|sys_errlist)\b|%m\b"
    return [f"{name}: {found}" for name, text in code_files(root, "src", "cli") for found in re.findall(words, text)
            if not re.search(r"//.*" + re.escape(found), text) and (name, found) != ("src/runtime/id_maps.cpp", "strerror_l")]


class Phrases(Gate):
    def test_each_phrase_only_at_its_place(self):
        self.assert_clean(misplaced(SOURCE, PLACES))

    def test_each_place_is_used(self):
        for phrase, places in PLACES.items():
            self.assertTrue(misplaced(SOURCE, {**PLACES, phrase: []}), f"{phrase}: nobody says it")

    def test_a_misplaced_phrase_is_found(self):
        for text in ('fail("mkdir: Permission denied");', 'fail("the file " "does not" " exist");'):
            self.assertTrue(misplaced(self.tree(src__core__x_DOT_cpp=text), PLACES), text)
        self.assertFalse(misplaced(self.tree(src__core__x_DOT_cpp="// does not exist\n"), PLACES))

    def test_no_words_of_the_c_library(self):
        self.assert_clean(strerror_words(SOURCE))
        self.assertTrue(strerror_words(self.tree(src__core__x_DOT_cpp="auto x = strerror(errno);\n")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
