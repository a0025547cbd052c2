// reaper-init against a model kernel: the container's root, what is mounted and made in it, what is hidden.
#include <asm/unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "init/kernel.h"
#include "unit/cmocka_cpp.h"

using namespace reaper;
using namespace reaper::test;

namespace {

using wire::Op;

Operation mount(uint64_t flags, std::vector<std::string> strings) {
  return {Op::mount, "/mounts/0", {flags, 0, 0, 0, 0, 0}, std::move(strings)};
}

std::vector<Operation> whole_root() {
  return {{Op::root, "/root/path", {}, {"/srv/root"}},
          mount(wire::mount_no_links, {"/proc", "proc", "proc"}),
          {Op::mount, "/mounts/1", {0, 2, 0, 0, 0, 0}, {"/dev", "tmpfs", "tmpfs", "mode=755", "noswap"}},
          {Op::mount,
           "/mounts/2",
           {wire::mount_bind | wire::mount_recursive, 1, 0, 2, 0, MS_SLAVE | MS_REC},
           {"/data/in/it", "/srv/data", "bind"}},
          {Op::device, "", {S_IFCHR | 0666, 0x103, 0, 5, 0}, {"/dev/null"}},
          {Op::link, "", {}, {"/dev/ptmx", "pts/ptmx"}},
          {Op::pivot, "/root/path", {}, {}},
          {Op::mask, "/linux/maskedPaths/0", {}, {"/proc/keys"}},
          {Op::mask, "/linux/maskedPaths/1", {}, {"/sys/firmware"}},
          {Op::mask, "/linux/maskedPaths/2", {}, {"/nothing"}},
          {Op::read_only_path, "/linux/readonlyPaths/0", {}, {"/proc/sys"}},
          {Op::read_only_path, "/linux/readonlyPaths/1", {}, {"/nothing"}},
          {Op::finish_root, "/linux/rootfsPropagation", {0, MS_SHARED}, {}},
          {Op::finish_root, "/root/readonly", {1, 0}, {}}};
}

Kernel kernel_for(const std::vector<Operation>& operations) {
  std::vector<Operation> plan = full_plan();
  plan.insert(plan.begin() + 2, operations.begin(), operations.end());
  Kernel k = full_kernel();
  k.files["/srv/root"] = 040755;
  k.files["/proc/keys"] = 0100444;
  k.files["/sys/firmware"] = 040755;
  k.files["/proc/sys"] = 040755;
  k.null_device = 0x103;
  k.proc_magic = 0;  // nothing but what is asked about by name is procfs
  k.to_read = launch_bytes(encode(plan));
  return k;
}

SentError failure_of(Kernel& k) {
  assert_false(run_init(k).executed);
  return last_error(k.sent);
}

bool has(const Kernel& k, const std::string& wanted) {
  return std::find(k.mounts.begin(), k.mounts.end(), wanted) != k.mounts.end();
}

void everything_is_made(void**) {
  std::vector<Operation> plan = whole_root();
  Kernel k = kernel_for(plan);
  k.proc_magic = 0x9fa0;  // for oom_score_adj; the model has one file system, and no mount lies in procfs by its flags
  for (Operation& one : plan)
    if (one.op == Op::mount) one.numbers[0] |= wire::mount_in_proc;
  std::vector<Operation> all = full_plan();
  all.insert(all.begin() + 2, plan.begin(), plan.end());
  k.to_read = launch_bytes(encode(all));
  if (!run_init(k).executed) fail_msg("%s: %d", last_error(k.sent).text.c_str(), last_error(k.sent).header.error);
  assert_true(has(k, "copy of /srv/root on /srv/root"));
  assert_true(has(k, "new proc on /proc"));
  assert_true(has(k, "new tmpfs on /dev"));
  assert_true(has(k, "copy of /srv/data on /data/in/it"));
  assert_true(has(k, "attributes of copy of /srv/data: 1 0 0"));
  assert_true(has(k, "attributes of copy of /srv/data: 2 0 0"));
  assert_true(has(k, "attributes of copy of /srv/data: 0 0 " + std::to_string(MS_SLAVE)));
  assert_true(has(k, "copy of /dev/null on /proc/keys"));
  assert_true(has(k, "new tmpfs on /sys/firmware"));
  assert_true(has(k, "copy of /proc/sys on /proc/sys"));
  assert_true(has(k, "attributes of copy of /proc/sys: 1 0 0"));
  assert_true(has(k, "attributes of /: 1 0 0"));
  assert_int_equal(k.propagation, MS_SHARED);
  assert_true((k.inside["/data"] & S_IFMT) == S_IFDIR && (k.inside["/data/in/it"] & S_IFMT) == S_IFDIR);
  assert_int_equal(k.inside["/dev/null"], S_IFCHR | 0666);
  assert_int_equal(k.inside["/dev/ptmx"], S_IFLNK);
  const std::vector<std::string> options = {"source=proc", "source=tmpfs", "mode=755", "noswap", "size=0"};
  assert_true(k.options == options);
  assert_true((k.open == std::set<int>{0, 1, 2, 102}));
}

// Each call once: the stage that made it says so, and nothing goes on.
void every_failure_stops(void**) {
  const struct {
    long call;
    Op op;
  } rows[] = {{__NR_open_tree, Op::root},      {__NR_move_mount, Op::root},  {__NR_fsopen, Op::mount},
              {__NR_fsconfig, Op::mount},      {__NR_fsmount, Op::mount},    {__NR_openat2, Op::mount},
              {__NR_fstatfs, Op::mount},       {__NR_fstat, Op::mount},      {__NR_mkdirat, Op::mount},
              {__NR_mount_setattr, Op::mount}, {__NR_mknodat, Op::device},   {__NR_fchownat, Op::device},
              {__NR_symlinkat, Op::link},      {__NR_pivot_root, Op::pivot}, {__NR_umount2, Op::pivot}};
  for (const auto& row : rows) {
    Kernel k = kernel_for(whole_root());
    k.deny[row.call] = -EPERM;
    const SentError error = failure_of(k);
    if (error.header.op != static_cast<uint16_t>(row.op) || error.header.error != EPERM)
      fail_msg("call %ld: operation %d, errno %d", row.call, error.header.op, error.header.error);
  }
}

void what_stands_in_procfs(void**) {
  Kernel k = kernel_for({whole_root()[0], mount(0, {"/a", "tmpfs", "tmpfs"})});
  k.proc_magic = 0x9fa0;
  assert_int_equal(failure_of(k).header.error, EPERM);
  Kernel wrong = kernel_for({whole_root()[0], mount(wire::mount_bind | wire::mount_must_be_proc, {"/proc", "/a", ""})});
  assert_int_equal(failure_of(wrong).header.error, EINVAL);
}

void devices_that_are_there(void**) {
  const std::vector<Operation> plan = {
      whole_root()[0], {Op::device, "/linux/devices/0", {S_IFCHR | 0600, 0x103, 0, 0, 0}, {"/dev/null"}}};
  Kernel other = kernel_for(plan);
  other.inside["/dev"] = S_IFDIR | 0755;
  other.inside["/dev/null"] = S_IFREG | 0644;
  other.files["null"] = 0100644;
  assert_int_equal(failure_of(other).header.error, EEXIST);
}

// What a loan has left is taken by the next one, of a plan for somebody who may make none; nothing else is covered.
void devices_lent_again(void**) {
  const auto plan = [](std::vector<uint64_t> numbers) {
    return kernel_for({whole_root()[0], {Op::device, "/linux/devices/0", std::move(numbers), {"/dev/null"}}});
  };
  const auto left = [](Kernel& k, uint32_t mode, uint32_t size) {
    k.inside["/dev"] = S_IFDIR | 0755;
    k.inside["/dev/null"] = mode;
    k.files["null"] = mode;
    k.file_size = size;
    k.files["copy of /dev/null"] = 020666;
    k.proc_magic = 0x9fa0;
  };
  Kernel k = plan({S_IFCHR | 0600, 0x103, 0, 0, wire::device_over_file});
  left(k, S_IFREG | 0600, 0);
  if (!run_init(k).executed) fail_msg("%s: %d", last_error(k.sent).text.c_str(), last_error(k.sent).header.error);
  assert_true(has(k, "copy of /dev/null on null"));
  const struct {
    uint32_t mode, size;
    bool lends;
  } rows[] = {{S_IFREG | 0600, 1, true}, {S_IFDIR | 0755, 0, true}, {S_IFREG | 0600, 0, false}};
  for (const auto& row : rows) {
    Kernel other = plan({S_IFCHR | 0600, 0x103, 0, 0, row.lends ? wire::device_over_file : 0});
    left(other, row.mode, row.size);
    assert_int_equal(failure_of(other).header.error, EEXIST);
  }
}

// Where none can be made, the host's is lent: the very device, or the errno of mknod(2).
void devices_of_the_host(void**) {
  const std::vector<Operation> plan = {
      whole_root()[0], {Op::device, "/linux/devices/0", {S_IFCHR | 0600, 0x103, 0, 0, 0}, {"/dev/null"}}};
  Kernel k = kernel_for(plan);
  k.no_devices = true;
  k.files["copy of /dev/null"] = 020666;
  k.files["null"] = 0100600;
  k.proc_magic = 0x9fa0;
  assert_true(run_init(k).executed);
  assert_true(has(k, "copy of /dev/null on null"));
  assert_int_equal(k.inside["/dev/null"], S_IFREG | 0600);
  Kernel other = kernel_for(plan);
  other.no_devices = true;
  other.files["copy of /dev/null"] = 020666;
  other.null_device = 0x105;
  assert_int_equal(failure_of(other).header.error, EPERM);
  Kernel no_device = kernel_for(plan);
  no_device.no_devices = true;
  no_device.files["copy of /dev/null"] = 0100666;
  assert_int_equal(failure_of(no_device).header.error, EPERM);
  for (const long number : {__NR_open_tree, __NR_fstat, __NR_openat, __NR_move_mount}) {
    Kernel fails = kernel_for({plan[1]});
    fails.no_devices = true;
    fails.files["copy of /dev/null"] = 020666;
    fails.deny[number] = -EPERM;
    assert_false(run_init(fails).executed);
  }
}

// Without pivot_root(2): the new root covers the old one.
void a_root_that_is_moved(void**) {
  const std::vector<Operation> plan = {whole_root()[0], {Op::move_root, "/root/path", {}, {}}};
  Kernel k = kernel_for(plan);
  k.proc_magic = 0x9fa0;
  assert_true(run_init(k).executed);
  const std::vector<std::string> wanted = {"copy of /srv/root on /srv/root", "copy of /srv/root on /", "chroot ."};
  assert_true(k.mounts == wanted);
  assert_true((k.open == std::set<int>{0, 1, 2, 102}));
  for (const long number : {__NR_fchdir, __NR_chroot, __NR_chdir}) {
    Kernel fails = kernel_for(plan);
    fails.deny[number] = -EPERM;
    const SentError error = failure_of(fails);
    assert_int_equal(error.header.error, EPERM);
  }
  Kernel without = kernel_for({plan[1]});
  assert_int_equal(failure_of(without).header.fault, static_cast<uint16_t>(wire::Fault::malformed));
}

// What waits for the network namespace: in what is the root by then, and nowhere else before.
void mounts_after_the_change_of_roots(void**) {
  const Operation late = mount(wire::mount_no_links | wire::mount_in_proc, {"/sys", "sysfs", "sysfs"});
  for (const Op change : {Op::pivot, Op::move_root}) {
    const std::vector<Operation> plan = {whole_root()[0], {change, "/root/path", {}, {}}, late};
    Kernel k = kernel_for(plan);
    k.proc_magic = 0x9fa0;  // for oom_score_adj
    std::vector<long> masks;
    k.tamper = [&](const Call& call) {
      if (call.number == __NR_umask) masks.push_back(call.arguments[0]);
    };
    if (!run_init(k).executed) fail_msg("%s: %d", last_error(k.sent).text.c_str(), last_error(k.sent).header.error);
    assert_true(has(k, "new sysfs on /sys"));
    assert_true((k.open == std::set<int>{0, 1, 2, 102}));
    // Of the gate; then twice nothing is taken from what is made, and it is the caller's again; the plan's own at last.
    assert_true((masks == std::vector<long>{0177, 022, 0, 022, 0, 022, 022}));
  }
  Kernel fails = kernel_for({whole_root()[0], {Op::pivot, "/root/path", {}, {}}, late});
  fails.deny[__NR_fsopen] = -EPERM;
  assert_int_equal(failure_of(fails).header.op, static_cast<uint16_t>(Op::mount));
}

void another_dev_null(void**) {
  Kernel k = kernel_for({{Op::mask, "/linux/maskedPaths/0", {}, {"/proc/keys"}}});
  k.null_device = 0x105;
  assert_int_equal(failure_of(k).header.error, ENODEV);
}

void remount_changes_what_is_there(void**) {
  Kernel k =
      kernel_for({whole_root()[0], {Op::mount, "/mounts/0", {wire::mount_remount, 1, 0, 0, 0, 0}, {"/there", "", ""}}});
  k.inside["/there"] = S_IFDIR | 0755;
  (void)run_init(k);
  assert_true(has(k, "attributes of /there: 1 0 0"));
  Kernel missing =
      kernel_for({whole_root()[0], {Op::mount, "/mounts/0", {wire::mount_remount, 1, 0, 0, 0, 0}, {"/not", "", ""}}});
  assert_int_equal(failure_of(missing).header.error, ENOENT);
}

// The library sends none: init believes nobody.
void paths_that_are_too_long(void**) {
  const std::string path = "/" + std::string(5000, 'a');
  Kernel of_mount = kernel_for({whole_root()[0], mount(0, {path, "tmpfs", "tmpfs"})});
  assert_int_equal(failure_of(of_mount).header.error, ENAMETOOLONG);
  Kernel of_link = kernel_for({whole_root()[0], {Op::link, "", {}, {path + "/b", "c"}}});
  assert_int_equal(failure_of(of_link).header.error, ENAMETOOLONG);
}

// Out of order, or with too little in them.
// By a remount at the mount's own descriptor, with all flags that are to stay; then the mount has its attributes again.
void versions_are_counted(void**) {
  constexpr long remount = MS_REMOUNT | MS_I_VERSION;
  const struct {
    std::vector<std::string> options;
    long flags;  // 0: no remount
  } rows[] = {{{"iversion"}, remount},
              {{"size=1m", "sync", "iversion", "lazytime"}, remount | MS_SYNCHRONOUS | MS_LAZYTIME},
              {{"sync", "mand", "iversion", "async", "nomand"}, remount},
              {{"iversion", "noiversion"}, 0},
              {{"noiversion", "iversion"}, remount},
              {{"sync"}, 0},
              {{"iversions", "sync"}, 0}};
  for (const auto& row : rows) {
    Operation mount = {
        Op::mount, "/mounts/0", {0, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV, 0, 0, 0}, {"/data", "tmpfs", "tmpfs"}};
    mount.strings.insert(mount.strings.end(), row.options.begin(), row.options.end());
    Kernel k = kernel_for({{Op::root, "/root/path", {}, {"/srv/root"}}, mount});
    (void)run_init(k);
    assert_int_equal(k.propagation, row.flags);
    assert_int_equal(has(k, "attributes of new tmpfs: 2 4 0"), row.flags != 0);
    assert_true(std::ranges::find(k.options, "iversion") == k.options.end());
    assert_true(std::ranges::find(k.options, "noiversion") == k.options.end());
    assert_int_equal(std::ranges::find(k.options, "sync") != k.options.end(),
                     std::ranges::find(row.options, "sync") != row.options.end());
  }
  Kernel k = kernel_for(
      {{Op::root, "/root/path", {}, {"/srv/root"}},
       {Op::mount, "/mounts/0", {0, MOUNT_ATTR_RDONLY, 0, 0, 0, 0}, {"/data", "/dev/vda", "ext4", "iversion"}}});
  k.deny[__NR_mount] = -EBUSY;
  const SentError error = failure_of(k);
  assert_int_equal(error.header.error, EBUSY);
  assert_string_equal(error.text.c_str(), "iversion");
  const auto call = std::ranges::find(k.calls, __NR_mount, &Call::number);
  assert_true(call != k.calls.end() && call->arguments[3] == (remount | MS_RDONLY));
}

void malformed_operations(void**) {
  const std::vector<Operation> rows[] = {{mount(0, {"/a", "b", "tmpfs"})},
                                         {whole_root()[0], mount(0, {"/a", "b"})},
                                         {{Op::pivot, "", {}, {}}},
                                         {{Op::link, "", {}, {"/a", "b"}}},
                                         {{Op::device, "", {0, 0, 0, 0, 0}, {"/a"}}}};
  for (const auto& plan : rows) {
    Kernel k = kernel_for(plan);
    assert_int_equal(failure_of(k).header.fault, static_cast<uint16_t>(wire::Fault::malformed));
  }
}

// Devices and links of one directory are made below one descriptor of it, which is not believed any more once something
// is mounted.
void one_directory_is_opened_once(void**) {
  std::vector<Operation> whole = whole_root();
  whole[2].numbers[0] |= wire::mount_in_proc;
  const auto device = [](const char* path) {
    return Operation{Op::device, "", {S_IFCHR | 0666, 0x103, 0, 0, 0}, {path}};
  };
  Kernel k = kernel_for({whole[0],
                         whole[2],
                         device("/dev/a"),
                         device("/dev/b"),
                         device("/deva"),
                         device("/dev/c"),
                         {Op::link, "", {}, {"/dev/d", "e"}},
                         whole[2],
                         device("/dev/f"),
                         whole[6]});
  k.proc_magic = 0x9fa0;  // for oom_score_adj
  std::vector<std::string> opened;
  k.tamper = [&](const Call& call) {
    if (call.number == __NR_openat2) opened.emplace_back(reinterpret_cast<const char*>(call.arguments[1]));
  };
  if (!run_init(k).executed) fail_msg("%s: %d", last_error(k.sent).text.c_str(), last_error(k.sent).header.error);
  for (const char* made : {"/dev/a", "/dev/b", "/deva", "/dev/c", "/dev/d", "/dev/f"})
    assert_true(k.inside.contains(made));
  // The mount makes its place, for a, the root for deva, for c; the second mount, for f.
  const std::vector<std::string> wanted = {"/dev", "/", "/dev", "/dev", "/", "/dev", "/dev", "/dev"};
  assert_true(opened == wanted);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(everything_is_made),
      cmocka_unit_test(every_failure_stops),
      cmocka_unit_test(what_stands_in_procfs),
      cmocka_unit_test(devices_that_are_there),
      cmocka_unit_test(another_dev_null),
      cmocka_unit_test(remount_changes_what_is_there),
      cmocka_unit_test(malformed_operations),
      cmocka_unit_test(paths_that_are_too_long),
      cmocka_unit_test(devices_lent_again),
      cmocka_unit_test(devices_of_the_host),
      cmocka_unit_test(a_root_that_is_moved),
      cmocka_unit_test(one_directory_is_opened_once),
      cmocka_unit_test(mounts_after_the_change_of_roots),
      cmocka_unit_test(versions_are_counted),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
