// process.ioPriority (config.md, Linux Process; ioprio_set(2)).
#include <linux/ioprio.h>

#include "config/parse.h"

namespace reaper {

Result<IoPriority> read_io_priority(const JsonCursor& object) {
  constexpr NamedNumber classes[] = {{"IOPRIO_CLASS_RT", IOPRIO_CLASS_RT},
                                     {"IOPRIO_CLASS_BE", IOPRIO_CLASS_BE},
                                     {"IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE}};
  constexpr uint64_t lowest = 7;
  IoPriority priority;
  const auto io_class = TRY(required_member(object, "class"));
  priority.io_class = TRY(read_name(io_class, "I/O scheduling class", classes));
  const auto level = TRY(required_member(object, "priority"));
  priority.level = static_cast<uint32_t>(TRY(level.unsigned_integer(0, lowest)));
  return priority;
}

}  // namespace reaper
