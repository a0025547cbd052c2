"""The examples of the documentation, run as they stand.

The ```sh blocks of a page are one script: `bash -eu` in an empty directory, with reaper-runtime in PATH and a state directory
of its own. A ```text block right behind one is what that one prints, line by line; `...` stands for anything in a line, and
alone in a line for any number of lines. Afterwards no container and no process may be left. A page whose first line is
`<!-- needs: WORDS -->` is skipped where one of these is missing (NEEDS).
"""
import difflib
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from collections import namedtuple
from pathlib import Path

from gate import BUILD, SOURCE, Gate

PAGES = ["supervision", "hooks", "terminals", "check", "cgroups", "namespaces", "pause", "process", "root", "seccomp", "exec", "images",
         "cookbook", "cookbook_root", "cookbook_embed", "errors", "coming_from"]
RUNTIME = BUILD / "bin/reaper-runtime"
# How a page's own programs find the library of this build.
FLAGS = f"-I{SOURCE}/include -L{BUILD}/lib -Wl,-rpath,{BUILD}/lib -lreaper"
PAGE_SECONDS = 120

Block = namedtuple("Block", "line commands expected")  # `line`: of the first command; `expected`: None, or the text


def own_cgroup_is_writable():
    """Whether a directory could be made beside this process in any hierarchy, v1 or v2."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return any(kind.startswith("cgroup") and os.access(place, os.W_OK) for _, place, kind, *_ in mounts)


def terminal_can_be_made():
    try:
        os.close(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def capabilities_are_held():
    """Those of the examples: CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_NET_BIND_SERVICE."""
    held = int(re.search(r"^CapEff:\s*(\w+)$", Path("/proc/self/status").read_text(), re.M).group(1), 16)
    return all(held >> number & 1 for number in (6, 7, 8, 10))


def namespaces_can_be_made():
    """CAP_SYS_ADMIN."""
    held = int(re.search(r"^CapEff:\s*(\w+)$", Path("/proc/self/status").read_text(), re.M).group(1), 16)
    return bool(held >> 21 & 1)


# word -> (is it there, the reason that a skip gives)
def filters_can_be_made():
    """A filter that allows everything, in a child: under no_new_privs anybody may load one."""
    allow = b"\x06\x00\x00\x00\x00\x00\xff\x7f"
    program = ("import ctypes; libc = ctypes.CDLL(None); libc.prctl(38, 1, 0, 0, 0); b = ctypes.create_string_buffer(%r, 8)\n"
               "class P(ctypes.Structure): _fields_ = [('n', ctypes.c_ushort), ('f', ctypes.c_void_p)]\n"
               "raise SystemExit(libc.prctl(22, 2, ctypes.byref(P(1, ctypes.addressof(b))), 0, 0) != 0)" % allow)
    return subprocess.run(["python3", "-c", program], check=False).returncode == 0


NEEDS = {
    "root": (lambda: os.geteuid() == 0, "needs root"),
    "capabilities": (capabilities_are_held, "CAP_SETPCAP and others are not held"),
    "namespaces": (namespaces_can_be_made, "making namespaces needs CAP_SYS_ADMIN"),
    "busybox": (lambda: os.access("/bin/busybox", os.X_OK), "no busybox here"),
    "cgroup": (own_cgroup_is_writable, "no cgroup can be made here"),
    "terminal": (terminal_can_be_made, "no terminal can be made here"),
    "script": (lambda: shutil.which("script") is not None, "no script(1) here"),
    "seccomp": (filters_can_be_made, "seccomp filters are not allowed here"),
    "umoci": (lambda: shutil.which("umoci") is not None, "no umoci here"),
    "tmux": (lambda: shutil.which("tmux") is not None, "no tmux here"),
}


def missing(page):
    """The reason to skip a page, or None."""
    marker = re.match(r"<!-- needs: ([a-z ]+) -->$", page.splitlines()[0] if page else "")
    for word in marker.group(1).split() if marker else []:
        is_there, reason = NEEDS[word]  # an unknown word is a mistake of the page
        if not is_there():
            return reason
    return None


def blocks(page):
    """The sh blocks of a page, and what is wrong with its fences."""
    found, findings, fence, words, body, last_end = [], [], None, "", [], None
    for number, line in enumerate(page.splitlines(), 1):
        if fence is None and line.startswith("```"):
            fence, words, body = number, line[3:].strip(), []
        elif fence is not None and line.rstrip() == "```":
            if words == "sh":
                found.append(Block(fence + 1, body, None))
                last_end = number
            elif words == "text":
                between = page.splitlines()[last_end:fence - 1] if last_end is not None else ["nothing"]
                if any(text.strip() for text in between):
                    findings.append(f"line {fence}: a text block that stands behind no sh block says what nobody checks")
                else:
                    found[-1] = found[-1]._replace(expected=body)
                last_end = None
            fence = None
        elif fence is not None:
            body.append(line)
    if fence is not None:
        findings.append(f"line {fence}: the block has no end")
    if not found:
        findings.append("no sh block: a page without an example that runs")
    return found, findings


def script_of(page_blocks):
    """One script whose lines have the page's numbers, so that bash's messages lead there."""
    lines = ["set -E; trap 'echo \"line $LINENO: exit code $?\" >&2' ERR"]
    for index, block in enumerate(page_blocks):
        lines += [""] * (block.line - 2 - len(lines))
        lines.append(f'exec >"$REAPER_DOCS_OUTPUT/{index}"')
        lines += block.commands
    return "\n".join(lines) + "\n"


def matches(expected, printed):
    pattern = ""
    for line in expected:
        pattern += r"(?:.*\n)*" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + r"\n"
    return re.fullmatch(pattern, printed) is not None


def processes_of(root):
    """Processes that still have this page's state directory in their environment."""
    wanted, found = f"REAPER_RUNTIME_ROOT={root}".encode(), []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in path.read_bytes().split(b"\0"):
                found.append(f"{path.parent.name} ({(path.parent / 'comm').read_text().strip()})")
        except OSError:  # it has ended, or is somebody else's
            continue
    return found


