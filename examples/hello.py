"""A container that prints a line as a user: hello.py [UID GID], by default the caller's own. By ctypes."""
import ctypes
import json
import os
import sys
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_int64, c_uint32, c_uint64, c_void_p, sizeof

CREATE_STDIO = DELETE_FORCE = 1
VERSION_NEEDED = (0, 1)


class CreateOptions(ctypes.Structure):
    """reaper_create_options; `size` says that nothing behind `stdio` is known here."""
    _fields_ = [("size", c_uint64), ("bundle", c_char_p), ("config", c_char_p), ("config_length", c_uint64),
                ("pid_file", c_char_p), ("extra_fds", POINTER(c_int32)), ("extra_fd_count", c_uint32),
                ("flags", c_uint32), ("stdio", c_int32 * 3), ("listen_fd_count", c_uint32)]


class ExitStatus(ctypes.Structure):
    """reaper_exit_status."""
    _fields_ = [("size", c_uint64), ("exit_code", c_int32), ("signal", c_int32), ("core_dumped", c_uint32),
                ("reserved", c_uint32), ("started_at_ns", c_int64), ("finished_at_ns", c_int64),
                ("user_time_us", c_int64), ("system_time_us", c_int64), ("max_rss_kib", c_int64)]


def load():
    """The library, with the types of the functions that are used. ctypes would take pointers for ints."""
    lib = ctypes.CDLL("libreaper.so.0")
    err = POINTER(c_void_p)
    for name, result, *arguments in [
            ("version", c_char_p), ("error_code", c_int32, c_void_p), ("error_name", c_char_p, c_int32),
            ("error_message", c_char_p, c_void_p), ("error_free", None, c_void_p),
            ("runtime_new", c_int, c_void_p, err, err), ("runtime_free", None, c_void_p),
            ("create", c_int, c_void_p, c_char_p, POINTER(CreateOptions), err, err),
            ("container_free", None, c_void_p), ("start", c_int, c_void_p, err),
            ("wait", c_int, c_void_p, c_int64, POINTER(ExitStatus), err),
            ("delete", c_int, c_void_p, c_uint32, err)]:
        function = getattr(lib, f"reaper_{name}")
        function.restype, function.argtypes = result, arguments
    major, minor = map(int, lib.reaper_version().decode().split(".")[:2])
    if major != VERSION_NEEDED[0] or minor < VERSION_NEEDED[1]:
        raise OSError(f"libreaper is {major}.{minor}, and {VERSION_NEEDED} is needed")
    return lib


def call(lib, function, *arguments):
    """A function whose last argument is the error, which is raised."""
    err = c_void_p()
    if function(*arguments, byref(err)) != 0:
        name = lib.reaper_error_name(lib.reaper_error_code(err)).decode()
        message = lib.reaper_error_message(err).decode()
        lib.reaper_error_free(err)
        raise RuntimeError(f"{name}: {message}")


def hello(uid, gid):
    lib = load()
    config = json.dumps({"ociVersion": "1.2.0", "process": {
        "cwd": "/", "noNewPrivileges": True, "args": ["/bin/sh", "-c", "echo hello from user $(id -u)"],
        "env": ["PATH=/usr/bin:/bin"], "user": {"uid": uid, "gid": gid}}}).encode()
    options = CreateOptions(size=sizeof(CreateOptions), config=config, config_length=len(config), flags=CREATE_STDIO,
                            stdio=(0, 1, 2))
    status = ExitStatus(size=sizeof(ExitStatus))
    runtime, container = c_void_p(), c_void_p()
    try:
        call(lib, lib.reaper_runtime_new, None, byref(runtime))
        call(lib, lib.reaper_create, runtime, b"hello", byref(options), byref(container))
        try:
            call(lib, lib.reaper_start, container)
            call(lib, lib.reaper_wait, container, -1, byref(status))
        finally:  # a container outlives its handle and this program
            call(lib, lib.reaper_delete, container, DELETE_FORCE)
    finally:
        lib.reaper_container_free(container)
        lib.reaper_runtime_free(runtime)
    return status.exit_code


if __name__ == "__main__":
    try:
        sys.exit(hello(*map(int, sys.argv[1:])) if len(sys.argv) == 3 else hello(os.getuid(), os.getgid()))
    except (OSError, RuntimeError) as failure:
        sys.exit(str(failure))
