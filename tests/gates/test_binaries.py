"""What was built: the library's symbols and needs, reaper-init's size and freedom, the code that runs after a clone."""
import os
import re
import subprocess
import unittest

import elf
import test_header
from gate import BUILD, SANITIZED, SOURCE, Gate, matches, run

LIBRARY = BUILD / "lib/libreaper.so"
CLI = BUILD / "bin/reaper-runtime"
INIT = BUILD / "libexec/reaper-init"
CHILD = list(BUILD.glob("CMakeFiles/reaper-child.dir/**/child.cpp.o"))
# Not what an older build has left there.
INIT_OBJECTS = [path for path in BUILD.glob("CMakeFiles/reaper-init.dir/**/*.cpp.o")
                if (SOURCE / "src/init" / path.name.removesuffix(".o")).is_file()]

# Fault-around maps an image of this size by one fault (docs/decisions/0003-own-init.md). What stays of it in a process that
# waits is looked at by api.memory.
MAX_INIT_BYTES = 64 * 1024
# The child after a clone shares the host's memory: it makes system calls by inline assembly and calls nobody.
CHILD_MAY_CALL = {"_GLOBAL_OFFSET_TABLE_"}
INSTRUMENTATION = re.compile(r"__(asan|tsan|ubsan|lsan|msan|sanitizer|gcov|llvm_prof|stack_chk|cyg_profile)|^mcount$")
LIBRARY_MAY_NEED = {"libc.so.6", "libcjson.so.1"}
CLI_MAY_NEED = {"libc.so.6", "libreaper.so.0"}
# The loader: it exports __tls_get_addr to shared objects with thread-local variables, on every architecture its own name.
LOADER = re.compile(r"ld-linux[-\w]*\.so\.\d+")


def foreign_symbols(symbols, header_text):
    """Differences between what a library exports and what the header declares."""
    declared = test_header.declared(header_text)
    nodes = {name for name in symbols if re.fullmatch(r"REAPER_\d+\.\d+", name)}
    functions = set(symbols) - nodes
    findings = [f"exported, but not in reaper.h: {name}" for name in sorted(functions - declared)]
    findings += [f"in reaper.h, but not exported: {name}" for name in sorted(declared - functions)]
    findings += [f"has no version node: {name}" for name in sorted(functions & declared) if symbols[name] not in nodes]
    return findings


def instrumented(path):
    return [f"{path.name}: {symbol}" for symbol in sorted(elf.symbols(path)) if INSTRUMENTATION.search(symbol)]


def needs(path, allowed):
    return [f"{path.name} needs {name}" for name in elf.tags(path, "NEEDED") if name not in allowed and not LOADER.fullmatch(name)]


# Names are resolved, and connections to elsewhere made, by these (docs/cookbook_embed.md: no network).
NETWORK = re.compile(r"^(getaddrinfo|gethostby\w+|getnameinfo|res_\w+|__res_\w+|getservby\w+|dn_expand|rcmd\w*|ruserok\w*)(@|$)")


def speaks_to_the_network(path):
    return [f"{path.name} calls {symbol}" for symbol in sorted(elf.undefined(path)) if NETWORK.search(symbol)]


def static_program(path):
    """Findings of a file that is no small, static program without a writable and executable part."""
    findings = [] if path.stat().st_size <= MAX_INIT_BYTES else [f"{path.stat().st_size} bytes, more than {MAX_INIT_BYTES}"]
    segments = elf.segments(path)
    findings += [f"has a segment {kind}" for kind, _ in segments if kind in ("INTERP", "DYNAMIC", "TLS")]
    findings += [f"{kind} is writable and executable" for kind, flags in segments if "W" in flags and "E" in flags]
    if not any(kind == "GNU_STACK" for kind, _ in segments):
        findings.append("has no GNU_STACK, so its stack is executable")
    return findings


class Samples(Gate):
    """Compiles small sources, so that each gate sees something wrong."""

    def build(self, text, *flags, name="sample.o"):
        folder = self.tree(sample_DOT_c=text)
        run("gcc", folder / "sample.c", "-o", folder / name, *flags)
        return folder / name


class Library(Samples):
    header = (SOURCE / "include/reaper.h").read_text()

    def test_exports_what_the_header_declares(self):
        self.assert_clean(foreign_symbols(elf.exported(LIBRARY), self.header))

    def test_a_leaked_or_missing_symbol_is_found(self):
        library = self.build("int reaper_version(void) { return 1; } int leaked(void) { return 2; }", "-shared", "-fPIC",
                             name="sample.so")
        findings = foreign_symbols(elf.exported(library), self.header)
        self.assertIn("exported, but not in reaper.h: leaked", findings)
        self.assertIn("in reaper.h, but not exported: reaper_create", findings)
        self.assertIn("has no version node: reaper_version", findings)

    def test_dynamic_section(self):
        tags = [tag for tag, _ in elf.dynamic(LIBRARY)]
        self.assertEqual(["libreaper.so.0"], elf.tags(LIBRARY, "SONAME"))
        for unwanted in ("RPATH", "RUNPATH", "TEXTREL"):
            self.assertNotIn(unwanted, tags)
        flags = " ".join(elf.tags(LIBRARY, "FLAGS") + elf.tags(LIBRARY, "FLAGS_1"))
        for wanted in ("NODELETE", "NOW"):
            self.assertIn(wanted, flags)

    @unittest.skipIf(SANITIZED, "SKIP: a sanitizer build needs its runtime")
    def test_needs_little(self):
        self.assert_clean(needs(LIBRARY, LIBRARY_MAY_NEED))
        self.assertTrue(needs(self.build("int main(void) { return 0; }", "-Wl,--no-as-needed", "-lm", name="sample"),
                              LIBRARY_MAY_NEED))


