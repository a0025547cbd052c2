/* Signals: to a created container, to a running one and its descendants, and what the program gets of the host's. */
#include "containers.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char sleeper[] =
    "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"}}";

static int has_stopped(void *container) {
  return must_status(container) == REAPER_STATUS_STOPPED;
}

/* ---- created ---- */

/* Every signal whose default is to end: with signals merely blocked they "succeed" and nothing dies. */
static void test_created_ends_by_signals(void **state) {
  const struct scene *scene = *state;
  const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGILL, SIGABRT, SIGUSR1,   SIGUSR2, SIGPIPE, SIGALRM,
                         SIGTERM, SIGXCPU, SIGIO,   SIGPWR, SIGSYS,  SIGVTALRM, SIGKILL, 34,      64};
  for (size_t i = 0; i < COUNT_OF(signals); ++i) {
    reaper_container *container = must_create(scene, "created", sleeper);
    assert_int_equal(reaper_kill(container, signals[i], 0, NULL), REAPER_OK);
    assert_true(wait_until(has_stopped, container));
    char *wanted = text_of("\"exit\":{\"signal\":%d,", signals[i]);
    char *text = must_state(container);
    assert_contains(text, "\"status\":\"stopped\"");
    assert_contains(text, wanted);
    reaper_free(text);
    free(wanted);
    assert_int_equal(must_wait(container).signal, signals[i]);
    reaper_error *error = NULL;
    assert_code(reaper_start(container, &error), &error, REAPER_ERR_STATUS);
    must_delete(container);
  }
}

static void test_created_survives_the_others(void **state) {
  const struct scene *scene = *state;
  const int signals[] = {0, SIGCHLD, SIGWINCH, SIGCONT, SIGURG, SIGTSTP, SIGTTIN, SIGTTOU};
  char *config = shell_config("exit 17", "");
  reaper_container *container = must_create(scene, "survivor", config);
  for (size_t i = 0; i < COUNT_OF(signals); ++i) {
    assert_int_equal(reaper_kill(container, signals[i], 0, NULL), REAPER_OK);
    assert_int_equal(reaper_kill(container, signals[i], REAPER_KILL_ALL, NULL), REAPER_OK);
  }
  sleep_ms(50); /* time to die, for one that would */
  assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 17); /* none of them reached the program */
  must_delete(container);
  free(config);
}

/* Stopped by SIGSTOP it is created all the same, starts when it is continued, and can be ended. */
static void test_created_and_halted(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_create(scene, "halted", sleeper);
  assert_int_equal(reaper_kill(container, SIGSTOP, 0, NULL), REAPER_OK);
  assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
  assert_int_equal(reaper_kill(container, SIGCONT, 0, NULL), REAPER_OK);
  must_start(container);
  assert_int_equal(reaper_kill(container, SIGSTOP, 0, NULL), REAPER_OK);
  assert_int_equal(must_status(container), REAPER_STATUS_RUNNING);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  assert_int_equal(must_wait(container).signal, SIGKILL);
  reaper_container_free(container);
}

/* ---- stopped ---- */

static void test_kill_of_stopped(void **state) {
  const struct scene *scene = *state;
  const struct expected stopped = {REAPER_ERR_STATUS, 0, "status", "", "container not running"};
  reaper_container *container = must_create(scene, "stopped", sleeper);
  must_start(container);
  assert_int_equal(reaper_kill(container, SIGKILL, 0, NULL), REAPER_OK);
  assert_true(wait_until(has_stopped, container));
  for (int reaped = 0; reaped < 2; ++reaped) {
    reaper_error *error = NULL;
    assert_error(reaper_kill(container, SIGTERM, 0, &error), &error, &stopped);
    assert_error(reaper_kill(container, 0, 0, &error), &error, &stopped);
    assert_int_equal(reaper_kill(container, SIGKILL, REAPER_KILL_ALL, NULL), REAPER_OK);
    must_wait(container);
  }
  must_delete(container);
}

/* ---- running ---- */

static void test_the_given_signal_arrives(void **state) {
  const struct scene *scene = *state;
  char *path = path_in(&scene->place, "ready");
  char *script = text_of("trap 'exit 31' USR1; trap '' TERM; echo > %s; while :; do sleep 0.02; done", path);
  char *config = shell_config(script, "");
  reaper_container *container = must_create(scene, "handler", config);
  must_start(container);
  while (access(path, F_OK) != 0) sleep_ms(2);
  assert_int_equal(reaper_kill(container, SIGTERM, 0, NULL), REAPER_OK);
  assert_int_equal(must_status(container), REAPER_STATUS_RUNNING);
  assert_int_equal(reaper_kill(container, SIGUSR1, 0, NULL), REAPER_OK);
  assert_int_equal(must_wait(container).exit_code, 31);
  must_delete(container);
  free(config);
  free(script);
  free(path);
}

