/* Supervised containers: the deaths of everybody concerned, and what is left then. */
#include "supervised.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A supervisor that is killed is lost, and said so; the container lives on, and can be ended. */
static void test_supervisor_killed(void **state) {
  const struct scene *scene = *state;
  for (int started = 0; started < 2; ++started) {
    char *script = filled(scene, "echo $$ >@/lost; exec sleep 1000");
    char *config = shell_config(script, "");
    reaper_container *container = must_supervise(scene, "lost", config);
    const pid_t supervisor = supervisor_of(scene, "lost");
    if (started) {
      must_start(container);
      (void)pid_in(scene, "lost");
    }
    assert_int_equal(kill(supervisor, SIGKILL), 0);
    assert_goes(supervisor);
    assert_state_says(container, "\"supervision\":\"lost\"");
    assert_state_says(container, "\"containment\":\"descendants\"");
    assert_state_says(container, started ? "\"status\":\"running\"" : "\"status\":\"created\"");
    reaper_container *other = must_open(scene, "lost");
    assert_state_says(other, "\"supervision\":\"lost\"");
    reaper_container_free(other);
    if (!started) {
      must_start(container);
      (void)pid_in(scene, "lost");
    }
    assert_int_equal(reaper_kill(container, SIGKILL, REAPER_KILL_ALL, NULL), REAPER_OK);
    reaper_exit_status status = {.size = sizeof status};
    reaper_error *error = NULL;
    const int waited = reaper_wait(container, -1, &status, &error);
    /* Whoever adopted it may have reaped it; nobody may say a wrong status. */
    if (waited == REAPER_OK)
      assert_int_equal(status.signal, SIGKILL);
    else
      assert_int_equal(waited, REAPER_ERR_UNKNOWN);
    reaper_error_free(error);
    assert_state_says(container, "\"supervision\":\"lost\"");
    must_delete(container);
    char *path = path_in(&scene->place, "lost");
    unlink(path);
    free(path);
    free(config);
    free(script);
  }
}

/* A supervisor that is stopped records nothing. The status is had in other ways, and delete wakes and ends it. */
static void test_supervisor_stopped(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_supervise(scene, "stopped", endless_program);
  const pid_t supervisor = supervisor_of(scene, "stopped");
  must_start(container);
  assert_int_equal(kill(supervisor, SIGSTOP), 0);
  assert_int_equal(reaper_kill(container, SIGKILL, 0, NULL), REAPER_OK);
  const reaper_exit_status status = must_wait(container); /* from the zombie */
  assert_int_equal(status.signal, SIGKILL);
  must_delete(container);
  assert_true(is_gone(supervisor));
}

/* The signals that end a process do not end the one that must outlive it. */
static void test_supervisor_survives_signals(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_supervise(scene, "deaf", endless_program);
  const pid_t supervisor = supervisor_of(scene, "deaf");
  const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGPIPE, SIGALRM, SIGSEGV};
  for (size_t i = 0; i < COUNT_OF(signals); ++i) assert_int_equal(kill(supervisor, signals[i]), 0);
  must_start(container);
  assert_state_says(container, "\"supervision\":\"active\"");
  assert_int_equal(reaper_kill(container, SIGTERM, 0, NULL), REAPER_OK);
  assert_int_equal(must_wait(container).signal, SIGTERM);
  must_delete(container);
}

/* init's own end before any start is the container's. */
static void test_init_killed_before_its_start(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_supervise(scene, "early", endless_program);
  assert_int_equal(kill(must_pid(container), SIGKILL), 0);
  const reaper_exit_status status = must_wait(container);
  assert_int_equal(status.signal, SIGKILL);
  assert_int_equal(status.started_at_ns, 0);
  assert_true(status.finished_at_ns > 0);
  reaper_error *error = NULL;
  assert_code(reaper_start(container, &error), &error, REAPER_ERR_STATUS);
  assert_state_says(container, "\"status\":\"stopped\"");
  must_delete(container);
}

