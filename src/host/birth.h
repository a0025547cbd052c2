// When a process was born that we have cloned ourselves.
#pragma once

#include <cstdint>
#include <optional>

namespace reaper {

// CLOCK_BOOTTIME in nanoseconds, in the time namespace of the caller; negative: a filter denies it.
int64_t boottime_ns();

// Field 22 of /proc/PID/stat, as this process would read it, for a process that was cloned between two readings of
// boottime_ns(). nullopt where they do not decide it: it is to be read then.
std::optional<uint64_t> start_time_between(int64_t before_ns, int64_t after_ns);

}  // namespace reaper
