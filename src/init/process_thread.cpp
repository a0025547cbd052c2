// A second thread, for what must happen while this one may make no system call.
#include <linux/sched.h>

#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

constexpr uint64_t thread_flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

#if defined(REAPER_INIT_HOSTED)
// The model of the kernel has one thread, which does what the other would where that is waited for.
struct {
  void (*main)(void*);
  void* argument;
} waiting;
#else
struct Begin {  // on the new stack
  void (*main)(void*);
  void* argument;
};
static_assert(sizeof(Begin) == 16);
#endif

}  // namespace

#if defined(REAPER_INIT_HOSTED)
long start_thread(void (*main)(void*), void* argument, char* stack_end) {
  waiting = {main, argument};
  return call(__NR_clone, thread_flags, stack_end);
}

void let_thread_run() {
  waiting.main(waiting.argument);
}
#else
// The new thread returns from clone(2) with nothing on its stack but what stands in Begin.
long start_thread(void (*main)(void*), void* argument, char* stack_end) {
  auto* begin = reinterpret_cast<Begin*>(stack_end) - 1;
  *begin = {main, argument};
#if defined(__x86_64__)
  register long r10 asm("r10") = 0;
  register long r8 asm("r8") = 0;
  long result = __NR_clone;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "pop %%rax\n\t"
      "pop %%rdi\n\t"
      "call *%%rax\n\t"
      "mov %[exit], %%eax\n\t"
      "xor %%edi, %%edi\n\t"
      "syscall\n\t"
      "ud2\n"
      "1:"
      : "+a"(result)
      : "D"(thread_flags), "S"(begin), "d"(0L), "r"(r10), "r"(r8), [exit] "i"(__NR_exit)
      : "rcx", "r11", "memory", "cc");
  return result;
#else
  register long x8 asm("x8") = __NR_clone;
  register long x0 asm("x0") = static_cast<long>(thread_flags);
  register long x1 asm("x1") = reinterpret_cast<long>(begin);
  register long x2 asm("x2") = 0;
  register long x3 asm("x3") = 0;
  register long x4 asm("x4") = 0;
  asm volatile(
      "svc 0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, xzr\n\t"
      "mov x30, xzr\n\t"
      "ldp x9, x0, [sp], #16\n\t"
      "blr x9\n\t"
      "mov x0, xzr\n\t"
      "mov x8, %[exit]\n\t"
      "svc 0\n\t"
      "brk 1\n"
      "1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), [exit] "i"(__NR_exit)
      : "memory", "cc", "x9");
  return x0;
#endif
}

void let_thread_run() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("yield" ::: "memory");
#endif
}
#endif

}  // namespace reaper::init
