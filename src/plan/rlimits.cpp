// process.rlimits (config.md, POSIX process). They are set while init still has the privileges to raise them, except
// RLIMIT_NOFILE: init needs a free descriptor until a start is accepted, so its exact value comes after that. Lowering
// needs no privilege then; only a hard limit above the caller's has to be raised early.
#include <linux/capability.h>
#include <sys/resource.h>

#include <algorithm>

#include "core/json.h"
#include "plan/concerns.h"

namespace reaper::planning {

namespace {

Operation limit(const std::string& pointer, int resource, uint64_t soft, uint64_t hard) {
  return Operation{wire::Op::rlimit, pointer, {static_cast<uint64_t>(resource), soft, hard}, {}};
}

}  // namespace

Result<RlimitPlan> plan_rlimits(const Process& process, const ProcessFacts& facts, const InitState& init, Notes& notes,
                                bool apart) {
  RlimitPlan plan;
  for (size_t i = 0; i < process.rlimits.size(); ++i) {
    const Rlimit& wanted = process.rlimits[i];
    const std::string pointer = pointer_join("/process/rlimits", i);
    const ResourceLimit& now = facts.rlimits[static_cast<size_t>(wanted.resource)];
    const bool raises = wanted.hard > now.hard;
    // The kernel wants it in the first user namespace (do_prlimit); elsewhere setrlimit reports its own EPERM.
    if (raises && !init.has(CAP_SYS_RESOURCE))
      TRY(notes.refusals.refuse(lacks_capability(CAP_SYS_RESOURCE, pointer + "/hard",
                                                 "run as root or ask for at most " + std::to_string(now.hard))));
    if (raises && apart)
      plan.raise.push_back(limit(pointer, wanted.resource, std::max(wanted.soft, now.soft), wanted.hard));
    if (wanted.resource != RLIMIT_NOFILE) {
      plan.early.push_back(limit(pointer, wanted.resource, wanted.soft, wanted.hard));
      continue;
    }
    if (raises && !apart)
      plan.early.push_back(limit(pointer, RLIMIT_NOFILE, std::max(wanted.soft, now.soft), wanted.hard));
    plan.late.push_back(limit(pointer, RLIMIT_NOFILE, wanted.soft, wanted.hard));
  }
  return plan;
}

bool wants_rights(const Process& process, const ProcessFacts& caller) {
  if ((caller.capabilities.effective & capability_bit(CAP_SYS_RESOURCE)) == 0) return false;
  if (process.oom_score_adj && caller.oom_score_adj && *process.oom_score_adj < *caller.oom_score_adj) return true;
  return std::ranges::any_of(process.rlimits, [&](const Rlimit& wanted) {
    return wanted.hard > caller.rlimits[static_cast<size_t>(wanted.resource)].hard;
  });
}

}  // namespace reaper::planning
