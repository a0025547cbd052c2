/* delete, by handle and by id, and what handles are worth afterwards. */
#include "containers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char sleeper[] =
    "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"}}";

/* A zombie reads `stopped`, before anybody has waited for it. */
static int has_stopped(void *container) {
  return must_status(container) == REAPER_STATUS_STOPPED;
}

static void test_delete_only_stopped(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_create(scene, "alive", sleeper);
  reaper_error *error = NULL;
  const struct expected created = {REAPER_ERR_STATUS, 0, "status", "", "is created, not stopped"};
  assert_error(reaper_delete(container, 0, &error), &error, &created);
  error = NULL;
  assert_error(reaper_delete_id(scene->runtime, "alive", 0, &error), &error, &created);
  assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
  must_start(container);
  error = NULL;
  const struct expected running = {REAPER_ERR_STATUS, 0, "status", "", "is running, not stopped"};
  assert_error(reaper_delete(container, 0, &error), &error, &running);
  error = NULL;
  assert_error(reaper_delete_id(scene->runtime, "alive", 0, &error), &error, &running);
  assert_int_equal(must_status(container), REAPER_STATUS_RUNNING); /* no effect */
  assert_int_equal(reaper_kill(container, SIGKILL, 0, NULL), REAPER_OK);
  must_wait(container);
  must_delete(container);
}

static void test_delete_force(void **state) {
  const struct scene *scene = *state;
  for (int started = 0; started < 2; ++started) {
    reaper_container *container = must_create(scene, "force", sleeper);
    const pid_t pid = must_pid(container);
    if (started) must_start(container);
    assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
    assert_true(is_gone(pid));
    assert_int_equal(count_children(), 0); /* its zombie too */
    assert_int_equal(count_entries(scene->place.root), 0);
    const reaper_exit_status status = must_wait(container);
    assert_int_equal(status.signal, SIGKILL);
    reaper_container_free(container);
  }
}

static void test_delete_id(void **state) {
  const struct scene *scene = *state;
  const struct expected unknown = {REAPER_ERR_NOT_FOUND, 0, "state-directory", "",
                                   "container \"nobody\" does not exist"};
  for (uint32_t flags = 0; flags <= REAPER_DELETE_FORCE; ++flags) {
    reaper_error *error = NULL;
    assert_error(reaper_delete_id(scene->runtime, "nobody", flags, &error), &error, &unknown);
  }
  reaper_container *container = must_create(scene, "by-id", sleeper);
  reaper_container_free(container); /* the container lives on */
  container = must_open(scene, "by-id");
  assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
  must_start(container);
  assert_int_equal(reaper_delete_id(scene->runtime, "by-id", REAPER_DELETE_FORCE, NULL), REAPER_OK);
  assert_int_equal(count_entries(scene->place.root), 0);
  assert_int_equal(count_children(), 0);
  reaper_container_free(container);
  /* The id may be used again. */
  container = must_create(scene, "by-id", sleeper);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
}

