/* Supervised containers: the record of the end, and everything below the supervisor. */
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

/* A code and a signal, from the creator, from another handle, and once more after the supervisor has gone. */
static void test_exit_is_recorded(void **state) {
  const struct scene *scene = *state;
  const struct {
    const char *script;
    int code, signal;
  } rows[] = {{"exit 0", 0, 0}, {"exit 255", 255, 0}, {"kill -TERM $$", -1, SIGTERM}, {"kill -KILL $$", -1, SIGKILL}};
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *config = shell_config(rows[i].script, "");
    reaper_container *container = must_supervise(scene, "ends", config);
    const pid_t supervisor = supervisor_of(scene, "ends");
    assert_true(supervisor != must_pid(container));
    assert_state_says(container, "\"supervision\":\"active\"");
    assert_state_says(container, "\"containment\":\"supervisor\"");
    must_start(container);
    const reaper_exit_status here = must_wait(container);
    assert_int_equal(here.exit_code, rows[i].code);
    assert_int_equal(here.signal, rows[i].signal);
    assert_true(here.started_at_ns > 0 && here.finished_at_ns >= here.started_at_ns);
    assert_true(here.user_time_us >= 0 && here.system_time_us >= 0 && here.max_rss_kib > 0);
    assert_goes(supervisor);
    const reaper_exit_status there = wait_by_id(scene, "ends");
    assert_memory_equal(&here, &there, sizeof here);
    assert_state_says(container, "\"supervision\":\"active\"");
    must_delete(container);
    free(config);
  }
}

/* The workload belongs to its supervisor, not to us: a host that reaps everybody or ignores SIGCHLD changes nothing. */
static int hostile_parent(void *argument) {
  const int ignore = *(int *)argument;
  if (ignore) signal(SIGCHLD, SIG_IGN);
  struct scene scene;
  scene_open(&scene);
  char *config = shell_config("exit 9", "");
  const reaper_create_options options = supervised(&scene, config);
  reaper_container *container = NULL;
  reaper_exit_status status = {.size = sizeof status};
  int wrong = reaper_create(scene.runtime, "h", &options, &container, NULL) != REAPER_OK ||
              reaper_start(container, NULL) != REAPER_OK;
  if (!wrong && !ignore) {
    while (waitpid(-1, NULL, 0) > 0) continue; /* the supervisor */
  }
  wrong = wrong || reaper_wait(container, -1, &status, NULL) != REAPER_OK || status.exit_code != 9 ||
          status.max_rss_kib <= 0 || reaper_delete(container, 0, NULL) != REAPER_OK;
  reaper_container_free(container);
  scene_close(&scene);
  free(config);
  return wrong;
}

static void test_status_under_a_hostile_parent(void **state) {
  (void)state;
  for (int ignore = 0; ignore < 2; ++ignore) assert_int_equal(in_child(hostile_parent, &ignore), 0);
}

static void test_core_dump_is_recorded(void **state) {
  const struct scene *scene = *state;
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
  char *pattern = read_whole("/proc/sys/kernel/core_pattern");
  const int dumps = limit.rlim_max != 0 && pattern != NULL && pattern[0] != '|';
  free(pattern);
  if (!dumps) {
    print_message("SKIP: RLIMIT_CORE is limited here\n");
    skip();
  }
  char *directory = json_string(scene->place.directory);
  char *members = text_of(
      "\"args\":[\"/bin/sh\",\"-c\",\"kill -SEGV $$\"],\"cwd\":%s,\"rlimits\":[{\"type\":\"RLIMIT_CORE\","
      "\"soft\":1048576,\"hard\":1048576}]",
      directory);
  char *config = process_config(members);
  reaper_container *container = must_supervise(scene, "core", config);
  must_start(container);
  const reaper_exit_status status = must_wait(container);
  assert_int_equal(status.signal, SIGSEGV);
  assert_int_equal(status.core_dumped, 1);
  must_delete(container);
  free(config);
  free(members);
  free(directory);
}

/* A pidfd to poll, as for any container, and a wait with a limit. */
static void test_poll_and_limits(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_supervise(scene, "poll", endless_program);
  must_start(container);
  int32_t pidfd = -1;
  assert_int_equal(reaper_pidfd(container, &pidfd, NULL), REAPER_OK);
  struct pollfd fd = {pidfd, POLLIN, 0};
  assert_int_equal(poll(&fd, 1, 0), 0);
  reaper_exit_status status = {.size = sizeof status};
  reaper_error *error = NULL;
  assert_code(reaper_wait(container, 10, &status, &error), &error, REAPER_ERR_TIMEOUT);
  assert_int_equal(reaper_kill(container, SIGTERM, 0, NULL), REAPER_OK);
  assert_int_equal(poll(&fd, 1, -1), 1);
  /* What poll(2) says is enough: a look tells how. */
  assert_int_equal(reaper_wait(container, 0, &status, &error), REAPER_OK);
  assert_int_equal(status.signal, SIGTERM);
  close(pidfd);
  must_delete(container);
}

