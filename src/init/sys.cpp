// The few helpers that every stage of init needs.
#include "init/sys.h"

#include <linux/mman.h>

namespace reaper::init {

void* map_memory(size_t size) {
  const long result = call(__NR_mmap, nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return result < 0 && result > -4096 ? nullptr : reinterpret_cast<void*>(result);
}

void exit_now(int status) {
  for (;;) call(__NR_exit_group, status);
}

char* digits_before(char* end, uint64_t number) {
  do {
    *--end = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  return end;
}

size_t length_of(const char* text) {
  size_t length = 0;
  while (text[length] != '\0') ++length;
  return length;
}

}  // namespace reaper::init
