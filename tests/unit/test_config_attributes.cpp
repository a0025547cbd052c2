// process: scheduler, ioPriority, execCPUAffinity, apparmorProfile, selinuxLabel; linux.personality.
#include <linux/ioprio.h>
#include <linux/personality.h>
#include <linux/sched.h>

#include "unit/test_config_cases.h"

using namespace reaper_test;

static std::string scheduler(std::string_view members) {
  return process(R"("scheduler":{)" + std::string(members) + "}");
}

static reaper::Scheduler accepted_scheduler(const std::string& members) {
  auto found = accepted_process(R"("scheduler":{)" + members + "}").scheduler;
  assert_true(found.has_value());
  return *found;
}

static void schedulers(void**) {
  const struct {
    const char* name;
    uint32_t policy;
  } policies[] = {{"OTHER", SCHED_NORMAL}, {"BATCH", SCHED_BATCH}, {"IDLE", SCHED_IDLE}};
  for (const auto& row : policies)
    assert_int_equal(accepted_scheduler(R"("policy":"SCHED_)" + std::string(row.name) + "\"").policy, row.policy);
  for (int nice : {-20, -1, 0, 19})
    assert_int_equal(accepted_scheduler(R"("policy":"SCHED_OTHER","nice":)" + std::to_string(nice)).nice, nice);
  assert_int_equal(accepted_scheduler(R"("policy":"SCHED_FIFO","priority":1,"nice":0)").priority, 1);
  assert_int_equal(accepted_scheduler(R"("policy":"SCHED_RR","priority":99,"runtime":0)").priority, 99);
  const reaper::Scheduler deadline =
      accepted_scheduler(R"("policy":"SCHED_DEADLINE","runtime":1024,"deadline":1024,"priority":0)");
  assert_true(deadline.policy == SCHED_DEADLINE && deadline.runtime == 1024 && deadline.deadline == 1024);
  assert_int_equal(deadline.period, 0);
  const reaper::Scheduler flags = accepted_scheduler(
      R"("policy":"SCHED_DEADLINE","runtime":2000,"deadline":3000,"period":9223372036854775807,)"
      R"("flags":["SCHED_FLAG_RECLAIM","SCHED_FLAG_DL_OVERRUN","SCHED_FLAG_RESET_ON_FORK","SCHED_FLAG_RECLAIM"])");
  assert_true(flags.flags == (SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN | SCHED_FLAG_RESET_ON_FORK));
  assert_true(flags.period == INT64_MAX);
  assert_int_equal(accepted_scheduler(R"("policy":"SCHED_BATCH","flags":["SCHED_FLAG_KEEP_POLICY"])").flags,
                   SCHED_FLAG_KEEP_POLICY);
}

