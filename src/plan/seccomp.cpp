// linux.seccomp: the filter of a program, which `exec` (or `pause`) loads as the last thing before it.
#include "plan/concerns.h"

#include <asm/unistd.h>
#include <linux/capability.h>

#include <algorithm>

namespace reaper::planning {

// seccomp(2): CAP_SYS_ADMIN, or no_new_privs; so that no set-user-id program runs with a filter of somebody else's.
Result<uint64_t> extra_for_filter(bool no_new_privs, const CapabilitySets& target, const InitState& init) {
  const uint64_t bit = capability_bit(CAP_SYS_ADMIN);
  if (no_new_privs || (target.effective & bit) != 0) return 0;
  if ((init.capabilities.permitted & bit) == 0)
    return fail(lacks_capability(CAP_SYS_ADMIN, "/linux/seccomp", "set /process/noNewPrivileges"));
  return bit;
}

// Whether reaper-init can say behind the filter what fails, execve above all, and end: it makes no other call.
static bool lets_init_talk(const SeccompFilter& filter) {
  constexpr uint32_t calls[] = {__NR_execve, __NR_sendto, __NR_exit_group};
  return std::ranges::all_of(calls, [&](uint32_t call) { return always_allows(filter.instructions, call); });
}

Operation plan_filter(const SeccompFilter& filter, uint64_t extra, const CapabilitySets& target) {
  Operation operation{wire::Op::seccomp, "/linux/seccomp", {filter.flags, filter.rules, extra}, {filter.digest}};
  operation.numbers.insert(operation.numbers.end(),
                           {target.permitted, target.effective, target.inheritable, lets_init_talk(filter)});
  operation.numbers.insert(operation.numbers.end(), filter.instructions.begin(), filter.instructions.end());
  return operation;
}

}  // namespace reaper::planning
