// A compiled filter as data: what the plan takes, and reaper-init loads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"

namespace reaper {

struct SeccompFilter {
  std::vector<uint64_t> instructions;  // a struct sock_filter each (linux/filter.h), as it lies in memory
  uint32_t flags = 0;                  // of seccomp(2): SECCOMP_FILTER_FLAG_*
  uint64_t rules = 0;                  // that it was made of: system calls that exist here, with an action of their own
  std::string digest;                  // of linux.seccomp and this machine's architecture; 64 hexadecimal digits
  std::vector<Warning> warnings;       // names that are no system calls
};

// Whether this machine's system call of that number passes, whatever its arguments are. False where that cannot be
// told.
bool always_allows(std::span<const uint64_t> instructions, uint32_t system_call);

}  // namespace reaper
