"""The shells' completions, asked as a person asks them: bash's function, zsh at a terminal, fish's `complete --do-complete`. What
they offer is what --help names: every command, every option of each, every value that is one of a few words; and the ids.
"""
import os
import pty
import re
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from gate import BUILD, SOURCE, Gate, run

COMPLETIONS = SOURCE / "cli/completions"
RUNTIME = BUILD / "bin/reaper-runtime"
PATH = f"{RUNTIME.parent}:/usr/local/bin:/usr/bin:/bin"

BASH = """
source "$1"
COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
name=${COMP_WORDS[0]##*/}
[ "$(complete -p "$name")" = "complete -F _reaper_runtime $name" ] || exit 1
_reaper_runtime "${COMP_WORDS[0]}"
[ ${#COMPREPLY[@]} = 0 ] || printf '%s\\n' "${COMPREPLY[@]}"
"""

ZSHRC = """
fpath=("$COMPLETIONS" $fpath)
autoload -Uz compinit && compinit -u -D
unsetopt auto_list auto_menu
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then
    builtin compadd "$@"
    return
  fi
  local hits=()
  builtin compadd -A hits "$@"
  (( $#hits )) && print -rl -- $hits >>"$OFFERED"
  builtin compadd "$@"
}
tell() {
  zle complete-word
  print -r -- '=done=' >>"$OFFERED"
}
zle -N tell
bindkey '^I' tell
print -r -- '=done=' >>"$OFFERED"
"""


def split_words(words):
    """As readline splits: `=` is a word."""
    return [part for word in words for part in re.findall(r"=|[^=]+", word) or [""]] if words[-1] else split_words(words[:-1]) + [""]


def rows(*command):
    """(names, value) of each option that a --help has."""
    found = []
    for row in re.findall(r"^ +(-.*?)  ", run(RUNTIME, *command, "--help"), re.M):
        names, value = re.fullmatch(r"((?:-\w, )?--[\w-]+) ?(.*)", row).groups()
        found.append((names.split(", "), value))
    return found


def commands():
    return set(re.findall(r"^  (\w+)", run(RUNTIME, "--help").split("Commands:\n")[1].split("\n\n")[0], re.M))


class Shell:
    """offered(words) is what the shell offers for the last of them. `script` takes the place of the completion of the tree."""
    program = "reaper-runtime"

    def __init__(self, scratch, script=None):
        self.scratch, self.script = Path(scratch), script
        self.environment = {"PATH": PATH, "HOME": str(self.scratch), "LC_ALL": "C.UTF-8", "TERM": "vt100",
                            "REAPER_RUNTIME_ROOT": str(self.scratch / "state")}

    def text(self, name):
        return (COMPLETIONS / name).read_text() if self.script is None else self.script(COMPLETIONS / name)

    def close(self):
        pass


class Bash(Shell):
    file = "reaper-runtime.bash"

    def offered(self, *words):
        (self.scratch / self.file).write_text(self.text(self.file))
        text = run("bash", "--norc", "-c", BASH, "bash", self.scratch / self.file, *split_words([self.program, *words]),
                   env=self.environment, cwd=self.scratch)
        return text.splitlines()


class Fish(Shell):
    file = "reaper-runtime.fish"

    def offered(self, *words):
        (self.scratch / self.file).write_text(self.text(self.file))
        # A value that stands behind = is offered with its option.
        text = run("fish", "--no-config", "-c", 'source $FILE; complete --do-complete "$LINE"', cwd=self.scratch, env={
            **self.environment, "FILE": str(self.scratch / self.file), "LINE": " ".join([self.program, *words])})
        start = re.match(r"--[\w-]+=|", words[-1]).group()
        return [line.split("\t")[0].removeprefix(start) for line in text.splitlines()]


class Zsh(Shell):
    file = "_reaper-runtime"

    def __init__(self, scratch, script=None):
        super().__init__(scratch, script)
        (self.scratch / self.file).write_text(self.text(self.file))
        (self.scratch / ".zshrc").write_text(ZSHRC)
        self.answers = self.scratch / "offered"
        self.answers.touch()
        self.terminal, slave = pty.openpty()
        self.shell = subprocess.Popen(["zsh", "-d", "-i"], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                      cwd=self.scratch, env={**self.environment, "ZDOTDIR": str(self.scratch), "COMPLETIONS":
                                                             str(self.scratch), "OFFERED": str(self.answers)})
        os.close(slave)
        os.set_blocking(self.terminal, False)
        self.answer()

    def answer(self):
        deadline = time.monotonic() + 60
        while not (text := self.answers.read_text()).endswith("=done=\n"):
            try:
                os.read(self.terminal, 65536)  # what it shows is of no interest, but must not fill the terminal
            except OSError:
                pass
            if time.monotonic() > deadline or self.shell.poll() is not None:
                raise AssertionError(f"zsh does not answer: {text}")
            time.sleep(0.01)
        self.answers.write_text("")
        return [line for line in text.splitlines() if line not in ("", "=done=")]

    def offered(self, *words):
        os.write(self.terminal, b"\x15" + " ".join([self.program, *words]).encode() + b"\t")
        return [word.rstrip("=") for word in self.answer()]

    def close(self):
        os.close(self.terminal)
        self.shell.kill()
        self.shell.wait()


