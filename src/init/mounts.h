// What the files about mounts share: paths inside the container's root.
#pragma once

#include <stdint.h>

#include "init/stages.h"

namespace reaper::init {

// openat2(2) of `path`, which begins with a slash, inside `root`: links and ".." lead nowhere else.
long open_in_root(int root, const char* path, uint64_t flags, uint64_t resolve);
// The same as O_PATH, and what is missing is made: directories, and at the end a file unless a `directory` is wanted.
// `path` has nothing but names in it.
long make_in_root(int root, const char* path, bool directory, uint64_t resolve);
// The directory that `path` lies in, made if it is missing, and the last name. It stays open for the next path in it,
// and is not the caller's to close; `path` must outlive it.
long parent_in_root(State& state, const char* path, uint64_t resolve, const char*& name);
// Before anything is mounted, which may cover it.
void forget_parent(State& state);
// The magic number of the file system that it is on (linux/magic.h), or a negative errno.
long file_system_of(int fd);

// move_mount(2) of a mount to a place, both by descriptor; `what` is the text of the error.
Outcome move_mount(long mount, long place, const char* what);
// A copy of what is mounted at `place`, mounted nowhere yet. flags: AT_RECURSIVE.
Outcome copy_of_place(long place, uint64_t flags, long& copy);
Outcome make_read_only(long mount, bool with_all_below);

// copy_up.cpp: all that is at `place`, a directory, into the root of `mount`, which is mounted nowhere yet. flags:
// wire::mount_copy_mode and mount_copy_owner are about that root. What fails ends this process: nothing is cleaned up.
Outcome copy_up(long place, long mount, uint64_t flags);

}  // namespace reaper::init
