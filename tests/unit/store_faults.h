// Trouble on order, for the tests of the store: a system call that fails, and a process killed before any of its calls.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include <csignal>
#include <functional>

#include "unit/store_fixture.h"

namespace reaper::test {

// From here on this process gets `number` from every such call. `argument` and `bits`: only from one whose argument has
// any of the bits.
inline bool deny(long call, int number, unsigned argument = 0, uint32_t bits = 0) {
  const auto low_word = static_cast<uint32_t>(offsetof(seccomp_data, args) + argument * sizeof(uint64_t));
  const auto answer = SECCOMP_RET_ERRNO | (static_cast<uint32_t>(number) & SECCOMP_RET_DATA);
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, static_cast<uint8_t>(bits == 0 ? 1 : 3)),
      bits == 0 ? sock_filter BPF_STMT(BPF_RET | BPF_K, answer)
                : sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low_word),
      bits == 0 ? sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
                : sock_filter BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, answer),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = sizeof program / sizeof *program, .filter = program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// Runs `work` in a child and kills it at its `stop`th stop at a system call: an odd one before, an even one after the
// call. Returns the child's pid, or 0 when `work` ended before, or `skipped` negated where tracing is not allowed.
inline pid_t killed_at(int stop, const std::function<int()>& work) {
  fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) return -1;
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(skipped);
    raise(SIGSTOP);
    _exit(work());
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) return -1;
  if (WIFEXITED(status)) return -WEXITSTATUS(status);
  for (int stops = 0; stops < stop; ++stops) {
    if (ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) != 0 || waitpid(child, &status, 0) != child) return -1;
    if (WIFEXITED(status)) return WEXITSTATUS(status) == 0 ? 0 : -1;
    if (!WIFSTOPPED(status)) return -1;
  }
  kill(child, SIGKILL);
  return wait_for(child) == 128 + SIGKILL ? child : -1;
}

}  // namespace reaper::test
