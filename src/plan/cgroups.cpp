// linux.cgroupsPath -> a place in every hierarchy that is mounted (config-linux.md, Cgroups Path): absolute from the
// mount point, relative from the caller's own cgroup, which is what may have been delegated to it.
#include "plan/concerns.h"

namespace reaper::planning {

namespace {

constexpr std::string_view pointer = "/linux/cgroupsPath";

Error not_visible(const CgroupHierarchy& hierarchy) {
  return plan_error(REAPER_ERR_UNSUPPORTED, pointer,
                    "is relative to the caller's own cgroup, but that (" + hierarchy.own + " of " + hierarchy.name +
                        ") is not visible at " + hierarchy.mount_point + ", which shows " + hierarchy.mount_root +
                        "; an absolute path is taken from there");
}

}  // namespace

Result<std::vector<CgroupPlace>> plan_cgroups(const std::string& cgroups_path, const CgroupFacts& facts) {
  if (facts.hierarchies.empty())
    return fail(plan_error(REAPER_ERR_UNSUPPORTED, pointer,
                           "no cgroup file system is mounted here that this process can reach"));
  std::vector<CgroupPlace> places;
  for (const CgroupHierarchy& hierarchy : facts.hierarchies) {
    const auto own = path_below(hierarchy.mount_root, hierarchy.own);
    const bool absolute = cgroups_path.starts_with('/');
    if (!absolute && !own) return fail(not_visible(hierarchy));
    CgroupPlace place = {hierarchy.name,  hierarchy.unified, hierarchy.mount_point, hierarchy.mount_root, "",
                         own.value_or("")};
    place.path = absolute ? cgroups_path : path_joined(*own, "/" + cgroups_path);
    places.push_back(std::move(place));
  }
  return places;
}

Operation cgroup_operation(const std::vector<CgroupPlace>& places) {
  Operation operation{wire::Op::cgroup, std::string(pointer), {places.size()}, {}};
  for (const CgroupPlace& place : places) operation.strings.push_back(place.directory());
  return operation;
}

}  // namespace reaper::planning
