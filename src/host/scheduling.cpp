// How the calling thread is scheduled (sched(7)).
#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/facts.h"

namespace reaper {

namespace {

// struct sched_attr in its first version (sched_setattr(2)): linux/sched/types.h clashes with glibc's sched.h.
struct SchedulingAttributes {
  uint32_t size = 0;
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0, deadline = 0, period = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);  // SCHED_ATTR_SIZE_VER0

}  // namespace

Result<SchedulingFacts> read_scheduling_facts() {
  SchedulingAttributes own;
  if (syscall(SYS_sched_getattr, 0, &own, sizeof own, 0) != 0) return fail(system_error("facts", "sched_getattr"));
  SchedulingFacts facts{own.policy, own.nice, own.priority};
  if ((own.flags & SCHED_FLAG_RESET_ON_FORK) == 0) return facts;
  // sched(7), "Resetting scheduling policies for child processes".
  if (own.policy == SCHED_FIFO || own.policy == SCHED_RR || own.policy == SCHED_DEADLINE) return SchedulingFacts{};
  facts.nice = own.nice < 0 ? 0 : own.nice;
  return facts;
}

}  // namespace reaper
