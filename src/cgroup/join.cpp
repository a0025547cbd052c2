// A further process of a container, on its way into the container's own cgroups.
#include "cgroup/cgroup.h"
#include "cgroup/directory.h"
#include "cgroup/found.h"

namespace reaper {

using namespace cgroup;

Status join_cgroups(const Cgroups& cgroups, int32_t pid) {
  const Finder finder = TRY(make_finder(cgroups));
  for (const Cgroup& one : cgroups.list) {
    const Fd directory = TRY(find_cgroup(finder, one));
    if (!directory) return fail(place_error("the container's cgroup was removed:", one.place, ENOENT));
    if (write_control(directory.get(), procs_name, std::to_string(pid)) == 0) continue;
    const int number = errno;
    Error error = place_error(std::string("write to ") + procs_name + " of", one.place, number);
    if (number == EBUSY && one.place.unified)
      error.message +=
          "; the program in it has handed its controllers on (cgroup.subtree_control), and version 2 "
          "allows no process beside that";
    return fail(std::move(error));
  }
  return {};
}

Result<bool> are_frozen(const Cgroups& cgroups) {
  const Finder finder = TRY(make_finder(cgroups));
  for (const Cgroup& one : cgroups.list) {
    const Fd directory = TRY(find_cgroup(finder, one));
    if (directory && is_frozen(directory.get(), one.place.unified)) return true;
  }
  return false;
}

}  // namespace reaper