/* Killed between any two calls, a creator leaves nobody, and an id that can be used again. */
struct creator {
  const struct scene *scene;
  int pipe_end;
};
static int create_and_die(void *argument) {
  const struct creator *creator = argument;
  const reaper_create_options options = supervised(creator->scene, endless_program);
  reaper_container *container = NULL;
  if (reaper_create(creator->scene->runtime, "orphan", &options, &container, NULL) != REAPER_OK) return 1;
  if (write(creator->pipe_end, "x", 1) != 1) return 1;
  pause();
  return 1;
}

static void test_creator_killed(void **state) {
  const struct scene *scene = *state;
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) fail();
  int pipe_ends[2];
  assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
  struct creator creator = {scene, pipe_ends[1]};
  /* Before, amid and after its create. */
  for (int round = 0; round < 40; ++round) {
    const pid_t pid = fork_body(create_and_die, &creator);
    if (round % 4 == 3) {
      char byte;
      assert_int_equal(read(pipe_ends[0], &byte, 1), 1);
    } else {
      for (volatile int i = 0; i < round * 20000; ++i) continue;
    }
    kill(pid, SIGKILL);
    (void)exit_of(pid);
    reaper_error *error = NULL;
    const int deleted = reaper_delete_id(scene->runtime, "orphan", REAPER_DELETE_FORCE, &error);
    if (deleted != REAPER_OK) assert_int_equal(deleted, REAPER_ERR_NOT_FOUND);
    reaper_error_free(error);
    /* Uncommitted ones end by themselves; all are ours now. */
    while (waitpid(-1, NULL, 0) > 0) continue;
    reaper_container *again = must_supervise(scene, "orphan", endless_program);
    assert_int_equal(reaper_delete(again, REAPER_DELETE_FORCE, NULL), REAPER_OK);
    reaper_container_free(again);
    char byte;
    fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK);
    while (read(pipe_ends[0], &byte, 1) == 1) continue;
    fcntl(pipe_ends[0], F_SETFL, 0);
  }
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

/* A create that fails late leaves neither of the two processes. */
static void test_failed_create(void **state) {
  const struct scene *scene = *state;
  warm_up(scene);
  const struct census before = take_census(scene->place.root);
  char *config = process_config("\"args\":[\"/no/such/program\"],\"cwd\":\"/\"");
  for (int i = 0; i < 20; ++i) {
    const reaper_create_options options = supervised(scene, config);
    reaper_container *container = NULL;
    reaper_error *error = NULL;
    assert_code(reaper_create(scene->runtime, "fails", &options, &container, &error), &error, REAPER_ERR_EXEC);
    assert_null(container);
  }
  assert_same_census(before, take_census(scene->place.root));
  free(config);
}

/* The same where the kernel reaps the supervisor before anybody can look: what init said is what create says. */
static int fail_quickly(void *argument) {
  (void)argument;
  signal(SIGCHLD, SIG_IGN);
  struct scene scene;
  scene_open(&scene);
  char *config = process_config("\"args\":[\"/no/such/program\"],\"cwd\":\"/\"");
  int wrong = 0;
  for (int i = 0; i < 100 && !wrong; ++i) {
    const reaper_create_options options = supervised(&scene, config);
    reaper_container *container = NULL;
    reaper_error *error = NULL;
    if (reaper_create(scene.runtime, "fails", &options, &container, &error) != REAPER_ERR_EXEC)
      wrong = complain("create", error);
    else
      reaper_error_free(error);
  }
  scene_close(&scene);
  free(config);
  return wrong;
}

static void test_failed_create_under_a_hostile_parent(void **state) {
  (void)state;
  assert_int_equal(in_child(fail_quickly, NULL), 0);
}

