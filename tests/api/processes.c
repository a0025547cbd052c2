/* Further processes in a container, for the tests. */
#include "processes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

reaper_exec_options exec_options(const char *process) {
  reaper_exec_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.process = process;
  options.process_length = strlen(process);
  return options;
}

char *shell_process(const char *script, const char *more) {
  char *quoted = json_string(script);
  char *text =
      text_of("{\"args\":[\"/bin/sh\",\"-c\",%s],\"cwd\":\"/\",\"env\":[\"PATH=/bin:/usr/bin\"]%s}", quoted, more);
  free(quoted);
  return text;
}

reaper_process *must_exec_with(const reaper_container *container, const reaper_exec_options *options) {
  reaper_process *process = NULL;
  reaper_error *error = NULL;
  if (reaper_exec(container, options, &process, &error) != REAPER_OK) fail_msg("%s", reaper_error_message(error));
  assert_non_null(process);
  return process;
}

reaper_process *must_exec(const reaper_container *container, const char *process) {
  const reaper_exec_options options = exec_options(process);
  return must_exec_with(container, &options);
}

reaper_exit_status must_end(const reaper_process *process) {
  reaper_exit_status status;
  reaper_error *error = NULL;
  memset(&status, 0, sizeof status);
  status.size = sizeof status;
  if (reaper_process_wait(process, LIMIT_MS, &status, &error) != REAPER_OK) fail_msg("%s", reaper_error_message(error));
  return status;
}

char *output_of_exec(const reaper_container *container, reaper_exec_options options) {
  int ends[2];
  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  options.flags |= REAPER_EXEC_STDIO;
  options.stdio[0] = -1;
  options.stdio[1] = ends[1];
  options.stdio[2] = 2;
  reaper_process *process = must_exec_with(container, &options);
  close(ends[1]);
  char *text = calloc(1, 65536);
  size_t used = 0;
  ssize_t got;
  assert_non_null(text);
  while ((got = read(ends[0], text + used, 65535 - used)) > 0) used += (size_t)got;
  close(ends[0]);
  assert_int_equal(must_end(process).exit_code, 0);
  reaper_process_free(process);
  return text;
}

void refused_exec_with(const reaper_container *container, reaper_exec_options options, struct expected wanted) {
  reaper_process *process = NULL;
  reaper_error *error = NULL;
  assert_error(reaper_exec(container, &options, &process, &error), &error, &wanted);
  assert_null(process);
}

void refused_exec(const reaper_container *container, const char *process, struct expected wanted) {
  refused_exec_with(container, exec_options(process), wanted);
}

reaper_container *must_run(const struct scene *scene, const char *id, const char *config) {
  reaper_container *container = must_create(scene, id, config);
  must_start(container);
  return container;
}

reaper_container *running(const struct scene *scene, const char *id, const char *more) {
  char *config = shell_config("exec sleep 1000", more);
  reaper_container *container = must_run(scene, id, config);
  free(config);
  return container;
}

void end(reaper_container *container) {
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
}
