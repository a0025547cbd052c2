// What hangs on the process besides identity and limits: scheduler, I/O priority, personality, the label that a
// security module gives the program. What the kernel can be asked about is read back and compared.
#include <asm/errno.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <linux/sched/types.h>

#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

Outcome compare(const char* what, uint64_t wanted, uint64_t found) {
  return wanted == found ? Outcome{} : Outcome{wire::Fault::mismatch, 0, wanted, found, what};
}

// The kernel shows of these what the policy has; the others are 0 in the plan (config/scheduler.cpp).
Outcome compare_parameters(const sched_attr& wanted, const sched_attr& found) {
  const auto as_number = [](int32_t nice) { return static_cast<uint64_t>(static_cast<int64_t>(nice)); };
  switch (wanted.sched_policy) {
    case SCHED_NORMAL:
    case SCHED_BATCH:
      return compare("nice", as_number(wanted.sched_nice), as_number(found.sched_nice));
    case SCHED_FIFO:
    case SCHED_RR:
      return compare("priority", wanted.sched_priority, found.sched_priority);
    case SCHED_DEADLINE: {
      Outcome outcome = compare("runtime", wanted.sched_runtime, found.sched_runtime);
      if (outcome.ok()) outcome = compare("deadline", wanted.sched_deadline, found.sched_deadline);
      // sched_setattr(2): a period of 0 means the deadline.
      const uint64_t period = wanted.sched_period != 0 ? wanted.sched_period : wanted.sched_deadline;
      return outcome.ok() ? compare("period", period, found.sched_period) : outcome;
    }
    default:
      return {};
  }
}

}  // namespace

Outcome set_scheduler(const Operation& operation) {
  constexpr uint32_t size = SCHED_ATTR_SIZE_VER0;  // without the clamps, which no configuration can ask for
  sched_attr wanted = {};
  wanted.size = size;
  wanted.sched_policy = static_cast<uint32_t>(operation.number(0));
  wanted.sched_flags = operation.number(1);
  wanted.sched_nice = static_cast<int32_t>(static_cast<int64_t>(operation.number(2)));
  wanted.sched_priority = static_cast<uint32_t>(operation.number(3));
  wanted.sched_runtime = operation.number(4);
  wanted.sched_deadline = operation.number(5);
  wanted.sched_period = operation.number(6);
  if (const long result = call(__NR_sched_setattr, 0, &wanted, 0); result < 0) return failed_call(result);

  sched_attr found = {};
  if (const long result = call(__NR_sched_getattr, 0, &found, size, 0); result < 0)
    return failed_call(result, "sched_getattr");
  if ((wanted.sched_flags & SCHED_FLAG_KEEP_POLICY) != 0) return {};  // what is kept is not ours to say
  Outcome outcome = compare("policy", wanted.sched_policy, found.sched_policy);
  if (outcome.ok()) outcome = compare("flags", wanted.sched_flags, found.sched_flags);
  return outcome.ok() ? compare_parameters(wanted, found) : outcome;
}

Outcome set_io_priority(const Operation& operation) {
  const uint64_t wanted = operation.number(0) << IOPRIO_CLASS_SHIFT | operation.number(1);
  // config.md: for the whole process group. It is this process alone so far, since setsid; the others inherit.
  if (const long result = call(__NR_ioprio_set, IOPRIO_WHO_PGRP, 0, wanted); result < 0) return failed_call(result);
  const long found = call(__NR_ioprio_get, IOPRIO_WHO_PROCESS, 0);
  if (found < 0) return failed_call(found, "ioprio_get");
  return compare("I/O priority", wanted, static_cast<uint64_t>(found));
}

Outcome set_personality(const Operation& operation) {
  constexpr uint32_t only_ask = 0xffffffff;  // personality(2)
  const uint64_t wanted = operation.number(0);
  if (const long result = call(__NR_personality, wanted); result < 0) return failed_call(result);
  const long found = call(__NR_personality, only_ask);
  if (found < 0) return failed_call(found);
  return compare("personality", wanted, static_cast<uint64_t>(found));
}

// The kernel leaves out what the cpuset does not allow, and refuses a list of which nothing is left.
Outcome set_affinity(const Operation& operation) {
  uint64_t wanted[wire::max_affinity_words] = {}, found[wire::max_affinity_words] = {};
  for (uint32_t i = 0; i < operation.number_count(); ++i) wanted[i] = operation.number(i);
  if (const long result = call(__NR_sched_setaffinity, 0, sizeof wanted, wanted); result < 0)
    return failed_call(result, operation.string(0));
  if (const long size = call(__NR_sched_getaffinity, 0, sizeof found, found); size < 0)
    return failed_call(size, "sched_getaffinity");
  for (uint32_t i = 0; i < wire::max_affinity_words; ++i)
    if ((found[i] & ~wanted[i]) != 0) return {wire::Fault::mismatch, 0, wanted[i], found[i], "CPU affinity"};
  return {};
}

// The kernel leaves out the nodes that the cpuset does not allow; preferred without nodes is local to it.
Outcome set_memory_policy(const Operation& operation) {
  constexpr uint64_t bits = uint64_t{wire::max_node_words} * 64;
  uint64_t wanted[wire::max_node_words] = {}, found[wire::max_node_words] = {};
  for (uint32_t i = 1; i < operation.number_count(); ++i) wanted[i - 1] = operation.number(i);
  const bool has_nodes = operation.number_count() > 1;
  // One more than there are: the kernel takes one less than it is told.
  const long result =
      call(__NR_set_mempolicy, operation.number(0), has_nodes ? wanted : nullptr, has_nodes ? bits + 1 : uint64_t{0});
  if (result < 0) return failed_call(result, operation.string(0));
  int mode = 0;
  if (const long asked = call(__NR_get_mempolicy, &mode, found, bits, nullptr, 0); asked < 0)
    return failed_call(asked, "get_mempolicy");
  const bool is_local = operation.number(0) == MPOL_PREFERRED && !has_nodes;
  const Outcome outcome = compare("memory policy", is_local ? uint64_t{MPOL_LOCAL} : operation.number(0),
                                  static_cast<uint64_t>(static_cast<uint32_t>(mode)));
  if (!outcome.ok()) return outcome;
  for (uint32_t i = 0; i < wire::max_node_words; ++i) {
    const uint64_t others = found[i] & ~wanted[i];
    if (others != 0) return {wire::Fault::mismatch, 0, wanted[i], found[i], "memory nodes"};
  }
  return {};
}

Outcome set_exec_label(const Operation& operation) {
  const char* text = operation.string(0);
  int fd = -1;
  Outcome outcome = failed_call(-ENOENT);
  // AppArmor's own directory (Linux 5.8): the files beside it belong to whichever module came first.
  if (operation.number(0) == wire::label_apparmor) outcome = open_proc("/proc/thread-self/attr/apparmor/exec", fd);
  if (!outcome.ok() && outcome.error == ENOENT) outcome = open_proc("/proc/thread-self/attr/exec", fd);
  return outcome.ok() ? write_proc(fd, text, length_of(text), text) : outcome;
}

}  // namespace reaper::init