static void wrong_schedulers(void**) {
  constexpr Refusal rows[] = {
      {"", REAPER_ERR_INVALID, "/process/scheduler/policy"},
      {R"("nice":1)", REAPER_ERR_INVALID, "/process/scheduler/policy"},
      {R"("policy":"")", REAPER_ERR_INVALID, "/process/scheduler/policy"},
      {R"("policy":"OTHER")", REAPER_ERR_INVALID, "/process/scheduler/policy"},
      {R"("policy":"sched_other")", REAPER_ERR_INVALID, "/process/scheduler/policy"},
      {R"("policy":"SCHED_ISO")", REAPER_ERR_UNSUPPORTED, "/process/scheduler/policy"},
      {R"("policy":"SCHED_OTHER","nice":20)", REAPER_ERR_INVALID, "/process/scheduler/nice"},
      {R"("policy":"SCHED_OTHER","nice":-21)", REAPER_ERR_INVALID, "/process/scheduler/nice"},
      {R"("policy":"SCHED_OTHER","nice":4294967296)", REAPER_ERR_INVALID, "/process/scheduler/nice"},
      {R"("policy":"SCHED_IDLE","nice":20)", REAPER_ERR_INVALID, "/process/scheduler/nice"},
      {R"("policy":"SCHED_OTHER","priority":1)", REAPER_ERR_INVALID, "/process/scheduler/priority"},
      {R"("policy":"SCHED_DEADLINE","priority":1,"runtime":2000,"deadline":3000)", REAPER_ERR_INVALID,
       "/process/scheduler/priority"},
      {R"("policy":"SCHED_FIFO")", REAPER_ERR_INVALID, "/process/scheduler/priority"},
      {R"("policy":"SCHED_RR","priority":0)", REAPER_ERR_INVALID, "/process/scheduler/priority"},
      {R"("policy":"SCHED_RR","priority":100)", REAPER_ERR_INVALID, "/process/scheduler/priority"},
      {R"("policy":"SCHED_RR","priority":-1)", REAPER_ERR_INVALID, "/process/scheduler/priority"},
      {R"("policy":"SCHED_RR","priority":4294967297)", REAPER_ERR_INVALID, "/process/scheduler/priority"},
      {R"("policy":"SCHED_OTHER","runtime":1)", REAPER_ERR_INVALID, "/process/scheduler/runtime"},
      {R"("policy":"SCHED_FIFO","priority":1,"deadline":1)", REAPER_ERR_INVALID, "/process/scheduler/deadline"},
      {R"("policy":"SCHED_IDLE","period":1)", REAPER_ERR_INVALID, "/process/scheduler/period"},
      {R"("policy":"SCHED_DEADLINE")", REAPER_ERR_INVALID, "/process/scheduler/runtime"},
      {R"("policy":"SCHED_DEADLINE","runtime":1023,"deadline":5000)", REAPER_ERR_INVALID, "/process/scheduler/runtime"},
      {R"("policy":"SCHED_DEADLINE","runtime":5000)", REAPER_ERR_INVALID, "/process/scheduler/deadline"},
      {R"("policy":"SCHED_DEADLINE","runtime":5000,"deadline":4999)", REAPER_ERR_INVALID,
       "/process/scheduler/deadline"},
      {R"("policy":"SCHED_DEADLINE","runtime":5000,"deadline":9223372036854775808)", REAPER_ERR_INVALID,
       "/process/scheduler/deadline"},
      {R"("policy":"SCHED_DEADLINE","runtime":5000,"deadline":6000,"period":5999)", REAPER_ERR_INVALID,
       "/process/scheduler/period"},
      {R"("policy":"SCHED_OTHER","flags":["RESET_ON_FORK"])", REAPER_ERR_INVALID, "/process/scheduler/flags/0"},
      {R"("policy":"SCHED_OTHER","flags":["SCHED_FLAG_RECLAIM"])", REAPER_ERR_INVALID, "/process/scheduler/flags/0"},
      {R"("policy":"SCHED_OTHER","flags":["SCHED_FLAG_RESET_ON_FORK","SCHED_FLAG_DL_OVERRUN"])", REAPER_ERR_INVALID,
       "/process/scheduler/flags/1"},
      {R"("policy":"SCHED_OTHER","flags":["SCHED_FLAG_KEEP_PARAMS"])", REAPER_ERR_UNSUPPORTED,
       "/process/scheduler/flags/0"},
      {R"("policy":"SCHED_OTHER","flags":["SCHED_FLAG_UTIL_CLAMP_MIN"])", REAPER_ERR_UNSUPPORTED,
       "/process/scheduler/flags/0"},
      {R"("policy":"SCHED_OTHER","flags":["SCHED_FLAG_UTIL_CLAMP_MAX"])", REAPER_ERR_UNSUPPORTED,
       "/process/scheduler/flags/0"},
      {R"("policy":"SCHED_OTHER","flags":["SCHED_FLAG_KEEP_POLICY","SCHED_FLAG_RESET_ON_FORK"])", REAPER_ERR_INVALID,
       "/process/scheduler/flags"},
  };
  assert_refusals(scheduler, rows);
}

// The kernel would look at none of these, so they are left out with a warning.
static void nice_of_other_policies(void**) {
  const char* const texts[] = {R"("policy":"SCHED_IDLE","nice":19)", R"("policy":"SCHED_FIFO","priority":1,"nice":-1)",
                               R"("policy":"SCHED_DEADLINE","runtime":42000,"deadline":100000,"nice":19)"};
  for (const char* text : texts) {
    assert_warning(scheduler(text), "/process/scheduler/nice", "SCHED_OTHER and SCHED_BATCH alone");
    assert_int_equal(accepted(scheduler(text)).process->scheduler->nice, 0);
  }
}

static std::string io_priority(std::string_view members) {
  return process(R"("ioPriority":{)" + std::string(members) + "}");
}

static void io_priorities(void**) {
  const struct {
    const char* name;
    uint32_t number;
  } classes[] = {{"RT", IOPRIO_CLASS_RT}, {"BE", IOPRIO_CLASS_BE}, {"IDLE", IOPRIO_CLASS_IDLE}};
  for (const auto& row : classes)
    for (uint32_t level = 0; level <= 7; ++level) {
      const auto got = accepted_process(R"("ioPriority":{"class":"IOPRIO_CLASS_)" + std::string(row.name) +
                                        R"(","priority":)" + std::to_string(level) + "}")
                           .io_priority;
      assert_true(got.has_value() && got->io_class == row.number && got->level == level);
    }
  constexpr Refusal rows[] = {
      {"", REAPER_ERR_INVALID, "/process/ioPriority/class"},
      {R"("priority":0)", REAPER_ERR_INVALID, "/process/ioPriority/class"},
      {R"("class":"IOPRIO_CLASS_IDLE")", REAPER_ERR_INVALID, "/process/ioPriority/priority"},
      {R"("class":"IOPRIO_CLASS_NONE","priority":0)", REAPER_ERR_INVALID, "/process/ioPriority/class"},
      {R"("class":"","priority":0)", REAPER_ERR_INVALID, "/process/ioPriority/class"},
      {R"("class":"IOPRIO_CLASS_BE","priority":8)", REAPER_ERR_INVALID, "/process/ioPriority/priority"},
      {R"("class":"IOPRIO_CLASS_BE","priority":-1)", REAPER_ERR_INVALID, "/process/ioPriority/priority"},
      {R"("class":"IOPRIO_CLASS_BE","priority":1.0)", REAPER_ERR_INVALID, "/process/ioPriority/priority"},
      {R"("class":"IOPRIO_CLASS_BE","priority":4294967296)", REAPER_ERR_INVALID, "/process/ioPriority/priority"},
  };
  assert_refusals(io_priority, rows);
}

