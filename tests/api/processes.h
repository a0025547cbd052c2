/* What the tests of exec share: process documents, and further processes in a container. */
#ifndef REAPER_TESTS_API_PROCESSES_H
#define REAPER_TESTS_API_PROCESSES_H

#include "containers.h"

/* Options of this document. */
reaper_exec_options exec_options(const char *process);
/* A process document for /bin/sh -c `script`, with `more` members. free(3) it. */
char *shell_process(const char *script, const char *more);

/* These assert success. */
reaper_process *must_exec(const reaper_container *container, const char *process);
reaper_process *must_exec_with(const reaper_container *container, const reaper_exec_options *options);
reaper_exit_status must_end(const reaper_process *process);
/* What it writes; it must exit with 0. */
char *output_of_exec(const reaper_container *container, reaper_exec_options options);

/* Fails as expected. */
void refused_exec(const reaper_container *container, const char *process, struct expected wanted);
void refused_exec_with(const reaper_container *container, reaper_exec_options options, struct expected wanted);

/* A container that runs. */
reaper_container *must_run(const struct scene *scene, const char *id, const char *config);
/* One that sleeps; `more` as for shell_config(). */
reaper_container *running(const struct scene *scene, const char *id, const char *more);
/* Deletes it by force, and frees the handle. */
void end(reaper_container *container);

#endif
