// A container's class of service and what its directory says of it.
#pragma once

#include <optional>

#include "plan/plan.h"
#include "resctrl/resctrl.h"
#include "runtime/runtime.h"

namespace reaper {

// What would be made for this plan; nullopt: nothing is asked for.
Result<std::optional<Resctrl>> look_at_class_of(const Plan& plan);

// Writes down what is going to be made, makes it, and writes down what was made, as for cgroups.
Status make_container_resctrl(const ContainerDirectory& directory, std::optional<Resctrl>& resctrl);

// By a container's record; and by the file beside it, where there is no record that can be believed.
Result<std::optional<Resctrl>> recorded_resctrl(const Record& record);
Result<std::optional<Resctrl>> written_resctrl(const ContainerDirectory& directory);

// When the container's processes have ended, before its directory goes. `failed`: its create did not come to its end.
Status remove_class(const std::optional<Resctrl>& resctrl, bool failed);

// The member `reaper.intelRdt` of state, where there is something to say.
Status write_resctrl(JsonWriter& out, const Record& record);

}  // namespace reaper
