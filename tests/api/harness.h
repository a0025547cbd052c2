/*
 * What the API tests share and that has nothing to do with the library: a place of their own, texts, children and a
 * look at the process itself. Nothing here calls reaper.h (test_host_unchanged is not linked to the library).
 */
#ifndef REAPER_TESTS_API_HARNESS_H
#define REAPER_TESTS_API_HARNESS_H

/* cmocka.h wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/types.h>

/* Generous: only a defect reaches it. Nothing is asserted about time. */
#define LIMIT_MS 60000

/* scripts/lib/report.py compares the reason with the expected ones. */
#define SKIP(reason)              \
  do {                            \
    printf("SKIP: %s\n", reason); \
    fflush(stdout);               \
    skip();                       \
  } while (0)

/* For children and threads, where cmocka's assertions must not be used: complains and returns 1. */
#define CHECK(condition)                                                             \
  do {                                                                               \
    if (!(condition)) {                                                              \
      dprintf(2, "%s:%d: this does not hold: %s\n", __FILE__, __LINE__, #condition); \
      return 1;                                                                      \
    }                                                                                \
  } while (0)

/* For helpers that tests and their forked children call: fails the test, or ends the child with 1. */
#define REQUIRE(condition)                                           \
  do {                                                               \
    if (!(condition)) fail_anywhere(#condition, __FILE__, __LINE__); \
  } while (0)
void fail_anywhere(const char *what, const char *file, int line) __attribute__((noreturn));

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* ---- Texts: malloc'ed, out of memory ends the program ---- */

char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* As a JSON string, with its quotes. */
char *json_string(const char *text);
/* The whole file (of /proc too), with a NUL behind it; NULL when it cannot be opened. */
char *read_whole(const char *path);
void write_whole(const char *path, const char *text);
/* The rest of the line that begins with `name` ("CapInh:"), without leading blanks; NULL: no such line. */
char *line_value(const char *text, const char *name);
/* Requires that `text` contains `part`, and shows both. */
void assert_contains(const char *text, const char *part);

/* ---- A place: a directory of this test alone, gone at its end ---- */

struct place {
  char *directory; /* 0755: tests that change the uid reach it */
  char *root;      /* for the state directory; not made */
  char *bundle;    /* an empty directory */
};
void place_make(struct place *place);
void place_remove(struct place *place);
/* For who makes and removes places and containers by the thousand: from now on places are in a tmpfs that nobody else
 * sees, as /run is one, where this process may make that. (ext4 steps over every inode that was freed in the last
 * seconds, one by one, before it gives another.) */
void work_in_memory(void);
/* A path in the place. */
char *path_in(const struct place *place, const char *name);
void remove_tree(const char *path);

/* ---- This process ---- */

/* What must be the same before and after: nothing may be left behind by a failure. */
struct census {
  int descriptors;
  int children; /* zombies too */
  int threads;
  int entries; /* in `directory`, all names; a missing directory counts 0 */
};
struct census take_census(const char *directory);
void assert_same_census(struct census before, struct census after);
int count_children(void);
int count_entries(const char *directory);
int kernel_is_at_least(int major, int minor);
int is_root(void);
/* Gives up a capability for good: from every set and from the bounding set, so that no exec gives it back. 0: done. */
int drop_capability(int number);
/* To an ordinary user without groups, for good; nothing where we are one already. 0: done. */
int become_ordinary(void);
#define ORDINARY_ID 12345
/* Bit `number` of a line of /proc/self/status such as "CapEff:". */
int holds_capability(const char *line, int number);
uint64_t capability_set(const char *status_text, const char *line);

/* ---- Children and time ---- */

/* Runs `body` in a forked child, which leaves by _exit with its result; that, or 128 + signal. */
int in_child(int (*body)(void *), void *argument);
/* As in_child(), in two steps. */
pid_t fork_body(int (*body)(void *), void *argument);
int exit_of(pid_t pid);
/* True as soon as `condition` says so, false after LIMIT_MS. */
int wait_until(int (*condition)(void *), void *argument);
/* Whether no process of this pid exists, or only its zombie. */
int is_gone(pid_t pid);
void sleep_ms(int milliseconds);

/* Threads that begin at the same moment. `body` gets its number; the sum of the results is returned. */
struct crew {
  int (*body)(void *argument, int number);
  void *argument;
};
int run_threads(int count, int (*body)(void *argument, int number), void *argument);

#endif
