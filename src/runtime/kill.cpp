// kill: by pidfd, after the process was compared with the record.
#include <signal.h>

#include "runtime/process.h"
#include "runtime/status.h"
#include "runtime/tree.h"

namespace reaper {

Status kill_container(const Container& container, int signal, bool all) {
  // 0 asks only whether it could be sent (kill(2)).
  if (signal < 0 || signal > SIGRTMAX)
    return fail({REAPER_ERR_INVALID, EINVAL,
                 "signal " + std::to_string(signal) + " is not one of 0..." + std::to_string(SIGRTMAX), "",
                 "arguments"});
  if (!TRY(container.directory.exists())) return fail(no_such_container(container.id()));
  if (!container.record) return fail(still_creating(container.id()));
  // What the supervisor has below it outlives the container's first process, and is its own to end.
  if (all && !TRY(has_ended(container.supervisor)))
    return signal_below(container.record->supervisor->pid, container.supervisor, signal,
                        container.runtime->kill_deadline());
  if (TRY(has_ended(container.pidfd))) {
    if (all) return {};  // containerd's shim asks so after the exit (callers.md)
    return fail(status_error("container not running"));
  }
  const Status sent = all ? signal_tree(container.record->init.pid, container.pidfd, signal)
                          : signal_process(container.pidfd, signal, "the container's process");
  if (!sent.has_value() && sent.error().sys_errno == ESRCH) return fail(status_error("container not running"));
  return sent;
}

}  // namespace reaper
