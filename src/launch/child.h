// What runs between clone and exec, in the host's memory. See child.cpp for what that allows.
#pragma once

#include <cstddef>
#include <cstdint>

namespace reaper {

// Filled before the clone; the child only reads it, but for `failed_call` and `error`.
struct ChildWork {
  int init_image;
  const char* const* argv;
  const int* inherit;  // descriptors that reaper-init gets, by their numbers
  size_t inherit_count;
  uint64_t raise;                 // capabilities to carry through the exec by the ambient set; 0: nothing to do
  uint64_t permitted, effective;  // the caller's own
  uint64_t inheritable;           // the caller's own and what is raised

  const char* failed_call;  // null: execveat succeeded
  int error;
};

// The child's whole life. Never returns to its caller's frame: an exit status, for raw_vfork to end with.
int run_child(void* work);

// The life of a child that is wanted for its namespaces alone: it ends at once.
int end_child(void* nothing);

// The system call `number` (clone3 or clone, with CLONE_VM | CLONE_VFORK) with three arguments; in the child it runs
// `main(argument)` on the caller's stack below its frame, as vfork(2) does, and exits with the result. In the parent,
// the call's result.
long raw_vfork(long number, long a, long b, long c, int (*main)(void*), void* argument) asm("reaper_raw_vfork");

}  // namespace reaper
