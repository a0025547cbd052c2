// reaper-init against a model kernel: the order of its calls, and what each failure says.
#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/prctl.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <functional>

#include "init/kernel.h"
#include "unit/cmocka_cpp.h"

using namespace reaper;
using namespace reaper::test;

namespace {

std::string stream_of(const Kernel& k) {
  return k.replied.empty() ? k.sent : k.replied;
}

void good_plan_executes(void**) {
  Kernel k = full_kernel();
  assert_true(run_init(k).executed);
  assert_string_equal(k.executed.c_str(), "/bin/sh");
  assert_true((k.argv == std::vector<std::string>{"sh", "-x"}));
  assert_true((k.envp == std::vector<std::string>{"PATH=/usr/bin:/bin", "A=b"}));
  assert_int_equal(k.uid[0], 1000);
  assert_int_equal(k.gid[2], 1001);
  assert_true(k.no_new_privs);
  assert_true(k.sent == frame_bytes(wire::Frame::ready));
  assert_true(k.replied == frame_bytes(wire::Frame::accepted) + frame_bytes(wire::Frame::exec));
  assert_true(k.written[103] == "-17");
  // 0, 1, 2 stay, and the connection, which closes by itself on execve.
  assert_true((k.open == std::set<int>{0, 1, 2, 102}));
}

void one_byte_at_a_time(void**) {
  Kernel k = full_kernel();
  k.chunked = true;
  assert_true(run_init(k).executed);
}

// security.md, the order of the drop: each of these comes after the one before it.
void order_of_the_drop(void**) {
  Kernel k = full_kernel();
  run_init(k);
  struct Step {
    long number, first;
  };
  const Step order[] = {{__NR_setsid, 0},
                        {__NR_prlimit64, 0},
                        {__NR_prctl, PR_SET_DUMPABLE},
                        {__NR_prctl, PR_SET_KEEPCAPS},
                        {__NR_prctl, PR_CAPBSET_DROP},
                        {__NR_setgroups, 2},
                        {__NR_setresgid, 1001},
                        {__NR_setresuid, 1000},
                        {__NR_getcwd, -1},
                        {__NR_faccessat, -1},
                        {__NR_capset, -1},
                        {__NR_prctl, PR_CAP_AMBIENT},
                        {__NR_prctl, PR_SET_KEEPCAPS},
                        {__NR_prctl, PR_SET_NO_NEW_PRIVS},
                        {__NR_madvise, -1},
                        {__NR_accept4, -1},
                        {__NR_rt_sigprocmask, SIG_SETMASK},
                        {__NR_close_range, -1},
                        {__NR_getresuid, -1},
                        {__NR_capget, -1},
                        {__NR_execve, -1}};
  auto position = k.calls.begin();
  for (const Step& step : order) {
    position = std::find_if(position, k.calls.end(), [&](const Call& call) {
      return call.number == step.number && (step.first < 0 || call.arguments[0] == step.first);
    });
    if (position == k.calls.end())
      fail_msg("system call %ld (%ld) is missing or out of order", step.number, step.first);
    ++position;
  }
}

// Calls whose failure changes nothing that was promised: closing, and the two answers that a dead client does not take.
bool may_fail(const Kernel& good, size_t index) {
  const Call& call = good.calls[index];
  if (call.number == __NR_close || call.number == __NR_umask || call.number == __NR_exit_group) return true;
  if (call.number == __NR_prctl && call.arguments[0] == PR_SET_NAME) return true;  // a name for people
  if (call.number == __NR_madvise) return true;      // memory that would have been let go of
  if (call.number == __NR_close_range) return true;  // the fallback walks /proc/self/fd
  if (call.number == __NR_getpid || call.number == __NR_geteuid || call.number == __NR_execve) return true;
  if (call.number == __NR_sendto) return true;      // told below, by what is sent
  if (call.number == __NR_newfstatat) return true;  // /usr/bin/sh is not there: the next entry of PATH is
  return call.number == __NR_setresuid && call.arguments[0] == 0;  // the attempt to regain root must fail
}

// Rows 28 and 30 of the advisories: every call of the drop is made to fail; the program must never run.
void every_failure_stops(void**) {
  Kernel good = full_kernel();
  assert_true(run_init(good).executed);
  size_t tried = 0;
  for (size_t index = 0; index < good.calls.size(); ++index) {
    if (may_fail(good, index)) continue;
    const Call& call = good.calls[index];
    const bool regain = (call.number == __NR_setresgid && call.arguments[0] == 0) ||
                        (call.number == __NR_setgroups && call.arguments[0] == 0 && index > good.calls.size() / 2);
    if (regain) continue;
    for (const long error : {-EPERM, -EAGAIN, -ENOMEM, -EIO}) {
      Kernel k = full_kernel();
      k.fail_at = index;
      k.fail_with = error;
      const Ending ending = run_init(k);
      // A poll or an accept that fails is tried again: the container stays created.
      const bool retried = call.number == __NR_ppoll || call.number == __NR_accept4;
      if (ending.executed && !retried)
        fail_msg("call %zu (number %ld) failed with %ld, and the program ran", index, call.number, error);
      ++tried;
      if (retried || call.number == __NR_read || call.number == __NR_signalfd4) continue;
      const SentError sent = last_error(stream_of(k));
      if (!sent.present) fail_msg("call %zu (number %ld) failed without a word", index, call.number);
      if (sent.header.error != (call.number == __NR_mmap ? ENOMEM : -error))
        fail_msg("call %zu (number %ld): errno %d instead of %ld", index, call.number, sent.header.error, -error);
    }
  }
  assert_true(tried > 500);
}

// A call that answers success and does nothing is what VERIFY is for.
void lies_are_found(void**) {
  const struct {
    long number;
    const char* text;
  } rows[] = {{__NR_setgroups, "number of groups"},
              {__NR_setresgid, "gid"},
              {__NR_setresuid, "uid"},
              {__NR_capset, "permitted"}};
  for (const auto& row : rows) {
    Kernel k = full_kernel();
    k.without_effect = {row.number};
    assert_false(run_init(k).executed);
    const SentError sent = last_error(k.replied.empty() ? k.sent : k.replied);
    assert_true(sent.present);
    if (row.number == __NR_capset) continue;  // the ambient set cannot be raised then: told before VERIFY
    assert_int_equal(sent.header.fault, static_cast<uint16_t>(wire::Fault::mismatch));
    assert_string_equal(sent.text.c_str(), row.text);
  }
}

// Each number of `verify` matters.
void every_verified_number_matters(void**) {
  const size_t verify = 20;
  for (size_t i = 0; i < wire::verify_fixed_numbers + 2; ++i) {
    if (i == 7 || i == 10) continue;  // the last capability and the flags: not compared but used
    auto plan = full_plan();
    assert_true(plan[verify].op == wire::Op::verify);
    plan[verify].numbers[i] ^= 2;
    Kernel k = full_kernel();
    k.to_read = launch_bytes(encode(plan));
    if (run_init(k).executed) fail_msg("number %zu of verify is not compared", i);
    assert_int_equal(last_error(k.replied).header.fault, static_cast<uint16_t>(wire::Fault::mismatch));
  }
}

void root_must_not_come_back(void**) {
  for (const long call : {__NR_setresuid, __NR_setresgid, __NR_setgroups}) {
    Kernel k = full_kernel();
    Kernel good = full_kernel();
    run_init(good);
    size_t last = 0;
    for (size_t i = 0; i < good.calls.size(); ++i)
      if (good.calls[i].number == call) last = i;
    k.fail_at = last;
    k.fail_with = 0;  // "fails" with success
    assert_false(run_init(k).executed);
    assert_int_equal(last_error(k.replied).header.fault, static_cast<uint16_t>(wire::Fault::regained));
  }
}

struct Failure {
  const char* name;
  std::function<void(Kernel&, std::vector<Operation>&)> arrange;
  wire::Op op;
  wire::Fault fault;
  int error;
  const char* pointer;
  const char* text;
};

void failures_name_their_cause(void**) {
  using wire::Fault;
  using wire::Op;
  const std::vector<Failure> rows = {
      {"missing directory", [](Kernel&, auto& plan) { plan[11].strings = {"/bin/none/deep"}; }, Op::chdir,
       Fault::directory, ENOENT, "/process/cwd", "/bin/none"},
      {"a file on the way", [](Kernel&, auto& plan) { plan[11].strings = {"/bin/sh/x"}; }, Op::chdir, Fault::directory,
       ENOTDIR, "/process/cwd", "/bin/sh"},
      {"no permission",
       [](Kernel& k, auto& plan) {
         plan[11].strings = {"/bin"};
         k.chdir_result["/bin"] = -EACCES;
       },
       Op::chdir, Fault::directory, EACCES, "/process/cwd", "/bin"},
      {"outside the root", [](Kernel& k, auto&) { k.getcwd_result = "(unreachable)/x"; }, Op::chdir, Fault::escaped, 0,
       "/process/cwd", "/"},
      {"no such program", [](Kernel&, auto& plan) { plan[12].strings = {"none", "/usr/bin:/bin"}; }, Op::find,
       Fault::not_found, ENOENT, "/process/args/0", "none"},
      {"no such path", [](Kernel&, auto& plan) { plan[12].strings = {"/bin/none", ""}; }, Op::find, Fault::system_call,
       ENOENT, "/process/args/0", "/bin/none"},
      {"a directory as program", [](Kernel&, auto& plan) { plan[12].strings = {"/bin", ""}; }, Op::find,
       Fault::not_executable, EACCES, "/process/args/0", "/bin"},
      {"not executable in PATH", [](Kernel& k, auto&) { k.files["/bin/sh"] = 0100644; }, Op::find,
       Fault::not_executable, EACCES, "/process/args/0", "sh"},
      {"a path that is too long", [](Kernel&, auto& plan) { plan[12].strings = {"/" + std::string(5000, 'x'), ""}; },
       Op::find, Fault::system_call, ENAMETOOLONG, "/process/args/0", nullptr},
      {"an empty name", [](Kernel&, auto& plan) { plan[12].strings = {"", "/bin"}; }, Op::find, Fault::not_found,
       ENOENT, "/process/args/0", ""},
      {"something mounted over /proc", [](Kernel& k, auto&) { k.proc_magic = 0x01021994; }, Op::oom_score_adj,
       Fault::system_call, EXDEV, "/process/oomScoreAdj", "/proc/self/oom_score_adj"},
      {"a uid of -1", [](Kernel&, auto& plan) { plan[10].numbers = {UINT32_MAX}; }, Op::uid, Fault::malformed, 0,
       "/process/user/uid", ""},
      {"a gid of 2^32", [](Kernel&, auto& plan) { plan[9].numbers = {uint64_t{1} << 32}; }, Op::gid, Fault::malformed,
       0, "/process/user/gid", ""},
      {"an unknown operation", [](Kernel&, auto& plan) { plan[5].op = static_cast<Op>(999); }, static_cast<Op>(999),
       Fault::malformed, 0, "/process/user/umask", ""},
      {"a number too few", [](Kernel&, auto& plan) { plan[2].numbers.pop_back(); }, Op::rlimit, Fault::malformed, 0,
       "/process/rlimits/0", ""},
      {"descriptors that differ", [](Kernel&, auto& plan) { plan[19].numbers = {3}; }, Op::descriptors,
       Fault::malformed, 0, "", ""},
      {"execve fails", [](Kernel& k, auto&) { k.deny[__NR_execve] = -ENOEXEC; }, Op::exec, Fault::system_call, ENOEXEC,
       "/process/args", "/bin/sh"},
      {"groups denied", [](Kernel& k, auto&) { k.deny[__NR_setgroups] = -EPERM; }, Op::groups, Fault::system_call,
       EPERM, "/process/user/additionalGids", ""},
      {"bounding denied", [](Kernel& k, auto&) { k.capabilities.effective &= ~(1ULL << CAP_SETPCAP); }, Op::bounding,
       Fault::system_call, EPERM, "/process/capabilities/bounding", ""},
  };
  for (const Failure& row : rows) {
    Kernel k = full_kernel();
    auto plan = full_plan();
    row.arrange(k, plan);
    k.to_read = launch_bytes(encode(plan));
    const Ending ending = run_init(k);
    const SentError sent = last_error(stream_of(k));
    if (ending.executed || !sent.present || sent.header.op != static_cast<uint16_t>(row.op) ||
        sent.header.fault != static_cast<uint16_t>(row.fault) || sent.header.error != row.error ||
        sent.pointer != row.pointer || (row.text != nullptr && sent.text != row.text))
      fail_msg("%s: executed %d, error %d, op %u, fault %u, errno %d, pointer '%s', text '%s'", row.name,
               ending.executed, sent.present, sent.header.op, sent.header.fault, sent.header.error,
               sent.pointer.c_str(), sent.text.c_str());
  }
}

// A stop, or somebody who traces init, can cut a write(2) short although every signal is blocked.
void an_interrupted_write_is_made_again(void**) {
  Kernel good = full_kernel();
  run_init(good);
  const auto write = std::ranges::find_if(good.calls, [](const Call& call) { return call.number == __NR_write; });
  assert_true(write != good.calls.end());
  Kernel k = full_kernel();
  k.fail_at = static_cast<size_t>(write - good.calls.begin());
  k.fail_with = -EINTR;
  assert_true(run_init(k).executed);
  assert_true(k.written[103] == "-17");
}

void many_groups(void**) {
  auto plan = full_plan();
  std::vector<uint64_t> groups;
  for (uint64_t gid = 1; gid <= 500; ++gid) groups.push_back(gid);
  plan[8].numbers = groups;
  plan[20].numbers.resize(wire::verify_fixed_numbers);
  plan[20].numbers.insert(plan[20].numbers.end(), groups.begin(), groups.end());
  Kernel k = full_kernel();
  k.to_read = launch_bytes(encode(plan));
  assert_true(run_init(k).executed);
  assert_int_equal(k.groups.size(), 500);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(good_plan_executes),
      cmocka_unit_test(one_byte_at_a_time),
      cmocka_unit_test(order_of_the_drop),
      cmocka_unit_test(every_failure_stops),
      cmocka_unit_test(lies_are_found),
      cmocka_unit_test(every_verified_number_matters),
      cmocka_unit_test(root_must_not_come_back),
      cmocka_unit_test(failures_name_their_cause),
      cmocka_unit_test(an_interrupted_write_is_made_again),
      cmocka_unit_test(many_groups),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
