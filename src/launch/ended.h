// A process that is at its end when it is heard of, and stays a zombie until it is reaped: what /proc shows of it is
// what it was born into. It has no exit signal, so that neither the host's SIGCHLD nor its wait(2) hear of it.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "core/fd.h"
#include "core/result.h"

namespace reaper {

struct Ended {
  pid_t pid = -1;
  Fd pidfd;
};
// `namespaces`: CLONE_NEW* flags.
Result<Ended> clone_ended(uint64_t namespaces);
void reap_ended(const Ended& ended);

}  // namespace reaper
