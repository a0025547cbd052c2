// A container's own cgroups and what its directory says of them.
#pragma once

#include "cgroup/cgroup.h"
#include "runtime/runtime.h"

namespace reaper {

// Writes down what is going to be made, makes it, and writes down what was made: whoever finds the directory of a
// create that was killed in between can remove it. Also after an error, `cgroups` says what was made.
Status make_container_cgroups(const ContainerDirectory& directory, Cgroups& cgroups);

// A container's cgroups by its record; and by the file beside it, where there is no record that can be believed.
Result<Cgroups> recorded_cgroups(const Record& record);
Result<Cgroups> written_cgroups(const ContainerDirectory& directory);

// Ends what is left in them and removes those that were made, then the container's directory. Under the lock, when the
// container's process has ended.
Status remove_with_cgroups(const StateRoot& root, const ContainerDirectory& directory, const Cgroups& cgroups,
                           Deadline deadline);

// The array `reaper.cgroups` of state.
Result<std::string> cgroups_json(const Record& record);

}  // namespace reaper
