// Signals and the ends of children, as the kernel has them.
#pragma once

#include <stdint.h>

namespace reaper::init {

inline constexpr uint64_t signal_set_size = 8;  // of the kernel's sigset_t

// A signal's place in a set.
constexpr uint64_t signal_bit(int signal) {
  return uint64_t{1} << (signal - 1);
}

// rt_sigaction(2) with SIG_DFL: 0, or a negative errno.
long set_default_disposition(int signal);

// siginfo_t as waitid(2) fills it in; the kernel's own has a union of everything.
struct WaitInfo {
  int32_t signal, error, code, padding;
  int32_t pid;  // 0, with WNOHANG: nobody has ended
  uint32_t uid;
  int32_t status;
  uint8_t rest[100];
};
static_assert(sizeof(WaitInfo) == 128);

}  // namespace reaper::init
