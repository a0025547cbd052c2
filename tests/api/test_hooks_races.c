/* What others do while hooks run: other operations on the container, and the deaths of everybody who has a part in it.
 */
#include "hooks.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A hook that tells its pid, and its parent's, and then waits until @/go exists. */
static const char waiting[] = "echo $$ >> @/pids; echo $PPID >> @/keepers; until [ -e @/go ]; do sleep 0.01; done";

static void let_go(const struct scene *scene) {
  char *path = path_in(&scene->place, "go");
  write_whole(path, "");
  free(path);
}

/* ---- others look on ---- */

struct creator {
  const struct scene *scene;
  const char *config;
  const char *kind;     /* "startContainer" or "poststart": it is started, too */
  const char *expected; /* in the error's message; NULL: success */
};

/* In a forked child: a creator of its own, with a runtime handle of its own. */
static int create_and_start(void *argument) {
  const struct creator *creator = argument;
  struct scene scene = *creator->scene;
  const reaper_runtime_options runtime_options = {.size = sizeof runtime_options, .root = scene.place.root};
  CHECK(reaper_runtime_new(&runtime_options, &scene.runtime, NULL) == REAPER_OK);
  const reaper_create_options options = options_of(&scene, creator->config);
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  int result = reaper_create(scene.runtime, "watched", &options, &container, &error);
  if (result == REAPER_OK && strstr(creator->kind, "start") != NULL && strcmp(creator->kind, "prestart") != 0)
    result = reaper_start(container, &error);
  const int as_expected = creator->expected == NULL
                              ? result == REAPER_OK
                              : result != REAPER_OK && strstr(reaper_error_message(error), creator->expected) != NULL;
  if (!as_expected) return complain(creator->kind, error);
  reaper_error_free(error);
  reaper_container_free(container);
  reaper_runtime_free(scene.runtime);
  return 0;
}

static void assert_refused(int result, reaper_error **error, const char *part) {
  assert_int_equal(result, REAPER_ERR_STATUS);
  assert_contains(reaper_error_message(*error), part);
  reaper_error_free(*error);
  *error = NULL;
}

static void test_others_during_create(void **state) {
  const struct scene *scene = *state;
  char *config = hook_config(scene, "createRuntime", waiting, "");
  struct creator creator = {scene, config, "createRuntime", NULL};
  const pid_t pid = fork_body(create_and_start, &creator);
  await_numbers(scene, "pids", 1);
  reaper_container *container = must_open(scene, "watched");
  reaper_error *error = NULL;
  assert_int_equal(must_status(container), REAPER_STATUS_CREATING);
  const pid_t init = must_pid(container);
  assert_false(is_gone(init));
  char *seen = must_state(container);
  char *part = text_of("\"status\":\"creating\",\"pid\":%d", (int)init);
  assert_contains(seen, part);
  reaper_free(seen);
  char *list = NULL;
  assert_int_equal(reaper_list(scene->runtime, &list, NULL), REAPER_OK);
  assert_contains(list, "\"status\":\"creating\"");
  assert_contains(list, part + strlen("\"status\":\"creating\","));
  reaper_free(list);
  free(part);
  assert_refused(reaper_kill(container, SIGTERM, 0, &error), &error, "is still being created");
  assert_refused(reaper_start(container, &error), &error, "is still being created");
  assert_refused(reaper_delete(container, 0, &error), &error, "is creating, not stopped");
  const reaper_create_options options = options_of(scene, config);
  reaper_container *other = NULL;
  assert_code(reaper_create(scene->runtime, "watched", &options, &other, &error), &error, REAPER_ERR_EXISTS);
  let_go(scene);
  assert_int_equal(exit_of(pid), 0);
  /* The handle that was opened before the commit sees what became of it. */
  seen = must_state(container);
  assert_contains(seen, "\"status\":\"created\"");
  reaper_free(seen);
  assert_int_equal(must_pid(container), init);
  reaper_container_free(container);
  assert_int_equal(reaper_delete_id(scene->runtime, "watched", REAPER_DELETE_FORCE, NULL), REAPER_OK);
  assert_text_in(scene, "log", "poststop\n");
  free(config);
}

static void test_one_start_at_a_time(void **state) {
  const struct scene *scene = *state;
  char *config = hook_config(scene, "startContainer", waiting, "");
  struct creator creator = {scene, config, "startContainer", NULL};
  const pid_t pid = fork_body(create_and_start, &creator);
  await_numbers(scene, "pids", 1);
  reaper_container *container = must_open(scene, "watched");
  reaper_error *error = NULL;
  assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
  char *part = text_of("is being started by process %d", (int)pid);
  assert_refused(reaper_start(container, &error), &error, part);
  free(part);
  assert_refused(reaper_delete(container, 0, &error), &error, "is created, not stopped");
  let_go(scene);
  assert_int_equal(exit_of(pid), 0);
  assert_int_equal(must_status(container), REAPER_STATUS_RUNNING);
  assert_refused(reaper_start(container, &error), &error, "is running, not created");
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  free(config);
}

