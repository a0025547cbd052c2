// Kernel parameters of the container's namespaces, and the clocks of a new time namespace. Both are files of procfs.
#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/sched.h>

#include "init/mounts.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

// A procfs that nobody can mount over (CVE-2025-52881). Where none can be made, because the host hides parts of its own
// (mount_too_revealing() of the kernel) or the mount or pid namespace is another's, the host's.
long open_private_proc() {
  const long context = call(__NR_fsopen, "proc", FSOPEN_CLOEXEC);
  long mount = context;
  if (mount >= 0) mount = call(__NR_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (mount >= 0) mount = call(__NR_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  if (context >= 0) call(__NR_close, context);
  if (mount != -EPERM) return mount;
  return call(__NR_openat, AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0);
}

}  // namespace

Outcome set_sysctl(const Operation& operation) {
  const char* const path = operation.string(0);
  const long proc = open_private_proc();
  if (proc < 0) return failed_call(proc, "proc");
  const long directory = call(__NR_openat, proc, "sys", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0);
  call(__NR_close, proc);
  if (directory < 0) return failed_call(directory, "proc/sys");
  const struct open_how how = {O_WRONLY | O_CLOEXEC, 0,
                               RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
  const long file = call(__NR_openat2, directory, path, &how, sizeof how);
  call(__NR_close, directory);
  if (file < 0) return failed_call(file, path);
  if (file_system_of(static_cast<int>(file)) != PROC_SUPER_MAGIC) {
    call(__NR_close, file);
    return failed_call(-EXDEV, path);
  }
  const char* const value = operation.string(1);
  return write_proc(static_cast<int>(file), value, length_of(value), path);
}

// For the children of this process, and so for itself when it has joined what they would be in: before Linux 6.3 no
// execve(2) does that.
Outcome set_time_offsets(const Operation& operation) {
  constexpr const char* path = "/proc/self/timens_offsets";
  char text[128];
  char* const end = text + sizeof text;
  char* begin = end;
  for (int clock = 1; clock >= 0; --clock) {
    const auto seconds = static_cast<int64_t>(operation.number(2 * clock));
    *--begin = '\n';
    begin = digits_before(begin, operation.number(2 * clock + 1));
    *--begin = ' ';
    begin = digits_before(begin, seconds < 0 ? 0 - static_cast<uint64_t>(seconds) : static_cast<uint64_t>(seconds));
    if (seconds < 0) *--begin = '-';
    *--begin = ' ';
    *--begin = clock == 0 ? '1' : '7';  // CLOCK_MONOTONIC, CLOCK_BOOTTIME
  }
  // Where it became root of a user namespace without an execve(2) since, its files are the host's root's.
  const long dumpable = call(__NR_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
  call(__NR_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
  int fd = -1;
  Outcome outcome = open_proc(path, fd);
  const long clocks = call(__NR_openat, AT_FDCWD, "/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC, 0);
  call(__NR_prctl, PR_SET_DUMPABLE, dumpable == 1 ? 1 : 0, 0, 0, 0);
  if (outcome.ok()) outcome = write_proc(fd, begin, static_cast<uint64_t>(end - begin), path);
  if (outcome.ok()) outcome = checked(clocks, "time_for_children");
  if (outcome.ok()) outcome = checked(call(__NR_setns, clocks, CLONE_NEWTIME), "setns");
  if (clocks >= 0) call(__NR_close, clocks);
  return outcome;
}

}  // namespace reaper::init
