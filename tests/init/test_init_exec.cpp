// A plan of exec, carried out in the child beside the one that has entered the container's namespaces: it has no gate,
// and what it says goes to the library by the handshake.
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
constexpr int container_pidfd = 8;

ProcessFacts caller() {
  constexpr uint64_t all = (uint64_t{1} << 41) - 1;
  ProcessFacts facts;
  facts.groups = {0};
  facts.capabilities = {all, all, 0, 0, all};
  facts.last_capability = 40;
  return facts;
}

Kernel exec_kernel(uint64_t namespaces, uint64_t outer = 0) {
  ExecProcess exec;
  exec.process.args = {"sh", "-c"};
  exec.process.env = {"A=1"};
  exec.process.cwd = "/";
  exec.process.exec_cpu_affinity = ExecCpuAffinity{{{1, 3}}, {{2, 2}, {64, 65}}};
  ExecPlanOptions options;
  options.namespaces = namespaces;
  options.outer_namespaces = outer;
  options.user = {{{0, 200000, 10}}, {{0, 200000, 10}}, false};
  const auto plan = make_exec_plan(exec, caller(), options);
  assert_true(plan.has_value());
  Kernel k = full_kernel();
  k.to_read = launch_bytes(encode(plan->operations));
  if ((namespaces & CLONE_NEWPID) != 0)
    k.to_read.insert(k.to_read.size() - sizeof(wire::FrameHeader), frame_bytes(wire::Frame::placed));
  k.connections.clear();
  return k;
}

constexpr uint64_t some = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET;

size_t call_of(const Kernel& k, long number, long argument = -1) {
  for (size_t i = 0; i < k.calls.size(); ++i)
    if (k.calls[i].number == number && (argument < 0 || k.calls[i].arguments[0] == argument)) return i;
  fail_msg("call %ld was not made", number);
  return 0;
}

void it_is_executed(void**) {
  Kernel k = exec_kernel(some);
  assert_true(run_init(k).executed);
  assert_true(k.executed == "/bin/sh");
  assert_int_equal(k.joined, some);
  assert_true(k.sent == frame_bytes(wire::Frame::ready) + frame_bytes(wire::Frame::exec));
  assert_true((k.open == std::set<int>{0, 1, 2, handshake}));
  assert_true(k.close_on_exec.contains(handshake));
  assert_int_equal(k.affinity[0], 4);  // the second list, after the first
  assert_int_equal(k.affinity[1], 3);
}

// Nobody in the container may trace it, or find a descriptor of the caller's in it (CVE-2016-9962).
void it_is_closed_before_it_enters(void**) {
  Kernel k = exec_kernel(some);
  assert_true(run_init(k).executed);
  const size_t entered = call_of(k, __NR_setns, container_pidfd);
  assert_true(call_of(k, __NR_prctl, 4) < entered);  // PR_SET_DUMPABLE
  const size_t cloned = call_of(k, __NR_clone);
  assert_true(entered < cloned);
  assert_int_equal(k.calls[entered + 1].number, __NR_close);
  assert_int_equal(k.calls[entered + 1].arguments[0], container_pidfd);
  assert_true((k.calls[cloned].arguments[0] & CLONE_PARENT) != 0);
}

// Into a user namespace: what does not belong to it first, and the pidfd until then; then its root, not dumpable.
void it_becomes_root_there(void**) {
  constexpr uint64_t inner = CLONE_NEWUSER | CLONE_NEWPID;
  Kernel k = exec_kernel(inner | CLONE_NEWNET, CLONE_NEWNET);
  k.groups = {0, 5};
  assert_true(run_init(k).executed);
  const size_t outer = call_of(k, __NR_setns, container_pidfd);
  assert_int_equal(k.calls[outer].arguments[1], CLONE_NEWNET);
  assert_int_equal(k.calls[outer + 1].number, __NR_setns);
  assert_int_equal(k.calls[outer + 1].arguments[1], inner);
  assert_int_equal(k.calls[outer + 2].number, __NR_close);
  const long root[] = {__NR_getgroups, __NR_setgroups, __NR_setresgid, __NR_setresuid,
                       __NR_capset,    __NR_prctl,     __NR_pipe2};
  for (size_t i = 0; i < std::size(root); ++i) assert_int_equal(k.calls[outer + 3 + i].number, root[i]);
  assert_int_equal(k.calls[outer + 8].arguments[0], 4);  // PR_SET_DUMPABLE
  assert_int_equal(k.calls[outer + 8].arguments[1], 0);
  assert_true(k.groups.empty());
  for (const long number : {__NR_getgroups, __NR_setgroups, __NR_setresgid, __NR_setresuid, __NR_capset}) {
    Kernel denied = exec_kernel(inner);
    denied.groups = {0, 5};
    denied.deny[number] = -EPERM;
    assert_false(run_init(denied).executed);
    const SentError sent = last_error(denied.sent);
    assert_int_equal(sent.header.op, static_cast<uint16_t>(wire::Op::become_root));
    assert_string_equal(sent.pointer.c_str(), "/linux/uidMappings");
  }
}

