// What the operations on an existing container share.
#pragma once

#include "runtime/runtime.h"
#include "runtime/status.h"

namespace reaper {

// The container's place on disk. NOT_FOUND for a handle whose container was deleted: a new one of the same id is another.
struct Place {
  StateRoot root;
  ContainerDirectory directory;
};
Result<Place> find_place(const Runtime& runtime, std::string_view id);
Result<Place> find_place(const Container& container);

// The standing of a handle's own container: NOT_FOUND when another one of the same id has taken its place.
Result<Standing> read_standing(const Container& container);

// The exit status if it can be told now; remembers it in the handle.
std::optional<ExitStatus> learn_exit(const Container& container, const Fd& pidfd, int32_t pid, bool reap);

Error status_error(std::string message);

}  // namespace reaper