/* In the script's shell: daemons that fork twice and lead sessions of their own, and leave their pids. */
static char *daemons(const struct scene *scene, const char *rest) {
  char *text = text_of(
      "(setsid sh -c 'echo $$ >@/one; exec sleep 1000' &) ; "
      "setsid sh -c '(sh -c \"echo \\$\\$ >@/two; exec sleep 1000\" &) ; exit' ; "
      "(trap '' TERM HUP INT; (trap '' TERM; sh -c 'echo $$ >@/three; trap \"\" TERM; "
      "while :; do sleep 1000; done') &) ; %s",
      rest);
  char *script = filled(scene, text);
  free(text);
  return script;
}

/* Whatever forks twice or calls setsid is found by kill --all, before and after the container's own process has ended.
 */
static void test_kill_all_reaches_daemons(void **state) {
  const struct scene *scene = *state;
  for (int ended = 0; ended < 2; ++ended) {
    char *script = daemons(scene, ended ? "exit 3" : "exec sleep 1000");
    char *config = shell_config(script, "");
    reaper_container *container = must_supervise(scene, "all", config);
    must_start(container);
    const pid_t pids[] = {pid_in(scene, "one"), pid_in(scene, "two"), pid_in(scene, "three")};
    if (ended) assert_int_equal(must_wait(container).exit_code, 3);
    for (size_t i = 0; i < COUNT_OF(pids); ++i) assert_false(is_gone(pids[i]));
    /* TERM reaches each; one of them has something against it. */
    assert_int_equal(reaper_kill(container, SIGTERM, REAPER_KILL_ALL, NULL), REAPER_OK);
    assert_goes(pids[0]);
    assert_goes(pids[1]);
    assert_false(is_gone(pids[2]));
    assert_int_equal(reaper_kill(container, SIGKILL, REAPER_KILL_ALL, NULL), REAPER_OK);
    assert_true(is_gone(pids[2]));
    assert_goes(supervisor_of(scene, "all"));
    assert_int_equal(reaper_kill(container, SIGKILL, REAPER_KILL_ALL, NULL), REAPER_OK);
    must_delete(container);
    const char *const names[] = {"one", "two", "three"};
    for (size_t i = 0; i < COUNT_OF(names); ++i) {
      char *path = path_in(&scene->place, names[i]);
      assert_int_equal(unlink(path), 0);
      free(path);
    }
    free(config);
    free(script);
  }
}

/* delete --force, and a plain delete of a stopped container, leave nobody. */
static void test_delete_leaves_nobody(void **state) {
  const struct scene *scene = *state;
  for (int force = 0; force < 2; ++force) {
    char *script = daemons(scene, force ? "exec sleep 1000" : "exit 0");
    char *config = shell_config(script, "");
    reaper_container *container = must_supervise(scene, "leaves", config);
    const pid_t supervisor = supervisor_of(scene, "leaves");
    must_start(container);
    const pid_t pids[] = {pid_in(scene, "one"), pid_in(scene, "two"), pid_in(scene, "three"), supervisor};
    if (!force) assert_int_equal(must_wait(container).exit_code, 0);
    reaper_error *error = NULL;
    assert_int_equal(reaper_delete(container, force ? REAPER_DELETE_FORCE : 0, &error), REAPER_OK);
    for (size_t i = 0; i < COUNT_OF(pids); ++i) assert_true(is_gone(pids[i]));
    assert_int_equal(count_children(), 0); /* the supervisor was our child, and its zombie is gone */
    reaper_container_free(container);
    for (size_t i = 0; i < 3; ++i) {
      char *path = path_in(&scene->place, i == 0 ? "one" : i == 1 ? "two" : "three");
      unlink(path);
      free(path);
    }
    free(config);
    free(script);
  }
}

