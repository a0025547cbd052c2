// reaper-init against a model kernel: namespaces, the names in them, loopback and propagation.
#include <asm/unistd.h>
#include <linux/sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>

#include "init/kernel.h"
#include "unit/cmocka_cpp.h"

using namespace reaper;
using namespace reaper::test;

namespace {

std::vector<Operation> namespaces() {
  using wire::Op;
  return {{Op::first_process, "/linux/namespaces", {}, {}},
          {Op::unshare, "/linux/namespaces", {CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET}, {}},
          {Op::propagation, "/linux/namespaces", {MS_REC | MS_SLAVE}, {}},
          {Op::loopback, "/linux/namespaces", {}, {}},
          {Op::join, "/linux/namespaces/3/path", {CLONE_NEWIPC}, {"/run/ipc"}},
          {Op::hostname, "/hostname", {}, {"web-1"}},
          {Op::domainname, "/domainname", {}, {"example.org"}}};
}

Kernel kernel_for(const std::vector<Operation>& operations) {
  std::vector<Operation> plan = full_plan();
  plan.insert(plan.begin() + 1, operations.begin(), operations.end());
  Kernel k = full_kernel();
  k.own_pid = 1;
  k.files["/run/ipc"] = 0100444;
  k.to_read = launch_bytes(encode(plan));
  return k;
}

void everything_is_done(void**) {
  Kernel k = kernel_for(namespaces());
  assert_true(run_init(k).executed);
  assert_int_equal(k.unshared, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET);
  assert_int_equal(k.propagation, MS_REC | MS_SLAVE);
  assert_int_equal(k.joined, CLONE_NEWIPC);
  assert_string_equal(k.hostname.c_str(), "web-1");
  assert_string_equal(k.domainname.c_str(), "example.org");
  assert_int_equal(k.loopback_flags, 0x49);  // what it had (IFF_LOOPBACK, IFF_RUNNING) and IFF_UP
  assert_true((k.open == std::set<int>{0, 1, 2, 102}));
}

// Of each, the stage, the pointer and the errno.
void every_failure_stops(void**) {
  const struct {
    long call;
    wire::Op op;
    const char* pointer;
  } rows[] = {{__NR_unshare, wire::Op::unshare, "/linux/namespaces"},
              {__NR_mount, wire::Op::propagation, "/linux/namespaces"},
              {__NR_setns, wire::Op::join, "/linux/namespaces/3/path"},
              {__NR_sethostname, wire::Op::hostname, "/hostname"},
              {__NR_setdomainname, wire::Op::domainname, "/domainname"}};
  for (const auto& row : rows) {
    Kernel k = kernel_for(namespaces());
    k.deny[row.call] = -EPERM;
    assert_false(run_init(k).executed);
    const SentError error = last_error(k.sent);
    assert_int_equal(error.header.op, static_cast<uint16_t>(row.op));
    assert_int_equal(error.header.error, EPERM);
    assert_string_equal(error.pointer.c_str(), row.pointer);
  }
}

void the_loopback_interface(void**) {
  const std::vector<Operation> plan = {{wire::Op::loopback, "/linux/namespaces", {}, {}}};
  Kernel without = kernel_for(plan);
  without.interface_error = -ENODEV;
  assert_false(run_init(without).executed);
  assert_int_equal(last_error(without.sent).header.error, ENODEV);
  Kernel no_ipv4 = kernel_for(plan);
  size_t sockets = 0;
  no_ipv4.tamper = [&](const Call& call) {
    if (call.number == __NR_socket && call.arguments[0] == 2) ++sockets;
  };
  no_ipv4.no_ipv4 = true;
  assert_true(run_init(no_ipv4).executed);
  assert_int_equal(sockets, 1);
}

void not_the_first_process(void**) {
  Kernel k = kernel_for({{wire::Op::first_process, "/linux/namespaces", {}, {}}});
  k.own_pid = 7;
  assert_false(run_init(k).executed);
  assert_int_equal(last_error(k.sent).header.op, static_cast<uint16_t>(wire::Op::first_process));
}

void a_path_that_is_gone(void**) {
  Kernel k = kernel_for({{wire::Op::join, "/linux/namespaces/0/path", {CLONE_NEWNET}, {"/run/gone"}}});
  assert_false(run_init(k).executed);
  assert_string_equal(last_error(k.sent).text.c_str(), "/run/gone");
  assert_int_equal(last_error(k.sent).header.error, ENOENT);
}

// What a plan says too little or too much of is refused, never guessed.
void malformed_operations(void**) {
  const std::vector<Operation> rows[] = {{{wire::Op::unshare, "", {}, {}}},
                                         {{wire::Op::join, "", {1}, {}}},
                                         {{wire::Op::hostname, "", {}, {}}},
                                         {{wire::Op::supervise, "", {}, {}}},
                                         {{wire::Op::first_process, "", {1}, {}}}};
  for (const auto& plan : rows) {
    Kernel k = kernel_for(plan);
    assert_false(run_init(k).executed);
    assert_int_equal(last_error(k.sent).header.fault, static_cast<uint16_t>(wire::Fault::malformed));
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(everything_is_done),     cmocka_unit_test(every_failure_stops),
      cmocka_unit_test(the_loopback_interface), cmocka_unit_test(not_the_first_process),
      cmocka_unit_test(a_path_that_is_gone),    cmocka_unit_test(malformed_operations),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
