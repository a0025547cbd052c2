// Where a container stands, from its directory and its process. Takes no lock that anybody waits for.
#pragma once

#include "runtime/runtime.h"

namespace reaper {

struct Standing {
  int status = 0;          // REAPER_STATUS_*
  int64_t started_ns = 0;  // CLOCK_REALTIME; 0: not started
};

// Of a committed container whose process is behind `pidfd` (empty: it is gone).
Result<Standing> read_standing(const ContainerDirectory& directory, const Fd& pidfd);

// Of a handle. NOT_FOUND when its container was deleted, whoever has its id now.
Result<Standing> read_standing(const Container& container);

// Everything about a container that is known by its directory alone.
struct Snapshot {
  Standing standing;
  std::optional<Record> record;  // none: REAPER_STATUS_CREATING
  Fd pidfd;
};
// NOT_FOUND, CORRUPT, UNSUPPORTED (written in another pid namespace).
Result<Snapshot> read_snapshot(const ContainerDirectory& directory);

std::string_view status_name(int status);
Error status_error(std::string message);
Error still_creating(std::string_view id);

}  // namespace reaper
