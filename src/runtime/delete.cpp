// delete: a stopped container's directory; with force whatever is there, once nothing of it runs.
#include <signal.h>

#include "runtime/container.h"
#include "runtime/process.h"
#include "runtime/status.h"

namespace reaper {

namespace {

constexpr std::chrono::seconds kill_limit{10};

Status end_process(const Fd& pidfd, int32_t pid) {
  if (TRY(has_ended(pidfd))) return {};
  const Status killed = signal_tree(pid, pidfd, SIGKILL);
  if (!killed.has_value()) return killed;
  if (TRY(await_end(pidfd, std::chrono::steady_clock::now() + kill_limit))) return {};
  return fail({REAPER_ERR_TIMEOUT, ETIMEDOUT,
               "process " + std::to_string(pid) + " did not end within 10 s of SIGKILL: nothing was removed", "",
               "delete"});
}

// The process of a directory whose record is missing or cannot be believed: `identity` tells, or nobody does.
Status end_unrecorded(const ContainerDirectory& directory, const Error& why) {
  const auto identity = directory.read_identity();
  if (!identity.has_value())
    return fail({REAPER_ERR_CORRUPT, 0,
                 why.message + "; and nothing tells which process is the container's: nothing was removed", "",
                 "delete"});
  const Fd pidfd = TRY(open_process(*identity));
  return end_process(pidfd, identity->pid);
}

// An uncommitted directory, locked by us: its create is not at work any more, or not in this process' sight.
Status end_uncommitted(const ContainerDirectory& directory) {
  const auto identity = directory.read_identity();
  if (!identity.has_value()) {
    // Its create died before there was a process; only then is there nobody to end.
    return identity.error().code == REAPER_ERR_NOT_FOUND ? Status{} : Status(fail(identity.error()));
  }
  const Fd pidfd = TRY(open_process(*identity));
  return end_process(pidfd, identity->pid);
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

// What a handle already holds need not be read again: a record never changes after its commit.
Status remove_held(const StateRoot& root, const ContainerDirectory& directory, bool force, const Container& handle) {
  if (force) {
    TRY(end_process(handle.pidfd, handle.record->init.pid));
  } else if (!TRY(has_ended(handle.pidfd))) {
    return fail(not_stopped(directory.id(), TRY(read_status(directory, handle.record->init.pid, handle.pidfd))));
  }
  (void)learn_exit(handle, true);  // kept for wait; and a child of ours must not stay a zombie
  return directory.remove(root);
}

Status remove_locked(const StateRoot& root, const ContainerDirectory& directory, bool force) {
  const auto snapshot = read_snapshot(directory);
  if (!snapshot.has_value()) {
    // UNSUPPORTED: written by a newer version. What finds the process is the same in every version.
    const int code = snapshot.error().code;
    if (!force || (code != REAPER_ERR_CORRUPT && code != REAPER_ERR_UNSUPPORTED)) return fail(snapshot.error());
    TRY(end_unrecorded(directory, snapshot.error()));
    return directory.remove(root);
  }
  const int status = TRY(read_status(directory, *snapshot));
  if (!force && status != REAPER_STATUS_STOPPED) return fail(not_stopped(directory.id(), status));
  if (!snapshot->record) {
    TRY(end_uncommitted(directory));
  } else {
    TRY(end_process(snapshot->pidfd, snapshot->record->init.pid));
    (void)read_exit_status(snapshot->pidfd, snapshot->record->init.pid, true);  // reaps a child of ours
  }
  return directory.remove(root);
}

Result<ContainerDirectory> directory_of(const Runtime& runtime, std::string_view id, const Container* handle) {
  if (handle == nullptr) return find_directory(runtime, id);
  if (!TRY(handle->directory.exists())) return fail(no_such_container(handle->id()));
  return handle->directory.reopen();
}

}  // namespace

Status delete_container(const std::shared_ptr<Runtime>& runtime, std::string_view id, bool force, Container* handle) {
  const ContainerDirectory directory = TRY(directory_of(*runtime, id, handle));
  const auto root = TRY(open_root(*runtime, false));
  if (force) interrupt_create(directory);
  const auto lock = directory.lock(*root, runtime->lock_deadline());
  // Its own create gave up and removed it: what was asked for.
  if (!lock.has_value() && lock.error().code == REAPER_ERR_NOT_FOUND && force) return {};
  if (!lock.has_value()) return fail(lock.error());
  if (handle != nullptr && handle->record) return remove_held(*root, directory, force, *handle);
  return remove_locked(*root, directory, force);
}

}  // namespace reaper
