/* create, start, state: the statuses at every moment and how a program ended. */
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

static void assert_state_says(const reaper_container *container, const char *part) {
  char *state = must_state(container);
  assert_contains(state, part);
  reaper_free(state);
}

/* An id, unlike everybody else's, comes out everywhere. */
static void test_statuses_at_every_moment(void **state) {
  const struct scene *scene = *state;
  char *marker = path_in(&scene->place, "marker");
  char *script = text_of("echo ran > %s; exec sleep 1000", marker);
  char *config = shell_config(script, "");
  reaper_container *container = must_create(scene, "moments_1.2+3-4", config);
  assert_string_equal(reaper_container_id(container), "moments_1.2+3-4");
  assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
  const pid_t pid = must_pid(container);
  assert_true(pid > 0);
  assert_false(is_gone(pid));
  char *pid_text = text_of("\"pid\":%d,", (int)pid);
  assert_state_says(container, "\"status\":\"created\"");
  assert_state_says(container, pid_text);
  assert_int_not_equal(access(marker, F_OK), 0); /* create runs nothing */

  must_start(container);
  assert_int_equal(must_status(container), REAPER_STATUS_RUNNING);
  assert_int_equal(must_pid(container), pid);
  assert_state_says(container, "\"status\":\"running\"");
  assert_state_says(container, pid_text);

  assert_int_equal(reaper_kill(container, SIGKILL, 0, NULL), REAPER_OK);
  const reaper_exit_status status = must_wait(container);
  assert_int_equal(status.signal, SIGKILL);
  assert_int_equal(status.exit_code, -1);
  assert_int_equal(must_status(container), REAPER_STATUS_STOPPED);
  assert_int_equal(must_pid(container), pid); /* also after the process ended */
  assert_state_says(container, "\"status\":\"stopped\"");
  char *text = must_state(container);
  assert_null(strstr(text, "\"pid\":"));
  reaper_free(text);
  must_delete(container);
  assert_int_equal(count_entries(scene->place.root), 0);
  free(pid_text);
  free(config);
  free(script);
  free(marker);
}

/* A zombie reads `stopped`, before anybody has waited for it. */
static int has_stopped(void *container) {
  return must_status(container) == REAPER_STATUS_STOPPED;
}

static void test_zombie_is_stopped(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_create(scene, "zombie", sleeper);
  must_start(container);
  assert_int_equal(reaper_kill(container, SIGTERM, 0, NULL), REAPER_OK);
  assert_true(wait_until(has_stopped, container));
  assert_int_equal(count_children(), 1);
  assert_int_equal(must_wait(container).signal, SIGTERM);
  assert_int_equal(count_children(), 0); /* reaped: it is our child */
  must_delete(container);
}

/* What looks at the zombie first does not keep it from being reaped, nor its usage from being told. */
static void test_a_look_at_the_zombie(void **state) {
  const struct scene *scene = *state;
  for (int by_delete = 0; by_delete < 2; ++by_delete) {
    char *config = shell_config("exit 13", "");
    reaper_container *container = must_create(scene, "looked-at", config);
    must_start(container);
    assert_true(wait_until(has_stopped, container));
    for (int turn = 0; turn < 2; ++turn) {
      assert_state_says(container, "\"exit\":{\"exitCode\":13");
      assert_state_says(container, "\"rusage\":{");
      assert_int_equal(count_children(), 1); /* left as it is */
    }
    if (by_delete) assert_int_equal(reaper_delete(container, 0, NULL), REAPER_OK);
    const reaper_exit_status status = must_wait(container);
    assert_int_equal(status.exit_code, 13);
    assert_true(status.max_rss_kib > 0);
    assert_int_equal(count_children(), 0);
    if (by_delete)
      reaper_container_free(container);
    else
      must_delete(container);
    free(config);
  }
}

static void test_state_is_the_specifications(void **state) {
  const struct scene *scene = *state;
  static const char config[] =
      "{\"ociVersion\":\"1.0.2\",\"annotations\":{\"org.example.key\":\"a value\",\"empty\":\"\"},"
      "\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\"}}";
  reaper_container *container = must_create(scene, "spec", config);
  char *text = must_state(container);
  char *bundle = text_of("\"bundle\":\"%s\"", scene->place.bundle);
  assert_contains(text, "\"ociVersion\":\"1.");
  assert_contains(text, "\"id\":\"spec\"");
  assert_contains(text, bundle);
  assert_contains(text, "\"org.example.key\":\"a value\"");
  assert_contains(text, "\"empty\":\"\"");
  assert_contains(text, "\"created\":\"20");
  assert_contains(text, "\"reaper\":{");
  free(bundle);
  reaper_free(text);
  must_start(container);
  must_wait(container);
  must_delete(container);
}