def different(shell, command=()):
    """What the shell offers for options, and what --help names."""
    wanted = {name for names, _ in rows(*command) for name in names}
    offered = set(shell.offered(*command, "-")) | set(shell.offered(*command, "--"))
    return [f"{command}: {word} is {'offered' if word in offered else 'not offered'}" for word in sorted(offered ^ wanted)]


def wrong_values(shell, command=()):
    findings = []
    for names, value in rows(*command):
        if "|" not in value:
            continue
        for words in [[name, ""] for name in names] + [[names[-1] + "="]]:
            if set(shell.offered(*command, *words)) != set(value.split("|")):
                findings.append(f"{command} {words}: {shell.offered(*command, *words)}")
    return findings


class Completion(Gate):
    def shell(self, kind, script=None):
        if not shutil.which(kind.__name__.lower(), path=PATH):
            self.skipTest(f"SKIP: no {kind.__name__.lower()} here")
        if kind is Zsh:
            try:
                os.close(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))
            except OSError:
                self.skipTest("SKIP: no terminal can be made here")
        folder = tempfile.TemporaryDirectory(prefix="reaper-completion-")
        self.addCleanup(folder.cleanup)
        shell = kind(folder.name, script)
        self.addCleanup(shell.close)
        return shell

    def assert_complete(self, kind):
        shell = self.shell(kind)
        self.assertGreater(len(commands()), 10)
        self.assertEqual(commands(), set(shell.offered("")))
        self.assertEqual({"state", "start", "spec"}, set(shell.offered("s")))
        for command in [(), *((name,) for name in sorted(commands()))]:
            self.assert_clean(different(shell, command) + wrong_values(shell, command))

    def assert_ids(self, kind):
        shell = self.shell(kind)
        (shell.scratch / "bundle").mkdir()
        (shell.scratch / "file").touch()
        for root, name in (("state", "one"), ("state", "other"), ("second", "far")):
            # Not by run(): the container keeps what it gets as its output.
            subprocess.run([RUNTIME, "--root", shell.scratch / root, "create", "--bundle", self.bundle(shell.scratch), name],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            self.addCleanup(run, RUNTIME, "--root", shell.scratch / root, "delete", "--force", name)
        self.assertEqual({"one", "other"}, set(shell.offered("state", "")))
        self.assertEqual(["other"], shell.offered("state", "ot"))
        self.assertEqual({"one", "other"}, set(shell.offered("delete", "--timeout", "3", "")))
        self.assertEqual({"one", "other"}, set(shell.offered("kill", "-a", "")))
        self.assertEqual(["far"], shell.offered("--root", "second", "wait", ""))
        self.assertEqual(["far"], shell.offered("--debug", "--root=second", "wait", ""))
        self.assertEqual([], [word for word in shell.offered("state", "one", "") if word[0] != "-"])  # zsh has options then
        self.assertEqual([], shell.offered("create", ""))
        self.assertLess({"TERM", "KILL", "USR1"}, set(shell.offered("kill", "one", "")))
        self.assertEqual({"bundle", "example", "second", "state"},
                         {word.strip("/") for word in shell.offered("create", "--bundle", "") if not word.startswith(".")})
        self.assertIn("file", shell.offered("create", "--pid-file", ""))

    def bundle(self, scratch):
        bundle = scratch / "example"
        if not bundle.exists():
            bundle.mkdir()
            (bundle / "config.json").write_text('{"ociVersion": "1.3.0", "process": {"args": ["/bin/true"], "cwd": "/"}}')
        return bundle

    def assert_can_fail(self, kind):
        def forgets(path):
            return path.read_text().replace("--help 2>/dev/null", "--help 2>/dev/null | sed '/strict/d; s/table|json/json/'")
        shell = self.shell(kind, forgets)
        self.assertEqual(["('create',): --strict is not offered"], different(shell, ("create",)))
        self.assertTrue(wrong_values(shell, ("list",)))

    def assert_no_program(self, kind):
        """Nothing happens where the program of that name says nothing."""
        shell = self.shell(kind)
        (shell.scratch / "reaper-runtime").write_text("#!/bin/sh\nexit 1\n")
        (shell.scratch / "reaper-runtime").chmod(0o755)
        shell.program = "./reaper-runtime"
        for words in (("",), ("--",), ("state", ""), ("kill", "--", "one", "")):
            self.assertEqual([], shell.offered(*words))


for kind_of_shell in (Bash, Zsh, Fish):
    for what in ("complete", "ids", "can_fail", "no_program"):
        setattr(Completion, f"test_{kind_of_shell.__name__.lower()}_{what}",
                lambda self, what=what, kind=kind_of_shell: getattr(self, f"assert_{what}")(kind))


if __name__ == "__main__":
    unittest.main(verbosity=2)
