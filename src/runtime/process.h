// The container's process: is it the one of the record, does it live, how did it end.
#pragma once

#include <optional>
#include <vector>

#include "runtime/runtime.h"

namespace reaper {

// Who the calling process is: the owner of what it creates.
Result<ProcessIdentity> own_identity();

// A pidfd of the very process of the record, or an empty Fd: it has ended and was reaped, or the machine was rebooted.
// UNSUPPORTED: the record was written in another pid namespace, where its numbers mean something else.
Result<Fd> open_process(const ProcessIdentity& identity);

// Whether the process has ended (a zombie has). False for an empty descriptor is impossible: that one has ended.
Result<bool> has_ended(const Fd& pidfd);
// Waits until it has, at most until the deadline. False: still alive.
Result<bool> await_end(const Fd& pidfd, Deadline deadline);

// `limit_ms` from now; negative: none.
Deadline deadline_after(int64_t limit_ms);

// INVALID for a number that is none; 0 asks only whether a signal could be sent (kill(2)).
Status check_signal(int signal);

// ESRCH is an error like any other.
Status signal_process(const Fd& pidfd, int signal, std::string_view what);

// The exit status, from waitid(2) where the process is our child, which is reaped then or left as it is; else from
// PIDFD_GET_INFO (Linux 6.15), or from field 52 of /proc/PID/stat of a zombie. Who reaps it at this moment is waited
// for. nullopt: nobody can say.
std::optional<ExitStatus> read_exit_status(const Fd& pidfd, int32_t pid, bool reap);

}  // namespace reaper
