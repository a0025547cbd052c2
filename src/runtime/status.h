// Where a container stands, from its directory and its process. Takes no lock that anybody waits for.
#pragma once

#include "runtime/runtime.h"

namespace reaper {

// REAPER_STATUS_* of a committed container whose process is behind `pidfd` (empty: it is gone).
Result<int> read_status(const ContainerDirectory& directory, int32_t pid, const Fd& pidfd);

// Of a handle. NOT_FOUND when its container was deleted, whoever has its id now.
Result<int> read_status(const Container& container);

// What a container's directory tells about it.
struct Snapshot {
  std::optional<Record> record;  // none: it is being created
  std::optional<Record> staged;  // then: what its create has staged, because hooks run
  Fd pidfd;                      // of its process; empty: gone
  Fd supervisor;                 // empty: gone, or there is none
};
// NOT_FOUND, CORRUPT, UNSUPPORTED (a newer version's record, or one from another pid namespace).
Result<Snapshot> read_snapshot(const ContainerDirectory& directory);
Result<int> read_status(const ContainerDirectory& directory, const Snapshot& snapshot);

std::string_view status_name(int status);
Error status_error(std::string message);
Error still_creating(std::string_view id);

}  // namespace reaper