/* The handle answers NOT_FOUND after delete, but keeps the exit status for wait. */
static void test_handle_after_delete(void **state) {
  const struct scene *scene = *state;
  char *config = shell_config("exit 6", "");
  reaper_container *container = must_create(scene, "after", config);
  must_start(container);
  must_wait(container);
  assert_int_equal(reaper_delete(container, 0, NULL), REAPER_OK);
  const struct expected gone = {REAPER_ERR_NOT_FOUND, 0, "state-directory", "", "container \"after\" does not exist"};
  for (int made_anew = 0; made_anew < 2; ++made_anew) {
    int32_t number = 0;
    char *text = NULL;
    reaper_error *error = NULL;
    assert_error(reaper_status(container, &number, &error), &error, &gone);
    assert_error(reaper_pid(container, &number, &error), &error, &gone);
    assert_error(reaper_pidfd(container, &number, &error), &error, &gone);
    assert_error(reaper_state(container, &text, &error), &error, &gone);
    assert_error(reaper_start(container, &error), &error, &gone);
    assert_error(reaper_kill(container, SIGKILL, 0, &error), &error, &gone);
    assert_error(reaper_kill(container, SIGKILL, REAPER_KILL_ALL, &error), &error, &gone);
    assert_error(reaper_delete(container, 0, &error), &error, &gone);
    assert_error(reaper_delete(container, REAPER_DELETE_FORCE, &error), &error, &gone);
    assert_int_equal(number, 0);
    assert_null(text);
    assert_int_equal(must_wait(container).exit_code, 6);
    assert_string_equal(reaper_container_id(container), "after");
    if (made_anew) break;
    reaper_container *anew = must_create(scene, "after", sleeper); /* the loop's second turn must not touch it */
    reaper_container_free(anew);
  }
  reaper_container *anew = must_open(scene, "after");
  assert_int_equal(must_status(anew), REAPER_STATUS_CREATED);
  assert_int_equal(reaper_delete(anew, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(anew);
  reaper_container_free(container);
  free(config);
}

/* The wait after a delete that nobody had waited before. */
static void test_wait_after_delete(void **state) {
  const struct scene *scene = *state;
  char *config = shell_config("exit 8", "");
  reaper_container *container = must_create(scene, "kept", config);
  must_start(container);
  assert_true(wait_until(has_stopped, container));
  assert_int_equal(reaper_delete(container, 0, NULL), REAPER_OK);
  assert_int_equal(count_children(), 0);
  assert_int_equal(must_wait(container).exit_code, 8);
  reaper_container_free(container);
  free(config);
}

/* A handle on a container that another has deleted and made anew touches the new one by no operation. */
static void test_handle_of_a_former_life(void **state) {
  const struct scene *scene = *state;
  reaper_container *former = must_create(scene, "reborn", sleeper);
  assert_int_equal(reaper_delete_id(scene->runtime, "reborn", REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container *anew = must_create(scene, "reborn", sleeper);
  const pid_t pid = must_pid(anew);
  int32_t number = 0;
  char *text = NULL;
  reaper_error *error = NULL;
  const struct expected gone = {REAPER_ERR_NOT_FOUND, 0, "state-directory", "", "does not exist"};
  assert_error(reaper_start(former, &error), &error, &gone);
  assert_error(reaper_kill(former, SIGKILL, 0, &error), &error, &gone);
  assert_error(reaper_kill(former, SIGKILL, REAPER_KILL_ALL, &error), &error, &gone);
  assert_error(reaper_delete(former, 0, &error), &error, &gone);
  assert_error(reaper_delete(former, REAPER_DELETE_FORCE, &error), &error, &gone);
  assert_error(reaper_status(former, &number, &error), &error, &gone);
  assert_error(reaper_state(former, &text, &error), &error, &gone);
  assert_int_equal(must_status(anew), REAPER_STATUS_CREATED);
  assert_false(is_gone(pid));
  must_start(anew);
  assert_error(reaper_kill(former, SIGKILL, 0, &error), &error, &gone);
  assert_error(reaper_delete(former, REAPER_DELETE_FORCE, &error), &error, &gone);
  assert_int_equal(must_status(anew), REAPER_STATUS_RUNNING);
  if (kernel_is_at_least(6, 15)) assert_int_equal(must_wait(former).signal, SIGKILL); /* its own process' end */
  assert_int_equal(reaper_delete(anew, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(anew);
  reaper_container_free(former);
}

static void test_free_in_any_order(void **state) {
  const struct scene *scene = *state;
  const reaper_runtime_options options = {.size = sizeof options, .root = scene->place.root};
  reaper_runtime *runtime = NULL;
  assert_int_equal(reaper_runtime_new(&options, &runtime, NULL), REAPER_OK);
  char *config = shell_config("exit 2", "");
  const reaper_create_options create = options_of(scene, config);
  reaper_container *container = NULL;
  reaper_container *second = NULL;
  assert_int_equal(reaper_create(runtime, "order", &create, &container, NULL), REAPER_OK);
  assert_int_equal(reaper_open(runtime, "order", &second, NULL), REAPER_OK);
  reaper_runtime_free(runtime); /* a container keeps what it needs of its runtime */
  must_start(container);
  assert_int_equal(must_wait(second).exit_code, 2);
  reaper_container_free(container);
  must_delete(second);
  free(config);
}

static void test_free_of_null(void **state) {
  (void)state;
  reaper_free(NULL);
  reaper_error_free(NULL);
  reaper_container_free(NULL);
  reaper_runtime_free(NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_delete_only_stopped), TEST(test_delete_force),      TEST(test_delete_id),
      TEST(test_handle_after_delete), TEST(test_wait_after_delete), TEST(test_handle_of_a_former_life),
      TEST(test_free_in_any_order),   TEST(test_free_of_null),
  };
  return cmocka_run_group_tests_name("delete", tests, NULL, NULL);
}
