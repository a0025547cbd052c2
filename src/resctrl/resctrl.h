// A container's class of service and its group for monitoring: made or joined, filled and removed. The only room that
// changes anything below a mount of resctrl. Everything there is opened beneath the mount point and never through a
// link; what was made is known by its inode.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "host/resctrl.h"

namespace reaper {

struct Resctrl {
  ResctrlPlace place;
  std::string boot_id;
  bool made_class = false, made_group = false;  // this container's create makes them, or has
  uint64_t class_inode = 0, group_inode = 0;    // of what was made; 0: not yet
};

// What would be made, from a look that changes nothing. Errors, with a pointer in /linux/intelRdt: INVALID (a class
// that stands there has other schemata, or none stands where one has to), UNSUPPORTED (no monitoring), PERMISSION,
// SYSTEM.
Result<Resctrl> look_at_resctrl(const ResctrlPlace& place);

// Makes what is missing. After an error, what was made until then stands in `resctrl`.
Status make_resctrl(Resctrl& resctrl);

// Moves a process into both. errno ESRCH: it is gone.
Status place_in_resctrl(const Resctrl& resctrl, int32_t pid);

// Removes the group that was made, and the class if it was made for this container alone; or, of a create that failed,
// if it was made and nobody is in it. Of an earlier boot nothing is left.
Status remove_resctrl(const Resctrl& resctrl, bool failed);

// For the container's directory, as JSON. decode: CORRUPT.
std::string encode_resctrl(const Resctrl& resctrl);
Result<Resctrl> decode_resctrl(std::string_view text);

// Whether each line of `wanted` stands in a class's `schemata`: the same resource, with the same value for each of the
// domains that it names. The kernel pads its numbers. The first line that does not, or nullopt.
std::optional<size_t> first_other_line(const std::vector<std::string>& wanted, std::string_view schemata);

}  // namespace reaper
