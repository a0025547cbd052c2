// The kernel reads its clock of boot time once in a clone (copy_process() of kernel/fork.c), and shows it in ticks of
// ten milliseconds (proc(5)). Readings of the same clock before and after mostly lie in the same tick, and then say it
// without the thirty microseconds that procfs takes for a process that nobody has looked at.
#include "host/birth.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace reaper {

namespace {

constexpr int64_t ns_per_tick = 1'000'000'000 / 100;  // USER_HZ is 100 on every architecture that we know
constexpr int64_t rounding_ns = 1000;                 // of the clock's two ways; it is less than two nanoseconds

}  // namespace

// The system call: what stands in for clock_gettime(3) (libfaketime) moves no process's start.
int64_t boottime_ns() {
  timespec now = {};
  if (syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &now) != 0) return -1;
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

std::optional<uint64_t> start_time_between(int64_t before_ns, int64_t after_ns) {
  if (before_ns < rounding_ns || after_ns < before_ns) return std::nullopt;
  const int64_t first = (before_ns - rounding_ns) / ns_per_tick;
  if (first != (after_ns + rounding_ns) / ns_per_tick) return std::nullopt;
  return static_cast<uint64_t>(first);
}

}  // namespace reaper
