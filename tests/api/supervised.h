/* What the tests of supervised containers share. */
#ifndef REAPER_TESTS_API_SUPERVISED_H
#define REAPER_TESTS_API_SUPERVISED_H

#include "containers.h"

extern const char endless_program[]; /* a config: sleep 1000 */
reaper_create_options supervised(const struct scene *scene, const char *config);
reaper_container *must_supervise(const struct scene *scene, const char *id, const char *config);
/* The pid in the state directory's own file. */
pid_t supervisor_of(const struct scene *scene, const char *id);
void assert_state_says(const reaper_container *container, const char *part);
/* Waits until there is no such process, or only its zombie. */
void assert_goes(pid_t pid);
/* The pid that a script writes into a file of the place, with a newline. */
pid_t pid_in(const struct scene *scene, const char *name);
reaper_exit_status wait_by_id(const struct scene *scene, const char *id);

#endif
