/* What the tests of hooks share: configs with hooks that are shell scripts, and what those have written. */
#ifndef REAPER_TESTS_API_HOOKS_H
#define REAPER_TESTS_API_HOOKS_H

#include "containers.h"

/* One hook that runs `script` in /bin/sh; each '@' in it is the place's directory. `more`: ",\"timeout\":1", or "". */
char *shell_hook(const struct scene *scene, const char *script, const char *more);

/* config.json of a program that sleeps, with these members of `hooks`; a shell_hook() each, which is freed. */
struct hook_list {
  const char *kind;
  char *hooks[4]; /* up to NULL */
};
char *hooks_config(struct hook_list *lists, size_t count);
/* With one list of one hook, and a poststop hook that appends "poststop\n" to @/log. */
char *hook_config(const struct scene *scene, const char *kind, const char *script, const char *more);

/* The file in the place, or "" where there is none; free(3) it. */
char *text_in(const struct scene *scene, const char *name);
void assert_text_in(const struct scene *scene, const char *name, const char *wanted);
/* The numbers in that file, at most `most`: pids that scripts have written. */
size_t numbers_in(const struct scene *scene, const char *name, pid_t *out, size_t most);
/* Waits until the file holds at least `count` of them. */
void await_numbers(const struct scene *scene, const char *name, size_t count);
/* Asserts that every process whose pid is in that file has ended, or ends soon. */
void assert_gone(const struct scene *scene, const char *name, size_t at_least);
/* Removes that file, if it is there. */
void forget(const struct scene *scene, const char *name);

/* A createRuntime hook that writes the pids of what it starts into the file "pids" and never ends by itself: create
   fails as expected, nothing of it lives on, nothing is left, and the poststop hook has run once. */
void assert_hook_is_ended(const struct scene *scene, const char *script, const char *more,
                          const struct expected *expected);

#endif
