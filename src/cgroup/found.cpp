#include "cgroup/found.h"

#include <algorithm>

#include "cgroup/directory.h"
#include "host/facts.h"

namespace reaper::cgroup {

Result<Finder> make_finder(const Cgroups& cgroups) {
  Finder finder;
  finder.same_boot = cgroups.boot_id == TRY(read_boot_id());
  if (!finder.same_boot) return finder;
  finder.same_namespace = cgroups.cgroup_namespace == TRY(namespace_inode("cgroup"));
  finder.facts = TRY(read_cgroup_facts());
  return finder;
}

// The mount may be another one than at create; the path from the hierarchy's root is the same.
Result<CgroupPlace> place_now(const Finder& finder, const Cgroup& cgroup) {
  const std::string whole = path_joined(cgroup.place.mount_root, cgroup.place.path);
  const auto& hierarchies = finder.facts.hierarchies;
  const auto found = std::ranges::find(hierarchies, cgroup.place.hierarchy, &CgroupHierarchy::name);
  const auto below = found == hierarchies.end() ? std::nullopt : path_below(found->mount_root, whole);
  if (!below)
    return fail({REAPER_ERR_SYSTEM, 0,
                 "the container's cgroup \"" + whole + "\" of " + cgroup.place.hierarchy +
                     " is not visible here: its hierarchy is not mounted, or only another part of it",
                 "", "cgroup"});
  return CgroupPlace{found->name, found->unified, found->mount_point, found->mount_root, *below, ""};
}

Result<Fd> find_cgroup(const Finder& finder, const Cgroup& cgroup) {
  if (!finder.same_boot) return Fd();
  const CgroupPlace place = TRY(place_now(finder, cgroup));
  const auto names = names_of(place.path);
  Reached reached = TRY(walk_to(place, names));
  if (reached.depth == names.size() && inode_of(reached.directory.get()) == cgroup.inode)
    return std::move(reached.directory);
  if (finder.same_namespace) return Fd();
  return fail({REAPER_ERR_UNSUPPORTED, 0,
               "the container was created in another cgroup namespace: use Reaper there, its path \"" + place.path +
                   "\" means another cgroup here",
               "", "cgroup"});
}

}  // namespace reaper::cgroup
