"""Who may do what in src/ and cli/ (docs/architecture.md): the five "onlys", the direction of includes, and sizes."""
import re
import unittest

from gate import SOURCE, Gate, code_files, literals, matches, without_strings

CLONES = (r"\b(?:clone3?|v?fork|_Fork|posix_spawnp?|popen|system|daemon|forkpty)\s*\("
          r"|\b(?:SYS|__NR)_(?:clone3?|v?fork)\b|\bnumber_(?:clone3?|v?fork)\b")

# What a room may include beside itself. Three further headers are free for the rooms named: config knows the names of
# capabilities, the child after a clone uses init's raw system calls, and the plan takes a compiled filter as data.
EXCEPTIONS = {("config", "host/facts.h"), ("launch", "init/sys.h"), ("launch", "init/loopback.h"), ("plan", "seccomp/filter.h")}
INCLUDES = {
    "core": set(),
    "config": {"core"},
    "host": {"core"},
    "seccomp": {"core", "config"},
    "plan": {"core", "config", "host"},
    "store": {"core", "host"},
    "cgroup": {"core", "host"},
    "resctrl": {"core", "host"},
    "launch": {"core", "host", "plan"},
    "init": {"plan"},
    "runtime": {"core", "config", "host", "seccomp", "plan", "store", "cgroup", "resctrl", "launch"},
    "abi": {"core", "config", "host", "plan", "store", "cgroup", "resctrl", "launch", "runtime"},
}
MAX_LINES = 500


def extern_c(root):
    return matches(root, ["src"], r'extern\s*"C"', r"src/abi/.*|src/init/(entry|memory)\.cpp", keep_strings=True)


def cjson(root):
    return matches(root, ["src", "cli"], r'#\s*include\s*[<"].*cJSON\.h[>"]|\bcJSON_\w+', r"src/core/json[^/]*")


def cap_ng(root):
    return matches(root, ["src", "cli"], r'#\s*include\s*[<"]cap-ng\.h[>"]|\bcapng_\w+',
                   r"src/(host|plan)/capabilit[^/]*")


def clones(root):
    return matches(root, ["src", "cli"], CLONES, r"src/launch/.*|src/init/process[^/]*")


def included_rooms(root):
    findings = []
    for name, text in code_files(root, "src"):
        room = name.split("/")[1]
        for target in re.findall(r'#\s*include\s*"([^"]+)"', without_strings(text)):
            other = target.split("/")[0] if "/" in target else room
            if target != "reaper.h" and other != room and other not in INCLUDES.get(room, set()) \
                    and (room, target) not in EXCEPTIONS:
                findings.append(f"{name}: includes {target}")
            if room == "init" and other == "plan" and target != "plan/wire.h":
                findings.append(f"{name}: init includes nothing of plan but wire.h: {target}")
    for name, text in code_files(root, "cli"):
        for target in re.findall(r'#\s*include\s*"([^"]+)"', without_strings(text)):
            if target != "reaper.h" and not (root / "cli" / target).is_file():
                findings.append(f"{name}: the CLI stands on reaper.h alone: {target}")
    return findings


def init_headers(root):
    """init has no libc: of the system's headers only the kernel's and those of the compiler."""
    allowed = r"(linux|asm|asm-generic)/.*|std(int|def|arg|bool)\.h"
    return [f"{name}: {header}" for name, text in code_files(root, "src/init")
            for header in re.findall(r"#\s*include\s*<([^>]+)>", text) if not re.fullmatch(allowed, header)]


def after_clone_headers(root):
    """child.cpp runs in the host's memory: nothing of C++'s library, which allocates and locks."""
    allowed = r"(linux|asm|sys)/.*|[a-z]+\.h|c(errno|stdint|stddef|signal)"
    return [f"{name}: {header}" for name, text in code_files(root, "src/launch") if name.endswith("/child.cpp")
            for header in re.findall(r"#\s*include\s*<([^>]+)>", text) if not re.fullmatch(allowed, header)]


def abstract_sockets(root):
    """No unix socket without a file (CVE-2020-15257): its name begins with a NUL."""
    findings = matches(root, ["src", "cli"], r"sun_path\s*\[\s*0\s*\]\s*=[^=]|sun_path\s*\+\s*1\b|sun_path\s*\[\s*1\s*\]",
                       r"$^", keep_strings=True)
    return findings + [f"{name}:{line}: {text}" for name, code in code_files(root, "src", "cli")
                       for line, text in literals(code) if re.match(r"\\(0|x00)[^\\\\]", text)]


def throws(root):
    return matches(root, ["src", "cli"], r"\bthrow\b", r"$^")


def ends_process(root):
    """A library does not end or print for its host."""
    return matches(root, ["src"], r"\b(?:exit|quick_exit|abort|printf|puts|perror|syslog|signal|sigaction|"
                   r"umask|setenv|putenv|pthread_create|atexit)\s*\(|\bstd::(?:cout|cerr|clog|thread)\b",
                   r"src/init/.*|src/launch/child\.cpp")


def sizes(root):
    folders = [path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith((".", "build"))]
    findings = []
    for name in folders:
        for path in (root / name).rglob("*"):
            if path.suffix in (".c", ".cpp", ".h", ".py", ".sh", ".go", ".rs", ".cmake") and path.is_file():
                lines = path.read_text().count("\n")
                if lines > MAX_LINES:
                    findings.append(f"{path.relative_to(root)}: {lines} lines")
    return findings


