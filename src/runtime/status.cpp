#include "runtime/status.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "launch/launch.h"
#include "runtime/process.h"

namespace reaper {

namespace {

// Who won the start removes the gate's name as the last thing. Until then, somebody listens at it while the container is
// created; when nobody does, a start is under way (it holds the lock) or was killed half-way, when the program runs.
Result<bool> has_started(const StateRoot& root, const ContainerDirectory& directory, bool ended, int64_t& started_ns) {
  struct stat status = {};
  if (fstatat(directory.fd(), "gate", &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno != ENOENT) return fail(system_error("status", "fstatat gate"));
    // Nothing else changes the directory between the commit and delete: its time is that of the start.
    if (fstat(directory.fd(), &status) == 0)
      started_ns = status.st_mtim.tv_sec * 1000000000LL + status.st_mtim.tv_nsec;
    return true;
  }
  if (ended || TRY(gate_listens(directory.fd()))) return false;
  const auto lock = directory.lock(root, Deadline::min());
  if (!lock.has_value() && lock.error().code == REAPER_ERR_BUSY) return false;
  if (!lock.has_value()) return fail(lock.error());
  return true;
}

}  // namespace

Result<Standing> read_standing(const StateRoot& root, const ContainerDirectory& directory) {
  Standing standing;
  if (TRY(directory.phase()) == Phase::creating) {
    standing.status = REAPER_STATUS_CREATING;
    return standing;
  }
  standing.record = TRY(directory.read_record());
  standing.pidfd = TRY(open_process(standing.record->init));
  const bool ended = TRY(has_ended(standing.pidfd));
  const bool started = TRY(has_started(root, directory, ended, standing.started_ns));
  // Asked again: a process that ended meanwhile is stopped, whatever its gate said.
  if (ended || TRY(has_ended(standing.pidfd)))
    standing.status = REAPER_STATUS_STOPPED;
  else
    standing.status = started ? REAPER_STATUS_RUNNING : REAPER_STATUS_CREATED;
  return standing;
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

}  // namespace reaper