/* Deleted by force by somebody else: what waits for the hook fails, and the poststop hooks run once. */
static void test_forced_delete_meanwhile(void **state) {
  const struct scene *scene = *state;
  warm_up(scene);
  const struct census before = take_census(scene->place.root);
  static const struct {
    const char *kind, *expected;
  } rows[] = {{"prestart", "was deleted while its hooks ran"},
              {"createContainer", "was deleted while its hooks ran"},
              {"startContainer", "does not exist"},
              {"poststart", NULL}}; /* its program has run: that was the start */
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *config = hook_config(scene, rows[i].kind, waiting, "");
    struct creator creator = {scene, config, rows[i].kind, rows[i].expected};
    const pid_t pid = fork_body(create_and_start, &creator);
    await_numbers(scene, "pids", 1);
    assert_int_equal(reaper_delete_id(scene->runtime, "watched", REAPER_DELETE_FORCE, NULL), REAPER_OK);
    assert_int_equal(count_entries(scene->place.root), 0);
    assert_text_in(scene, "log", "poststop\n");
    let_go(scene);
    assert_int_equal(exit_of(pid), 0);
    assert_text_in(scene, "log", "poststop\n");
    assert_same_census(before, take_census(scene->place.root));
    static const char *const files[] = {"go", "log", "pids", "keepers"};
    for (size_t j = 0; j < COUNT_OF(files); ++j) forget(scene, files[j]);
    free(config);
  }
}

/* ---- deaths ---- */

/* kill -9 of who waits for a hook: the hook ends, and the id is as usable as after any killed create or start. */
static void test_creator_killed(void **state) {
  const struct scene *scene = *state;
  for (int by_force = 0; by_force < 2; ++by_force) {
    char *config =
        hook_config(scene, "createRuntime",
                    "echo $$ >> @/pids; setsid sleep 1000 & echo $! >> @/pids; echo $PPID >> @/pids; wait", "");
    struct creator creator = {scene, config, "createRuntime", NULL};
    const pid_t pid = fork_body(create_and_start, &creator);
    await_numbers(scene, "pids", 3);
    reaper_container *container = must_open(scene, "watched");
    const pid_t init = must_pid(container);
    reaper_container_free(container);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(exit_of(pid), 128 + SIGKILL);
    assert_gone(scene, "pids", 3);
    if (by_force) {
      assert_int_equal(reaper_delete_id(scene->runtime, "watched", REAPER_DELETE_FORCE, NULL), REAPER_OK);
    } else {
      container = must_create(scene, "watched", "{\"ociVersion\":\"1.0.0\"}");
      assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
      reaper_container_free(container);
    }
    assert_true(is_gone(init));
    assert_int_equal(count_entries(scene->place.root), 0);
    assert_text_in(scene, "log", "poststop\n"); /* those of the one that was killed: its hooks had begun */
    forget(scene, "log");
    forget(scene, "pids");
    free(config);
  }
}

static int start_survivor(void *argument) {
  const struct scene *scene = argument;
  const reaper_runtime_options options = {.size = sizeof options, .root = scene->place.root};
  reaper_runtime *runtime = NULL;
  reaper_container *container = NULL;
  CHECK(reaper_runtime_new(&options, &runtime, NULL) == REAPER_OK);
  CHECK(reaper_open(runtime, "survivor", &container, NULL) == REAPER_OK);
  return reaper_start(container, NULL) != REAPER_OK;
}

/* kill -9 of a start in its startContainer hooks: the container can still be started. */
static void test_starter_killed(void **state) {
  struct scene *scene = *state;
  char *config = hook_config(scene, "startContainer", waiting, "");
  reaper_container *container = must_create(scene, "survivor", config);
  const pid_t pid = fork_body(start_survivor, scene);
  await_numbers(scene, "pids", 1);
  assert_int_equal(kill(pid, SIGKILL), 0);
  assert_int_equal(exit_of(pid), 128 + SIGKILL);
  assert_gone(scene, "pids", 1);
  assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
  let_go(scene);
  must_start(container);
  assert_int_equal(must_status(container), REAPER_STATUS_RUNNING);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  free(config);
}

/* A hook that ends the one above it, which is to say how it ended: whatever it does then, it has failed, and it does
 * not live on. */
static void test_hook_kills_its_keeper(void **state) {
  const struct scene *scene = *state;
  static const char *const scripts[] = {
      "echo $$ >> @/pids; kill -KILL $PPID; exit 0",
      "echo $$ >> @/pids; sleep 1000 & echo $! >> @/pids; kill -KILL $PPID; wait",
      "trap '' TERM; echo $$ >> @/pids; kill -KILL $PPID; while :; do sleep 1000; done",
  };
  const struct expected expected = {REAPER_ERR_HOOK, 0, "hook", "/hooks/createRuntime/0",
                                    "failed: the reaper-init above it was ended"};
  for (size_t i = 0; i < COUNT_OF(scripts); ++i) assert_hook_is_ended(scene, scripts[i], "", &expected);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_others_during_create), TEST(test_one_start_at_a_time), TEST(test_forced_delete_meanwhile),
      TEST(test_creator_killed),       TEST(test_starter_killed),      TEST(test_hook_kills_its_keeper),
  };
  return cmocka_run_group_tests_name("hooks_races", tests, NULL, NULL);
}
