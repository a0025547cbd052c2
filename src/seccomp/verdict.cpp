// What a filter says of a system call whose arguments nobody knows: classic BPF, as seccomp(2) runs it.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <bit>
#include <cstddef>
#include <optional>

#include "seccomp/filter.h"

namespace reaper {

namespace {

#if defined(__x86_64__)
constexpr uint32_t own_architecture = AUDIT_ARCH_X86_64;
#else
constexpr uint32_t own_architecture = AUDIT_ARCH_AARCH64;
#endif

// A word of struct seccomp_data that does not hang on the arguments.
std::optional<uint32_t> load(uint32_t offset, uint32_t system_call) {
  if (offset == offsetof(seccomp_data, nr)) return system_call;
  if (offset == offsetof(seccomp_data, arch)) return own_architecture;
  return std::nullopt;
}

bool jumps(const sock_filter& one, uint32_t a) {
  switch (BPF_OP(one.code)) {
    case BPF_JEQ:
      return a == one.k;
    case BPF_JGT:
      return a > one.k;
    case BPF_JGE:
      return a >= one.k;
    default:
      return (a & one.k) != 0;  // BPF_JSET
  }
}

}  // namespace

bool always_allows(std::span<const uint64_t> instructions, uint32_t system_call) {
  uint32_t a = 0;
  for (size_t pc = 0; pc < instructions.size(); ++pc) {
    const auto one = std::bit_cast<sock_filter>(instructions[pc]);
    switch (one.code) {
      case BPF_LD | BPF_W | BPF_ABS: {
        const auto word = load(one.k, system_call);
        if (!word) return false;
        a = *word;
        break;
      }
      case BPF_ALU | BPF_AND | BPF_K:
        a &= one.k;
        break;
      case BPF_JMP | BPF_JA:
        pc += one.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
      case BPF_JMP | BPF_JGT | BPF_K:
      case BPF_JMP | BPF_JGE | BPF_K:
      case BPF_JMP | BPF_JSET | BPF_K:
        pc += jumps(one, a) ? one.jt : one.jf;
        break;
      default:  // a return, or what libseccomp does not write
        return one.code == (BPF_RET | BPF_K) && one.k == SECCOMP_RET_ALLOW;
    }
  }
  return false;
}

}  // namespace reaper
