"""Makes DT_RPATH of a program's DT_RUNPATH, in place: the directories stay, and are searched before LD_LIBRARY_PATH (elf(5), ld.so(8)).

usage: rpath.py PROGRAM

For linkers that cannot be asked for it (zig's takes --disable-new-dtags and forgets it). 64-bit little-endian files alone.
"""
import struct
import sys

PT_DYNAMIC, DT_NULL, DT_RPATH, DT_RUNPATH = 2, 0, 15, 29


def dynamic_section(content):
    """Its offset in the file, by the program headers."""
    offset, = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    for at in range(offset, offset + size * count, size):
        kind, _, place = struct.unpack_from("<IIQ", content, at)
        if kind == PT_DYNAMIC:
            return place
    sys.exit("rpath.py: this program has no dynamic section")


def main(path):
    with open(path, "rb") as file:
        content = bytearray(file.read())
    if content[:6] != b"\x7fELF\x02\x01":
        sys.exit(f"rpath.py: {path} is no 64-bit little-endian ELF file")
    at = dynamic_section(content)
    while (tag := struct.unpack_from("<q", content, at)[0]) != DT_NULL:
        if tag == DT_RUNPATH:
            struct.pack_into("<q", content, at, DT_RPATH)
            with open(path, "r+b") as file:
                file.write(content)
            return
        at += 16
    sys.exit(f"rpath.py: {path} has no DT_RUNPATH")


if __name__ == "__main__":
    main(sys.argv[1])
