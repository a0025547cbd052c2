/* See denial.h. */
#include "denial.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness.h"

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#endif

#define LOAD(offset) ((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset)))
#define RETURN(value) ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (value)))
#define PASS_UNLESS(value, count) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (count)))
#define PASS_IF(value, count) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (count), 0))

int deny(const struct denial *denials, int count) {
  struct sock_filter code[100];
  unsigned short length = 0;
  if (count < 0 || count > 15) return 1;
  code[length++] = LOAD(offsetof(struct seccomp_data, arch));
  code[length++] = PASS_IF(OWN_ARCH, 1);
  code[length++] = RETURN(SECCOMP_RET_ALLOW);
  for (int i = 0; i < count; ++i) {
    const struct denial *denial = &denials[i];
    code[length++] = LOAD(offsetof(struct seccomp_data, nr));
    code[length++] = PASS_UNLESS((uint32_t)denial->call, denial->where != 0 ? 3 : 1);
    if (denial->where != 0) {
      const int argument = (denial->where > 0 ? denial->where : -denial->where) - 1;
      /* Both architectures have the low half first. */
      code[length++] = LOAD((uint32_t)(offsetof(struct seccomp_data, args) + 8U * (unsigned)argument));
      code[length++] = denial->where > 0 ? PASS_UNLESS(denial->value, 1) : PASS_IF(denial->value, 1);
    }
    code[length++] = RETURN(SECCOMP_RET_ERRNO | (uint32_t)denial->error);
  }
  code[length++] = RETURN(SECCOMP_RET_ALLOW);
  const struct sock_fprog program = {length, code};
  /* Without CAP_SYS_ADMIN a filter needs no_new_privs; with it, the programs may keep what they have. */
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0) return 0;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 1;
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0;
}

static int deny_nothing(void *argument) {
  (void)argument;
  return deny(NULL, 0);
}

int can_deny(void) {
  return in_child(deny_nothing, NULL) == 0;
}
