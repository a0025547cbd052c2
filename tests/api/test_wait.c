/* wait and pidfd: every way to learn of the end. */
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

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static reaper_exit_status empty_status(void) {
  reaper_exit_status status;
  memset(&status, 0, sizeof status);
  status.size = sizeof status;
  return status;
}

static void assert_state_says(const reaper_container *container, const char *part) {
  char *state = must_state(container);
  assert_contains(state, part);
  reaper_free(state);
}

/* The creator knows when it started, when it ended and what it used. */
static void test_times_and_usage(void **state) {
  const struct scene *scene = *state;
  char *config = shell_config("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; read line", "");
  int pipe_ends[2];
  assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
  reaper_create_options options = options_of(scene, config);
  options.flags = REAPER_CREATE_STDIO;
  options.stdio[0] = pipe_ends[0];
  options.stdio[1] = options.stdio[2] = -1;
  reaper_container *container = must_create_with(scene, "times", &options);
  const int64_t before = now_ns();
  must_start(container);
  const int64_t after_start = now_ns();

  reaper_exit_status status = empty_status();
  reaper_error *error = NULL;
  assert_code(reaper_wait(container, 0, &status, &error), &error, REAPER_ERR_TIMEOUT);
  const reaper_exit_status untouched = empty_status();
  assert_memory_equal(&status, &untouched, sizeof status);

  close(pipe_ends[0]);
  close(pipe_ends[1]); /* end of file: read fails, and so does the script */
  status = must_wait(container);
  const int64_t after = now_ns();
  assert_int_equal(status.exit_code, 1);
  assert_true(status.started_at_ns >= before && status.started_at_ns <= after_start);
  assert_true(status.finished_at_ns >= after_start && status.finished_at_ns <= after);
  assert_true(status.user_time_us > 0);
  assert_true(status.system_time_us >= 0);
  assert_true(status.max_rss_kib > 0);
  assert_state_says(container, "\"rusage\":{");
  assert_state_says(container, "\"startedAt\":\"20");
  assert_state_says(container, "\"finishedAt\":\"20");
  must_delete(container);
  free(config);
}

/* Only the first `size` bytes of *out are written. */
static void test_wait_writes_size_bytes(void **state) {
  const struct scene *scene = *state;
  char *config = shell_config("exit 7", "");
  reaper_container *container = must_create(scene, "size", config);
  must_start(container);
  struct {
    reaper_exit_status status;
    unsigned char tail[64];
  } large;
  memset(&large, 0xa5, sizeof large);
  large.status.size = sizeof large.status;
  assert_int_equal(reaper_wait(container, -1, &large.status, NULL), REAPER_OK);
  assert_int_equal(large.status.exit_code, 7);
  for (size_t i = 0; i < sizeof large.tail; ++i) assert_int_equal(large.tail[i], 0xa5);
  must_delete(container);
  free(config);
}

static void test_wait_limits(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_create(scene, "limits", sleeper);
  const int64_t limits[] = {0, 1, 30};
  for (int started = 0; started < 2; ++started) {
    for (size_t i = 0; i < COUNT_OF(limits); ++i) {
      reaper_exit_status status = empty_status();
      reaper_error *error = NULL;
      const struct expected expected = {REAPER_ERR_TIMEOUT, 110 /* ETIMEDOUT */, "wait", "", "still runs"};
      assert_error(reaper_wait(container, limits[i], &status, &error), &error, &expected);
    }
    if (!started) must_start(container);
  }
  assert_int_equal(reaper_kill(container, SIGKILL, 0, NULL), REAPER_OK);
  /* Any limit is good for one that ends, the largest too. */
  reaper_exit_status status = empty_status();
  assert_int_equal(reaper_wait(container, INT64_MAX, &status, NULL), REAPER_OK);
  status = empty_status();
  assert_int_equal(reaper_wait(container, 0, &status, NULL), REAPER_OK);
  status = empty_status();
  assert_int_equal(reaper_wait(container, INT64_MIN, &status, NULL), REAPER_OK);
  assert_int_equal(status.signal, SIGKILL);
  must_delete(container);
}

static void test_wait_from_a_second_handle(void **state) {
  const struct scene *scene = *state;
  char *config = shell_config("exit 42", "");
  reaper_container *first = must_create(scene, "second", config);
  reaper_container *second = must_open(scene, "second");
  reaper_container *third = must_open(scene, "second");
  must_start(second); /* any handle may start it */
  assert_int_equal(must_wait(second).exit_code, 42);
  /* The second has reaped it. The others' descriptors are older than that. */
  if (kernel_is_at_least(6, 15)) {
    assert_int_equal(must_wait(first).exit_code, 42);
    assert_int_equal(must_wait(third).exit_code, 42);
  } else {
    reaper_exit_status status = empty_status();
    reaper_error *error = NULL;
    assert_code(reaper_wait(first, 0, &status, &error), &error, REAPER_ERR_UNKNOWN);
  }
  /* One that was opened later can only say that nobody knows: never 0. */
  reaper_container *late = must_open(scene, "second");
  reaper_exit_status status = empty_status();
  reaper_error *error = NULL;
  const struct expected expected = {REAPER_ERR_UNKNOWN, 0, "wait", "", "can no longer be known"};
  assert_error(reaper_wait(late, -1, &status, &error), &error, &expected);
  assert_state_says(late, "\"exit\":null");
  int32_t pidfd = -7;
  error = NULL;
  assert_code(reaper_pidfd(late, &pidfd, &error), &error, REAPER_ERR_STATUS);
  assert_int_equal(pidfd, -7);
  reaper_container_free(late);
  reaper_container_free(third);
  reaper_container_free(first);
  must_delete(second);
  free(config);
}

