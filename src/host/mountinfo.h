// The lines of /proc/PID/mountinfo (proc(5)).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace reaper {

struct MountLine {
  uint64_t id = 0;
  std::string root;
  std::string point;
  std::string type;
  std::vector<std::string> mount_options;
  std::vector<std::string> options;  // of the file system
};

// 36 35 98:0 /root /point rw,noatime shared:1 - type source rw,options. SYSTEM: it is of another form.
Result<MountLine> parse_mount_line(std::string_view line);

// Whether what stands at the mount point is this mount, and not one that was put over it.
bool is_reachable_mount(uint64_t id, const std::string& point);

std::vector<std::string> split_at_commas(std::string_view text);
// A file of /proc/thread-self has a line that cannot be read.
Error unreadable_line(std::string_view file, std::string_view line);

}  // namespace reaper
