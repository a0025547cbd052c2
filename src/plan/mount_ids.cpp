// Mounts with other ids: idmap, ridmap, uidMappings and gidMappings (config.md, Mounts). Who has rights over the file
// system may map it (mount_setattr(2)): the library does, and hands the mount to reaper-init.
#include <linux/capability.h>

#include <algorithm>

#include "core/json.h"
#include "plan/concerns.h"

namespace reaper::planning {

namespace {

std::string place_of(const Mount& mount, size_t index) {
  return pointer_join("/mounts", index) + (mount.uid_mappings.empty() ? "/options" : "/uidMappings");
}

std::optional<Error> refusal_of(const Mount& mount, const std::string& pointer, const ProcessFacts& caller,
                                bool own_user) {
  const bool own_ids = !mount.uid_mappings.empty();
  if (!own_ids && !own_user)
    return plan_error(REAPER_ERR_INVALID, pointer,
                      "without uidMappings and gidMappings beside it, idmap takes those of a user namespace in "
                      "/linux/namespaces that is not the caller's, and there is none");
  if (!mount.bind && mount.type == "cgroup")
    return plan_error(REAPER_ERR_UNSUPPORTED, pointer, "control groups have no ids that could be mapped");
  if (!mount.bind && own_user)
    return plan_error(
        REAPER_ERR_UNSUPPORTED, pointer,
        "a new file system has the ids of the container's user namespace already: only a bind mount is mapped there");
  for (const int capability : {CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID})
    if ((caller.capabilities.effective & capability_bit(capability)) == 0 && (own_ids || capability == CAP_SYS_ADMIN))
      return lacks_capability(capability, pointer, "run as root, or leave the mapping out");
  return std::nullopt;
}

}  // namespace

Status check_mount_ids(const Config& config, const ProcessFacts& caller, bool own_user, Notes& notes) {
  size_t mapped = 0;
  for (size_t i = 0; i < config.mounts.size(); ++i) {
    const Mount& mount = config.mounts[i];
    if (!mount.map_ids) continue;
    const std::string pointer = place_of(mount, i);
    if (auto refusal = refusal_of(mount, pointer, caller, own_user)) TRY(notes.refusals.refuse(std::move(*refusal)));
    if (++mapped == wire::max_mapped_mounts + 1)
      TRY(notes.refusals.refuse(plan_error(
          REAPER_ERR_UNSUPPORTED, pointer,
          "this version maps the ids of no more than " + std::to_string(wire::max_mapped_mounts) + " mounts")));
  }
  return {};
}

bool maps_own_user(const Config& config) {
  return std::ranges::any_of(config.mounts,
                             [](const Mount& mount) { return mount.map_ids && mount.uid_mappings.empty(); });
}

Operation mount_ids_operation(const Mount& mount, const std::string& pointer) {
  const bool own_ids = !mount.uid_mappings.empty();
  const uint64_t flags = (mount.map_ids_below ? wire::mount_ids_below : 0) | (own_ids ? 0 : wire::mount_ids_container);
  return {
      wire::Op::mount_ids, pointer, {flags}, {map_text(mount.uid_mappings, "\n"), map_text(mount.gid_mappings, "\n")}};
}

}  // namespace reaper::planning
