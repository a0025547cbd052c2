// The id maps of a container's new user namespace.
#pragma once

#include "launch/launch.h"
#include "runtime/runtime.h"

namespace reaper {

// Writes them, by newuidmap(1) and newgidmap(1) where the plan has them, and tells the container's process.
Status map_ids(Runtime& runtime, const Launched& launched, const UserNamespaceMaps& maps);

}  // namespace reaper
