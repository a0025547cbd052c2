// The processes that stay: the supervisor and its record, and the one that reports how its child ended.
#include <asm/unistd.h>
#include <signal.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>

#include "init/kernel.h"
#include "store/files.h"
#include "unit/cmocka_cpp.h"

using namespace reaper;
using namespace reaper::test;

namespace {

constexpr long child = 4242;

Kernel kernel_with(wire::Op op) {
  auto plan = full_plan();
  std::vector<uint64_t> numbers;
  if (op == wire::Op::supervise) numbers = {0};
  plan.insert(plan.begin() + 1, {op, "", numbers, {}});
  Kernel k = full_kernel();
  k.to_read = launch_bytes(encode(plan));
  return k;
}

std::string cloned_frame() {
  const wire::Cloned cloned = {child};
  return frame_bytes(wire::Frame::cloned, {reinterpret_cast<const char*>(&cloned), sizeof cloned});
}

std::string ended_frame(int32_t code, int32_t status) {
  const wire::Ended ended = {code, status};
  return frame_bytes(wire::Frame::ended, {reinterpret_cast<const char*>(&ended), sizeof ended});
}

bool called(const Kernel& k, long number, long first = -1) {
  return std::any_of(k.calls.begin(), k.calls.end(), [&](const Call& call) {
    return call.number == number && (first < 0 || call.arguments[0] == first);
  });
}

// The child carries on with the plan as if nothing had happened, and nothing of its birth stays open.
void child_carries_on(void**) {
  for (const auto op : {wire::Op::supervise, wire::Op::report}) {
    Kernel k = kernel_with(op);
    assert_true(run_init(k).executed);
    assert_true(k.sent == frame_bytes(wire::Frame::ready));
    assert_true((k.open == std::set<int>{0, 1, 2, 102}));
  }
}

// It waits until the library was told of it; when nobody can tell any more, it ends.
void child_of_a_dead_parent_ends(void**) {
  for (const auto op : {wire::Op::supervise, wire::Op::report}) {
    Kernel k = kernel_with(op);
    k.told_to_go_on = false;
    const Ending ending = run_init(k);
    assert_false(ending.executed);
    assert_int_equal(ending.status, 1);
    assert_true(k.sent.empty());
  }
}

void supervisor_records_and_reaps(void**) {
  const struct {
    EndedChild end;
    ExitRecord wanted;
  } rows[] = {
      {{child, CLD_EXITED, 7}, {7, 0, false, 1700000000000000005, 1500000, 2250000, 1234}},
      {{child, CLD_EXITED, 0}, {0, 0, false, 1700000000000000005, 1500000, 2250000, 1234}},
      {{child, CLD_KILLED, SIGKILL}, {-1, SIGKILL, false, 1700000000000000005, 1500000, 2250000, 1234}},
      {{child, CLD_DUMPED, SIGSEGV}, {-1, SIGSEGV, true, 1700000000000000005, 1500000, 2250000, 1234}},
  };
  for (const auto& row : rows) {
    Kernel k = kernel_with(wire::Op::supervise);
    k.clone_result = child;
    k.ended = {{99, CLD_EXITED, 1}, row.end, {100, CLD_KILLED, 9}};  // two that were left to it
    const Ending ending = run_init(k);
    assert_false(ending.executed);
    assert_int_equal(ending.status, 0);
    assert_true(k.sent == cloned_frame());
    assert_true((k.passed == std::vector<long>{110}));
    assert_true((k.reaped == std::vector<long>{99, child, 100}));
    assert_string_equal(k.record_name.c_str(), "exit");
    const auto record = decode_exit(k.record);
    if (!record || *record != row.wanted) fail_msg("the record is '%s'", k.record.c_str());
    // Nothing but /dev/null, the state directory and the record.
    assert_true((k.open == std::set<int>{0, 1, 2, 3, 4}));
    assert_true(called(k, __NR_prctl, PR_SET_CHILD_SUBREAPER));
    assert_true(called(k, __NR_prctl, PR_SET_DUMPABLE));
  }
}

// Before there is a container, every failure is one of create's.
void failures_before_the_clone(void**) {
  const struct {
    long number;
    wire::Op op;
  } rows[] = {{__NR_pipe2, wire::Op::supervise},        {__NR_clone, wire::Op::supervise},
              {__NR_rt_sigaction, wire::Op::supervise}, {__NR_pipe2, wire::Op::report},
              {__NR_clone, wire::Op::report},           {__NR_rt_sigaction, wire::Op::report}};
  for (const auto& row : rows) {
    Kernel k = kernel_with(row.op);
    k.clone_result = child;
    k.deny[row.number] = -EAGAIN;
    const Ending ending = run_init(k);
    assert_int_equal(ending.status, 1);
    const SentError sent = last_error(k.sent);
    assert_true(sent.present);
    assert_int_equal(sent.header.op, static_cast<uint16_t>(row.op));
    assert_int_equal(sent.header.error, EAGAIN);
    assert_false(called(k, __NR_execve));
  }
}

// With the container there, no failure is a reason to leave it alone.
void failures_after_the_clone(void**) {
  for (const long number : {__NR_chdir, __NR_close_range, __NR_dup3, __NR_pwrite64, __NR_ftruncate, __NR_renameat2}) {
    Kernel k = kernel_with(wire::Op::supervise);
    k.clone_result = child;
    k.ended = {{child, CLD_EXITED, 3}};
    Kernel good = k;
    run_init(good);
    const auto clone =
        std::find_if(good.calls.begin(), good.calls.end(), [](const Call& call) { return call.number == __NR_clone; });
    const auto failing = std::find_if(clone, good.calls.end(), [&](const Call& call) { return call.number == number; });
    assert_true(failing != good.calls.end());
    k.fail_at = static_cast<size_t>(failing - good.calls.begin());
    k.fail_with = -EIO;
    const Ending ending = run_init(k);
    assert_int_equal(ending.status, 0);
    assert_true((k.reaped == std::vector<long>{child}));
    // A record that was not written whole has no name.
    if (number == __NR_pwrite64 || number == __NR_ftruncate) assert_string_equal(k.record_name.c_str(), "");
  }
}

void full_disk_is_told_at_create(void**) {
  Kernel k = kernel_with(wire::Op::supervise);
  k.deny[__NR_write] = -ENOSPC;
  assert_false(run_init(k).executed);
  const SentError sent = last_error(k.sent);
  assert_int_equal(sent.header.error, ENOSPC);
  assert_int_equal(sent.header.op, static_cast<uint16_t>(wire::Op::supervise));
}

void report_tells_how_it_ended(void**) {
  for (const EndedChild& end : {EndedChild{child, CLD_EXITED, 42}, EndedChild{child, CLD_KILLED, SIGTERM}}) {
    Kernel k = kernel_with(wire::Op::report);
    k.clone_result = child;
    k.ended = {{77, CLD_EXITED, 0}, end};
    assert_int_equal(run_init(k).status, 0);
    assert_true(k.sent == cloned_frame() + ended_frame(end.code, end.status));
    assert_true(k.killed.empty());
  }
}

// The library's end of file is its own death, or its patience at an end: nobody stays.
void report_ends_all_when_the_library_is_gone(void**) {
  Kernel k = kernel_with(wire::Op::report);
  k.clone_result = child;
  k.library_gone = true;
  k.children = "4242 77 ";
  k.ended = {{child, CLD_KILLED, SIGKILL}, {77, CLD_KILLED, SIGKILL}};
  assert_int_equal(run_init(k).status, 1);
  assert_true((k.killed == std::vector<long>{child, 77}));
  assert_true((k.reaped == std::vector<long>{child, 77}));
  assert_true(k.sent == cloned_frame());
}

// The program of a pod's sandbox: the identity as for any program, then signals and children.
Kernel pausing_kernel() {
  auto plan = full_plan();
  plan.erase(plan.begin() + 12);  // find
  plan.back() = {wire::Op::pause, "/annotations/a", {}, {"/pause"}};
  Kernel k = full_kernel();
  k.to_read = launch_bytes(encode(plan));
  return k;
}

void pause_stays_until_it_is_told_to_end(void**) {
  for (const uint32_t signal : {SIGTERM, SIGINT}) {
    Kernel k = pausing_kernel();
    k.ended = {{5, CLD_EXITED, 0}, {6, CLD_KILLED, 9}};
    // Before the start, signals are for init: they come when the program runs.
    k.on_close = [signal](Kernel& running, int fd) {
      if (fd == 102) running.signals = {SIGCHLD, signal};
    };
    const Ending ending = run_init(k);
    assert_false(ending.executed);
    assert_int_equal(ending.status, 0);
    assert_true((k.reaped == std::vector<long>{5, 6}));
    assert_true(k.replied == frame_bytes(wire::Frame::accepted) + frame_bytes(wire::Frame::exec));
    assert_true((k.open == std::set<int>{0, 1, 2}));
    assert_int_equal(k.uid[0], 1000);
    assert_false(called(k, __NR_execve));
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(child_carries_on),
      cmocka_unit_test(child_of_a_dead_parent_ends),
      cmocka_unit_test(supervisor_records_and_reaps),
      cmocka_unit_test(failures_before_the_clone),
      cmocka_unit_test(failures_after_the_clone),
      cmocka_unit_test(full_disk_is_told_at_create),
      cmocka_unit_test(report_tells_how_it_ended),
      cmocka_unit_test(report_ends_all_when_the_library_is_gone),
      cmocka_unit_test(pause_stays_until_it_is_told_to_end),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
