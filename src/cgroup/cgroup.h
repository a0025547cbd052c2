// A container's own cgroups, one in each hierarchy: made or joined, filled, signalled and removed. The only room that
// changes anything below a cgroup mount. Everything there is opened beneath the mount point, name by name and never
// through a link, and a cgroup is known by its inode: another one of the same name is left alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/result.h"
#include "host/cgroups.h"

namespace reaper {

struct Cgroup {
  CgroupPlace place;
  size_t existing = 0;  // how many names of the path were there before
  uint64_t inode = 0;   // of the cgroup; 0: it is not made yet
  // Of the directories after those that existed; 0: a neighbour made it meanwhile. None: it was joined.
  std::vector<uint64_t> made;
};

struct Cgroups {
  std::string boot_id;
  uint64_t cgroup_namespace = 0;  // inode: paths mean something inside it only
  bool intended = false;          // written down before anything was made
  std::vector<Cgroup> list;       // empty: the container has none
};

// What would be made at these places, from a look at them that changes nothing. Errors, with the pointer
// /linux/cgroupsPath: INVALID (a cgroup that stands there has processes in it or is frozen), PERMISSION, SYSTEM.
Result<Cgroups> look_at_cgroups(const std::vector<CgroupPlace>& places);

// Makes what is missing. After an error, what was made until then stands in `cgroups`, for remove_cgroups().
Status make_cgroups(Cgroups& cgroups);

// Moves a process into every one. errno ESRCH: it is gone.
Status place_in_cgroups(const Cgroups& cgroups, int32_t pid);

// The same for a further process, later: they are found again. errno ENOENT: one was removed.
Status join_cgroups(const Cgroups& cgroups, int32_t pid);

// Whether their processes are frozen, by themselves or from above.
Result<bool> are_frozen(const Cgroups& cgroups);

using CgroupDeadline = std::chrono::steady_clock::time_point;

// Sends a signal to every process in them and in the cgroups below, until there is none that has not got it. Returns
// who got it. TIMEOUT: there were new ones as fast as that.
Result<std::unordered_set<int32_t>> signal_cgroups(const Cgroups& cgroups, int signal, CgroupDeadline deadline);

// SIGKILL, which returns when none is alive any more. TIMEOUT: one still is.
Status kill_cgroups(const Cgroups& cgroups, CgroupDeadline deadline);

// Ends what is left in them, and removes those that were made, with all below; parents that were made, too, unless
// somebody else uses them by now. TIMEOUT: something stays.
Status remove_cgroups(const Cgroups& cgroups, CgroupDeadline deadline);

// For the container's directory, as JSON. decode: CORRUPT.
std::string encode_cgroups(const Cgroups& cgroups);
Result<Cgroups> decode_cgroups(std::string_view text);

}  // namespace reaper
