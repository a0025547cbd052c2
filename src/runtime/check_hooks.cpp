// The hooks' part of a preflight: whether their programs are there and this process may execute them.
#include "host/access.h"
#include "runtime/check.h"
#include "runtime/hooks.h"

namespace reaper {

void check_hooks(const Config& config, const ProcessFacts& facts, Findings& findings) {
  const Hooks& hooks = config.hooks;
  const Subject own = {facts.effective_uid, facts.effective_gid, facts.groups, facts.capabilities.effective};
  for (size_t number = 0; number < hook_kind_count; ++number) {
    const auto kind = static_cast<HookKind>(number);
    if (kind == HookKind::start_container && has_own_root(config)) continue;
    for (size_t i = 0; i < hooks.of(kind).size(); ++i) {
      const Hook& hook = hooks.of(kind)[i];
      const Access access = may_execute(hook.path, own, facts);
      if (access.verdict != Verdict::no) continue;
      Error error = hook_without_program(hook, hook_pointer(kind, i), access.error);
      // A poststop hook that fails is a warning, whatever the mode (config.md, Poststop).
      kind == HookKind::poststop ? findings.warn(std::move(error)) : findings.add(std::move(error));
    }
  }
}

}  // namespace reaper
