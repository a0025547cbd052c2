// System calls without libc. Results are as the kernel gives them: a negative errno is failure.
// Always inlined: src/launch/child.cpp uses them too, in a process where the test build's recorder must not appear.
// The hosted test build (REAPER_INIT_HOSTED) sends them to a recorder instead.
#pragma once

#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

namespace reaper::init {

#if defined(REAPER_INIT_HOSTED)
long raw_call(long number, long a, long b, long c, long d, long e, long f);
#elif defined(__x86_64__)
[[gnu::always_inline]] static inline long raw_call(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  long result = number;
  asm volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
[[gnu::always_inline]] static inline long raw_call(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#else
#error "reaper-init knows amd64 and arm64"
#endif

struct Argument {
  long value = 0;
  constexpr Argument() = default;
  Argument(int number) : value(number) {}
  Argument(unsigned number) : value(static_cast<long>(number)) {}
  Argument(long number) : value(number) {}
  Argument(unsigned long number) : value(static_cast<long>(number)) {}
  Argument(const volatile void* pointer) : value(reinterpret_cast<long>(pointer)) {}
};

[[gnu::always_inline]] static inline long call(long number, Argument a = {}, Argument b = {}, Argument c = {},
                                               Argument d = {}, Argument e = {}, Argument f = {}) {
  return raw_call(number, a.value, b.value, c.value, d.value, e.value, f.value);
}

// EINTR cannot happen while every signal is blocked, but a stop and a trace can still cut a call short.
template <class... Args>
long call_again(long number, Args... args) {
  long result;
  do result = call(number, args...);
  while (result == -4);  // EINTR
  return result;
}

// The system page size is at most 64 KiB on both architectures; lengths given to map_memory need no rounding.
void* map_memory(size_t size);  // null: out of memory

[[noreturn]] void exit_now(int status);

// Lets go of the code that only a container's making needs (image.ld): its pages need not stay with a process
// that waits. What is called of it all the same, the kernel brings back.
void release_setup();

size_t length_of(const char* text);

// Writes `number` in decimal so that it ends before `end`; 20 bytes are enough. The first digit.
char* digits_before(char* end, uint64_t number);

}  // namespace reaper::init
