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

// The life of one that shares the caller's table of descriptors, and runs beside it on a stack of its own: it enters a
// new network namespace, sets the loopback device up, leaves a socket, and ends.
struct NetworkWork {
  int socket;               // of that namespace, in the caller's table; -1: there is none
  const char* failed_call;  // null: all went well
  int error;
};
int make_network(void* work);

// The system call `number` (clone3 or clone, with CLONE_VM) with three arguments; in the child it runs `main(argument)`
// and exits with the result. With CLONE_VFORK that is on the caller's stack below its frame, as vfork(2) does it, else
// on the stack that the call was given. In the parent, the call's result.
long raw_vfork(long number, long a, long b, long c, int (*main)(void*), void* argument) asm("reaper_raw_vfork");

}  // namespace reaper
