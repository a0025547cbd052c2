#include "runtime/status.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "launch/launch.h"
#include "runtime/process.h"

namespace reaper {

namespace {

// Who won the start removes the gate's name as the last thing. Until then, somebody listens at it while the container is
// created; when nobody does, a start is under way (it holds the lock) or was killed half-way, when the program runs.
Result<bool> has_started(const ContainerDirectory& directory, bool ended, int64_t& started_ns) {
  struct stat status = {};
  if (fstatat(directory.fd(), "gate", &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno != ENOENT) return fail(system_error("status", "fstatat gate"));
    // Nothing else changes the directory between the commit and delete: its time is that of the start.
    if (fstat(directory.fd(), &status) == 0)
      started_ns = status.st_mtim.tv_sec * 1000000000LL + status.st_mtim.tv_nsec;
    return true;
  }
  if (ended || TRY(gate_listens(directory.fd()))) return false;
  return !TRY(directory.is_locked());
}

}  // namespace

Result<Standing> read_standing(const ContainerDirectory& directory, const Fd& pidfd) {
  Standing standing;
  const bool ended = TRY(has_ended(pidfd));
  const bool started = TRY(has_started(directory, ended, standing.started_ns));
  // Asked again: a process that ended meanwhile is stopped, whatever its gate said.
  if (ended || TRY(has_ended(pidfd)))
    standing.status = REAPER_STATUS_STOPPED;
  else
    standing.status = started ? REAPER_STATUS_RUNNING : REAPER_STATUS_CREATED;
  return standing;
}

Result<Standing> read_standing(const Container& container) {
  if (!TRY(container.directory.exists())) return fail(no_such_container(container.id()));
  if (container.record) return read_standing(container.directory, container.pidfd);
  return TRY(read_snapshot(container.directory)).standing;
}

Result<Snapshot> read_snapshot(const ContainerDirectory& directory) {
  Snapshot snapshot;
  if (TRY(directory.phase()) == Phase::creating) {
    snapshot.standing.status = REAPER_STATUS_CREATING;
    return snapshot;
  }
  snapshot.record = TRY(directory.read_record());
  snapshot.pidfd = TRY(open_process(snapshot.record->init));
  snapshot.standing = TRY(read_standing(directory, snapshot.pidfd));
  return snapshot;
}

std::string_view status_name(int status) {
  switch (status) {
    case REAPER_STATUS_CREATING:
      return "creating";
    case REAPER_STATUS_CREATED:
      return "created";
    case REAPER_STATUS_RUNNING:
      return "running";
    default:
      return "stopped";
  }
}

Error status_error(std::string message) {
  return {REAPER_ERR_STATUS, 0, std::move(message), "", "status"};
}

Error still_creating(std::string_view id) {
  return status_error("container \"" + std::string(id) + "\" is still being created");
}

}  // namespace reaper
