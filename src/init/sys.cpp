// The few helpers that every stage of init needs.
#include "init/sys.h"

#include <linux/mman.h>

namespace reaper::init {

// Where image.ld puts its pages.
extern const char setup_begin[] asm("reaper_setup_begin");
extern const char setup_end[] asm("reaper_setup_end");

void* map_memory(size_t size) {
  const long result = call(__NR_mmap, nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return result < 0 && result > -4096 ? nullptr : reinterpret_cast<void*>(result);
}

void exit_now(int status) {
  call(__NR_exit_group, status);
  __builtin_trap();  // a filter may deny even that
}

// Fault-around has mapped all of the image at its first fault (Linux 3.15). Nothing depends on this: no result is
// looked at.
void release_setup() {
  call(__NR_madvise, setup_begin, setup_end - setup_begin, MADV_DONTNEED);
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
