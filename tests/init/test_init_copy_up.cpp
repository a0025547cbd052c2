// reaper-init against a model kernel: tmpcopyup, and each call of it that may fail.
#include <asm/unistd.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "init/kernel.h"
#include "unit/cmocka_cpp.h"

using namespace reaper;
using namespace reaper::test;

namespace {

using wire::Op;
constexpr uint64_t whole = wire::mount_copy_up | wire::mount_copy_mode | wire::mount_copy_owner;

Kernel kernel_for(uint64_t flags) {
  std::vector<Operation> plan = full_plan();
  const Operation mount = {Op::mount, "/mounts/0", {flags, 1, 0, 0, 0, 0}, {"/a", "tmpfs", "tmpfs"}};
  plan.insert(plan.begin() + 2, {{Op::root, "/root/path", {}, {"/srv/root"}}, mount});
  Kernel k = full_kernel();
  k.files["/srv/root"] = 040755;
  k.inside["/a"] = S_IFDIR | 0755;
  k.proc_magic = 0;
  k.copies.originals = {{"", {S_IFDIR | 0711, "", {}}},
                        {"/d", {S_IFDIR | S_ISVTX | 0777, "", {{"user.d", "1"}}}},
                        {"/d/f", {S_IFREG | S_ISUID | 0755, "content", {{"security.capability", "v"}}}},
                        {"/l", {S_IFLNK | 0777, "/etc/passwd", {}}},
                        {"/m", {S_IFDIR | 0700, "", {}}},
                        {"/m/below", {S_IFREG | 0600, "of another mount", {}}},
                        {"/p", {S_IFIFO | 0600, "", {}}}};
  k.copies.mounted_over = "/m";
  k.to_read = launch_bytes(encode(plan));
  return k;
}

bool has(const Kernel& k, const std::string& wanted) {
  return std::find(k.mounts.begin(), k.mounts.end(), wanted) != k.mounts.end();
}

void everything_is_copied(void**) {
  Kernel k = kernel_for(whole);
  (void)run_init(k);
  auto& made = k.copies.made;
  assert_int_equal(made.size(), 6);
  assert_int_equal(made[""].mode, 0711);
  assert_int_equal(made["/d"].mode, S_IFDIR | S_ISVTX | 0777);
  assert_string_equal(made["/d"].attributes["user.d"].c_str(), "1");
  assert_int_equal(made["/d/f"].mode, S_IFREG | S_ISUID | 0755);
  assert_string_equal(made["/d/f"].content.c_str(), "content");
  assert_string_equal(made["/d/f"].attributes["security.capability"].c_str(), "v");
  assert_string_equal(made["/l"].content.c_str(), "/etc/passwd");
  assert_int_equal(made["/m"].mode, S_IFDIR | 0700);
  assert_int_equal(made["/p"].mode, S_IFIFO | 0600);
  // It becomes read-only when it is full, and is mounted then.
  const auto sealed = std::find(k.mounts.begin(), k.mounts.end(), "attributes of new tmpfs: 1 0 0");
  assert_true(sealed != k.mounts.end() && std::find(sealed, k.mounts.end(), "new tmpfs on /a") != k.mounts.end());
  for (const Call& call : k.calls)
    if (call.number == __NR_fsmount) assert_int_equal(call.arguments[2], 0);
  assert_true(k.copies.open_originals.empty() && k.copies.open_copies.empty());
}

void options_of_the_root(void**) {
  Kernel k = kernel_for(wire::mount_copy_up);
  (void)run_init(k);
  assert_false(k.copies.made.contains(""));
  Kernel none = kernel_for(0);
  (void)run_init(none);
  assert_true(none.copies.made.empty());
}

// What cannot be kept is no failure.
void what_is_not_to_be_had(void**) {
  for (const long number : {__NR_fchown, __NR_fsetxattr, __NR_fgetxattr, __NR_flistxattr})
    for (const long error : {-EPERM, -EINVAL, -EOPNOTSUPP}) {
      Kernel k = kernel_for(whole);
      k.deny[number] = error;
      (void)run_init(k);
      assert_true(has(k, "new tmpfs on /a"));
    }
}

void every_failure_stops(void**) {
  for (const long number : {__NR_openat2, __NR_getdents64, __NR_newfstatat, __NR_readlinkat, __NR_symlinkat,
                            __NR_mkdirat, __NR_mknodat, __NR_fchmod, __NR_fchown, __NR_fchownat, __NR_flistxattr,
                            __NR_fgetxattr, __NR_fsetxattr, __NR_utimensat, __NR_write}) {
    Kernel k = kernel_for(whole);
    const bool of_place = number == __NR_openat2;
    if (!of_place) k.deny[number] = -EIO;
    if (of_place)
      k.tamper = [](const Call& call) {
        if (call.number == __NR_openat2 && kernel->copies.open_copies.size() == 1 && !kernel->calls.empty())
          kernel->deny[__NR_openat2] = -EIO;
      };
    assert_false(run_init(k).executed);
    const SentError error = last_error(k.sent);
    if (error.header.error != EIO || error.pointer != "/mounts/0") fail_msg("call %ld: %s", number, error.text.c_str());
    assert_false(has(k, "new tmpfs on /a"));
  }
}

// Somebody puts another file there, between a look and an opening.
void what_has_changed(void**) {
  Kernel k = kernel_for(whole);
  k.copies.originals.erase("/d");
  k.copies.originals.erase("/d/f");
  k.copies.originals["/f"] = {S_IFREG | 0644, "content", {}};
  k.tamper = [](const Call& call) {
    if (call.number == __NR_newfstatat) kernel->copies.changes = "/f";
    if (call.number == __NR_fstat && kernel->copies.changes == "/f") kernel->copies.changes.clear();
  };
  assert_false(run_init(k).executed);
  assert_int_equal(last_error(k.sent).header.error, ESTALE);
  assert_string_equal(last_error(k.sent).text.c_str(), "f");
}

void too_deep(void**) {
  Kernel k = kernel_for(whole);
  std::string path;
  for (int i = 0; i < 210; ++i) k.copies.originals[path += "/x"] = {S_IFDIR | 0755, "", {}};
  assert_false(run_init(k).executed);
  assert_int_equal(last_error(k.sent).header.error, ELOOP);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(everything_is_copied),  cmocka_unit_test(options_of_the_root),
      cmocka_unit_test(what_is_not_to_be_had), cmocka_unit_test(every_failure_stops),
      cmocka_unit_test(what_has_changed),      cmocka_unit_test(too_deep),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
