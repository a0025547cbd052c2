// linux.mountLabel: what the container mounts anew has this label of SELinux, by the option that every file system
// takes from it. procfs, sysfs and control groups keep those of the policy: one label cannot be that of all their
// files.
#include <algorithm>

#include "plan/concerns.h"

namespace reaper::planning {

namespace {

bool keeps_own_labels(const std::string& type) {
  constexpr std::string_view types[] = {"proc", "sysfs", "cgroup", "cgroup2", "mqueue"};
  return std::ranges::find(types, type) != std::end(types);
}

}  // namespace

Status check_mount_label(const Config& config, const ProcessFacts& facts, Notes& notes) {
  if (config.mount_label.empty() || facts.labels.selinux) return {};
  return notes.refusals.refuse(
      plan_error(REAPER_ERR_UNSUPPORTED, "/linux/mountLabel", "SELinux is not enabled in this kernel"));
}

Mount labelled(Mount mount, const std::string& label) {
  if (!label.empty() && !mount.bind && !mount.remount && !keeps_own_labels(mount.type))
    mount.data.push_back("context=" + label);
  return mount;
}

// The kernel has mounted the queues of a namespace before anybody does (mq_overview(7)), without the option.
std::optional<Operation> label_operation(const Mount& mount, const std::string& label, const std::string& pointer) {
  if (label.empty() || mount.bind || mount.remount || mount.type != "mqueue") return std::nullopt;
  return Operation{wire::Op::label, pointer, {}, {mount.destination, label}};
}

}  // namespace reaper::planning
