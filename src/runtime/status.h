// Where a container stands, from its directory and its process. Takes no lock that anybody waits for.
#pragma once

#include "runtime/runtime.h"

namespace reaper {

struct Standing {
  int status = 0;  // REAPER_STATUS_*
  std::optional<Record> record;
  Fd pidfd;                // of the record's process; empty: gone
  int64_t started_ns = 0;  // 0: not started, or not known
};

// NOT_FOUND, CORRUPT, UNSUPPORTED (written in another pid namespace).
Result<Standing> read_standing(const StateRoot& root, const ContainerDirectory& directory);

std::string_view status_name(int status);

}  // namespace reaper