def leftovers(environment):
    """What a page leaves behind, and the containers are removed. A process on its way out is given the time."""
    ids = subprocess.run([RUNTIME, "list", "-q"], env=environment, capture_output=True, text=True, check=True).stdout.split()
    for name in ids:
        subprocess.run([RUNTIME, "delete", "--force", name], env=environment, capture_output=True, check=False)
    deadline = time.monotonic() + 10
    while (processes := processes_of(environment["REAPER_RUNTIME_ROOT"])) and time.monotonic() < deadline:
        time.sleep(0.05)
    return [f"container {name} is left" for name in ids] + [f"process {process} is left" for process in processes]


def run_page(page):
    """The findings of one page: it fails, prints something else than it says, or leaves something behind."""
    page_blocks, findings = blocks(page)
    if findings:
        return findings
    with tempfile.TemporaryDirectory(prefix="reaper-docs-") as folder:
        os.chmod(folder, 0o755)  # examples become other users
        work, output = Path(folder, "work"), Path(folder, "output")
        work.mkdir(mode=0o755)
        output.mkdir()
        script = Path(folder, "page.sh")
        script.write_text(script_of(page_blocks))
        environment = {"PATH": f"{RUNTIME.parent}:/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(work),
                       "REAPER_RUNTIME_ROOT": f"{folder}/state", "REAPER_DOCS_OUTPUT": str(output),
                       "REAPER_FLAGS": FLAGS}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            environment.update({name: os.environ[name]} if name in os.environ else {})
        findings = run_script(script, work, environment)
        if not findings:
            for index, block in enumerate(page_blocks):
                printed = (output / str(index)).read_text()
                if block.expected is not None and not matches(block.expected, printed):
                    difference = "\n".join(difflib.unified_diff(block.expected, printed.splitlines(), "page", "printed", lineterm=""))
                    findings.append(f"line {block.line}: prints something else:\n{difference}")
        return findings + leftovers(environment)


def run_script(script, work, environment):
    with open(script.with_suffix(".err"), "w+") as errors:  # a file: what a block leaves running would keep a pipe open
        try:
            status = subprocess.run(["bash", "-eu", script], cwd=work, env=environment, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=errors, timeout=PAGE_SECONDS, check=False).returncode
        except subprocess.TimeoutExpired:
            status = f"none after {PAGE_SECONDS} seconds"
        errors.seek(0)
        return [f"exit code {status}:\n{errors.read()}"] if status != 0 else []


def fenced(*pairs):
    return "# A page\n\n" + "\n".join(f"```{language}\n{body}\n```\n" for language, body in pairs)


def units(page):
    """The units of systemd of a page."""
    return re.findall(r"^```ini\n(.*?)^```$", page, re.M | re.S)


