// process.scheduler (config.md, Linux Process), judged by the rules of sched_setattr(2): what its EINVAL would say is
// said here, with the member at fault.
#include <linux/sched.h>

#include "config/parse.h"

namespace reaper {
namespace {

#ifndef SCHED_ISO
#define SCHED_ISO 4  // reserved in linux/sched.h, by a comment
#endif

constexpr NamedNumber policies[] = {
    {"SCHED_OTHER", SCHED_NORMAL},     {"SCHED_FIFO", SCHED_FIFO}, {"SCHED_RR", SCHED_RR},
    {"SCHED_BATCH", SCHED_BATCH},      {"SCHED_ISO", SCHED_ISO},   {"SCHED_IDLE", SCHED_IDLE},
    {"SCHED_DEADLINE", SCHED_DEADLINE}};

constexpr NamedNumber scheduler_flags[] = {
    {"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},  {"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
    {"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},        {"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
    {"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},      {"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX}};

constexpr uint64_t deadline_flags = SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN;
constexpr int64_t lowest_nice = -20, highest_nice = 19;
constexpr uint64_t shortest_runtime = 1024;                 // 1 << DL_SCALE, kernel/sched/deadline.c
constexpr uint64_t longest_time = (uint64_t{1} << 63) - 1;  // the top bit is used by the kernel

bool is_real_time(uint32_t policy) {
  return policy == SCHED_FIFO || policy == SCHED_RR;
}

Error invalid(const JsonCursor& object, std::string_view member, std::string_view message) {
  return config_error(REAPER_ERR_INVALID, pointer_join(object.pointer(), member), message);
}

Error unsupported(const JsonCursor& value, std::string_view message) {
  return config_error(REAPER_ERR_UNSUPPORTED, value.pointer(), message);
}

Status read_flags(const JsonCursor& object, Scheduler& scheduler) {
  const auto array = TRY(object.member("flags"));
  if (!array) return {};
  for (const JsonCursor& element : TRY(array->elements())) {
    const uint32_t bit = TRY(read_name(element, "scheduling flag", scheduler_flags));
    if ((bit & SCHED_FLAG_UTIL_CLAMP) != 0)
      return fail(unsupported(element, "the specification has no member for the value that this flag announces"));
    // Linux looks at the parameters and leaves the policy alone as well (__sched_setscheduler, 5.3 to 6.18).
    if (bit == SCHED_FLAG_KEEP_PARAMS)
      return fail(unsupported(element, "with this flag Linux changes no policy either, and one is required here"));
    if ((bit & deadline_flags) != 0 && scheduler.policy != SCHED_DEADLINE)
      return fail(config_error(REAPER_ERR_INVALID, element.pointer(), "this flag is for SCHED_DEADLINE alone"));
    scheduler.flags |= bit;
  }
  // sched_setattr(2) leaves it out then, without a word.
  if ((scheduler.flags & SCHED_FLAG_KEEP_POLICY) != 0 && (scheduler.flags & SCHED_FLAG_RESET_ON_FORK) != 0)
    return fail(config_error(REAPER_ERR_INVALID, array->pointer(),
                             "SCHED_FLAG_RESET_ON_FORK does nothing beside SCHED_FLAG_KEEP_POLICY"));
  return {};
}

// The kernel has a nice value for SCHED_OTHER and SCHED_BATCH, and looks at none for the other policies. Configurations
// with one for those are about, so that it is a warning.
Status read_nice(const JsonCursor& object, Scheduler& scheduler, Notes& notes) {
  const auto nice = TRY(object.member("nice"));
  if (!nice) return {};
  const auto value = static_cast<int>(TRY(nice->signed_integer(lowest_nice, highest_nice)));
  if (scheduler.policy == SCHED_NORMAL || scheduler.policy == SCHED_BATCH)
    scheduler.nice = value;
  else if (value != 0)
    add_warning(notes, nice->pointer(),
                [] { return "the kernel has a nice value for SCHED_OTHER and SCHED_BATCH alone: left out"; });
  return {};
}

Status read_priority(const JsonCursor& object, Scheduler& scheduler) {
  constexpr int64_t highest = 99;  // sched(7)
  if (const auto priority = TRY(object.member("priority")))
    scheduler.priority = static_cast<uint32_t>(TRY(priority->unsigned_integer(0, highest)));
  if (is_real_time(scheduler.policy) && scheduler.priority == 0)
    return fail(invalid(object, "priority", "SCHED_FIFO and SCHED_RR need one from 1 to 99"));
  if (!is_real_time(scheduler.policy) && scheduler.priority != 0)
    return fail(invalid(object, "priority", "a priority is for SCHED_FIFO and SCHED_RR alone"));
  return {};
}

Status read_times(const JsonCursor& object, Scheduler& scheduler) {
  struct Time {
    const char* name;
    uint64_t* value;
  };
  for (const Time& time : {Time{"runtime", &scheduler.runtime}, Time{"deadline", &scheduler.deadline},
                           Time{"period", &scheduler.period}}) {
    if (const auto member = TRY(object.member(time.name))) *time.value = TRY(member->unsigned_integer(0, longest_time));
    // With other policies the kernel takes `runtime` as the length of a time slice (Linux 6.12); the specification does
    // not.
    if (*time.value != 0 && scheduler.policy != SCHED_DEADLINE)
      return fail(invalid(object, time.name, "this is for SCHED_DEADLINE alone"));
  }
  if (scheduler.policy != SCHED_DEADLINE) return {};
  if (scheduler.runtime < shortest_runtime)
    return fail(invalid(object, "runtime", "SCHED_DEADLINE needs at least 1024 nanoseconds"));
  if (scheduler.deadline < scheduler.runtime)
    return fail(invalid(object, "deadline", "it must not be shorter than the runtime"));
  if (scheduler.period != 0 && scheduler.period < scheduler.deadline)
    return fail(invalid(object, "period", "it must not be shorter than the deadline"));
  return {};
}

}  // namespace

Result<Scheduler> read_scheduler(const JsonCursor& object, Notes& notes) {
  Scheduler scheduler;
  const auto policy = TRY(required_member(object, "policy"));
  scheduler.policy = TRY(read_name(policy, "scheduling policy", policies));
  if (scheduler.policy == SCHED_ISO) return fail(unsupported(policy, "Linux has this name, but no such scheduler"));
  TRY(read_flags(object, scheduler));
  TRY(read_nice(object, scheduler, notes));
  TRY(read_priority(object, scheduler));
  TRY(read_times(object, scheduler));
  return scheduler;
}

}  // namespace reaper
