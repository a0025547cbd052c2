/* A throw-away mount namespace: nothing can be changed but a file system of its own, and everything goes with it. */
#ifndef REAPER_TESTS_HOSTILE_SANDBOX_H
#define REAPER_TESTS_HOSTILE_SANDBOX_H

#include "harness.h"

/* For forked children: a mount namespace (and as an ordinary user a user namespace) in which every mount is read-only,
 * with a tmpfs over `directory`. 0: done; else an errno. */
int enter_sandbox(const char* directory);
/* Skips the test where none can be made. */
void need_sandbox(void);

/* Names, types, inodes, modes, times and contents of a tree, as text. free(3) it. */
char* picture_of_tree(const char* directory);

/* Runs a program with `words` (NULL ends them): its exit code, or 128 + signal. *said: what it wrote to 1 and 2. */
int run_words(const char* const words[], char** said);

#endif
