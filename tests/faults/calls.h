// The names of system calls, and what is worth knowing of one that is about to be made.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "faults/tracer.h"

namespace reaper::walk {

// "openat"; "call 999" for one that is not known here: then no table has it.
std::string call_name(long call);

// Fills in `name` and `text`. Paths are read from the process' memory, as far as the kernel lets us.
void describe(pid_t pid, const uint64_t* arguments, Call& call);

// The name of what it sleeps in.
std::string call_of(pid_t pid);

// The letter in /proc/PID/stat, '?' when there is no such process.
char state_of(pid_t pid);

}  // namespace reaper::walk