/* Processes that fork as fast as they can, each leaving its parent. Bounded, in case nobody ends them. */
static void test_fork_storm(void **state) {
  const struct scene *scene = *state;
  char *script = filled(scene,
                        "echo $$ >@/storm; storm() { n=$1; while [ $n -gt 0 ]; do n=$((n-1)); "
                        "(storm2 $n &); done; }; storm2() { sleep 0.01; [ $1 -gt 0 ] && (storm2 $(($1-1)) &); "
                        "(setsid sleep 1000 &); }; storm 40; exec sleep 1000");
  char *config = shell_config(script, "");
  for (int round = 0; round < 5; ++round) {
    reaper_container *container = must_supervise(scene, "storm", config);
    const pid_t supervisor = supervisor_of(scene, "storm");
    must_start(container);
    (void)pid_in(scene, "storm");
    if (round % 2 == 0) assert_int_equal(reaper_kill(container, SIGKILL, REAPER_KILL_ALL, NULL), REAPER_OK);
    reaper_error *error = NULL;
    assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, &error), REAPER_OK);
    assert_true(is_gone(supervisor));
    reaper_container_free(container);
  }
  assert_int_equal(count_children(), 0);
  free(config);
  free(script);
}

/* It holds nothing of the caller's: no descriptor, no directory, no session; nobody may trace it. */
static void test_supervisor_holds_nothing(void **state) {
  const struct scene *scene = *state;
  int pipe_ends[2];
  assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
  char *config = shell_config("echo out; exec sleep 1000", "");
  reaper_create_options options = supervised(scene, config);
  options.flags |= REAPER_CREATE_STDIO;
  options.stdio[0] = -1;
  options.stdio[1] = options.stdio[2] = pipe_ends[1];
  options.extra_fds = &pipe_ends[1];
  options.extra_fd_count = 1;
  reaper_container *container = must_create_with(scene, "holds", &options);
  const pid_t supervisor = supervisor_of(scene, "holds");
  close(pipe_ends[1]);
  must_start(container);
  assert_int_not_equal(getsid(supervisor), getsid(0));
  assert_int_not_equal(getsid(supervisor), getsid(must_pid(container)));
  char *status_path = text_of("/proc/%d/status", (int)supervisor);
  char *status = read_whole(status_path);
  assert_contains(status, "Name:\treaper-superv\n");
  assert_contains(status, "SigIgn:\t0000000000000000\n");
  free(status);
  free(status_path);
  if (is_root()) {
    char *fds = text_of("/proc/%d/fd", (int)supervisor);
    assert_int_equal(count_entries(fds), 5);
    free(fds);
    char *cwd = text_of("/proc/%d/cwd", (int)supervisor);
    char target[64] = "";
    assert_true(readlink(cwd, target, sizeof target - 1) > 0);
    assert_string_equal(target, "/");
    free(cwd);
  }
  /* The program's end closes the pipe: nobody else holds it. */
  char buffer[64];
  ssize_t got, total = 0;
  assert_int_equal(reaper_kill(container, SIGKILL, 0, NULL), REAPER_OK);
  while ((got = read(pipe_ends[0], buffer, sizeof buffer)) > 0) total += got;
  assert_int_equal(got, 0);
  assert_true(total == 0 || total == 4);
  close(pipe_ends[0]);
  (void)must_wait(container); /* a process closes its descriptors before it has ended */
  must_delete(container);
  free(config);
}

/* Many at once, each with its own supervisor. */
static int one_life(void *argument, int number) {
  const struct scene *scene = argument;
  int wrong = 0;
  for (int i = 0; i < 10 && !wrong; ++i) {
    char *id = text_of("life-%d", number);
    char *config = shell_config("exit 5", "");
    const reaper_create_options options = supervised(scene, config);
    reaper_container *container = NULL;
    reaper_error *error = NULL;
    reaper_exit_status status = {.size = sizeof status};
    if (reaper_create(scene->runtime, id, &options, &container, &error) != REAPER_OK)
      wrong = complain("create", error);
    else if (reaper_start(container, &error) != REAPER_OK)
      wrong = complain("start", error);
    else if (reaper_wait(container, -1, &status, &error) != REAPER_OK)
      wrong = complain("wait", error);
    else if (status.exit_code != 5)
      wrong = complain("another status", NULL);
    else if (reaper_delete(container, 0, &error) != REAPER_OK)
      wrong = complain("delete", error);
    reaper_container_free(container);
    free(config);
    free(id);
  }
  return wrong;
}

static void test_many_at_once(void **state) {
  struct scene *scene = *state;
  warm_up(scene);
  const struct census before = take_census(scene->place.root);
  assert_int_equal(run_threads(8, one_life, scene), 0);
  assert_same_census(before, take_census(scene->place.root));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_exit_is_recorded), TEST(test_status_under_a_hostile_parent), TEST(test_core_dump_is_recorded),
      TEST(test_poll_and_limits),  TEST(test_kill_all_reaches_daemons),      TEST(test_delete_leaves_nobody),
      TEST(test_fork_storm),       TEST(test_supervisor_holds_nothing),      TEST(test_many_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
