// delete: a stopped container's directory; with force whatever is there, once nothing of it runs.
#include <signal.h>

#include "runtime/container.h"
#include "runtime/process.h"

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
  if (!identity.has_value()) return {};  // it died before there was a process
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

Status check_stopped(const Standing& standing, std::string_view id) {
  if (standing.status == REAPER_STATUS_STOPPED) return {};
  return fail(status_error("container \"" + std::string(id) + "\" is " + std::string(status_name(standing.status)) +
                           ", not stopped: it cannot be deleted without force"));
}

Status remove_locked(const Place& place, std::string_view id, bool force, Container* handle) {
  const auto standing = read_standing(place.root, place.directory);
  if (!standing.has_value()) {
    if (!force || standing.error().code != REAPER_ERR_CORRUPT) return fail(standing.error());
    TRY(end_unrecorded(place.directory, standing.error()));
    return place.directory.remove(place.root);
  }
  if (!force) TRY(check_stopped(*standing, id));
  if (standing->record) {
    TRY(end_process(standing->pidfd, standing->record->init.pid));
    // A child of ours must not stay a zombie; the status is kept for wait.
    if (handle != nullptr)
      (void)learn_exit(*handle, standing->pidfd, standing->record->init.pid, true);
    else
      (void)read_exit_status(standing->pidfd, standing->record->init.pid, true);
  } else {
    TRY(end_uncommitted(place.directory));
  }
  return place.directory.remove(place.root);
}

}  // namespace

Status delete_container(const std::shared_ptr<Runtime>& runtime, std::string_view id, bool force, Container* handle) {
  const Place place = handle != nullptr ? TRY(find_place(*handle)) : TRY(find_place(*runtime, id));
  // A handle on a container that somebody else has deleted and made anew must not delete the new one.
  if (handle != nullptr && handle->record) {
    const auto standing = read_standing(*handle);
    if (!standing.has_value() && standing.error().code == REAPER_ERR_NOT_FOUND) return fail(standing.error());
  }
  if (force) interrupt_create(place.directory);
  const auto lock = place.directory.lock(place.root, runtime->lock_deadline());
  // Its own create gave up and removed it: what was asked for.
  if (!lock.has_value() && lock.error().code == REAPER_ERR_NOT_FOUND && force) return {};
  if (!lock.has_value()) return fail(lock.error());
  TRY(remove_locked(place, id, force, handle));
  if (handle != nullptr) {
    const std::lock_guard guard(handle->mutex);
    handle->deleted = true;
  }
  return {};
}

}  // namespace reaper
