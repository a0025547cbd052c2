// mounts (config.md, Mounts) -> one operation each; one of the type cgroup is what the host has of control groups.
#include <linux/mount.h>

#include <algorithm>

#include "core/json.h"
#include "plan/concerns.h"

namespace reaper::planning {

namespace {

// What options say of the root of a file system is not copied there.
uint64_t copy_flags(const std::vector<std::string>& options) {
  uint64_t flags = wire::mount_copy_up | wire::mount_copy_mode | wire::mount_copy_owner;
  for (const std::string& option : options) {
    if (option.starts_with("mode=")) flags &= ~wire::mount_copy_mode;
    if (option.starts_with("uid=") || option.starts_with("gid=")) flags &= ~wire::mount_copy_owner;
  }
  return flags;
}

Operation operation_of(const Mount& mount, const std::string& pointer, const std::string& bundle) {
  uint64_t flags = 0;
  if (mount.bind) flags |= wire::mount_bind;
  if (mount.recursive) flags |= wire::mount_recursive;
  if (mount.remount) flags |= wire::mount_remount;
  // Everybody takes it for granted what is there, and labels and limits are written to it (CVE-2019-19921).
  if (mount.destination == "/proc" || mount.destination == "/sys" || mount.type == "proc" || mount.type == "sysfs")
    flags |= wire::mount_no_links;
  // config/mounts.cpp has let only the harmless ones through.
  if (mount.destination.starts_with("/proc/")) flags |= wire::mount_in_proc;
  if (mount.destination == "/proc") flags |= wire::mount_in_proc | (mount.bind ? wire::mount_must_be_proc : 0);
  if (mount.map_ids) flags |= wire::mount_mapped;
  if (mount.copy_up) flags |= copy_flags(mount.data);
  Operation operation{wire::Op::mount, pointer, {}, {}};
  operation.numbers = {flags, mount.own.set, mount.own.clear, mount.below.set, mount.below.clear, mount.propagation};
  operation.strings = {mount.destination, mount.bind ? path_from(bundle, mount.source) : mount.source, mount.type};
  if (!mount.bind) operation.strings.insert(operation.strings.end(), mount.data.begin(), mount.data.end());
  return operation;
}

std::string last_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// "cpu,cpuacct" -> the options that choose the hierarchy; "name=systemd" has no controllers.
std::vector<std::string> controllers(const std::string& name) {
  if (name.starts_with("name=")) return {"none", name};
  std::vector<std::string> list;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find(',', begin), name.size());
    list.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return list;
}

// The cgroup that a container without a cgroup namespace of its own is shown: its own, or else its creator's.
std::string shown_directory(const CgroupHierarchy& hierarchy, const std::vector<CgroupPlace>& places) {
  const auto place = std::ranges::find(places, hierarchy.name, &CgroupPlace::hierarchy);
  if (place != places.end()) return place->directory();
  return path_joined(hierarchy.mount_point, path_below(hierarchy.mount_root, hierarchy.own).value_or("/"));
}

struct CgroupMounts {
  const Mount& mount;
  const std::string& pointer;
  bool own_namespace;
  const CgroupFacts& facts;
  const std::vector<CgroupPlace>& places;
};

Operation mount_hierarchy(const CgroupMounts& all, const CgroupHierarchy& hierarchy, const std::string& destination) {
  Mount one = all.mount;
  one.destination = destination;
  one.data.clear();
  if (!all.own_namespace) {
    one.bind = true;
    one.source = shown_directory(hierarchy, all.places);
    return operation_of(one, all.pointer, "");
  }
  one.type = hierarchy.unified ? "cgroup2" : "cgroup";
  one.source = "cgroup";
  if (!hierarchy.unified) one.data = controllers(hierarchy.name);
  return operation_of(one, all.pointer, "");
}

// Version 1: a directory with a hierarchy in each of its own, and a link for each controller that shares one.
void mount_hierarchies(const CgroupMounts& all, std::vector<Operation>& out) {
  const std::string& destination = all.mount.destination;
  Mount directory;
  directory.destination = destination;
  directory.source = directory.type = "tmpfs";
  directory.own.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  directory.data = {"mode=755"};
  out.push_back(operation_of(directory, all.pointer, ""));
  for (const CgroupHierarchy& hierarchy : all.facts.hierarchies) {
    const std::string name = last_name(hierarchy.mount_point);
    out.push_back(mount_hierarchy(all, hierarchy, path_joined(destination, "/" + name)));
    if (hierarchy.unified || hierarchy.name.find(',') == std::string::npos) continue;
    for (const std::string& controller : controllers(hierarchy.name))
      if (controller != name)
        out.push_back({wire::Op::link, all.pointer, {}, {path_joined(destination, "/" + controller), name}});
  }
  if ((all.mount.own.set & MOUNT_ATTR_RDONLY) == 0) return;
  Mount sealed;
  sealed.destination = destination;
  sealed.remount = true;
  sealed.own.set = MOUNT_ATTR_RDONLY;
  out.push_back(operation_of(sealed, all.pointer, ""));
}

}  // namespace

bool has_cgroup_mount(const Config& config) {
  return std::ranges::any_of(config.mounts, [](const Mount& mount) { return !mount.bind && mount.type == "cgroup"; });
}

std::vector<Operation> plan_mounts(const Config& config, bool own_cgroup_namespace, const CgroupFacts& cgroups,
                                   const std::vector<CgroupPlace>& places, const std::string& bundle) {
  std::vector<Operation> out;
  for (size_t i = 0; i < config.mounts.size(); ++i) {
    const Mount mount = labelled(config.mounts[i], config.mount_label);
    const std::string pointer = pointer_join("/mounts", i);
    if (mount.bind || mount.remount || mount.type != "cgroup") {
      if (mount.map_ids) out.push_back(mount_ids_operation(mount, pointer));
      out.push_back(operation_of(mount, pointer, bundle));
      if (auto label = label_operation(mount, config.mount_label, pointer)) out.push_back(std::move(*label));
      continue;
    }
    const CgroupMounts all = {mount, pointer, own_cgroup_namespace, cgroups, places};
    const auto& hierarchies = cgroups.hierarchies;
    if (hierarchies.size() == 1 && hierarchies[0].unified)
      out.push_back(mount_hierarchy(all, hierarchies[0], mount.destination));
    else
      mount_hierarchies(all, out);
  }
  return out;
}

}  // namespace reaper::planning
