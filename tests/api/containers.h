/* What the API tests share and that calls the library: a runtime in a place of its own, configs, and whole lives. */
#ifndef REAPER_TESTS_API_CONTAINERS_H
#define REAPER_TESTS_API_CONTAINERS_H

#include "harness.h"
#include "reaper.h"

struct scene {
  struct place place;
  reaper_runtime *runtime;
};

/* cmocka's fixtures. The end deletes by force what a test left, and asserts that no child and no descriptor stays. */
int scene_setup(void **state);
int scene_teardown(void **state);
/* For children that need a scene of their own. */
void scene_open(struct scene *scene);
void scene_close(struct scene *scene);
/* in_child(), with a scene of the child's own: what the child denies itself reaches no other test. */
int in_child_with_scene(int (*body)(const struct scene *scene));

/* One container, made and deleted: the runtime handle then holds what it keeps open, and a census can be compared. */
void warm_up(const struct scene *scene);

/* Whether this build can make filters of system calls: reaper_features() says so. */
int has_filters(void);

/* config.json for /bin/sh -c `script`. `more` is put into the object `process`: ",\"oomScoreAdj\":5", or "". */
char *shell_config(const char *script, const char *more);
/* config.json with these members of `process`: "\"args\":[...],\"cwd\":\"/\"". */
char *process_config(const char *members);

/* In five namespaces of its own, in a root (made in the bundle) that has the host's programs, /proc and /dev in it.
 * `arguments`: "\"/bin/true\"". `more`: further mounts, ",{\"destination\":...}" or "". */
char *isolated_config(const struct scene *scene, const char *arguments, const char *more);

/* Options of this bundle and config text. */
reaper_create_options options_of(const struct scene *scene, const char *config);

/* These assert success. */
reaper_container *must_create(const struct scene *scene, const char *id, const char *config);
reaper_container *must_create_with(const struct scene *scene, const char *id, const reaper_create_options *options);
reaper_container *must_open(const struct scene *scene, const char *id);
void must_start(reaper_container *container);
reaper_exit_status must_wait(const reaper_container *container);
void must_delete(reaper_container *container); /* and frees the handle */
char *must_state(const reaper_container *container);
int must_status(const reaper_container *container);
pid_t must_pid(const reaper_container *container);

/* The whole life of a shell script: what it wrote to its standard output. Asserts that it exited with 0. */
char *output_of(const struct scene *scene, const char *script, const char *more);
/* The same for a config and flags in `options` (its stdio is set here). */
char *output_of_config(const struct scene *scene, const char *config, reaper_create_options options);

/* What an error must say. `number` and `stage` are compared too; `part` is part of the message. */
struct expected {
  int code;
  int number;
  const char *stage;
  const char *pointer;
  const char *part;
};
/* Asserts, frees the error and makes it NULL. A pointer to it, because the call stands in the first argument. */
void assert_error(int result, reaper_error **error, const struct expected *expected);
/* The same for threads and children: says on standard error what differs, and returns whether anything does. */
int error_differs(int result, reaper_error **error, const struct expected *expected);
/* Asserts the code alone, and that a whole error object came with it; frees it. */
void assert_code(int result, reaper_error **error, int code);

/* One life without any assertion, for threads and children: create, start, wait, delete; 0 when all went well. */
int quiet_life(reaper_runtime *runtime, const char *id, const char *config, int expected_exit);
/* Prints an error on stderr, frees it and returns 1. */
int complain(const char *what, reaper_error *error);

/* Whether reaper_check() says something else: as its first error what is expected, or with NULL no error at all. */
int check_differs(const struct scene *scene, const reaper_create_options *options, const struct expected *expected);

/* `text` with each '@' as the place's directory; free(3) it. */
char *filled(const struct scene *scene, const char *text);
/* Whether a create of these options fails in another way than expected, or gives a container. */
int create_differs(const struct scene *scene, const reaper_create_options *options, const struct expected *expected);
/* Fails as expected, and leaves nothing; and a preflight has foreseen it. */
void assert_create_fails(const struct scene *scene, const reaper_create_options *options,
                         const struct expected *expected);
/* The same where a preflight cannot know, or need not. */
void assert_create_fails_unforeseen(const struct scene *scene, const reaper_create_options *options,
                                    const struct expected *expected);

#endif
