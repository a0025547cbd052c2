/* Many at once: one winner in every round, and no operation that disturbs another. */
#include "containers.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 20

static const char sleeper[] =
    "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"}}";

struct race {
  const struct scene* scene;
  atomic_int won, lost;
};

/* ---- start ---- */

static int start_it(void* argument, int number) {
  struct race* race = argument;
  reaper_container* container = NULL;
  reaper_error* error = NULL;
  (void)number;
  if (reaper_open(race->scene->runtime, "raced", &container, &error) != REAPER_OK) return complain("open", error);
  const int result = reaper_start(container, &error);
  reaper_container_free(container);
  if (result == REAPER_OK) {
    atomic_fetch_add(&race->won, 1);
  } else if (result == REAPER_ERR_STATUS) {
    atomic_fetch_add(&race->lost, 1);
    reaper_error_free(error);
  } else {
    return complain("start", error);
  }
  return 0;
}

static void test_one_start_wins(void** state) {
  struct race race = {.scene = *state};
  char* config = shell_config("echo run >&2; sleep 0.1; exit 12", "");
  int output[2];
  assert_int_equal(pipe(output), 0);
  reaper_create_options options = options_of(race.scene, config);
  options.flags = REAPER_CREATE_STDIO;
  options.stdio[0] = options.stdio[1] = -1;
  options.stdio[2] = output[1];
  for (int round = 0; round < ROUNDS; ++round) {
    atomic_store(&race.won, 0);
    atomic_store(&race.lost, 0);
    reaper_container* container = must_create_with(race.scene, "raced", &options);
    assert_int_equal(run_threads(16, start_it, &race), 0);
    assert_int_equal(atomic_load(&race.won), 1);
    assert_int_equal(atomic_load(&race.lost), 15);
    assert_int_equal(must_wait(container).exit_code, 12);
    must_delete(container);
  }
  close(output[1]);
  char text[1000];
  assert_int_equal(read(output[0], text, sizeof text), 4 * ROUNDS); /* "run\n": the program ran once a round */
  close(output[0]);
  free(config);
}

/* ---- create ---- */

static int create_it(void* argument, int number) {
  struct race* race = argument;
  const reaper_create_options options = options_of(race->scene, sleeper);
  reaper_container* container = NULL;
  reaper_error* error = NULL;
  (void)number;
  const int result = reaper_create(race->scene->runtime, "raced", &options, &container, &error);
  if (result == REAPER_OK) {
    atomic_fetch_add(&race->won, 1);
    reaper_container_free(container);
    return 0;
  }
  CHECK(container == NULL);
  if (result != REAPER_ERR_EXISTS) return complain("create", error);
  atomic_fetch_add(&race->lost, 1);
  reaper_error_free(error);
  return 0;
}

static void test_one_create_wins(void** state) {
  struct race race = {.scene = *state};
  for (int round = 0; round < ROUNDS; ++round) {
    atomic_store(&race.won, 0);
    atomic_store(&race.lost, 0);
    assert_int_equal(run_threads(64, create_it, &race), 0);
    assert_int_equal(atomic_load(&race.won), 1);
    assert_int_equal(atomic_load(&race.lost), 63);
    assert_int_equal(count_entries(race.scene->place.root), 1);
    reaper_container* container = must_open(race.scene, "raced");
    assert_int_equal(must_status(container), REAPER_STATUS_CREATED); /* and it is whole */
    assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
    reaper_container_free(container);
    assert_int_equal(count_children(), 0);
  }
}

/* ---- wait against delete ---- */

static int wait_or_delete(void* argument, int number) {
  struct race* race = argument;
  reaper_container* container = NULL;
  reaper_error* error = NULL;
  int result = reaper_open(race->scene->runtime, "raced", &container, &error);
  if (result == REAPER_ERR_NOT_FOUND && number != 0) { /* deleted already */
    reaper_error_free(error);
    return 0;
  }
  if (result != REAPER_OK) return complain("open", error);
  if (number == 0) {
    if (reaper_delete(container, REAPER_DELETE_FORCE, &error) != REAPER_OK) return complain("delete", error);
  }
  reaper_exit_status status = {.size = sizeof status};
  result = reaper_wait(container, LIMIT_MS, &status, &error);
  reaper_container_free(container);
  if (result == REAPER_ERR_UNKNOWN && number != 0) {
    /* Opened when it had been reaped, or a kernel that does not tell. */
    reaper_error_free(error);
    return 0;
  }
  if (result != REAPER_OK) return complain("wait", error);
  CHECK(status.signal == SIGKILL);
  return 0;
}

static void test_wait_against_delete(void** state) {
  struct race race = {.scene = *state};
  for (int round = 0; round < ROUNDS; ++round) {
    reaper_container* container = must_create(race.scene, "raced", sleeper);
    must_start(container);
    assert_int_equal(run_threads(8, wait_or_delete, &race), 0);
    reaper_container_free(container);
    assert_int_equal(count_entries(race.scene->place.root), 0);
    assert_int_equal(count_children(), 0);
  }
}