static pid_t pid_from(const char *path) {
  for (int turn = 0; turn < LIMIT_MS / 5; ++turn) {
    char *text = read_whole(path);
    const pid_t pid = text != NULL && strchr(text, '\n') != NULL ? atoi(text) : 0;
    free(text);
    if (pid > 0) return pid;
    sleep_ms(5);
  }
  return -1;
}

static int pid_is_gone(void *pid) {
  return is_gone(*(pid_t *)pid);
}

/* Children, grandchildren, and one in a session of its own: all that hang below the container's process. */
static void test_kill_all(void **state) {
  const struct scene *scene = *state;
  static const char *const names[] = {"child", "grandchild", "own-session", "deep"};
  char *script = text_of(
      "cd %s\n"
      "sleep 1000 & echo $! > child\n"
      "(sleep 1000 & echo $! > grandchild; setsid sh -c 'echo $$ > own-session; sleep 1000; :' & wait) &\n"
      "sh -c 'sh -c \"sh -c \\\"sleep 1000 & echo \\\\\\$! > deep; wait\\\"; :\"; :' &\n"
      "wait",
      scene->place.directory);
  char *config = shell_config(script, "");
  for (int forced = 0; forced < 2; ++forced) {
    pid_t pids[COUNT_OF(names)];
    reaper_container *container = must_create(scene, "tree", config);
    must_start(container);
    for (size_t i = 0; i < COUNT_OF(names); ++i) {
      char *path = path_in(&scene->place, names[i]);
      pids[i] = pid_from(path);
      assert_true(pids[i] > 0);
      assert_false(is_gone(pids[i]));
      assert_int_equal(unlink(path), 0);
      free(path);
    }
    if (forced)
      assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
    else
      assert_int_equal(reaper_kill(container, SIGKILL, REAPER_KILL_ALL, NULL), REAPER_OK);
    for (size_t i = 0; i < COUNT_OF(names); ++i) assert_true(wait_until(pid_is_gone, &pids[i]));
    assert_int_equal(must_wait(container).signal, SIGKILL);
    if (forced)
      reaper_container_free(container);
    else
      must_delete(container);
  }
  free(config);
  free(script);
}

/* Without the flag only the container's process is meant. */
static void test_kill_one(void **state) {
  const struct scene *scene = *state;
  char *path = path_in(&scene->place, "child");
  char *script = text_of("sleep 1000 & echo $! > %s; wait", path);
  char *config = shell_config(script, "");
  reaper_container *container = must_create(scene, "one", config);
  must_start(container);
  pid_t child = pid_from(path);
  assert_true(child > 0);
  assert_int_equal(reaper_kill(container, SIGKILL, 0, NULL), REAPER_OK);
  must_wait(container);
  assert_false(is_gone(child));
  must_delete(container);
  assert_int_equal(kill(child, SIGKILL), 0);
  assert_true(wait_until(pid_is_gone, &child));
  free(config);
  free(script);
  free(path);
}

/* ---- what the program gets of the host's ---- */

static void *host_handler;
static void on_signal(int signal) {
  (void)signal;
  host_handler = &host_handler;
}

/* The host blocks nearly everything, ignores much and handles something: the program's mask is empty, all is default.
 */
static int hostile_dispositions(void *argument) {
  (void)argument;
  sigset_t all;
  sigfillset(&all);
  const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGUSR1, SIGTSTP, SIGTTIN, SIGTTOU, 40};
  for (size_t i = 0; i < COUNT_OF(ignored); ++i) CHECK(signal(ignored[i], SIG_IGN) != SIG_ERR);
  CHECK(signal(SIGUSR2, on_signal) != SIG_ERR);
  CHECK(pthread_sigmask(SIG_BLOCK, &all, NULL) == 0);
  char *before = read_whole("/proc/thread-self/status");
  struct scene scene;
  scene_open(&scene);
  char *config = process_config("\"args\":[\"/bin/cat\",\"/proc/self/status\"],\"cwd\":\"/\"");
  char *text = output_of_config(&scene, config, options_of(&scene, config));
  static const char *const lines[] = {"SigBlk:", "SigIgn:", "SigCgt:", "SigPnd:", "ShdPnd:"};
  for (size_t i = 0; i < COUNT_OF(lines); ++i) {
    char *value = line_value(text, lines[i]);
    REQUIRE(value != NULL);
    if (strcmp(value, "0000000000000000") != 0) dprintf(2, "%s is %s\n", lines[i], value);
    CHECK(strcmp(value, "0000000000000000") == 0);
    free(value);
  }
  char *after = read_whole("/proc/thread-self/status");
  for (size_t i = 0; i < 3; ++i) {
    char *was = line_value(before, lines[i]);
    char *is = line_value(after, lines[i]);
    CHECK(was != NULL && is != NULL && strcmp(was, is) == 0);
    free(was);
    free(is);
  }
  CHECK(host_handler == NULL);
  free(after);
  free(text);
  free(config);
  scene_close(&scene);
  free(before);
  return 0;
}

