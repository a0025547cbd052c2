// What the operations on an existing container share.
#pragma once

#include "runtime/runtime.h"

namespace reaper {

// The state directory, opened once per runtime. NOT_FOUND when it is absent and `make` is not set.
Result<std::shared_ptr<const StateRoot>> open_root(const Runtime& runtime, bool make);

// A container's directory by id. A root that is absent holds no container: NOT_FOUND like any unknown id.
Result<ContainerDirectory> find_directory(const Runtime& runtime, std::string_view id);

// reaper-init as a descriptor, which lives as long as the runtime.
Result<int> init_image(Runtime& runtime);

// Who the calling process is.
Result<ProcessIdentity> own_identity_once(Runtime& runtime);

// A handle that was opened while its container was being created, as it stands now: with the record that its create has
// committed, or has staged for its hooks (`creating`). STATUS: there is none yet.
Result<ContainerPtr> look_again(const Container& container);

// The exit status if it can be told now; remembers it in the handle. `reap`: take it from our own child.
std::optional<ExitStatus> learn_exit(const Container& container, bool reap);

}  // namespace reaper
