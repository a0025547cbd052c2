// Processes below a process, as /proc tells them.
#pragma once

#include "runtime/runtime.h"

namespace reaper {

// Every descendant of `pid` that can be found, and the process itself last. Signals each by its pidfd.
Status signal_tree(int32_t pid, const Fd& pidfd, int signal);

// Every descendant of `pid`, a living subreaper (prctl(2)), but not itself: so nothing escapes, whatever forks,
// double-forks or calls setsid meanwhile. After SIGKILL it returns when none is alive any more; TIMEOUT at the
// deadline.
Status signal_below(int32_t pid, const Fd& keeper, int signal, Deadline deadline);

}  // namespace reaper
