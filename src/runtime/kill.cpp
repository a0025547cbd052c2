// kill: by pidfd, after the process was compared with the record.
#include <signal.h>

#include "runtime/container.h"
#include "runtime/process.h"

namespace reaper {

Status kill_container(const Container& container, int signal, bool all) {
  // 0 asks only whether it could be sent (kill(2)).
  if (signal < 0 || signal > SIGRTMAX)
    return fail({REAPER_ERR_INVALID, EINVAL, "signal " + std::to_string(signal) + " is not one of 0..." +
                                                 std::to_string(SIGRTMAX),
                 "", "arguments"});
  const Standing standing = TRY(read_standing(container));
  if (standing.status == REAPER_STATUS_CREATING)
    return fail(status_error("container \"" + container.id + "\" is being created: it has no process yet"));
  if (standing.status == REAPER_STATUS_STOPPED) {
    if (all) return {};  // containerd's shim asks so after the exit (callers.md)
    return fail(status_error("container not running"));
  }
  const Status sent = all ? signal_tree(standing.record->init.pid, standing.pidfd, signal)
                          : signal_process(standing.pidfd, signal, "the container's process");
  if (!sent.has_value() && sent.error().sys_errno == ESRCH) return fail(status_error("container not running"));
  return sent;
}

}  // namespace reaper
