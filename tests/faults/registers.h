// What of ptrace(2) differs between architectures: a stopped call's number and its result.
#pragma once

#include <sys/types.h>

namespace reaper::walk {

// At its entry: the kernel then makes no call at all. False: not possible, errno says why.
bool take_call_back(pid_t pid);
// At its exit.
bool set_result(pid_t pid, long result);

}  // namespace reaper::walk
