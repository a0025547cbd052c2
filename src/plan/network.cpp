// A new network namespace, where the library makes it while reaper-init makes mounts: where in the plan it is entered.
#include <algorithm>

#include "plan/concerns.h"

namespace reaper::planning {

namespace {

bool has_flags(const Operation& mount, uint64_t flags) {
  return (mount.numbers[0] & flags) != 0;
}

// Every other file system may belong to a network namespace (sysfs), or be reached by way of one (NFS).
bool depends_on_network(const Operation& mount) {
  static constexpr std::string_view others[] = {"proc", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2"};
  // What /proc/self/net and /proc/self/ns lead to is this process's.
  if (has_flags(mount, wire::mount_bind)) return mount.strings[1].starts_with("/proc");
  return !has_flags(mount, wire::mount_remount) && std::ranges::find(others, mount.strings[2]) == std::end(others);
}

bool depends(const Operation& operation) {
  switch (operation.op) {
    case wire::Op::mount:
      return depends_on_network(operation);
    case wire::Op::mount_ids:  // what the library sends is sent in the plan's order, and this first
    case wire::Op::net_devices:
    case wire::Op::sysctl:
    case wire::Op::hooks:
      return true;
    default:
      return false;
  }
}

// A mount that needs nothing of the host's root.
bool may_follow(const Operation& operation) {
  return operation.op == wire::Op::mount &&
         !has_flags(operation, wire::mount_bind | wire::mount_mapped | wire::mount_copy_up);
}

bool is_below(const std::string& path, const std::string& directory) {
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

using Place = std::vector<Operation>::iterator;

// The last mounts, from `first` on, may be made when the roots are changed: nothing hangs on them that is made before.
// Their order stays ("in the listed order", config.md, Mounts). The end of them, or `first`.
Place end_of_late_mounts(Place first, Place end) {
  const Place last = std::find_if_not(first, end, may_follow);
  const bool needed = std::any_of(last, end, [&](const Operation& other) {
    if (other.op == wire::Op::pivot || other.op == wire::Op::move_root) return false;
    if (other.op != wire::Op::device && other.op != wire::Op::link) return true;
    return std::any_of(first, last,
                       [&](const Operation& mount) { return is_below(other.strings[0], mount.strings[0]); });
  });
  return needed ? first : last;
}

}  // namespace

void place_network(std::vector<Operation>& namespaces, std::vector<Operation>& root) {
  const Operation network{wire::Op::network, "/linux/namespaces", {}, {}};
  const auto early = std::ranges::find_if(namespaces, depends);
  if (early != namespaces.end() || root.empty()) {
    namespaces.insert(early, network);
    return;
  }
  const auto first = std::ranges::find_if(root, depends);
  const auto last = end_of_late_mounts(first, root.end());
  // Behind everything that need not wait for it, the change of roots included.
  const auto place = first == last ? first : std::rotate(first, last, root.end());
  root.insert(place, network);
}

}  // namespace reaper::planning
