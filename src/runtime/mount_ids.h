// Mounts with other ids, made for reaper-init.
#pragma once

#include "launch/launch.h"
#include "plan/plan.h"

namespace reaper {

// For a plan with `mount_ids`, after the maps of a new user namespace: makes each of these mounts, and sends it.
// `joined`: the user namespace of a plan with `show_user`.
// Errors: those of open_tree(2), mount_setattr(2) and of a user namespace that is made for the mapping, with the
// pointer of the mount.
Status send_mapped_mounts(Launched& launched, const Plan& plan, const Fd& joined);

}  // namespace reaper
