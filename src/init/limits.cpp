// Resource limits and the OOM killer's score.
#include <linux/resource.h>

#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

Outcome set_rlimit(const Operation& operation) {
  const uint64_t limit[2] = {operation.number(1), operation.number(2)};
  return checked(call(__NR_prlimit64, 0, operation.number(0), limit, nullptr));
}

Outcome set_oom_score_adj(const Operation& operation) {
  const auto value = static_cast<int64_t>(operation.number(0));
  char text[24];
  char* const end = text + sizeof text;
  char* begin = digits_before(end, value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value));
  if (value < 0) *--begin = '-';
  constexpr const char* path = "/proc/self/oom_score_adj";
  int fd = -1;
  if (const Outcome outcome = open_proc(path, fd); !outcome.ok()) return outcome;
  return write_proc(fd, begin, static_cast<uint64_t>(end - begin), path);
}

}  // namespace reaper::init
