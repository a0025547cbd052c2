// Where the kernel enters reaper-init, and the four functions that the compiler may call on its own. Not part of the
// hosted test build.
#include <stddef.h>

#include "init/run.h"
#include "init/sys.h"

extern "C" {

// The compiler turns copies and comparisons into these even in freestanding code (GCC manual, "Standards").
void* memcpy(void* to, const void* from, size_t size) {
  auto* out = static_cast<unsigned char*>(to);
  const auto* in = static_cast<const unsigned char*>(from);
  while (size-- != 0) *out++ = *in++;
  return to;
}

void* memmove(void* to, const void* from, size_t size) {
  auto* out = static_cast<unsigned char*>(to);
  const auto* in = static_cast<const unsigned char*>(from);
  if (out < in) return memcpy(to, from, size);
  while (size-- != 0) out[size] = in[size];
  return to;
}

void* memset(void* to, int value, size_t size) {
  auto* out = static_cast<unsigned char*>(to);
  while (size-- != 0) *out++ = static_cast<unsigned char>(value);
  return to;
}

int memcmp(const void* left, const void* right, size_t size) {
  const auto* a = static_cast<const unsigned char*>(left);
  const auto* b = static_cast<const unsigned char*>(right);
  for (; size != 0; --size, ++a, ++b)
    if (*a != *b) return *a - *b;
  return 0;
}

// The stack as execve(2) leaves it: argc, then the argv pointers.
[[noreturn]] void reaper_init_main(long* stack) {
  reaper::init::exit_now(reaper::init::run(static_cast<int>(stack[0]), reinterpret_cast<char**>(stack + 1)));
}

}  // extern "C"

#if defined(__x86_64__)
asm(".globl _start\n"
    ".type _start, @function\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call reaper_init_main\n"
    "  hlt\n");
#else
asm(".globl _start\n"
    ".type _start, %function\n"
    "_start:\n"
    "  mov x29, #0\n"
    "  mov x30, #0\n"
    "  mov x0, sp\n"
    "  bl reaper_init_main\n"
    "  brk #0\n");
#endif
