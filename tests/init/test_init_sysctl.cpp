// reaper-init against a model kernel: kernel parameters by way of a procfs of its own, and the clocks of a time
// namespace.
#include <asm/unistd.h>
#include <linux/openat2.h>
#include <linux/sched.h>

#include <cerrno>

#include "init/kernel.h"
#include "unit/cmocka_cpp.h"

using namespace reaper;
using namespace reaper::test;

namespace {

constexpr const char* parameter = "net/ipv4/ip_forward";
constexpr const char* offsets = "/proc/self/timens_offsets";

Kernel kernel_for(const Operation& operation) {
  std::vector<Operation> plan = full_plan();
  plan.insert(plan.begin() + 1, operation);
  Kernel k = full_kernel();
  k.files["sys"] = 040755;
  k.files["/proc"] = 040755;
  k.files[offsets] = 0100644;
  k.files["/proc/self/ns/time_for_children"] = 0100444;
  k.inside[parameter] = 0100644;
  k.to_read = launch_bytes(encode(plan));
  return k;
}

Operation sysctl() {
  return {wire::Op::sysctl, "/linux/sysctl/net.ipv4.ip_forward", {}, {parameter, "1"}};
}

Operation clocks() {
  return {wire::Op::time_offsets, "/linux/timeOffsets", {static_cast<uint64_t>(-7), 5, 1000000, 0}, {}};
}

bool has_written(const Kernel& k, const std::string& text) {
  for (const auto& [fd, written] : k.written)
    if (written.starts_with(text)) return true;  // a later file may have its number
  return false;
}

// The file cannot be one that was mounted over a parameter, nor be reached by a link (CVE-2025-52881).
void a_parameter(void**) {
  Kernel k = kernel_for(sysctl());
  uint64_t resolve = 0;
  k.tamper = [&](const Call& call) {
    if (call.number == __NR_openat2) resolve = reinterpret_cast<const open_how*>(call.arguments[2])->resolve;
  };
  assert_true(run_init(k).executed);
  assert_int_equal(resolve, RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  assert_true(has_written(k, "1"));
  assert_true((k.open == std::set<int>{0, 1, 2, 102}));
}

void no_procfs_of_its_own(void**) {
  Kernel k = kernel_for(sysctl());
  k.deny[__NR_fsconfig] = -EPERM;
  assert_true(run_init(k).executed);
  assert_true(has_written(k, "1"));
  k = kernel_for(sysctl());
  k.deny[__NR_fsopen] = -EPERM;
  assert_true(run_init(k).executed);
  k = kernel_for(sysctl());
  k.deny[__NR_fsconfig] = -ENOMEM;
  assert_false(run_init(k).executed);
  assert_int_equal(last_error(k.sent).header.error, ENOMEM);
}

void what_is_no_parameter(void**) {
  Kernel k = kernel_for(sysctl());
  k.inside.erase(parameter);
  assert_false(run_init(k).executed);
  assert_int_equal(last_error(k.sent).header.error, ENOENT);
  assert_string_equal(last_error(k.sent).text.c_str(), parameter);
  k = kernel_for(sysctl());
  k.proc_magic = 0x01021994;  // TMPFS_MAGIC
  assert_false(run_init(k).executed);
  assert_int_equal(last_error(k.sent).header.error, EXDEV);
  assert_int_equal(last_error(k.sent).header.op, static_cast<uint16_t>(wire::Op::sysctl));  // not a later one's
  assert_string_equal(last_error(k.sent).text.c_str(), parameter);
}

void the_clocks(void**) {
  Kernel k = kernel_for(clocks());
  assert_true(run_init(k).executed);
  assert_true(has_written(k, "1 -7 5\n7 1000000 0\n"));
  assert_int_equal(k.joined, CLONE_NEWTIME);
  assert_true((k.open == std::set<int>{0, 1, 2, 102}));
}

void clocks_that_cannot_be_set(void**) {
  Kernel k = kernel_for(clocks());
  k.deny[__NR_setns] = -EPERM;
  assert_false(run_init(k).executed);
  assert_int_equal(last_error(k.sent).header.error, EPERM);
  assert_string_equal(last_error(k.sent).pointer.c_str(), "/linux/timeOffsets");
  k = kernel_for(clocks());
  k.files.erase(offsets);
  assert_false(run_init(k).executed);
  assert_false(k.joined != 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_parameter),
      cmocka_unit_test(no_procfs_of_its_own),
      cmocka_unit_test(what_is_no_parameter),
      cmocka_unit_test(the_clocks),
      cmocka_unit_test(clocks_that_cannot_be_set),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
