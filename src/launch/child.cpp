// Between clone and exec. The memory is the host's, its other threads run on, and its locks may be held: so nothing
// here allocates, locks, logs or touches errno, and nothing changes what hangs on the memory (setuid, PR_SET_DUMPABLE,
// setns). System calls only, by the numbers: fcntl, capset, prctl(PR_CAP_AMBIENT), execveat, exit_group; of a network
// namespace unshare, socket, ioctl, exit_group. Built without
// sanitizers, coverage and stack protector in every configuration; a test compares the undefined symbols of this object
// with an allow-list.
#include "launch/child.h"

#include <asm/errno.h>
#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <sys/socket.h>

#include "init/loopback.h"
#include "init/sys.h"

#if defined(__x86_64__)
// number, a, b, c, main, argument: rdi, rsi, rdx, rcx, r8, r9. The kernel keeps all but rax, rcx and r11.
asm(".text\n"
    ".hidden reaper_raw_vfork\n"
    ".globl reaper_raw_vfork\n"
    ".type reaper_raw_vfork, @function\n"
    "reaper_raw_vfork:\n"
    "  .cfi_startproc\n"
    "  mov %rdi, %rax\n"
    "  mov %rsi, %rdi\n"
    "  mov %rdx, %rsi\n"
    "  mov %rcx, %rdx\n"
    "  xor %r10d, %r10d\n"
    "  syscall\n"
    "  test %rax, %rax\n"
    "  jz 1f\n"
    "  ret\n"
    "1: xor %ebp, %ebp\n"
    "  and $-16, %rsp\n"
    "  mov %r9, %rdi\n"
    "  call *%r8\n"
    "  mov %eax, %edi\n"
    "  mov $231, %eax\n"  // exit_group
    "  syscall\n"
    "  hlt\n"
    "  .cfi_endproc\n"
    ".size reaper_raw_vfork, . - reaper_raw_vfork\n");
#elif defined(__aarch64__)
asm(".text\n"
    ".hidden reaper_raw_vfork\n"
    ".globl reaper_raw_vfork\n"
    ".type reaper_raw_vfork, %function\n"
    "reaper_raw_vfork:\n"
    "  .cfi_startproc\n"
    "  mov x8, x0\n"
    "  mov x9, x4\n"
    "  mov x10, x5\n"
    "  mov x0, x1\n"
    "  mov x1, x2\n"
    "  mov x2, x3\n"
    "  mov x3, #0\n"
    "  mov x4, #0\n"
    "  svc #0\n"
    "  cbz x0, 1f\n"
    "  ret\n"
    "1: mov x29, #0\n"
    "  mov x0, x10\n"
    "  blr x9\n"
    "  mov x8, #94\n"  // exit_group
    "  svc #0\n"
    "  brk #0\n"
    "  .cfi_endproc\n"
    ".size reaper_raw_vfork, . - reaper_raw_vfork\n");
#endif

namespace reaper {

namespace {

// One more exec is one more capability transition: what the caller holds goes into the inheritable and ambient sets, so
// that reaper-init holds it too. The caller's own sets do not change: credentials belong to the task, not to the
// memory.
const char* carry_capabilities(const ChildWork& work, long& result) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2];
  for (int half = 0; half < 2; ++half) {
    data[half].permitted = static_cast<uint32_t>(work.permitted >> (32 * half));
    data[half].effective = static_cast<uint32_t>(work.effective >> (32 * half));
    data[half].inheritable = static_cast<uint32_t>(work.inheritable >> (32 * half));
  }
  if ((result = init::call(__NR_capset, &header, data)) < 0) return "capset";
  for (int number = 0; number < 64; ++number) {
    if ((work.raise >> number & 1) == 0) continue;
    result = init::call(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0);
    if (result < 0) return "prctl(PR_CAP_AMBIENT_RAISE)";
  }
  return nullptr;
}

}  // namespace

int end_child(void*) {
  return 0;
}

int make_network(void* argument) {
  auto& work = *static_cast<NetworkWork*>(argument);
  const char* failed = "unshare";
  long result = init::call(__NR_unshare, CLONE_NEWNET);
  if (result >= 0) {
    failed = "socket";
    result = init::network_socket();
    const bool has_ipv4 = result != -EAFNOSUPPORT;  // without, any other will do, and there is nothing to set up
    if (!has_ipv4) result = init::call(__NR_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (result >= 0) work.socket = static_cast<int>(result);
    if (result >= 0 && has_ipv4) result = init::raise_loopback(result, failed);
  }
  work.error = static_cast<int>(-result);
  work.failed_call = result < 0 ? failed : nullptr;
  return 0;
}

int run_child(void* argument) {
  auto& work = *static_cast<ChildWork*>(argument);
  long result = 0;
  const char* failed = nullptr;
  for (size_t i = 0; i < work.inherit_count && failed == nullptr; ++i)
    if ((result = init::call(__NR_fcntl, work.inherit[i], F_SETFD, 0)) < 0) failed = "fcntl(F_SETFD)";
  if (failed == nullptr && work.raise != 0) failed = carry_capabilities(work, result);
  if (failed == nullptr) {
    // reaper-init needs no environment, and must not show the host's in /proc/PID/environ.
    static constexpr const char* no_environment[] = {nullptr};
    result = init::call(__NR_execveat, work.init_image, "", work.argv, no_environment, AT_EMPTY_PATH);
    failed = "execveat";
  }
  work.error = static_cast<int>(-result);
  work.failed_call = failed;
  return 127;
}

}  // namespace reaper