/* Damage to the exit record is not believed; what init left in the process table is. */
static void test_damaged_record(void **state) {
  const struct scene *scene = *state;
  char *config = shell_config("exit 4", "");
  reaper_container *container = must_supervise(scene, "damage", config);
  const pid_t supervisor = supervisor_of(scene, "damage");
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 4);
  assert_goes(supervisor);
  char *path = text_of("%s/damage/exit", scene->place.root);
  const char *const texts[] = {"", "0 0 0 1 1 1 1 0123456789abcdef\n", "garbage"};
  for (size_t i = 0; i < COUNT_OF(texts); ++i) {
    write_whole(path, texts[i]);
    reaper_container *other = must_open(scene, "damage");
    reaper_exit_status status = {.size = sizeof status};
    reaper_error *error = NULL;
    assert_code(reaper_wait(other, 0, &status, &error), &error, REAPER_ERR_UNKNOWN);
    assert_state_says(other, "\"exit\":null");
    assert_state_says(other, "\"supervision\":\"lost\"");
    reaper_container_free(other);
  }
  /* A handle that knew it before still does. */
  assert_int_equal(must_wait(container).exit_code, 4);
  must_delete(container);
  free(path);
  free(config);
}

/* A corrupt record does not hide the supervisor: both are found by their small files. */
static void test_corrupt_state(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_supervise(scene, "corrupt", endless_program);
  must_start(container);
  const pid_t pids[] = {must_pid(container), supervisor_of(scene, "corrupt")};
  char *path = text_of("%s/corrupt/state.json", scene->place.root);
  write_whole(path, "{");
  reaper_error *error = NULL;
  assert_code(reaper_delete_id(scene->runtime, "corrupt", 0, &error), &error, REAPER_ERR_CORRUPT);
  assert_int_equal(reaper_delete_id(scene->runtime, "corrupt", REAPER_DELETE_FORCE, &error), REAPER_OK);
  for (size_t i = 0; i < COUNT_OF(pids); ++i) assert_goes(pids[i]);
  reaper_container_free(container);
  free(path);
}

/* What cannot die holds delete up to the limit only, and is not forgotten. A frozen cgroup (v1) makes such processes.
 */
static void test_what_cannot_die(void **state) {
  const struct scene *scene = *state;
  char *freezer = text_of("/sys/fs/cgroup/freezer/reaper-test-%d", (int)getpid());
  if (mkdir(freezer, 0755) != 0) {
    free(freezer);
    print_message("SKIP: no writable freezer cgroup (v1) here\n");
    skip();
  }
  reaper_runtime_options options = {.size = sizeof options, .root = scene->place.root};
  options.kill_timeout_ms = 50;
  reaper_runtime *hasty = NULL;
  assert_int_equal(reaper_runtime_new(&options, &hasty, NULL), REAPER_OK);
  for (int is_supervised = 0; is_supervised < 2; ++is_supervised) {
    reaper_container *container =
        is_supervised ? must_supervise(scene, "ice", endless_program) : must_create(scene, "ice", endless_program);
    must_start(container);
    const pid_t pid = must_pid(container);
    char *procs = text_of("%s/cgroup.procs", freezer), *freeze = text_of("%s/freezer.state", freezer);
    char *number = text_of("%d", (int)pid);
    write_whole(procs, number);
    write_whole(freeze, "FROZEN");
    reaper_error *error = NULL;
    const struct expected expected = {REAPER_ERR_TIMEOUT, 110 /* ETIMEDOUT */, NULL, "", "did not end"};
    const int result = reaper_delete_id(hasty, "ice", REAPER_DELETE_FORCE, &error);
    assert_int_equal(result, REAPER_ERR_TIMEOUT);
    assert_contains(reaper_error_message(error), expected.part);
    reaper_error_free(error);
    assert_false(is_gone(pid));
    write_whole(freeze, "THAWED");
    assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
    assert_true(is_gone(pid));
    reaper_container_free(container);
    free(number);
    free(freeze);
    free(procs);
  }
  reaper_runtime_free(hasty);
  assert_int_equal(rmdir(freezer), 0);
  free(freezer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_supervisor_killed),
      TEST(test_supervisor_stopped),
      TEST(test_supervisor_survives_signals),
      TEST(test_init_killed_before_its_start),
      TEST(test_creator_killed),
      TEST(test_failed_create),
      TEST(test_failed_create_under_a_hostile_parent),
      TEST(test_damaged_record),
      TEST(test_corrupt_state),
      TEST(test_what_cannot_die),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