class Network(Samples):
    """No telemetry, no network (docs/cookbook_embed.md)."""

    @unittest.skipIf(SANITIZED, "SKIP: a sanitizer build needs its runtime")
    def test_nothing_resolves_names(self):
        self.assert_clean(finding for path in (LIBRARY, CLI) for finding in speaks_to_the_network(path))
        sample = self.build("#include <netdb.h>\nint main(void) { return getaddrinfo(0, 0, 0, 0) + !gethostbyname(\"x\"); }", name="sample")
        self.assertEqual(2, len(speaks_to_the_network(sample)))

    def test_sockets_are_unix_ones(self):
        """But for those by which the devices of a container's network are moved and brought up: they speak to the kernel."""
        wanted, allowed = r"\b([AP]F_(?!UNIX\b)[A-Z]\w*|af_(?!unix\b)[a-z]\w*)\b", r"src/(init/(loopback\.h|namespaces\.cpp)|runtime/netlink\.cpp)"
        self.assert_clean(matches(SOURCE, ("src", "cli", "include"), wanted, allowed))
        self.assertTrue(matches(self.tree(src__x_DOT_cpp="int s = socket(AF_INET6, 1, 0);"), ("src",), wanted, allowed))


class Program(Samples):
    def test_rpath_comes_before_the_environment(self):
        """DT_RPATH is searched before LD_LIBRARY_PATH, DT_RUNPATH after it (ld.so(8))."""
        self.assertEqual([], elf.tags(CLI, "RUNPATH"))
        self.assertEqual(1, len(elf.tags(CLI, "RPATH")))
        sample = self.build("int main(void) { return 0; }", "-Wl,--enable-new-dtags,-rpath,/x", name="sample")
        self.assertEqual(["/x"], elf.tags(sample, "RUNPATH"))

    @unittest.skipIf(SANITIZED, "SKIP: a sanitizer build needs its runtime")
    def test_needs_little(self):
        self.assert_clean(needs(CLI, CLI_MAY_NEED))


class Init(Samples):
    def test_small_and_static(self):
        self.assert_clean(static_program(INIT))

    def test_an_ordinary_program_is_found(self):
        findings = static_program(self.build("int main(void) { return 0; }", "-Wl,-z,execstack", name="sample"))
        self.assertIn("has a segment INTERP", findings)
        self.assertIn("GNU_STACK is writable and executable", findings)
        large = self.build("const char large[65536] = {1}; int main(void) { return large[1]; }", name="sample")
        self.assertTrue(any("bytes, more than" in finding for finding in static_program(large)))

    def test_needs_nothing_from_outside(self):
        self.assertTrue(INIT_OBJECTS)
        defined = set().union(*(elf.symbols(path) for path in INIT_OBJECTS)) - set().union(
            *(elf.undefined(path) for path in INIT_OBJECTS))
        missing = set().union(*(elf.undefined(path) for path in INIT_OBJECTS)) - set().union(
            *(elf.symbols(path) - elf.undefined(path) for path in INIT_OBJECTS))
        self.assertTrue(defined)
        of_the_linker = {"_GLOBAL_OFFSET_TABLE_", "reaper_setup_begin", "reaper_setup_end"}  # src/init/image.ld
        self.assert_clean(missing - of_the_linker)

    def test_is_not_instrumented(self):
        for path in INIT_OBJECTS:
            self.assert_clean(instrumented(path))


class Child(Samples):
    def test_calls_nobody(self):
        self.assertEqual(1, len(CHILD))
        self.assert_clean(elf.undefined(CHILD[0]) - CHILD_MAY_CALL)
        sample = self.build("int setuid(unsigned); int f(void) { return setuid(1); }", "-c", "-fPIC")
        self.assertEqual({"setuid"}, elf.undefined(sample) - CHILD_MAY_CALL)

    def test_is_not_instrumented(self):
        self.assert_clean(instrumented(CHILD[0]))

    def test_instrumentation_is_found(self):
        source = "void g(char *); int f(void) { char a[64]; g(a); return a[1]; }"
        for flags in (["-fstack-protector-all"], ["-fsanitize=address"], ["-fsanitize=thread"], ["--coverage"]):
            self.assertTrue(instrumented(self.build(source, "-c", *flags)), flags)


class Loading(Gate):
    def test_runs_no_code_of_ours(self):
        """No object of ours has a constructor that the loader would run."""
        if SANITIZED or os.environ.get("REAPER_COVERAGE"):
            self.skipTest("SKIP: an instrumented build has constructors of its own")
        archive = BUILD / "libreaper-rooms.a"
        out = subprocess.run(["nm", "-C", archive], capture_output=True, text=True, check=True).stdout
        self.assert_clean(re.findall(r"_GLOBAL__sub_I_\S*|__static_initialization_and_destruction\S*", out))


if __name__ == "__main__":
    unittest.main(verbosity=2)
