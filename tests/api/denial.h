/* System calls that fail as a seccomp filter of a container engine makes them fail. Raw BPF: no library. */
#ifndef REAPER_TESTS_API_DENIAL_H
#define REAPER_TESTS_API_DENIAL_H

#include <stdint.h>

struct denial {
  long call; /* __NR_* */
  int error; /* what it fails with */
  int where; /* 0: always; N: only where argument N - 1 is `value` (its low half), -N: only where it is not */
  uint32_t value;
};

/* Whether filters are allowed here at all. */
int can_deny(void);
/* And whether the library can make some (containers.h). */
#define NEED_FILTERS()                                             \
  do {                                                             \
    if (!has_filters()) SKIP("this build has no libseccomp");      \
    if (!can_deny()) SKIP("seccomp filters are not allowed here"); \
  } while (0)
/* For this thread and all that it forks or executes, for good. 0: done. */
int deny(const struct denial *denials, int count);

#endif