void without_namespaces(void**) {
  Kernel k = exec_kernel(0);
  assert_true(run_init(k).executed);
  assert_int_equal(k.joined, 0);
  for (const Call& call : k.calls) assert_true(call.number != __NR_clone && call.number != __NR_setns);
}

// In the one that has cloned: it is at its end, and says nothing but whom it has cloned.
void the_other_one_ends(void**) {
  Kernel k = exec_kernel(some);
  k.clone_result = 50;
  const Ending ending = run_init(k);
  assert_false(ending.executed);
  assert_int_equal(ending.status, 0);
  assert_int_equal(k.passed.size(), 1);
}

void nothing_runs_for_a_library_that_is_gone(void**) {
  for (const auto type : {wire::Frame::placed, wire::Frame::go}) {
    Kernel k = exec_kernel(some);
    k.to_read.resize(k.to_read.rfind(frame_bytes(type)));
    assert_false(run_init(k).executed);
  }
  Kernel deaf = exec_kernel(some);
  deaf.deny[__NR_sendto] = -EPIPE;
  assert_false(run_init(deaf).executed);
}

void failures_go_to_the_library(void**) {
  const struct {
    long number;
    wire::Op op;
    const char* pointer;
  } rows[] = {{__NR_setns, wire::Op::enter, "/linux/namespaces"},
              {__NR_clone, wire::Op::beside, "/linux/namespaces"},
              {__NR_pipe2, wire::Op::beside, "/linux/namespaces"},
              {__NR_sched_setaffinity, wire::Op::affinity, "/process/execCPUAffinity/initial"},
              {__NR_execve, wire::Op::exec, "/process/args"},
              {__NR_chdir, wire::Op::chdir, "/process/cwd"}};
  for (const auto& row : rows) {
    Kernel k = exec_kernel(some);
    k.deny[row.number] = -EACCES;
    assert_false(run_init(k).executed);
    const SentError sent = last_error(k.sent);
    assert_true(sent.present);
    assert_int_equal(sent.header.op, static_cast<uint16_t>(row.op));
    assert_int_equal(sent.header.error, EACCES);
    assert_string_equal(sent.pointer.c_str(), row.pointer);
  }
}

// The kernel may leave processors out, but none may be there that was not asked for.
void affinity_is_read_back(void**) {
  Kernel k = exec_kernel(some);
  k.without_effect = {__NR_sched_setaffinity};
  k.affinity[0] = 1;
  assert_false(run_init(k).executed);
  const SentError sent = last_error(k.sent);
  assert_int_equal(sent.header.fault, static_cast<uint16_t>(wire::Fault::mismatch));
  assert_string_equal(sent.text.c_str(), "CPU affinity");
}

void every_call_fails_once(void**) {
  Kernel whole = exec_kernel(some);
  assert_true(run_init(whole).executed);
  for (size_t i = 0; i < whole.calls.size(); ++i) {
    Kernel k = exec_kernel(some);
    k.fail_at = i;
    k.fail_with = -EPERM;
    if (!run_init(k).executed) continue;
    assert_int_equal(k.joined, some);
    assert_true((k.open == std::set<int>{0, 1, 2, handshake}));
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(it_is_executed),
      cmocka_unit_test(it_is_closed_before_it_enters),
      cmocka_unit_test(it_becomes_root_there),
      cmocka_unit_test(without_namespaces),
      cmocka_unit_test(the_other_one_ends),
      cmocka_unit_test(nothing_runs_for_a_library_that_is_gone),
      cmocka_unit_test(failures_go_to_the_library),
      cmocka_unit_test(affinity_is_read_back),
      cmocka_unit_test(every_call_fails_once),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
