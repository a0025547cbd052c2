// The processes in one cgroup and below it.
#pragma once

#include "cgroup/found.h"

namespace reaper::cgroup {

// Whether it is of the hierarchy of this controller of version 1.
bool is_of(const Cgroup& cgroup, std::string_view controller);

// The one to look into: all have the same processes. Version 2 before the others; of those, one that cannot be of use
// to anybody but those who keep processes together.
const Cgroup& best_of(const std::vector<Cgroup>& list);

// As signal_cgroups().
Result<std::unordered_set<int32_t>> signal_members(int directory, int signal, CgroupDeadline deadline);

// SIGKILL to every one. They end in their own time.
Status kill_members(int directory, bool unified, CgroupDeadline deadline);

// The same, for kernels without cgroup.kill, with whatever of the hierarchies keeps them from forking meanwhile.
Status kill_by_signals(const Finder& finder, const Cgroups& cgroups, CgroupDeadline deadline);

// Kills until none is left; TIMEOUT at the deadline.
Status end_members(int directory, const CgroupPlace& place, CgroupDeadline deadline);

// A moment to end in.
void nap();

}  // namespace reaper::cgroup
