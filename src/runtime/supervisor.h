// What a supervised container has more than others: a reaper-init that stays above it, and its record of the end.
#pragma once

#include "runtime/runtime.h"

namespace reaper {

enum class Supervision { none, active, lost };

// A pidfd of the supervisor; empty: there is none, or it has ended.
Result<Fd> open_supervisor(const Record& record);

// Lost: the supervisor has died before it could record the end of the container.
Result<Supervision> supervision_of(const Container& container);

// The record of the end; nullopt where there is none, or none that can be believed.
std::optional<ExitStatus> recorded_exit(const ContainerDirectory& directory);
// The same for a container whose process has ended: the supervisor may be about to write it. At the latest it is there
// when the supervisor has ended.
std::optional<ExitStatus> await_recorded_exit(const Container& container);

// Which processes a container has, as far as it is known.
struct Processes {
  int32_t pid = 0;
  const Fd& pidfd;  // empty: gone
  int32_t supervisor_pid = 0;
  const Fd& supervisor;  // empty: gone, or there never was one
};
Processes processes_of(const Record& record, const Fd& pidfd, const Fd& supervisor);

// Ends all of it: the process, what is below it or the supervisor, and the supervisor itself. TIMEOUT when something
// does not die.
Status end_processes(const Processes& processes, Deadline deadline);

// Ends what a create that was killed has left, as far as its directory tells: who is not written down reads the end of
// file of its creator, and ends by itself.
Status end_uncommitted(const ContainerDirectory& directory, Deadline deadline);

// Takes the zombie of a supervisor that was our own child.
void reap_supervisor(const Fd& supervisor);

}  // namespace reaper
