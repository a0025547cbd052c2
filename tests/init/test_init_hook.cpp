// A hook's plan, carried out in the child that `report` clones: it has no gate and no state directory, and what it says
// goes to the library by the handshake.
#include <asm/unistd.h>
#include <linux/sched.h>

#include <cerrno>
#include <cstring>

#include "init/kernel.h"
#include "unit/cmocka_cpp.h"

using namespace reaper;
using namespace reaper::test;

namespace {

constexpr int handshake = 7;

// Of root, as full_kernel() is after execveat(2) of reaper-init; the caller itself has nothing inheritable.
ProcessFacts caller() {
  constexpr uint64_t all = (uint64_t{1} << 41) - 1;
  ProcessFacts facts;
  facts.groups = {0};
  facts.capabilities = {all, all, 0, 0, all};
  facts.last_capability = 40;
  return facts;
}

Kernel hook_kernel(const HookPlace& place = {}) {
  const Hook hook = {.path = "/bin/sh", .args = {"sh", "-c"}, .env = {"A=1"}};
  const auto plan = make_hook_plan(hook, "/hooks/prestart/0", "/", caller(), place);
  assert_true(plan.has_value());
  Kernel k = full_kernel();
  std::vector<int32_t> extra;
  if (place.namespaces != 0) extra.push_back(*k.open.insert(9).first);
  k.to_read = launch_bytes(encode(plan->operations), extra);
  const int32_t none = -1;
  memcpy(&k.to_read[sizeof(wire::FrameHeader)], &none, sizeof none);  // LaunchHeader::state_directory
  k.open.erase(8);
  k.connections.clear();
  return k;
}

void a_hook_is_executed(void**) {
  Kernel k = hook_kernel();
  assert_true(run_init(k).executed);
  assert_true(k.executed == "/bin/sh");
  assert_true((k.argv == std::vector<std::string>{"sh", "-c"}));
  assert_true((k.envp == std::vector<std::string>{"A=1"}));
  assert_true(k.sent == frame_bytes(wire::Frame::exec));
  // The library hears of the execve by its end of file: the handshake must not outlive it.
  assert_true((k.open == std::set<int>{0, 1, 2, handshake}));
  assert_true(k.close_on_exec.contains(handshake));
  assert_true(k.capabilities.inheritable == 0 && k.capabilities.ambient == 0);
}

HookPlace place_of(uint64_t namespaces, bool path_inside) {
  HookPlace place;
  place.namespaces = namespaces;
  place.path_inside = path_inside;
  return place;
}

// A pid namespace is joined by the one that stays above, the others by the hook alone; and the path is looked up before
// them or after.
void a_hook_inside(void**) {
  for (const bool inside : {false, true}) {
    Kernel k = hook_kernel(place_of(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET, inside));
    assert_true(run_init(k).executed);
    std::string order;
    for (const Call& call : k.calls) {
      if (call.number == __NR_clone) order += "clone ";
      if (call.number == __NR_faccessat) order += "find ";
      if (call.number == __NR_chdir) order += "chdir ";
      if (call.number != __NR_setns) continue;
      assert_int_equal(call.arguments[0], hook_place_descriptor);
      order += call.arguments[1] == CLONE_NEWPID ? "pid " : "join ";
      assert_true(call.arguments[1] == CLONE_NEWPID || call.arguments[1] == (CLONE_NEWNS | CLONE_NEWNET));
    }
    assert_true((k.open == std::set<int>{0, 1, 2, handshake}));
    assert_string_equal(order.c_str(), inside ? "pid clone join find chdir " : "pid clone find join chdir ");
    Kernel denied = hook_kernel(place_of(CLONE_NEWNS, inside));
    denied.deny[__NR_setns] = -EPERM;
    assert_false(run_init(denied).executed);
    assert_int_equal(last_error(denied.sent).header.op, static_cast<uint16_t>(wire::Op::join_process));
  }
}

void nothing_begins_for_a_library_that_is_gone(void**) {
  Kernel k = hook_kernel();
  k.deny[__NR_sendto] = -EPIPE;
  const Ending ending = run_init(k);
  assert_false(ending.executed);
  assert_int_equal(ending.status, 1);
}

void failures_go_to_the_library(void**) {
  const struct {
    long number;
    wire::Op op;
    const char* pointer;
  } rows[] = {{__NR_execve, wire::Op::exec, "/hooks/prestart/0/path"},
              {__NR_faccessat, wire::Op::find, "/hooks/prestart/0/path"},
              {__NR_chdir, wire::Op::chdir, "/hooks/prestart/0"},
              {__NR_setsid, wire::Op::session, ""}};
  for (const auto& row : rows) {
    Kernel k = hook_kernel();
    k.deny[row.number] = -EACCES;
    assert_false(run_init(k).executed);
    const SentError sent = last_error(k.sent);
    assert_true(sent.present);
    assert_int_equal(sent.header.op, static_cast<uint16_t>(row.op));
    assert_int_equal(sent.header.error, EACCES);
    assert_string_equal(sent.pointer.c_str(), row.pointer);
  }
}

// In the one that stays above the hook: how that ended is told, or nothing.
void an_end_that_is_not_known_is_not_told(void**) {
  constexpr long pid = 50;
  const wire::Ended ended = {1, 3};  // CLD_EXITED
  const std::string told =
      frame_bytes(wire::Frame::ended, std::string(reinterpret_cast<const char*>(&ended), sizeof ended));
  Kernel k = hook_kernel();
  k.clone_result = pid;
  k.ended = {{pid, ended.code, ended.status}};
  Kernel deaf = k;
  deaf.deny[__NR_waitid] = -EPERM;
  assert_int_equal(run_init(k).status, 0);
  assert_true(k.sent.ends_with(told));
  assert_int_equal(run_init(deaf).status, 1);
  assert_true(deaf.sent == k.sent.substr(0, k.sent.size() - told.size()));
}

// Every call made to fail in its turn: no crash, and what is executed all the same is what the plan has verified.
void every_call_fails_once(void**) {
  Kernel whole = hook_kernel();
  assert_true(run_init(whole).executed);
  for (size_t i = 0; i < whole.calls.size(); ++i) {
    Kernel k = hook_kernel();
    k.fail_at = i;
    k.fail_with = -EPERM;
    if (!run_init(k).executed) continue;
    assert_true(k.capabilities.inheritable == 0 && k.capabilities.ambient == 0);
    assert_true(k.sent == frame_bytes(wire::Frame::exec));
    assert_true((k.open == std::set<int>{0, 1, 2, handshake}));
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_hook_is_executed),         cmocka_unit_test(nothing_begins_for_a_library_that_is_gone),
      cmocka_unit_test(failures_go_to_the_library), cmocka_unit_test(an_end_that_is_not_known_is_not_told),
      cmocka_unit_test(every_call_fails_once),      cmocka_unit_test(a_hook_inside),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
