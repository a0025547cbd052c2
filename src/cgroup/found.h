// A cgroup that was written down, found again.
#pragma once

#include "cgroup/cgroup.h"
#include "core/fd.h"

namespace reaper::cgroup {

// What is needed to find them: where the hierarchies are mounted now. Nothing is there after a restart of the machine.
struct Finder {
  CgroupFacts facts;
  bool same_boot = true;
  bool same_namespace = true;
};
Result<Finder> make_finder(const Cgroups& cgroups);

// Where it is to be seen now. SYSTEM: nowhere; so nobody can say whether it is still there.
Result<CgroupPlace> place_now(const Finder& finder, const Cgroup& cgroup);

// The cgroup itself; an empty Fd: it was removed, or another one bears its name. UNSUPPORTED: from another cgroup
// namespace, where its path means something else.
Result<Fd> find_cgroup(const Finder& finder, const Cgroup& cgroup);

}  // namespace reaper::cgroup
