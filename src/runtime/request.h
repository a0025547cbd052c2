// What a CreateRequest says before anything is read.
#pragma once

#include <vector>

#include "plan/plan.h"
#include "runtime/runtime.h"

namespace reaper {

// A descriptor that is handed over must be open.
std::vector<Error> check_descriptors(const CreateRequest& request);

// `id`: the container's, or what stands for it where there is none.
// linux.seccomp, compiled; null where there is none to load. `keeps`: for later runs, in a state directory that stands.
Result<std::shared_ptr<const SeccompFilter>> filter_of(const Runtime& runtime, const Config& config, bool keeps);

PlanOptions plan_options(const CreateRequest& request, std::string_view id, const std::string& bundle);

}  // namespace reaper
