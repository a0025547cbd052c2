// process.scheduler and process.ioPriority (config.md, Linux Process): who may have them, by the kernel's rules for
// sched_setattr(2) and ioprio_set(2).
#include <linux/capability.h>
#include <linux/sched.h>
#include <sys/resource.h>

#include "plan/concerns.h"

namespace reaper::planning {

namespace {

// The soft limit when the scheduler is set: rlimits come before it.
uint64_t soft_limit(int resource, const Process& process, const ProcessFacts& facts) {
  for (const Rlimit& limit : process.rlimits)
    if (limit.resource == resource) return limit.soft;
  return facts.rlimits[static_cast<size_t>(resource)].soft;
}

Error needs_nice(std::string_view member, const std::string& hint) {
  return lacks_capability(CAP_SYS_NICE, std::string("/process/scheduler") + std::string(member), hint);
}

// RLIMIT_NICE counts from 20 down: 1 is nice 19, 40 is nice -20 (getrlimit(2)).
bool nice_is_allowed(int nice, uint64_t limit) {
  return nice >= 20 || static_cast<uint64_t>(20 - nice) <= limit;
}

// user_check_sched_setscheduler() of kernel/sched (Linux 5.10: __sched_setscheduler) for a process without
// CAP_SYS_NICE.
Status check_rights(const Scheduler& wanted, const Process& process, const ProcessFacts& facts) {
  const SchedulingFacts& now = facts.scheduling;
  const uint64_t nice_limit = soft_limit(RLIMIT_NICE, process, facts);
  const uint64_t priority_limit = soft_limit(RLIMIT_RTPRIO, process, facts);
  switch (wanted.policy) {
    case SCHED_NORMAL:
    case SCHED_BATCH:
      if (wanted.nice < now.nice && !nice_is_allowed(wanted.nice, nice_limit))
        return fail(
            needs_nice("/nice", "run as root, raise RLIMIT_NICE or ask for at least " + std::to_string(now.nice)));
      break;
    case SCHED_FIFO:
    case SCHED_RR:
      if ((wanted.policy != now.policy && priority_limit == 0) ||
          (wanted.priority > now.priority && wanted.priority > priority_limit))
        return fail(
            needs_nice("/priority", "run as root, or raise RLIMIT_RTPRIO from " + std::to_string(priority_limit)));
      break;
    case SCHED_DEADLINE:
      return fail(needs_nice("/policy", "run as root"));
    default:
      break;
  }
  if (now.policy == SCHED_IDLE && wanted.policy != SCHED_IDLE && !nice_is_allowed(now.nice, nice_limit))
    return fail(needs_nice("/policy", "the caller runs under SCHED_IDLE; run as root or raise RLIMIT_NICE"));
  return {};
}

}  // namespace

Result<std::optional<Operation>> plan_scheduler(const Process& process, const ProcessFacts& facts,
                                                const InitState& init) {
  if (!process.scheduler.has_value()) return std::nullopt;
  const Scheduler& wanted = *process.scheduler;
  // The kernel wants the capability in the first user namespace; elsewhere sched_setattr reports its own EPERM. What it
  // makes of a policy that is kept is its to say as well.
  if (!init.has(CAP_SYS_NICE) && (wanted.flags & SCHED_FLAG_KEEP_POLICY) == 0)
    TRY(check_rights(wanted, process, facts));
  return Operation{wire::Op::scheduler,
                   "/process/scheduler",
                   {wanted.policy, wanted.flags, static_cast<uint64_t>(int64_t{wanted.nice}), wanted.priority,
                    wanted.runtime, wanted.deadline, wanted.period},
                   {}};
}

Result<std::optional<Operation>> plan_io_priority(const Process& process, const InitState& init) {
  constexpr uint32_t real_time = 1;  // IOPRIO_CLASS_RT
  if (!process.io_priority.has_value()) return std::nullopt;
  const IoPriority& wanted = *process.io_priority;
  if (wanted.io_class == real_time && !init.has(CAP_SYS_NICE) && !init.has(CAP_SYS_ADMIN))
    return fail(lacks_capability(CAP_SYS_NICE, "/process/ioPriority/class", "run as root or use IOPRIO_CLASS_BE"));
  return Operation{wire::Op::io_priority, "/process/ioPriority", {wanted.io_class, wanted.level}, {}};
}

}  // namespace reaper::planning
