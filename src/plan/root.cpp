// root, linux.rootfsPropagation, maskedPaths and readonlyPaths -> the container's own root (config.md, Root;
// config-linux.md).
#include <linux/capability.h>

#include <algorithm>

#include "core/json.h"
#include "plan/concerns.h"

namespace reaper::planning {

namespace {

// What only a root of the container's own can have: in the host's it would change the host.
Status refuse_without_root(const Config& config, Notes& notes) {
  const struct {
    bool asked;
    std::string_view pointer;
  } rows[] = {{config.root && config.root->readonly, "/root/readonly"},
              {!config.mounts.empty(), "/mounts"},
              {!config.devices.empty(), "/linux/devices"},
              {!config.mount_label.empty(), "/linux/mountLabel"},
              {!config.masked_paths.empty(), "/linux/maskedPaths"},
              {!config.readonly_paths.empty(), "/linux/readonlyPaths"},
              {config.rootfs_propagation != 0, "/linux/rootfsPropagation"}};
  for (const auto& row : rows)
    if (row.asked)
      TRY(notes.refusals.refuse(
          plan_error(REAPER_ERR_UNSUPPORTED, row.pointer, "needs a root of the container's own in /root/path")));
  return {};
}

bool is_new(const std::vector<Namespace>& namespaces, std::string_view type) {
  const auto found = std::ranges::find(namespaces, type, &Namespace::type);
  return found != namespaces.end() && found->path.empty();
}

// mknod(2): with CAP_MKNOD in the first user namespace.
bool makes_devices(const NamespacePlan& namespaces, const ProcessFacts& facts) {
  const auto other = std::ranges::find(namespaces.foreign, "user", &Namespace::type);
  return facts.in_initial_user_namespace && other == namespaces.foreign.end() &&
         (facts.capabilities.effective & capability_bit(CAP_MKNOD)) != 0;
}

}  // namespace

std::string path_from(const std::string& bundle, const std::string& path) {
  return path.starts_with('/') ? path : bundle + "/" + path;
}

Result<RootPlan> plan_root(const Config& config, const NamespacePlan& namespaces, const ProcessFacts& facts,
                           const std::vector<CgroupPlace>& places, const PlanOptions& options, Notes& notes) {
  RootPlan plan;
  if (!config.root || config.root->path.empty()) {
    TRY(refuse_without_root(config, notes));
    return plan;
  }
  if (!is_new(namespaces.foreign, "mount"))
    TRY(notes.refusals.refuse(plan_error(REAPER_ERR_INVALID, "/root/path",
                                         "needs a new mount namespace in /linux/namespaces: only \"/\", the host's "
                                         "root, does without")));
  plan.make.push_back({wire::Op::root, "/root/path", {}, {path_from(options.bundle, config.root->path)}});
  for (Operation& mount :
       plan_mounts(config, is_new(namespaces.foreign, "cgroup"), facts.cgroups, places, options.bundle))
    plan.make.push_back(std::move(mount));
  for (Operation& device : plan_devices(config, !makes_devices(namespaces, facts), notes))
    plan.make.push_back(std::move(device));
  // "before the pivot_root operation" (config.md, Prestart)
  if (has_create_hooks(config.hooks)) plan.make.push_back({wire::Op::hooks, "/hooks", {}, {}});
  plan.make.push_back({options.no_pivot ? wire::Op::move_root : wire::Op::pivot, "/root/path", {}, {}});
  for (size_t i = 0; i < config.masked_paths.size(); ++i) {
    Operation mask{wire::Op::mask, pointer_join("/linux/maskedPaths", i), {}, {config.masked_paths[i]}};
    if (!config.mount_label.empty()) mask.strings.push_back(config.mount_label);
    plan.late.push_back(std::move(mask));
  }
  for (size_t i = 0; i < config.readonly_paths.size(); ++i)
    plan.late.push_back(
        {wire::Op::read_only_path, pointer_join("/linux/readonlyPaths", i), {}, {config.readonly_paths[i]}});
  if (config.rootfs_propagation != 0)
    plan.late.push_back({wire::Op::finish_root, "/linux/rootfsPropagation", {0, config.rootfs_propagation}, {}});
  if (config.root->readonly) plan.late.push_back({wire::Op::finish_root, "/root/readonly", {1, 0}, {}});
  return plan;
}

}  // namespace reaper::planning
