// reaper-init against a model kernel: scheduler, I/O priority, personality, keyring, labels, LISTEN_PID. What each call
// gets, what is read back, and what each failure says.
#include <asm/unistd.h>
#include <linux/keyctl.h>
#include <linux/sched.h>

#include <algorithm>
#include <cerrno>

#include "init/kernel.h"
#include "unit/cmocka_cpp.h"

using namespace reaper;
using namespace reaper::test;

namespace {

constexpr const char* apparmor_file = "/proc/thread-self/attr/apparmor/exec";
constexpr const char* module_file = "/proc/thread-self/attr/exec";

std::vector<Operation> attributes() {
  using wire::Op;
  return {
      {Op::io_priority, "/process/ioPriority", {2, 5}, {}},
      {Op::scheduler, "/process/scheduler", {SCHED_BATCH, SCHED_FLAG_RESET_ON_FORK, uint64_t(-3), 0, 0, 0, 0}, {}},
      {Op::personality, "/linux/personality", {8}, {}},
      {Op::memory_policy, "/linux/memoryPolicy", {0x8002, 5, 1}, {"0,2,64"}},
      {Op::keyring, "", {}, {"_ses.web"}},
      {Op::exec_label, "/process/apparmorProfile", {wire::label_apparmor}, {"exec web"}},
      {Op::exec_label, "/process/selinuxLabel", {wire::label_selinux}, {"u:r:t:s0"}},
      {Op::listen, "", {0}, {}},
  };
}

// The full plan with these before its umask: in step 3 of the order of the drop and behind it.
std::vector<Operation> plan_with(const std::vector<Operation>& operations) {
  std::vector<Operation> plan = full_plan();
  const auto at =
      std::find_if(plan.begin(), plan.end(), [](const Operation& one) { return one.op == wire::Op::umask; });
  assert_true(at != plan.end());
  plan.insert(at, operations.begin(), operations.end());
  return plan;
}

Kernel kernel_for(const std::vector<Operation>& operations) {
  Kernel k = full_kernel();
  k.files[apparmor_file] = 0100666;
  k.files[module_file] = 0100666;
  k.to_read = launch_bytes(encode(plan_with(operations)));
  return k;
}

const Call* first(const Kernel& k, long number) {
  for (const Call& call : k.calls)
    if (call.number == number) return &call;
  return nullptr;
}

void everything_is_applied(void**) {
  Kernel k = kernel_for(attributes());
  assert_true(run_init(k).executed);
  // config.md: for the whole process group. 1 is IOPRIO_WHO_PROCESS, 2 IOPRIO_WHO_PGRP, 0 our own.
  assert_int_equal(first(k, __NR_ioprio_set)->arguments[0], 2);
  assert_int_equal(first(k, __NR_ioprio_set)->arguments[1], 0);
  assert_int_equal(k.io_priority, 2 << 13 | 5);
  assert_int_equal(k.scheduler[0], uint64_t{SCHED_BATCH} << 32 | sizeof k.scheduler);
  assert_int_equal(k.scheduler[1], SCHED_FLAG_RESET_ON_FORK);
  assert_int_equal(static_cast<int32_t>(k.scheduler[2]), -3);
  assert_int_equal(k.personality, 8);
  assert_int_equal(k.memory_mode, 0x8002);
  assert_int_equal(k.memory_nodes, 5);
  assert_true(k.joined_keyrings == std::vector<std::string>{"_ses.web"});
  assert_true(k.written[103] == "-17exec webu:r:t:s0");
  assert_string_equal(k.envp.back().c_str(), "LISTEN_PID=0");  // getpid of the model
  assert_int_equal(k.envp.size(), 3);
}

void every_failure_stops(void**) {
  Kernel good = kernel_for(attributes());
  assert_true(run_init(good).executed);
  const long calls[] = {__NR_ioprio_set,  __NR_ioprio_get,    __NR_sched_setattr, __NR_sched_getattr,
                        __NR_personality, __NR_keyctl,        __NR_openat,        __NR_fstatfs,
                        __NR_write,       __NR_set_mempolicy, __NR_get_mempolicy};
  size_t tried = 0;
  for (size_t index = 0; index < good.calls.size(); ++index) {
    const Call& call = good.calls[index];
    if (std::find(std::begin(calls), std::end(calls), call.number) == std::end(calls)) continue;
    for (const long error : {-EACCES, -EIO, -EINVAL}) {
      Kernel k = kernel_for(attributes());
      k.fail_at = index;
      k.fail_with = error;
      const Ending ending = run_init(k);
      ++tried;
      // Who cannot be told whose keyring it is takes one without a name.
      if (call.number == __NR_keyctl && call.arguments[0] == KEYCTL_DESCRIBE) {
        assert_true(ending.executed);
        assert_true((k.joined_keyrings == std::vector<std::string>{"_ses.web", ""}));
        continue;
      }
      const SentError sent = last_error(k.sent);
      if (ending.executed || !sent.present || sent.header.error != -error)
        fail_msg("call %zu (number %ld) failed with %ld: executed %d, errno %d", index, call.number, error,
                 ending.executed, sent.header.error);
    }
  }
  assert_true(tried >= 40);
}

// A call that answers success and does nothing is found when it is read back.
void lies_are_found(void**) {
  const struct {
    long number;
    wire::Op op;
    const char* text;
  } rows[] = {{__NR_sched_setattr, wire::Op::scheduler, "policy"},
              {__NR_ioprio_set, wire::Op::io_priority, "I/O priority"},
              {__NR_set_mempolicy, wire::Op::memory_policy, "memory policy"}};
  for (const auto& row : rows) {
    Kernel k = kernel_for(attributes());
    k.without_effect = {row.number};
    assert_false(run_init(k).executed);
    const SentError sent = last_error(k.sent);
    assert_int_equal(sent.header.op, static_cast<uint16_t>(row.op));
    assert_int_equal(sent.header.fault, static_cast<uint16_t>(wire::Fault::mismatch));
    assert_string_equal(sent.text.c_str(), row.text);
  }
  Kernel k = kernel_for(attributes());
  k.without_effect = {__NR_personality};  // both the setting and the asking
  assert_false(run_init(k).executed);
  assert_string_equal(last_error(k.sent).text.c_str(), "personality");
}

struct Scheduling {
  std::vector<uint64_t> asked;
  int differs_at;        // which of the kernel's words is another when it is read back; -1: none
  const char* mismatch;  // null: it goes on
};

// What a policy has is compared; what it does not have, the kernel fills in as it likes.
void scheduler_is_compared(void**) {
  constexpr uint64_t keep_policy = SCHED_FLAG_KEEP_POLICY;
  const Scheduling rows[] = {
      {{SCHED_NORMAL, 0, 5, 0, 0, 0, 0}, -1, nullptr},
      {{SCHED_NORMAL, 0, 5, 0, 0, 0, 0}, 0, "policy"},
      {{SCHED_NORMAL, 0, 5, 0, 0, 0, 0}, 1, "flags"},
      {{SCHED_NORMAL, 0, 5, 0, 0, 0, 0}, 2, "nice"},
      {{SCHED_NORMAL, 0, 5, 0, 0, 0, 0}, 3, nullptr},  // Linux 6.12 shows its time slice as runtime
      {{SCHED_NORMAL, keep_policy, 0, 0, 0, 0, 0}, 0, nullptr},
      {{SCHED_FIFO, 0, 0, 10, 0, 0, 0}, -1, nullptr},
      {{SCHED_FIFO, 0, 0, 10, 0, 0, 0}, 6, "priority"},
      {{SCHED_IDLE, 0, 0, 0, 0, 0, 0}, 2, nullptr},
      {{SCHED_DEADLINE, SCHED_FLAG_RECLAIM, 0, 0, 2000, 3000, 4000}, -1, nullptr},
      {{SCHED_DEADLINE, 0, 0, 0, 2000, 3000, 0}, -1, nullptr},  // the period is the deadline then
      {{SCHED_DEADLINE, 0, 0, 0, 2000, 3000, 4000}, 3, "runtime"},
      {{SCHED_DEADLINE, 0, 0, 0, 2000, 3000, 4000}, 4, "deadline"},
      {{SCHED_DEADLINE, 0, 0, 0, 2000, 3000, 4000}, 5, "period"},
  };
  for (const Scheduling& row : rows) {
    Kernel k = kernel_for({{wire::Op::scheduler, "/process/scheduler", row.asked, {}}});
    k.tamper = [&](const Call& call) {
      if (call.number != __NR_sched_getattr || row.differs_at < 0) return;
      auto* words = reinterpret_cast<uint32_t*>(call.arguments[1]);
      // Words of 64 bits, but for the policy (the upper half of 0) and the priority (that of 2, asked for as 6).
      const int half[] = {1, 2, 4, 6, 8, 10, 5};
      ++words[half[row.differs_at]];
    };
    const Ending ending = run_init(k);
    const SentError sent = last_error(k.sent);
    if (ending.executed != (row.mismatch == nullptr) || (row.mismatch != nullptr && sent.text != row.mismatch))
      fail_msg("policy %d, word %d: executed %d, '%s'", static_cast<int>(row.asked[0]), row.differs_at, ending.executed,
               sent.text.c_str());
  }
}

void keyrings(void**) {
  const std::vector<Operation> operations = {{wire::Op::keyring, "", {}, {"_ses.web"}}};
  // No keys in this kernel, or a filter around us: there is none to have.
  for (const long error : {-ENOSYS, -EPERM}) {
    Kernel k = kernel_for(operations);
    k.deny[__NR_keyctl] = error;
    assert_true(run_init(k).executed);
  }
  Kernel none_left = kernel_for(operations);
  none_left.deny[__NR_keyctl] = -EDQUOT;
  assert_false(run_init(none_left).executed);
  assert_int_equal(last_error(none_left.sent).header.error, EDQUOT);
  assert_int_equal(last_error(none_left.sent).header.op, static_cast<uint16_t>(wire::Op::keyring));
  // Somebody has a keyring of this name and lets others search it, or it is not described as keyctl(2) has it.
  const char* const foreign[] = {"keyring;0;0;3f1b0000;_ses.web", "keyring;0;0;3f130800;_ses.web",
                                 "keyring;0;0;3f130008;_ses.web", "keyring;1000;0;3f130000;_ses.web",
                                 "keyring;0;0;3f130000",          "keyring;;0;3f130000;_ses.web",
                                 "keyring;0;0;xyz;_ses.web",      "keyring"};
  for (const char* description : foreign) {
    Kernel k = kernel_for(operations);
    k.foreign_keyring = description;
    assert_true(run_init(k).executed);
    if (k.joined_keyrings != std::vector<std::string>{"_ses.web", ""})
      fail_msg("a foreign keyring was taken: %s", description);
  }
  // A name that is longer than any id makes.
  Kernel k = kernel_for({{wire::Op::keyring, "", {}, {"_ses." + std::string(600, 'x')}}});
  assert_true(run_init(k).executed);
  assert_int_equal(k.joined_keyrings.size(), 2);
}

void labels(void**) {
  const std::vector<Operation> operations = {
      {wire::Op::exec_label, "/process/apparmorProfile", {wire::label_apparmor}, {"exec web"}}};
  // Before Linux 5.8, AppArmor has no directory of its own.
  Kernel old = kernel_for(operations);
  old.files.erase(apparmor_file);
  assert_true(run_init(old).executed);
  assert_true(old.written[103] == "-17exec web");

  // A profile that is not loaded is no reason to ask another module.
  Kernel unknown = kernel_for(operations);
  unknown.deny[__NR_write] = -ENOENT;
  std::vector<Operation> plan = plan_with(operations);
  std::erase_if(plan, [](const Operation& one) { return one.op == wire::Op::oom_score_adj; });
  unknown.to_read = launch_bytes(encode(plan));
  assert_false(run_init(unknown).executed);
  const SentError sent = last_error(unknown.sent);
  assert_int_equal(sent.header.error, ENOENT);
  assert_string_equal(sent.text.c_str(), "exec web");
  assert_int_equal(std::count_if(unknown.calls.begin(), unknown.calls.end(),
                                 [](const Call& call) { return call.number == __NR_write; }),
                   1);

  // CVE-2019-16884: something is mounted over /proc.
  for (const bool apparmor : {true, false}) {
    Kernel covered = kernel_for({});
    std::vector<Operation> without = plan_with(
        {{wire::Op::exec_label, "/process/label", {apparmor ? wire::label_apparmor : wire::label_selinux}, {"x"}}});
    std::erase_if(without, [](const Operation& one) { return one.op == wire::Op::oom_score_adj; });
    covered.to_read = launch_bytes(encode(without));
    covered.proc_magic = 0x01021994;  // TMPFS_MAGIC
    assert_false(run_init(covered).executed);
    assert_int_equal(last_error(covered.sent).header.error, EXDEV);
    assert_string_equal(last_error(covered.sent).text.c_str(), apparmor ? apparmor_file : module_file);
    assert_true(covered.written.empty());
  }
}

void short_writes_are_errors(void**) {
  Kernel k = kernel_for({{wire::Op::exec_label, "/process/selinuxLabel", {wire::label_selinux}, {"u:r:t:s0"}}});
  k.deny[__NR_write] = 3;  // as many bytes as "-17" has
  assert_false(run_init(k).executed);
  assert_int_equal(last_error(k.sent).header.error, EIO);
  assert_string_equal(last_error(k.sent).pointer.c_str(), "/process/selinuxLabel");
}

void listeners(void**) {
  Kernel more_than_there_are = kernel_for({{wire::Op::listen, "", {1}, {}}});
  assert_false(run_init(more_than_there_are).executed);
  assert_int_equal(last_error(more_than_there_are.sent).header.fault, static_cast<uint16_t>(wire::Fault::malformed));
  for (const long pid : {1L, 4711L, 4194304L}) {
    Kernel k = kernel_for({{wire::Op::listen, "", {0}, {}}});
    k.deny[__NR_getpid] = pid;
    assert_true(run_init(k).executed);
    assert_true(k.envp.back() == "LISTEN_PID=" + std::to_string(pid));
  }
  Kernel none = kernel_for({});
  assert_true(run_init(none).executed);
  assert_true((none.envp == std::vector<std::string>{"PATH=/usr/bin:/bin", "A=b"}));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(everything_is_applied),
      cmocka_unit_test(every_failure_stops),
      cmocka_unit_test(lies_are_found),
      cmocka_unit_test(scheduler_is_compared),
      cmocka_unit_test(keyrings),
      cmocka_unit_test(labels),
      cmocka_unit_test(short_writes_are_errors),
      cmocka_unit_test(listeners),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