static void test_mask_and_dispositions(void **state) {
  (void)state;
  assert_int_equal(in_child(hostile_dispositions, NULL), 0);
}

/* ---- a creator that is killed ---- */

static int create_until_killed(void *argument) {
  const struct scene *given = argument;
  const reaper_runtime_options options = {.size = sizeof options, .root = given->place.root};
  struct scene scene = *given;
  CHECK(reaper_runtime_new(&options, &scene.runtime, NULL) == REAPER_OK);
  for (;;) {
    reaper_container *container = must_create(&scene, "victim", sleeper);
    CHECK(reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
    reaper_container_free(container);
  }
}

static int reap_orphans(void *argument) {
  (void)argument;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
  return count_children() == 0;
}

/*
 * Killed at any moment, a create leaves nothing running and no id that cannot be used again. We are the subreaper: what
 * the victim leaves behind becomes our child.
 */
static int kill_creators(void *argument) {
  struct scene *scene = argument;
  CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
  unsigned seed = 20240229;
  for (int round = 0; round < 100; ++round) {
    const pid_t victim = fork_body(create_until_killed, scene);
    const struct timespec time = {0, 200000 + rand_r(&seed) % 6000000};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
    CHECK(kill(victim, SIGKILL) == 0);
    int status = 0;
    CHECK(waitpid(victim, &status, 0) == victim);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL); /* it did not fail by itself */
    char *list = NULL;
    reaper_error *error = NULL;
    if (reaper_list(scene->runtime, &list, &error) != REAPER_OK) return complain("list", error);
    CHECK(strstr(list, "corrupt") == NULL);
    const int listed = strstr(list, "victim") != NULL;
    reaper_free(list);
    if (round % 2 == 0) {
      const int result = reaper_delete_id(scene->runtime, "victim", REAPER_DELETE_FORCE, &error);
      if (result != REAPER_OK && (listed || result != REAPER_ERR_NOT_FOUND)) return complain("delete", error);
      reaper_error_free(error);
    } else if (reaper_delete_id(scene->runtime, "victim", 0, NULL) == REAPER_ERR_STATUS && listed) {
      /* A committed one, or one that the next create sweeps away by itself: what is neither begun nor whole is no
       * container to reaper_open(). */
      int32_t number = REAPER_STATUS_CREATING;
      reaper_container *container = NULL;
      const int result = reaper_open(scene->runtime, "victim", &container, &error);
      if (result != REAPER_OK && result != REAPER_ERR_NOT_FOUND) return complain("open", error);
      if (result == REAPER_OK) CHECK(reaper_status(container, &number, NULL) == REAPER_OK);
      reaper_error_free(error);
      reaper_container_free(container);
      if (number != REAPER_STATUS_CREATING)
        CHECK(reaper_delete_id(scene->runtime, "victim", REAPER_DELETE_FORCE, NULL) == REAPER_OK);
    }
    reaper_container *container = must_create(scene, "victim", sleeper);
    CHECK(reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
    reaper_container_free(container);
    CHECK(wait_until(reap_orphans, NULL)); /* no reaper-init of his is left */
    CHECK(count_entries(scene->place.root) == 0);
  }
  return 0;
}

static void test_killed_creators(void **state) {
  struct scene *scene = *state;
  assert_int_equal(in_child(kill_creators, scene), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_created_ends_by_signals),
      TEST(test_created_survives_the_others),
      TEST(test_created_and_halted),
      TEST(test_kill_of_stopped),
      TEST(test_the_given_signal_arrives),
      TEST(test_kill_all),
      TEST(test_kill_one),
      TEST(test_mask_and_dispositions),
      TEST(test_killed_creators),
  };
  return cmocka_run_group_tests_name("signals", tests, NULL, NULL);
}
