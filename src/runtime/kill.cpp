// kill: by pidfd, after the process was compared with the record.
#include <signal.h>

#include "runtime/cgroups.h"
#include "runtime/process.h"
#include "runtime/status.h"
#include "runtime/tree.h"

namespace reaper {

namespace {

// By the container's own cgroups, which outlive its first process. What has left them is reached where it can be known:
// the first process itself, and for SIGKILL, which cannot come twice, what a supervisor has below it.
Status signal_by_cgroups(const Container& container, int signal) {
  const Record& record = *container.record;
  const Cgroups cgroups = TRY(recorded_cgroups(record));
  const Deadline deadline = container.runtime->kill_deadline();
  bool reached_first = false;
  if (signal == SIGKILL) {
    TRY(kill_cgroups(cgroups, deadline));
    if (!TRY(has_ended(container.supervisor)))
      return signal_below(record.supervisor->pid, container.supervisor, signal, deadline);
  } else {
    reached_first = TRY(signal_cgroups(cgroups, signal, deadline)).contains(record.init.pid);
  }
  if (reached_first || TRY(has_ended(container.pidfd))) return {};
  const Status sent = signal_process(container.pidfd, signal, "the container's process");
  return !sent.has_value() && sent.error().sys_errno == ESRCH ? Status{} : sent;
}

}  // namespace

Status kill_container(const Container& container, int signal, bool all) {
  TRY(check_signal(signal));
  if (!TRY(container.directory.exists())) return fail(no_such_container(container.id()));
  if (!container.record) return fail(still_creating(container.id()));
  if (all && !container.record->cgroups_json.empty()) return signal_by_cgroups(container, signal);
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
