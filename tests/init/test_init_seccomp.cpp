// reaper-init against a model kernel: the filter comes last, what it denies is told all the same, and the capability
// that is held for it is given up.
#include <asm/unistd.h>
#include <linux/capability.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "init/kernel.h"
#include "unit/cmocka_cpp.h"

using namespace reaper;
using namespace reaper::test;

namespace {

constexpr uint64_t admin = uint64_t{1} << CAP_SYS_ADMIN;
constexpr uint64_t bind = 1U << CAP_NET_BIND_SERVICE;
constexpr uint64_t chown = 1U << CAP_CHOWN;
const std::vector<uint64_t> instructions = {0x20, 0x7fff000000000006};

// The full plan with a filter in front of its execve; `extra` as the plan for a program with set-user-id bits has it.
// `talks`: whether it is known to let pass what init has to say.
std::vector<Operation> plan_with_filter(uint64_t extra, bool talks = false) {
  std::vector<Operation> plan = full_plan();
  Operation filter{wire::Op::seccomp, "/linux/seccomp", {4, 1, extra, bind | chown, bind, bind, talks}, {"d1gest"}};
  filter.numbers.insert(filter.numbers.end(), instructions.begin(), instructions.end());
  plan.insert(plan.end() - 1, filter);
  if (extra == 0) return plan;
  std::erase_if(plan, [](const Operation& one) { return one.op == wire::Op::no_new_privs; });
  for (Operation& one : plan) {
    if (one.op == wire::Op::capabilities) one.numbers = {bind | chown | extra, bind | extra, bind};
    if (one.op != wire::Op::verify) continue;
    one.numbers[2] |= extra;
    one.numbers[3] |= extra;
    one.numbers[8] = 0;
  }
  return plan;
}

Kernel kernel_for(uint64_t extra) {
  Kernel k = full_kernel();
  k.to_read = launch_bytes(encode(plan_with_filter(extra)));
  return k;
}

std::vector<long> last_calls(const Kernel& k, size_t count) {
  std::vector<long> numbers;
  for (size_t i = k.calls.size() - count; i < k.calls.size(); ++i) numbers.push_back(k.calls[i].number);
  return numbers;
}

// What the page says, as an error frame.
SentError page_error(const Kernel& k) {
  assert_non_null(k.page);
  wire::ErrorPage head;
  memcpy(&head, k.page, sizeof head);
  if (head.size == 0) return {};
  return last_error(frame_bytes(wire::Frame::error, std::string(k.page + sizeof head, head.size)));
}

void the_filter_is_last(void**) {
  Kernel k = kernel_for(0);
  assert_true(run_init(k).executed);
  assert_true(k.filter == instructions);
  assert_int_equal(k.filter_flags, 4);
  assert_true((last_calls(k, 2) == std::vector<long>{__NR_seccomp, __NR_execve}));
  assert_false(page_error(k).present);
  assert_int_equal(k.passed.size(), 1);  // the page, with EXEC
}

void its_capability_goes_after_it(void**) {
  Kernel k = kernel_for(admin);
  assert_true(run_init(k).executed);
  assert_true((last_calls(k, 3) == std::vector<long>{__NR_seccomp, __NR_capset, __NR_execve}));
  assert_int_equal(k.capabilities.permitted, bind | chown);
  assert_int_equal(k.capabilities.effective, bind);
  assert_int_equal(k.capabilities.inheritable, bind);
}

// Flags with SECCOMP_FILTER_FLAG_NEW_LISTENER; the client's answer to the listener is `reply`.
Kernel notifying_kernel(const std::string& reply) {
  auto plan = plan_with_filter(0);
  plan[plan.size() - 2].numbers[0] = 8;
  Kernel k = full_kernel();
  k.to_read = launch_bytes(encode(plan));
  k.connections.back() += reply;
  return k;
}

void its_listener_is_handed_over(void**) {
  Kernel k = notifying_kernel(frame_bytes(wire::Frame::taken));
  assert_true(run_init(k).executed);
  assert_true((last_calls(k, 2) == std::vector<long>{__NR_close, __NR_execve}));
  assert_int_equal(k.passed.size(), 2);  // the page, with EXEC, and the listener
  assert_false(k.open.contains(301));
  assert_false(page_error(k).present);
  // The thread that hands it over was there before the filter.
  size_t clone = 0;
  size_t filter = 0;
  for (size_t i = 0; i < k.calls.size(); ++i) {
    if (k.calls[i].number == __NR_clone) clone = i;
    if (k.calls[i].number == __NR_seccomp) filter = i;
  }
  assert_true(clone != 0 && clone < filter);
}

// A client that is gone, that says something else, or a listener that cannot be sent: no program.
void a_listener_that_nobody_takes(void**) {
  for (const std::string& reply : {std::string(), frame_bytes(wire::Frame::go), std::string("x")}) {
    Kernel k = notifying_kernel(reply);
    const Ending ending = run_init(k);
    assert_false(ending.executed);
    assert_int_equal(ending.status, 1);
  }
  Kernel k = notifying_kernel(frame_bytes(wire::Frame::taken));
  k.filter_denies = {{__NR_sendmsg, -EPIPE}};  // the model does not tell threads apart
  const Ending ending = run_init(k);
  assert_false(ending.executed);
  assert_int_equal(page_error(k).header.error, EPIPE);
  assert_int_equal(page_error(k).header.op, wire::Op::seccomp);
}

// Without it, verify must not expect it, and the kernel refuses the filter.
void it_is_refused_without_privilege(void**) {
  Kernel k = kernel_for(0);
  k.without_effect.insert(__NR_prctl);
  assert_false(run_init(k).executed);
  assert_true(k.filter.empty());
}

void what_it_denies_stands_in_the_page(void**) {
  const struct {
    std::map<long, long> denies;
    uint64_t extra;
    wire::Op op;
    const char* text;
  } rows[] = {
      {{{__NR_execve, -EPERM}}, 0, wire::Op::exec, "/bin/sh"},
      {{{__NR_execve, -EPERM}, {__NR_sendto, -EPERM}}, 0, wire::Op::exec, "/bin/sh"},
      {{{__NR_capset, -EPERM}, {__NR_sendto, -EPERM}}, admin, wire::Op::seccomp, "capset"},
  };
  for (const auto& row : rows) {
    Kernel k = kernel_for(row.extra);
    k.filter_denies = row.denies;
    const Ending ending = run_init(k);
    assert_false(ending.executed);
    assert_int_equal(ending.status, 1);
    const SentError error = page_error(k);
    assert_true(error.present);
    assert_int_equal(error.header.op, row.op);
    assert_int_equal(error.header.error, EPERM);
    assert_string_equal(error.text.c_str(), row.text);
    assert_string_equal(error.pointer.c_str(), row.op == wire::Op::exec ? "/process/args" : "/linux/seccomp");
    assert_int_equal(last_error(k.replied).present, row.denies.size() == 1);
  }
}

// One that is known to let these pass needs no page; what fails then is said as ever. One that notifies does.
void what_passes_is_said_as_ever(void**) {
  const auto kernel = [](uint64_t flags, uint64_t extra) {
    auto plan = plan_with_filter(extra, true);
    plan[plan.size() - 2].numbers[0] = flags;
    Kernel k = full_kernel();
    k.to_read = launch_bytes(encode(plan));
    if (flags == 8) k.connections.back() += frame_bytes(wire::Frame::taken);
    return k;
  };
  Kernel k = kernel(4, 0);
  assert_true(run_init(k).executed);
  assert_true(k.filter == instructions);
  assert_true(k.passed.empty());
  assert_null(k.page);
  Kernel denied = kernel(4, 0);
  denied.filter_denies = {{__NR_execve, -ENOENT}};
  assert_int_equal(run_init(denied).status, 1);
  assert_int_equal(last_error(denied.replied).header.op, wire::Op::exec);
  assert_int_equal(last_error(denied.replied).header.error, ENOENT);
  Kernel keeps = kernel(4, admin);
  keeps.filter_denies = {{__NR_capset, -EPERM}};
  assert_false(run_init(keeps).executed);
  assert_int_equal(last_error(keeps.replied).header.op, wire::Op::seccomp);
  assert_string_equal(last_error(keeps.replied).text.c_str(), "capset");
  Kernel notifies = kernel(8, 0);
  assert_true(run_init(notifies).executed);
  assert_non_null(notifies.page);
}

// Every call of the way there that may fail: an error of the filter, and no program.
void every_failure_stops(void**) {
  for (const long number : {__NR_memfd_create, __NR_ftruncate, __NR_mmap, __NR_seccomp}) {
    Kernel good = kernel_for(0);
    assert_true(run_init(good).executed);
    size_t at = good.calls.size();
    while (good.calls[--at].number != number);
    Kernel k = kernel_for(0);
    k.fail_at = at;
    k.fail_with = -ENOSPC;
    assert_false(run_init(k).executed);
    const SentError error = last_error(k.replied);
    assert_true(error.present);
    assert_int_equal(error.header.op, wire::Op::seccomp);
    assert_int_equal(error.header.error, ENOSPC);
    assert_string_equal(error.pointer.c_str(), "/linux/seccomp");
  }
}

void every_failure_of_a_listener_stops(void**) {
  for (const long number : {__NR_clone, __NR_mmap, __NR_seccomp}) {
    Kernel good = notifying_kernel(frame_bytes(wire::Frame::taken));
    assert_true(run_init(good).executed);
    size_t at = good.calls.size();
    while (good.calls[--at].number != number);
    Kernel k = notifying_kernel(frame_bytes(wire::Frame::taken));
    k.fail_at = at;
    k.fail_with = -EAGAIN;
    assert_false(run_init(k).executed);
    const SentError error = last_error(k.replied);
    assert_int_equal(error.header.op, wire::Op::seccomp);
    assert_int_equal(error.header.error, number == __NR_mmap ? ENOMEM : EAGAIN);
    assert_string_equal(error.pointer.c_str(), "/linux/seccomp");
  }
}

void a_kernel_without_the_seal(void**) {
  Kernel good = kernel_for(0);
  assert_true(run_init(good).executed);
  size_t at = 0;
  while (good.calls[at].number != __NR_memfd_create) ++at;
  Kernel k = kernel_for(0);
  k.fail_at = at;
  k.fail_with = -EINVAL;
  assert_true(run_init(k).executed);
}

void too_long_and_too_short(void**) {
  for (const size_t count : {size_t{0}, size_t{4097}}) {
    auto plan = plan_with_filter(0);
    plan[plan.size() - 2].numbers.resize(wire::seccomp_fixed_numbers + count);
    Kernel k = full_kernel();
    k.to_read = launch_bytes(encode(plan));
    assert_false(run_init(k).executed);
    assert_int_equal(last_error(k.replied).header.fault, wire::Fault::malformed);
    assert_true(k.filter.empty());
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_filter_is_last),
      cmocka_unit_test(its_capability_goes_after_it),
      cmocka_unit_test(its_listener_is_handed_over),
      cmocka_unit_test(a_listener_that_nobody_takes),
      cmocka_unit_test(every_failure_of_a_listener_stops),
      cmocka_unit_test(it_is_refused_without_privilege),
      cmocka_unit_test(what_it_denies_stands_in_the_page),
      cmocka_unit_test(what_passes_is_said_as_ever),
      cmocka_unit_test(every_failure_stops),
      cmocka_unit_test(a_kernel_without_the_seal),
      cmocka_unit_test(too_long_and_too_short),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
