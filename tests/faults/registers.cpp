#include "faults/registers.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <cstddef>

#ifndef NT_ARM_SYSTEM_CALL
#define NT_ARM_SYSTEM_CALL 0x404
#endif

namespace reaper::walk {

#if defined(__x86_64__)

bool take_call_back(pid_t pid) {
  return ptrace(PTRACE_POKEUSER, pid, offsetof(user_regs_struct, orig_rax), -1L) == 0;
}

bool set_result(pid_t pid, long result) {
  return ptrace(PTRACE_POKEUSER, pid, offsetof(user_regs_struct, rax), result) == 0;
}

#elif defined(__aarch64__)

bool take_call_back(pid_t pid) {
  int number = -1;
  iovec set = {&number, sizeof number};
  return ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &set) == 0;
}

bool set_result(pid_t pid, long result) {
  user_regs_struct registers = {};
  iovec set = {&registers, sizeof registers};
  if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &set) != 0) return false;
  registers.regs[0] = static_cast<unsigned long long>(result);
  return ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &set) == 0;
}

#else
#error "ptrace registers of this architecture are not known here"
#endif

}  // namespace reaper::walk