/* exitCode or signal, for every way to end. */
static void test_exit_codes_and_signals(void **state) {
  const struct scene *scene = *state;
  const struct {
    const char *script;
    int exit_code, signal;
  } rows[] = {{"exit 0", 0, 0},
              {"exit 1", 1, 0},
              {"exit 255", 255, 0},
              {"exit 137", 137, 0},
              {"kill -TERM $$", -1, SIGTERM},
              {"kill -KILL $$", -1, SIGKILL},
              {"kill -HUP $$", -1, SIGHUP},
              {"kill -USR2 $$", -1, SIGUSR2}};
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *config = shell_config(rows[i].script, "");
    reaper_container *container = must_create(scene, "ends", config);
    must_start(container);
    const reaper_exit_status status = must_wait(container);
    assert_int_equal(status.exit_code, rows[i].exit_code);
    assert_int_equal(status.signal, rows[i].signal);
    assert_int_equal(status.core_dumped, 0);
    assert_int_equal(status.reserved, 0);
    assert_int_equal(status.size, sizeof status);
    must_delete(container);
    free(config);
  }
}

/* What the kernel says of the same program as a plain child is the measure: core_pattern may be anything. */
static int abort_here(void *directory) {
  const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
  if (chdir(directory) != 0 || setrlimit(RLIMIT_CORE, &limit) != 0) return 99;
  execl("/bin/sh", "sh", "-c", "kill -ABRT $$", (char *)NULL);
  return 99;
}

static void test_core_dump_flag(void **state) {
  const struct scene *scene = *state;
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
  if (limit.rlim_max != RLIM_INFINITY) SKIP("RLIMIT_CORE is limited here");
  const pid_t child = fork_body(abort_here, scene->place.directory);
  int truth = 0;
  assert_int_equal(waitpid(child, &truth, 0), child);
  assert_true(WIFSIGNALED(truth));

  char *members = text_of(
      "\"args\":[\"/bin/sh\",\"-c\",\"kill -ABRT $$\"],\"cwd\":\"%s\","
      "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":%llu,\"hard\":18446744073709551615}]",
      scene->place.directory, (unsigned long long)RLIM_INFINITY);
  char *config = process_config(members);
  reaper_container *container = must_create(scene, "core", config);
  must_start(container);
  const reaper_exit_status status = must_wait(container);
  assert_int_equal(status.signal, SIGABRT);
  assert_int_equal(status.core_dumped, WCOREDUMP(truth) ? 1 : 0);
  assert_state_says(container, WCOREDUMP(truth) ? "\"coreDumped\":true" : "\"coreDumped\":false");
  must_delete(container);
  free(config);
  free(members);
}

static void test_start_only_once(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_create(scene, "once", sleeper);
  must_start(container);
  reaper_error *error = NULL;
  const struct expected running = {REAPER_ERR_STATUS, 0, "status", "", "is running, not created"};
  assert_error(reaper_start(container, &error), &error, &running);
  assert_int_equal(must_status(container), REAPER_STATUS_RUNNING); /* no effect */
  assert_int_equal(reaper_kill(container, SIGKILL, 0, NULL), REAPER_OK);
  must_wait(container);
  error = NULL;
  const struct expected stopped = {REAPER_ERR_STATUS, 0, "status", "", "is stopped, not created"};
  assert_error(reaper_start(container, &error), &error, &stopped);
  must_delete(container);
}

/* The specification: create without `process` succeeds, start is an error. */
static void test_start_without_process(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_create(scene, "empty", "{\"ociVersion\":\"1.0.0\"}");
  assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
  reaper_error *error = NULL;
  const struct expected expected = {REAPER_ERR_INVALID, 0, "start", "/process", "no program to start"};
  assert_error(reaper_start(container, &error), &error, &expected);
  assert_int_equal(reaper_kill(container, SIGTERM, 0, NULL), REAPER_OK);
  assert_int_equal(must_wait(container).signal, SIGTERM);
  must_delete(container);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_statuses_at_every_moment), TEST(test_zombie_is_stopped),
      TEST(test_a_look_at_the_zombie),     TEST(test_state_is_the_specifications),
      TEST(test_exit_codes_and_signals),   TEST(test_core_dump_flag),
      TEST(test_start_only_once),          TEST(test_start_without_process),
  };
  return cmocka_run_group_tests_name("lifecycle", tests, NULL, NULL);
}
