// The resctrl file system (Documentation/arch/x86/resctrl.rst): classes of service for cache and memory bandwidth.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace reaper {

// Where it is mounted and can be reached; nullopt: nowhere. The one place that says so. Errors: SYSTEM, PERMISSION.
Result<std::optional<std::string>> read_resctrl_mount();

// What a container is to have there.
struct ResctrlPlace {
  std::string mount_point;
  std::string name;                // of the class; "": the default one, the root of the file system
  bool own = false;                // named after the container: made anew, and removed with it
  std::vector<std::string> lines;  // of `schemata`; none: the class has to be there, or is made with the default ones
  std::vector<std::string> pointers;  // of each line
  std::string group;                  // of monitoring, in the class; "": none
  std::string directory() const { return name.empty() ? mount_point : mount_point + "/" + name; }
  std::string group_directory() const { return directory() + "/mon_groups/" + group; }
};

}  // namespace reaper