def verified(unit, folder):
    """What systemd-analyze(1) says of a unit whose program is this build's."""
    path = folder / "web.service"
    path.write_text(unit.replace("/usr/bin/reaper-runtime", str(RUNTIME)))
    done = subprocess.run(["systemd-analyze", "verify", path], env={"PATH": "/usr/bin:/bin", "SYSTEMD_LOG_LEVEL": "warning"},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines() + ([] if done.returncode == 0 else [f"status {done.returncode}"])


def commands_of(unit, key):
    """The program, which has to be where the package puts it, and its words: of this build, with a state directory there."""
    for line in re.findall(rf"^{key}=(.*)$", unit, re.M):
        program, *words = shlex.split(line)
        assert program == "/usr/bin/reaper-runtime", line
        yield [str(RUNTIME), *words]


CREATE = """mkdir bundle
echo '{"ociVersion": "1.2.0", "process": {"args": ["sleep", "100"], "cwd": "/"}}' >bundle/config.json
reaper-runtime create --bundle bundle left"""


class Docs(Gate):
    def test_a_page_that_is_right(self):
        self.assert_clean(run_page(fenced(("sh", "pwd; ls"), ("text", "/.../work"), ("sh", "seq 5\necho a b c >&2\nx=1"),
                                          ("text", "1\n...\n5"), ("sh", CREATE + "; reaper-runtime delete --force left; echo $x"),
                                          ("text", "1"), ("json", "anything"))))

    def test_a_page_that_fails(self):
        for commands in ("false", "echo $not_set", "false | cat; exit 3", "echo 'no end"):
            self.assertTrue(run_page(fenced(("sh", commands))), commands)
        self.assertIn("line 6: ", run_page("# A page\n\n\n```sh\ntrue\nfalse\n```\n")[0])

    def test_a_page_that_prints_something_else(self):
        for commands, text in (("echo a", "b"), ("echo a; echo b", "a"), ("true", "a"), ("echo a.b", "a...c"), ("echo a", "")):
            self.assertTrue(run_page(fenced(("sh", commands), ("text", text))), (commands, text))

    def test_a_page_whose_text_nobody_checks(self):
        self.assertTrue(blocks("```sh\ntrue\n```\nprints\n```text\na\n```\n")[1])
        self.assertTrue(blocks("```text\na\n```\n```sh\ntrue\n```\n")[1])
        self.assertTrue(blocks("```sh\ntrue\n")[1])

    def test_a_page_without_an_example(self):
        self.assertTrue(run_page("# A page\n\n```json\n{}\n```\n"))

    def test_a_page_that_leaves_something(self):
        self.assertIn("container left is left", run_page(fenced(("sh", CREATE))))

    def test_a_page_that_needs_something(self):
        self.assertIsNone(missing("# A page\n"))
        with self.assertRaises(KeyError):
            missing("<!-- needs: the moon -->\n")


class Units(Gate):
    """The units of systemd in the cookbook."""
    page = (SOURCE / "docs/cookbook_root.md").read_text()

    def test_systemd_has_nothing_to_say(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("SKIP: no systemd-analyze here")
        folder = self.tree(x="")
        self.assertTrue(units(self.page))
        for unit in units(self.page):
            self.assert_clean(verified(unit, folder))
            self.assertTrue(verified(unit.replace("KillMode", "KilMode"), folder))
            self.assertTrue(verified(unit.replace("bin/", "bin/no-"), folder))

    def test_the_commands(self):
        """What systemd does with each: starts it, sends TERM to it alone, waits, and runs the last command."""
        for unit in units(self.page):
            folder = self.tree(web__config_DOT_json='{"ociVersion": "1.2.0", "process": {"args": ["sleep", "100"], "cwd": "/"}}')
            environment = {"PATH": "/usr/bin:/bin", "REAPER_RUNTIME_ROOT": f"{folder}/state"}
            # /srv is the reader's: its bundle stands for that directory.
            unit = unit.replace("/srv/web", str(folder / "web"))
            start, = commands_of(unit, "ExecStart")
            main = subprocess.Popen(start, env=environment, stdin=subprocess.DEVNULL)
            try:
                deadline = time.monotonic() + 30
                while '"status":"running"' not in self.state(environment, start[-1]) and time.monotonic() < deadline:
                    time.sleep(0.05)
                self.assertIn('"status":"running"', self.state(environment, start[-1]))
                main.send_signal(signal.SIGTERM)
                self.assertEqual(128 + signal.SIGTERM, main.wait(30))
            finally:
                main.kill()
                main.wait()
            for stop in commands_of(unit, "ExecStopPost"):
                self.assertEqual(0, subprocess.run(stop, env=environment, capture_output=True, check=False).returncode)
            self.assert_clean(leftovers(environment))

    @staticmethod
    def state(environment, name):
        done = subprocess.run([RUNTIME, "state", name], env=environment, capture_output=True, text=True, check=False)
        return re.sub(r"\s", "", done.stdout)


def page_test(path):
    def test(self):
        text = path.read_text()
        if reason := missing(text):
            self.skipTest(f"SKIP: {reason}")
        self.assert_clean(run_page(text))
    return test


for page_name in PAGES:
    page_path = SOURCE / f"docs/{page_name}.md"
    if page_path.exists():
        setattr(Docs, f"test_page_{page_name}", page_test(page_path))


if __name__ == "__main__":
    unittest.main(verbosity=2)
