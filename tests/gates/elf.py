"""Questions to ELF files, answered by binutils."""
import re

from gate import run


def dynamic(path):
    """[(tag, value)] of the dynamic section, such as ("NEEDED", "libc.so.6")."""
    out = run("readelf", "--wide", "--dynamic", path)
    return [(tag, re.sub(r"^.*?\[(.*)\]$", r"\1", value.strip()))
            for tag, value in re.findall(r"^\s*0x[0-9a-f]+ \((\w+)\)\s+(.*)$", out, re.M)]


def tags(path, name):
    return [value for tag, value in dynamic(path) if tag == name]


def segments(path):
    """[(type, flags)] of the program headers."""
    out = run("readelf", "--wide", "--segments", path)
    return re.findall(r"^\s+([A-Z_]+)\s+(?:0x[0-9a-f]+\s+){5}([RWE ]{3}) ", out, re.M)


def exported(path):
    """{name: version} of what a shared object defines for others; the node itself has itself as the version."""
    out = run("nm", "--dynamic", "--defined-only", "--with-symbol-versions", path)
    return {name: version for name, version in re.findall(r"^[0-9a-f]+ \w (\S+?)@@?(\S+)$", out, re.M)} | {
        name: "" for name in re.findall(r"^[0-9a-f]+ \w ([^@\s]+)$", out, re.M)}


def undefined(path):
    return set(re.findall(r"^\s+[Uwv] (\S+)$", run("nm", "--undefined-only", path), re.M))


def symbols(path):
    return {line.split()[-1] for line in run("nm", path).splitlines() if line.strip()}
