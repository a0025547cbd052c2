/* See supervised.h. */
#include "supervised.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char endless_program[] =
    "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"}}";

reaper_create_options supervised(const struct scene *scene, const char *config) {
  reaper_create_options options = options_of(scene, config);
  options.flags = REAPER_CREATE_SUPERVISE;
  return options;
}

reaper_container *must_supervise(const struct scene *scene, const char *id, const char *config) {
  const reaper_create_options options = supervised(scene, config);
  return must_create_with(scene, id, &options);
}

static char *file_of(const struct scene *scene, const char *id, const char *name) {
  char *path = text_of("%s/%s/%s", scene->place.root, id, name);
  char *text = read_whole(path);
  free(path);
  return text;
}

pid_t supervisor_of(const struct scene *scene, const char *id) {
  char *line = file_of(scene, id, "supervisor");
  assert_non_null(line);
  const pid_t pid = (pid_t)strtol(line, NULL, 10);
  free(line);
  assert_true(pid > 1);
  return pid;
}

void assert_state_says(const reaper_container *container, const char *part) {
  char *state = must_state(container);
  assert_contains(state, part);
  reaper_free(state);
}

static int is_gone_now(void *pid) {
  return is_gone(*(pid_t *)pid);
}

void assert_goes(pid_t pid) {
  assert_true(wait_until(is_gone_now, &pid));
}

/* The pid that a script wrote into a file of the place. */
static int is_written(void *path) {
  char *text = read_whole(path);
  const int written = text != NULL && strchr(text, '\n') != NULL;
  free(text);
  return written;
}
pid_t pid_in(const struct scene *scene, const char *name) {
  char *path = path_in(&scene->place, name);
  assert_true(wait_until(is_written, path));
  char *text = read_whole(path);
  const pid_t pid = (pid_t)strtol(text, NULL, 10);
  free(text);
  free(path);
  assert_true(pid > 1);
  return pid;
}

reaper_exit_status wait_by_id(const struct scene *scene, const char *id) {
  reaper_container *other = must_open(scene, id);
  const reaper_exit_status status = must_wait(other);
  reaper_container_free(other);
  return status;
}
