#include "runtime/status.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "host/proc_file.h"
#include "plan/wire.h"
#include "runtime/process.h"
#include "runtime/supervisor.h"

namespace reaper {

namespace {

// Who won the start changes the gate's name as the last thing. While it stands, the process' own name tells whether it
// is still init (created, or a start is under way) or the program (its start was killed half-way). A program may call
// itself like init: it deceives nobody but those who killed their own start.
Result<bool> has_started(const ContainerDirectory& directory, int32_t pid) {
  struct stat status = {};
  if (fstatat(directory.fd(), "gate", &status, AT_SYMLINK_NOFOLLOW) == 0) {
    const auto name = read_process_file(pid, "comm");
    // Gone meanwhile: the caller asks the pidfd again.
    if (!name.has_value() && name.error().code == REAPER_ERR_NOT_FOUND) return true;
    if (!name.has_value()) return fail(name.error());
    return *name != std::string(wire::init_name) + "\n";
  }
  if (errno == ENOENT) return true;
  return fail(system_error("status", "fstatat gate"));
}

}  // namespace

Result<int> read_status(const ContainerDirectory& directory, int32_t pid, const Fd& pidfd) {
  if (TRY(has_ended(pidfd))) return REAPER_STATUS_STOPPED;
  const bool started = TRY(has_started(directory, pid));
  // Asked again: a process that ended meanwhile is stopped, whatever its gate said.
  if (TRY(has_ended(pidfd))) return REAPER_STATUS_STOPPED;
  return started ? REAPER_STATUS_RUNNING : REAPER_STATUS_CREATED;
}

Result<int> read_status(const ContainerDirectory& directory, const Snapshot& snapshot) {
  if (!snapshot.record) return REAPER_STATUS_CREATING;
  return read_status(directory, snapshot.record->init.pid, snapshot.pidfd);
}

Result<int> read_status(const Container& container) {
  if (!TRY(container.directory.exists())) return fail(no_such_container(container.id()));
  if (container.record) return read_status(container.directory, container.record->init.pid, container.pidfd);
  const Snapshot snapshot = TRY(read_snapshot(container.directory));
  return read_status(container.directory, snapshot);
}

Result<Snapshot> read_snapshot(const ContainerDirectory& directory) {
  Snapshot snapshot;
  if (TRY(directory.phase()) == Phase::creating) {
    snapshot.staged = TRY(directory.read_staged());
    // Asked again where there is none: it may have been committed meanwhile.
    if (!snapshot.staged && TRY(directory.phase()) == Phase::creating) return snapshot;
  }
  if (!snapshot.staged) snapshot.record = TRY(directory.read_record());
  const Record& record = snapshot.staged ? *snapshot.staged : *snapshot.record;
  snapshot.pidfd = TRY(open_process(record.init));
  snapshot.supervisor = TRY(open_supervisor(record));
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