def utils(root):
    """Not what others wrote: builds, and what they have fetched, lie in directories that are not tracked."""
    return [str(path.relative_to(root)) for top in root.iterdir() if not top.name.startswith(("build", "."))
            for path in (top, *top.rglob("*"))
            if re.fullmatch(r"(?i)(utils?|helpers?|misc|common)", path.stem) and path.suffix in (".c", ".cpp", ".h")]


def purposes(root):
    """Every file says in its first lines what it is for; a source may leave that to the header of its name."""
    files = dict(code_files(root, "src", "cli", "tests", "examples", "bench"))
    return [name for name, text in files.items()
            if not (text if name.endswith(".h") else files.get(re.sub(r"\.cpp$", ".h", name), text)
                    ).startswith(("//", "/*"))]


class Tree(Gate):
    def test_extern_c_only_at_the_edges(self):
        self.assert_clean(extern_c(SOURCE))
        self.assertTrue(extern_c(self.tree(src__core__x_DOT_cpp='extern "C" int x();\n')))
        self.assertFalse(extern_c(self.tree(src__core__x_DOT_cpp='// extern "C"\n', src__abi__a_DOT_cpp='extern "C" {}')))

    def test_only_json_knows_cjson(self):
        self.assert_clean(cjson(SOURCE))
        self.assertTrue(cjson(self.tree(src__config__x_DOT_cpp="#include <cjson/cJSON.h>\n")))
        self.assertTrue(cjson(self.tree(src__core__x_DOT_cpp="auto x = cJSON_Parse(y);\n")))

    def test_only_capability_files_know_cap_ng(self):
        self.assert_clean(cap_ng(SOURCE))
        self.assertTrue(cap_ng(self.tree(src__launch__x_DOT_cpp="#include <cap-ng.h>\n")))
        self.assertTrue(cap_ng(self.tree(src__plan__identity_DOT_cpp="capng_apply(CAPNG_SELECT_ALL);\n")))

    def test_only_launch_and_init_process_clone(self):
        self.assert_clean(clones(SOURCE))
        for call in ("fork();", "::vfork ();", "posix_spawn(0);", "syscall(SYS_clone3, 0);", "clone(f, s, 0, 0);",
                     "syscall(__NR_fork);", "system(c);"):
            self.assertTrue(clones(self.tree(src__store__x_DOT_cpp=f"int x = {call}\n")), call)
        self.assertTrue(clones(self.tree(src__init__gate_DOT_cpp="clone3(x);\n")))
        self.assertFalse(clones(self.tree(src__init__process_DOT_cpp="clone3(x);\n",
                                          src__core__x_DOT_cpp='system_error("fork()");\n')))

    def test_rooms_include_only_what_lies_below(self):
        self.assert_clean(included_rooms(SOURCE))
        self.assertTrue(included_rooms(self.tree(src__core__x_DOT_cpp='#include "store/store.h"\n')))
        self.assertTrue(included_rooms(self.tree(src__init__x_DOT_cpp='#include "plan/plan.h"\n')))
        self.assertTrue(included_rooms(self.tree(cli__x_DOT_cpp='#include "core/result.h"\n')))

    def test_init_includes_no_libc(self):
        self.assert_clean(init_headers(SOURCE))
        self.assertTrue(init_headers(self.tree(src__init__x_DOT_cpp="#include <stdio.h>\n")))
        self.assertTrue(init_headers(self.tree(src__init__x_DOT_cpp="#include <string>\n")))

    def test_child_includes_no_cpp_library(self):
        self.assert_clean(after_clone_headers(SOURCE))
        self.assertTrue(after_clone_headers(self.tree(src__launch__child_DOT_cpp="#include <string>\n")))

    def test_no_abstract_socket(self):
        self.assert_clean(abstract_sockets(SOURCE))
        self.assertTrue(abstract_sockets(self.tree(src__launch__x_DOT_cpp="address.sun_path[0] = 0;\n")))
        self.assertTrue(abstract_sockets(self.tree(src__launch__x_DOT_cpp=r'bind("\0gate");' + "\n")))

    def test_no_throw(self):
        self.assert_clean(throws(SOURCE))
        self.assertTrue(throws(self.tree(src__core__x_DOT_cpp="void f() { throw 1; }\n")))

    def test_the_library_leaves_the_process_alone(self):
        self.assert_clean(ends_process(SOURCE))
        for call in ("exit(1)", "std::abort()", "printf(s)", "umask(0)", "signal(2, h)", "setenv(a, b, 1)"):
            self.assertTrue(ends_process(self.tree(src__store__x_DOT_cpp=f"void f() {{ {call}; }}\n")), call)
        self.assertFalse(ends_process(self.tree(src__store__x_DOT_cpp="_exit(1); child_umask(2); pidfd_send_signal(3);\n")))

    def test_files_are_short(self):
        self.assert_clean(sizes(SOURCE))
        self.assertTrue(sizes(self.tree(src__core__x_DOT_cpp="\n" * (MAX_LINES + 1))))

    def test_nothing_is_called_utils(self):
        self.assert_clean(utils(SOURCE))
        self.assertTrue(utils(self.tree(src__core__utils_DOT_h="//\n")))

    def test_every_file_says_its_purpose(self):
        self.assert_clean(purposes(SOURCE))
        self.assertTrue(purposes(self.tree(src__core__x_DOT_h="#pragma once\n")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