static int wait_in_thread(void *container, int number) {
  reaper_exit_status status = empty_status();
  reaper_error *error = NULL;
  (void)number;
  if (reaper_wait(container, LIMIT_MS, &status, &error) != REAPER_OK) return complain("wait", error);
  CHECK(status.exit_code == 5 && status.signal == 0);
  CHECK(status.max_rss_kib > 0); /* the one that reaped told the others */
  return 0;
}

static void test_wait_by_many_threads(void **state) {
  const struct scene *scene = *state;
  char *config = shell_config("sleep 0.2; exit 5", "");
  reaper_container *container = must_create(scene, "threads", config);
  must_start(container);
  assert_int_equal(run_threads(16, wait_in_thread, container), 0);
  must_delete(container);
  free(config);
}

static void ignore_it(int signal) {
  (void)signal;
}

static int interrupt_parent(void *argument) {
  const pid_t parent = *(pid_t *)argument;
  for (int i = 0; i < 50; ++i) {
    kill(parent, SIGUSR1);
    sleep_ms(4);
  }
  return 0;
}

/* A signal handler that interrupts does not end the wait. */
static void test_wait_goes_on_after_a_handler(void **state) {
  const struct scene *scene = *state;
  const struct sigaction action = {.sa_handler = ignore_it}; /* no SA_RESTART */
  struct sigaction before;
  assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
  char *config = shell_config("sleep 0.3; exit 9", "");
  reaper_container *container = must_create(scene, "interrupted", config);
  must_start(container);
  pid_t self = getpid();
  const pid_t child = fork_body(interrupt_parent, &self);
  assert_int_equal(must_wait(container).exit_code, 9);
  assert_int_equal(exit_of(child), 0);
  assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
  must_delete(container);
  free(config);
}

static int wait_for_foreign(void *argument) {
  const struct scene *scene = argument;
  reaper_container *container = NULL;
  reaper_exit_status status = empty_status();
  reaper_error *error = NULL;
  if (reaper_open(scene->runtime, "foreign", &container, &error) != REAPER_OK) return complain("open", error);
  if (reaper_wait(container, LIMIT_MS, &status, &error) != REAPER_OK) return complain("wait", error);
  reaper_container_free(container);
  CHECK(status.exit_code == 33);
  CHECK(status.max_rss_kib == -1 && status.user_time_us == -1 && status.system_time_us == -1);
  return 0;
}

/* Not a child of who waits: PIDFD_GET_INFO, or the zombie's line in /proc (same user). The handle is the child's own.
 */
static int wait_in_process_of_its_own(void *argument) {
  struct scene *scene = argument;
  reaper_runtime *runtime = NULL;
  const reaper_runtime_options options = {.size = sizeof options, .root = scene->place.root};
  if (reaper_runtime_new(&options, &runtime, NULL) != REAPER_OK) return 1;
  struct scene own = {scene->place, runtime};
  const int result = wait_for_foreign(&own);
  reaper_runtime_free(runtime);
  return result;
}

static void test_wait_by_another_process(void **state) {
  struct scene *scene = *state;
  char *config = shell_config("sleep 0.2; exit 33", "");
  reaper_container *container = must_create(scene, "foreign", config);
  must_start(container);
  assert_int_equal(in_child(wait_in_process_of_its_own, scene), 0);
  assert_int_equal(must_wait(container).exit_code, 33); /* and nothing was taken from its parent */
  must_delete(container);
  free(config);
}

static void test_pidfd(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_create(scene, "pidfd", sleeper);
  int32_t pidfd = -1;
  assert_int_equal(reaper_pidfd(container, &pidfd, NULL), REAPER_OK);
  assert_true(fcntl(pidfd, F_GETFD) & FD_CLOEXEC);
  struct pollfd fd = {pidfd, POLLIN, 0};
  assert_int_equal(poll(&fd, 1, 0), 0);
  assert_int_equal(reaper_kill(container, SIGKILL, 0, NULL), REAPER_OK);
  assert_int_equal(poll(&fd, 1, LIMIT_MS), 1);
  close(pidfd);
  /* Ended but not reaped: there still is a process to point at. */
  assert_int_equal(reaper_pidfd(container, &pidfd, NULL), REAPER_OK);
  close(pidfd);
  must_wait(container);
  reaper_error *error = NULL;
  assert_code(reaper_pidfd(container, &pidfd, &error), &error, REAPER_ERR_STATUS);
  must_delete(container);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_times_and_usage),
      TEST(test_wait_writes_size_bytes),
      TEST(test_wait_limits),
      TEST(test_wait_from_a_second_handle),
      TEST(test_wait_by_many_threads),
      TEST(test_wait_goes_on_after_a_handler),
      TEST(test_wait_by_another_process),
      TEST(test_pidfd),
  };
  return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}
