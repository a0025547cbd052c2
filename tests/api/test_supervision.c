/* Supervised containers: the record of the end, everything below them, and the deaths of everybody concerned. */
#include "containers.h"

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

static const char sleeper[] =
    "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"}}";

static reaper_create_options supervised(const struct scene *scene, const char *config) {
  reaper_create_options options = options_of(scene, config);
  options.flags = REAPER_CREATE_SUPERVISE;
  return options;
}

static reaper_container *must_supervise(const struct scene *scene, const char *id, const char *config) {
  const reaper_create_options options = supervised(scene, config);
  return must_create_with(scene, id, &options);
}

static char *file_of(const struct scene *scene, const char *id, const char *name) {
  char *path = text_of("%s/%s/%s", scene->place.root, id, name);
  char *text = read_whole(path);
  free(path);
  return text;
}

static pid_t supervisor_of(const struct scene *scene, const char *id) {
  char *line = file_of(scene, id, "supervisor");
  assert_non_null(line);
  const pid_t pid = (pid_t)strtol(line, NULL, 10);
  free(line);
  assert_true(pid > 1);
  return pid;
}

static void assert_state_says(const reaper_container *container, const char *part) {
  char *state = must_state(container);
  assert_contains(state, part);
  reaper_free(state);
}

static int is_gone_now(void *pid) {
  return is_gone(*(pid_t *)pid);
}

static void assert_goes(pid_t pid) {
  assert_true(wait_until(is_gone_now, &pid));
}

/* The pid that a script wrote into a file of the place. */
static int is_written(void *path) {
  char *text = read_whole(path);
  const int written = text != NULL && strchr(text, '\n') != NULL;
  free(text);
  return written;
}
static pid_t pid_in(const struct scene *scene, const char *name) {
  char *path = path_in(&scene->place, name);
  assert_true(wait_until(is_written, path));
  char *text = read_whole(path);
  const pid_t pid = (pid_t)strtol(text, NULL, 10);
  free(text);
  free(path);
  assert_true(pid > 1);
  return pid;
}

static reaper_exit_status wait_by_id(const struct scene *scene, const char *id) {
  reaper_container *other = must_open(scene, id);
  const reaper_exit_status status = must_wait(other);
  reaper_container_free(other);
  return status;
}

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
  char *config = process_config(
      text_of("\"args\":[\"/bin/sh\",\"-c\",\"kill -SEGV $$\"],\"cwd\":%s,\"rlimits\":[{\"type\":\"RLIMIT_CORE\","
              "\"soft\":1048576,\"hard\":1048576}]",
              json_string(scene->place.directory)));
  reaper_container *container = must_supervise(scene, "core", config);
  must_start(container);
  const reaper_exit_status status = must_wait(container);
  assert_int_equal(status.signal, SIGSEGV);
  assert_int_equal(status.core_dumped, 1);
  must_delete(container);
  free(config);
}

/* A pidfd to poll, as for any container, and a wait with a limit. */
static void test_poll_and_limits(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_supervise(scene, "poll", sleeper);
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
  return filled(scene, text_of("(setsid sh -c 'echo $$ >@/one; exec sleep 1000' &) ; "
                               "setsid sh -c '(sh -c \"echo \\$\\$ >@/two; exec sleep 1000\" &) ; exit' ; "
                               "(trap '' TERM HUP INT; (trap '' TERM; sh -c 'echo $$ >@/three; trap \"\" TERM; "
                               "while :; do sleep 1000; done') &) ; %s",
                               rest));
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
  reaper_container *container = must_supervise(scene, "stopped", sleeper);
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
  reaper_container *container = must_supervise(scene, "deaf", sleeper);
  const pid_t supervisor = supervisor_of(scene, "deaf");
  const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGPIPE, SIGALRM, SIGSEGV};
  for (size_t i = 0; i < COUNT_OF(signals); ++i) assert_int_equal(kill(supervisor, signals[i]), 0);
  must_start(container);
  assert_state_says(container, "\"supervision\":\"active\"");
  assert_int_equal(reaper_kill(container, SIGTERM, 0, NULL), REAPER_OK);
  assert_int_equal(must_wait(container).signal, SIGTERM);
  must_delete(container);
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
  must_delete(container);
  free(config);
}

/* Killed between any two calls, a creator leaves nobody, and an id that can be used again. */
struct creator {
  const struct scene *scene;
  int pipe_end;
};
static int create_and_die(void *argument) {
  const struct creator *creator = argument;
  const reaper_create_options options = supervised(creator->scene, sleeper);
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
    reaper_container *again = must_supervise(scene, "orphan", sleeper);
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
  reaper_container *container = must_supervise(scene, "corrupt", sleeper);
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
        is_supervised ? must_supervise(scene, "ice", sleeper) : must_create(scene, "ice", sleeper);
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
      TEST(test_exit_is_recorded),
      TEST(test_status_under_a_hostile_parent),
      TEST(test_core_dump_is_recorded),
      TEST(test_poll_and_limits),
      TEST(test_kill_all_reaches_daemons),
      TEST(test_delete_leaves_nobody),
      TEST(test_fork_storm),
      TEST(test_supervisor_killed),
      TEST(test_supervisor_stopped),
      TEST(test_supervisor_survives_signals),
      TEST(test_supervisor_holds_nothing),
      TEST(test_creator_killed),
      TEST(test_failed_create),
      TEST(test_damaged_record),
      TEST(test_corrupt_state),
      TEST(test_what_cannot_die),
      TEST(test_many_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