/* One handle, many threads of const use, while the container ends. */
static int look_at_it(void* argument, int number) {
  reaper_container* container = argument;
  reaper_exit_status status = {.size = sizeof status};
  reaper_error* error = NULL;
  int32_t value = 0;
  char* text = NULL;
  for (int turn = 0; turn < 50; ++turn) {
    CHECK(reaper_status(container, &value, &error) == REAPER_OK);
    CHECK(value == REAPER_STATUS_RUNNING || value == REAPER_STATUS_STOPPED);
    CHECK(reaper_state(container, &text, &error) == REAPER_OK);
    reaper_free(text);
    CHECK(reaper_pid(container, &value, &error) == REAPER_OK);
    if (reaper_pidfd(container, &value, NULL) == REAPER_OK) close(value);
    if (number == 0 && turn == 25) CHECK(reaper_kill(container, SIGTERM, 0, &error) == REAPER_OK);
  }
  CHECK(reaper_wait(container, LIMIT_MS, &status, &error) == REAPER_OK);
  CHECK(status.signal == SIGTERM);
  return 0;
}

static void test_const_use_by_many_threads(void** state) {
  const struct scene* scene = *state;
  reaper_container* container = must_create(scene, "shared", sleeper);
  must_start(container);
  assert_int_equal(run_threads(16, look_at_it, container), 0);
  must_delete(container);
}

/* ---- list against everything ---- */

struct mill {
  const struct scene* scene;
  atomic_int busy;
};

/* Frees the error; complains of another code. */
static int is_other_than(int code, const char* what, reaper_error* error) {
  if (reaper_error_code(error) != code) return complain(what, error);
  reaper_error_free(error);
  return 0;
}

static int grind(void* argument, int number) {
  struct mill* mill = argument;
  if (number >= 6) { /* two of them list */
    while (atomic_load(&mill->busy) > 0) {
      char* text = NULL;
      reaper_error* error = NULL;
      if (reaper_list(mill->scene->runtime, &text, &error) != REAPER_OK) return complain("list", error);
      const int whole = text[0] == '[' && text[strlen(text) - 1] == ']' && strstr(text, "corrupt") == NULL;
      if (!whole) dprintf(2, "%s\n", text);
      reaper_free(text);
      CHECK(whole);
    }
    return 0;
  }
  char id[20];
  snprintf(id, sizeof id, "mill-%d", number % 3); /* pairs that meet on one id */
  int bad = 0;
  for (int round = 0; round < ROUNDS && bad == 0; ++round) {
    const reaper_create_options options = options_of(mill->scene, sleeper);
    reaper_container* container = NULL;
    reaper_error* error = NULL;
    const int result = reaper_create(mill->scene->runtime, id, &options, &container, &error);
    if (result == REAPER_ERR_EXISTS) {
      reaper_error_free(error);
      const int removed = reaper_delete_id(mill->scene->runtime, id, REAPER_DELETE_FORCE, &error);
      bad = removed != REAPER_OK && is_other_than(REAPER_ERR_NOT_FOUND, "delete", error);
      continue;
    }
    /* The other one's --force may end what this one creates or starts: that must be said, and nothing else. */
    if (result != REAPER_OK) {
      const int code = reaper_error_code(error);
      if (code != REAPER_ERR_SYSTEM && code != REAPER_ERR_BUSY && code != REAPER_ERR_NOT_FOUND)
        bad = complain("create", error);
      else
        reaper_error_free(error);
      continue;
    }
    reaper_start(container, NULL);
    const int removed = reaper_delete(container, REAPER_DELETE_FORCE, &error);
    bad = removed != REAPER_OK && is_other_than(REAPER_ERR_NOT_FOUND, "delete", error);
    reaper_container_free(container);
  }
  atomic_fetch_sub(&mill->busy, 1);
  return bad;
}

static void test_list_against_everything(void** state) {
  struct mill mill = {.scene = *state};
  atomic_store(&mill.busy, 6);
  assert_int_equal(run_threads(8, grind, &mill), 0);
}

/* ---- containers of one runtime, each thread its own ---- */

static int lives(void* argument, int number) {
  const struct scene* scene = argument;
  char id[20];
  snprintf(id, sizeof id, "thread-%d", number);
  char* script = text_of("exit %d", number);
  char* config = shell_config(script, "");
  int bad = 0;
  for (int round = 0; round < 5 && bad == 0; ++round) bad = quiet_life(scene->runtime, id, config, number);
  free(config);
  free(script);
  return bad;
}

static void test_many_lives(void** state) {
  const struct scene* scene = *state;
  warm_up(scene);
  const struct census before = take_census(scene->place.root);
  assert_int_equal(run_threads(16, lives, *state), 0);
  assert_same_census(before, take_census(scene->place.root));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_one_start_wins),          TEST(test_one_create_wins),
      TEST(test_wait_against_delete),     TEST(test_const_use_by_many_threads),
      TEST(test_list_against_everything), TEST(test_many_lives),
  };
  return cmocka_run_group_tests_name("concurrency", tests, NULL, NULL);
}
