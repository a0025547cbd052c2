/* See hooks.h. */
#include "hooks.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *shell_hook(const struct scene *scene, const char *script, const char *more) {
  char *text = filled(scene, script);
  char *quoted = json_string(text);
  char *hook =
      text_of("{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\",%s],\"env\":[\"PATH=/usr/sbin:/usr/bin:/sbin:/bin\"]%s}",
              quoted, more);
  free(quoted);
  free(text);
  return hook;
}

char *hooks_config(struct hook_list *lists, size_t count) {
  char *members = text_of("%s", "");
  for (size_t i = 0; i < count; ++i) {
    char *list = text_of("%s", "");
    for (size_t j = 0; j < COUNT_OF(lists[i].hooks) && lists[i].hooks[j] != NULL; ++j) {
      char *longer = text_of("%s%s%s", list, j == 0 ? "" : ",", lists[i].hooks[j]);
      free(list);
      free(lists[i].hooks[j]);
      lists[i].hooks[j] = NULL;
      list = longer;
    }
    char *longer = text_of("%s%s\"%s\":[%s]", members, i == 0 ? "" : ",", lists[i].kind, list);
    free(list);
    free(members);
    members = longer;
  }
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"},\"hooks\":{%s}}",
      members);
  free(members);
  return config;
}

char *hook_config(const struct scene *scene, const char *kind, const char *script, const char *more) {
  struct hook_list lists[] = {{kind, {shell_hook(scene, script, more)}},
                              {"poststop", {shell_hook(scene, "echo poststop >> @/log", "")}}};
  return hooks_config(lists, COUNT_OF(lists));
}

char *text_in(const struct scene *scene, const char *name) {
  char *path = path_in(&scene->place, name);
  char *text = read_whole(path);
  free(path);
  return text != NULL ? text : text_of("%s", "");
}

void assert_text_in(const struct scene *scene, const char *name, const char *wanted) {
  char *text = text_in(scene, name);
  if (strcmp(text, wanted) != 0) dprintf(2, "%s holds \"%s\" and should hold \"%s\"\n", name, text, wanted);
  REQUIRE(strcmp(text, wanted) == 0);
  free(text);
}

size_t numbers_in(const struct scene *scene, const char *name, pid_t *out, size_t most) {
  char *text = text_in(scene, name);
  size_t count = 0;
  const char *end = strrchr(text, '\n'); /* the last line may still be written */
  for (char *at = text; end != NULL && at < end && count < most; ++count) out[count] = (pid_t)strtol(at, &at, 10);
  free(text);
  return count;
}

struct awaited {
  const struct scene *scene;
  const char *name;
  size_t count;
};

static int has_numbers(void *argument) {
  const struct awaited *awaited = argument;
  pid_t pids[64];
  return numbers_in(awaited->scene, awaited->name, pids, COUNT_OF(pids)) >= awaited->count;
}

void await_numbers(const struct scene *scene, const char *name, size_t count) {
  struct awaited awaited = {scene, name, count};
  REQUIRE(wait_until(has_numbers, &awaited));
}

static int has_gone(void *pid) {
  return is_gone(*(pid_t *)pid);
}

void assert_gone(const struct scene *scene, const char *name, size_t at_least) {
  pid_t pids[64];
  const size_t count = numbers_in(scene, name, pids, COUNT_OF(pids));
  REQUIRE(count >= at_least);
  for (size_t i = 0; i < count; ++i) REQUIRE(wait_until(has_gone, &pids[i]));
}

void forget(const struct scene *scene, const char *name) {
  char *path = path_in(&scene->place, name);
  unlink(path);
  free(path);
}

void assert_hook_is_ended(const struct scene *scene, const char *script, const char *more,
                          const struct expected *expected) {
  warm_up(scene);
  const struct census before = take_census(scene->place.root);
  char *config = hook_config(scene, "createRuntime", script, more);
  const reaper_create_options options = options_of(scene, config);
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  assert_error(reaper_create(scene->runtime, "hooked", &options, &container, &error), &error, expected);
  assert_gone(scene, "pids", 1);
  assert_same_census(before, take_census(scene->place.root));
  assert_text_in(scene, "log", "poststop\n");
  forget(scene, "log");
  forget(scene, "pids");
  free(config);
}
