// delete: a stopped container's directory; with force whatever is there, once nothing of it runs.
#include <signal.h>

#include "runtime/cgroups.h"
#include "runtime/container.h"
#include "runtime/hooks.h"
#include "runtime/process.h"
#include "runtime/resctrl.h"
#include "runtime/status.h"
#include "runtime/supervisor.h"

namespace reaper {

namespace {

// The processes of a directory whose record is missing or cannot be believed: `identity`, `supervisor` and `cgroup`
// tell, or nobody does.
Status end_unrecorded(const ContainerDirectory& directory, const Cgroups& cgroups, const Error& why,
                      Deadline deadline) {
  const auto identity = directory.read_identity();
  // Not for the file's own sake (no descriptor is left, say): another time it may tell.
  if (!identity.has_value() && identity.error().code != REAPER_ERR_CORRUPT &&
      identity.error().code != REAPER_ERR_NOT_FOUND)
    return fail(identity.error());
  if (!identity.has_value() && cgroups.list.empty())
    return fail({REAPER_ERR_CORRUPT, 0,
                 why.message + "; and nothing tells which process is the container's: nothing was removed", "",
                 "delete"});
  if (identity.has_value())
    TRY(open_process(*identity));  // one that means nothing here is an error before anything ends
  TRY(kill_cgroups(cgroups, deadline));
  return identity.has_value() ? end_uncommitted(directory, deadline) : Status{};
}

// `creating` with its creator at work holds the lock: --force ends its init, so that it gives up and removes the
// directory itself.
void interrupt_create(const ContainerDirectory& directory) {
  const auto phase = directory.phase();
  if (!phase.has_value() || *phase != Phase::creating) return;
  const auto identity = directory.read_identity();
  if (!identity.has_value()) return;
  const auto pidfd = open_process(*identity);
  if (pidfd.has_value() && *pidfd) (void)signal_process(*pidfd, SIGKILL, "reaper-init");
}

Error not_stopped(std::string_view id, int status) {
  return status_error("container \"" + std::string(id) + "\" is " + std::string(status_name(status)) +
                      ", not stopped: it cannot be deleted without force");
}

// Everything of a committed container that runs. What a supervisor has below it when the container has stopped is the
// container's, and goes with it.
Status end_all(const Cgroups& cgroups, const Processes& processes, Deadline deadline) {
  TRY(kill_cgroups(cgroups, deadline));  // first: no fork escapes it
  return end_processes(processes, deadline);
}

// What a handle already holds need not be read again: a record never changes after its commit.
Status remove_held(const StateRoot& root, const ContainerDirectory& directory, bool force, const Container& handle) {
  const Record& record = *handle.record;
  if (!force && !TRY(has_ended(handle.pidfd)))
    return fail(not_stopped(directory.id(), TRY(read_status(directory, record.init.pid, handle.pidfd))));
  const Cgroups cgroups = TRY(recorded_cgroups(record));
  const auto resctrl = TRY(recorded_resctrl(record));
  const Deadline deadline = handle.runtime->kill_deadline();
  TRY(end_all(cgroups, processes_of(record, handle.pidfd, handle.supervisor), deadline));
  (void)learn_exit(handle, true);  // kept for wait; and a child of ours must not stay a zombie
  reap_supervisor(handle.supervisor);
  TRY(remove_class(resctrl, false));
  return remove_with_cgroups(root, directory, cgroups, deadline);
}

Status remove_committed(const StateRoot& root, const ContainerDirectory& directory, const Snapshot& snapshot,
                        Deadline deadline) {
  const Record& record = *snapshot.record;
  const Cgroups cgroups = TRY(recorded_cgroups(record));
  const auto resctrl = TRY(recorded_resctrl(record));
  TRY(end_all(cgroups, processes_of(record, snapshot.pidfd, snapshot.supervisor), deadline));
  (void)read_exit_status(snapshot.pidfd, record.init.pid, true);  // reaps a child of ours
  reap_supervisor(snapshot.supervisor);
  TRY(remove_class(resctrl, false));
  return remove_with_cgroups(root, directory, cgroups, deadline);
}

// The record of what was removed; none where there was none, or none that could be read.
Result<std::optional<Record>> remove_locked(const Runtime& runtime, const StateRoot& root,
                                            const ContainerDirectory& directory, bool force) {
  const Deadline deadline = runtime.kill_deadline();
  auto snapshot = read_snapshot(directory);
  if (!snapshot.has_value()) {
    // UNSUPPORTED: written by a newer version. What finds the process is the same in every version.
    const int code = snapshot.error().code;
    if (!force || (code != REAPER_ERR_CORRUPT && code != REAPER_ERR_UNSUPPORTED)) return fail(snapshot.error());
    const Cgroups cgroups = TRY(written_cgroups(directory));
    const auto resctrl = TRY(written_resctrl(directory));
    TRY(end_unrecorded(directory, cgroups, snapshot.error(), deadline));
    TRY(remove_class(resctrl, false));
    TRY(remove_with_cgroups(root, directory, cgroups, deadline));
    const std::string unknown =
        "container \"" + directory.id() + "\": poststop hooks, if it had any, were not run: its record cannot be read";
    if (runtime.log) runtime.log(REAPER_LOG_WARNING, unknown.c_str());
    return std::nullopt;
  }
  const int status = TRY(read_status(directory, *snapshot));
  if (!force && status != REAPER_STATUS_STOPPED) return fail(not_stopped(directory.id(), status));
  if (snapshot->record) {
    TRY(remove_committed(root, directory, *snapshot, deadline));
    return std::move(snapshot->record);
  }
  // Locked by us: its create is not at work any more, or not in this process' sight, or runs hooks and will find it
  // gone.
  const Cgroups cgroups = TRY(written_cgroups(directory));
  const auto resctrl = TRY(written_resctrl(directory));
  TRY(end_uncommitted(directory, deadline));
  TRY(remove_class(resctrl, true));
  TRY(remove_with_cgroups(root, directory, cgroups, deadline));
  return std::move(snapshot->staged);
}

Result<ContainerDirectory> directory_of(const Runtime& runtime, std::string_view id, const Container* handle) {
  if (handle == nullptr) return find_directory(runtime, id);
  if (!TRY(handle->directory.exists())) return fail(no_such_container(handle->id()));
  return handle->directory.reopen();
}

// By whoever removes the directory, which one only can: so poststop hooks are run once.
Result<std::optional<Record>> remove_container(const Runtime& runtime, const ContainerDirectory& directory, bool force,
                                               const Container* handle) {
  const auto root = TRY(open_root(runtime, false));
  if (force) interrupt_create(directory);
  const auto lock = directory.lock(*root, runtime.lock_deadline());
  // Its own create gave up and removed it: what was asked for.
  if (!lock.has_value() && lock.error().code == REAPER_ERR_NOT_FOUND && force) return std::nullopt;
  if (!lock.has_value()) return fail(lock.error());
  if (handle == nullptr || !handle->record) return remove_locked(runtime, *root, directory, force);
  std::optional<Record> record = handle->record;  // before: a failure means that it was not removed
  TRY(remove_held(*root, directory, force, *handle));
  return record;
}

}  // namespace

Status delete_container(const std::shared_ptr<Runtime>& runtime, std::string_view id, bool force, Container* handle) {
  const ContainerDirectory directory = TRY(directory_of(*runtime, id, handle));
  const auto removed = TRY(remove_container(*runtime, directory, force, handle));
  if (removed) run_poststop_hooks(*runtime, *removed);
  return {};
}

}  // namespace reaper