static std::string cpus(std::string_view list) {
  return process(R"("execCPUAffinity":{"initial":"0","final":")" + std::string(list) + "\"}");
}

static void cpu_lists(void**) {
  const auto got = accepted(cpus("0-3, 7 ,8191")).process->exec_cpu_affinity;
  assert_true(got.has_value() && got->initial.size() == 1 && got->final.size() == 3);
  assert_true(got->final[0].first == 0 && got->final[0].last == 3);
  assert_true(got->final[1].first == 7 && got->final[1].last == 7 && got->final[2].last == 8191);
  for (const char* nothing : {"", " "}) assert_true(accepted(cpus(nothing)).process->exec_cpu_affinity->final.empty());
  const auto empty = accepted_process(R"("execCPUAffinity":{})").exec_cpu_affinity;
  assert_true(empty.has_value() && empty->initial.empty() && empty->final.empty());
  for (const char* list :
       {",",     "0,",  ",0", "0,,1", "a",     "-",    "-1",     "1-",         "3-1",
        "0-1-2", "0x1", "+1", "1 2",  "0 - 1", "8192", "0-8192", "4294967296", "18446744073709551616",
        "0;1",   "all"})
    assert_refused(cpus(list), REAPER_ERR_INVALID, "/process/execCPUAffinity/final");
  assert_refused(process(R"("execCPUAffinity":{"initial":"x","final":"0"})"), REAPER_ERR_INVALID,
                 "/process/execCPUAffinity/initial");
}

static std::string personality(std::string_view members) {
  return linux_section(R"("personality":{)" + std::string(members) + "}");
}

static void personalities(void**) {
  assert_int_equal(*accepted_silently(personality(R"("domain":"LINUX")")).personality, PER_LINUX);
  assert_int_equal(*accepted_silently(personality(R"("domain":"LINUX32","flags":[])")).personality, PER_LINUX32);
  assert_false(accepted_silently(linux_section("")).personality.has_value());
  constexpr Refusal rows[] = {
      {"", REAPER_ERR_INVALID, "/linux/personality/domain"},
      {R"("flags":[])", REAPER_ERR_INVALID, "/linux/personality/domain"},
      {R"("domain":"")", REAPER_ERR_INVALID, "/linux/personality/domain"},
      {R"("domain":"PER_LINUX32")", REAPER_ERR_INVALID, "/linux/personality/domain"},
      {R"("domain":"BSD")", REAPER_ERR_INVALID, "/linux/personality/domain"},
      {R"("domain":"LINUX","flags":["ADDR_NO_RANDOMIZE"])", REAPER_ERR_UNSUPPORTED, "/linux/personality/flags"},
  };
  assert_refusals(personality, rows);
}

static void labels(void**) {
  assert_true(accepted_process(R"("apparmorProfile":"unconfined")").apparmor_profile == "unconfined");
  assert_true(accepted_process(R"("selinuxLabel":"u:r:t:s0:c1,c2")").selinux_label == "u:r:t:s0:c1,c2");
  assert_true(accepted_process(R"("selinuxLabel":"","apparmorProfile":"")").selinux_label.empty());
  const std::string longest(4000, 'x');
  assert_true(accepted_process(R"("apparmorProfile":")" + longest + "\"").apparmor_profile == longest);
  assert_refused(process(R"("apparmorProfile":")" + longest + "x\""), REAPER_ERR_INVALID, "/process/apparmorProfile");
  assert_refused(process(R"("selinuxLabel":")" + longest + "x\""), REAPER_ERR_INVALID, "/process/selinuxLabel");
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(schedulers),    cmocka_unit_test(wrong_schedulers), cmocka_unit_test(nice_of_other_policies),
      cmocka_unit_test(io_priorities), cmocka_unit_test(cpu_lists),        cmocka_unit_test(personalities),
      cmocka_unit_test(labels),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
