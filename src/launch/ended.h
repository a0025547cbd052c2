// Processes of our own memory that end by themselves (child.h) and stay zombies until they are reaped. They have no
// exit signal, so that neither the host's SIGCHLD nor its wait(2) hear of them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/fd.h"
#include "core/result.h"

namespace reaper {

struct Ended {
  pid_t pid = -1;
  Fd pidfd;
};
// One that is at its end when it is heard of: what /proc shows of it is what it was born into. CLONE_NEW* flags.
Result<Ended> clone_ended(uint64_t namespaces);
// One that runs `main(work)` meanwhile, on this stack, with our table of descriptors. Stack and work are its own until
// it is reaped.
Result<Ended> clone_beside(int (*main)(void*), void* work, std::span<std::byte> stack);
void reap_ended(const Ended& ended);  // waits for its end

// Whether a process ends within so many milliseconds; -1: it is waited for.
bool ends_within(const Fd& pidfd, int limit_ms);
inline constexpr int end_limit_ms = 2000;  // of one that has nothing left to do

}  // namespace reaper
