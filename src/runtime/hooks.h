// Hooks: programs of the configuration that run at given moments of a container's life (config.md, Hooks).
#pragma once

#include <functional>

#include "config/config.h"
#include "runtime/runtime.h"

namespace reaper {

bool has_hooks(const Record& record, HookKind kind);

// HOOK: what a hook whose program cannot be executed fails with.
Error hook_without_program(const Hook& hook, std::string pointer, int number);

// Asked before each hook: what the container's status is (REAPER_STATUS_*), which the hook is told, or why none is run
// any more.
using Moment = std::function<Result<int>()>;

// Runs the hooks of this kind one after the other, as they are listed; those that belong into the container, in the
// namespaces of its process. HOOK: the first that failed; everything that it started has been ended then, but for what
// is in a pid namespace of the container's, which ends with that. No lock may be held: a hook may ask for the
// container's state, or delete it.
Status run_hooks(Runtime& runtime, const Record& record, const Fd& container, HookKind kind, const Moment& moment);

// After the container has been removed. Each of them runs, and those that fail are warnings (config.md, Poststop).
void run_poststop_hooks(Runtime& runtime, const Record& record);

}  // namespace reaper
