/* create, start, state, status, pid, pidfd, kill, wait, delete, open, list, plan: what reaper.h says of each. */
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

/* ---- wait ---- */

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

/* ---- pidfd ---- */

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

/* ---- start ---- */

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

/* The specification: edits of config.json after create change nothing. */
static void test_later_edits_change_nothing(void **state) {
  const struct scene *scene = *state;
  char *path = text_of("%s/config.json", scene->place.bundle);
  char *config = shell_config("exit 11", "");
  write_whole(path, config);
  reaper_container *container = must_create(scene, "edits", NULL);
  char *other = shell_config("exit 22", ",\"noNewPrivileges\":true");
  write_whole(path, other);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 11);
  must_delete(container);
  unlink(path);
  free(other);
  free(config);
  free(path);
}

/* ---- bundle and config ---- */

static void test_bundle_or_text(void **state) {
  const struct scene *scene = *state;
  char *path = text_of("%s/config.json", scene->place.bundle);
  char *from_file = shell_config("exit 3", "");
  char *from_text = shell_config("exit 4", "");
  write_whole(path, from_file);
  /* The text wins, and needs no NUL behind it. */
  char *unended = text_of("%sGARBAGE", from_text);
  reaper_create_options options = options_of(scene, unended);
  options.config_length = strlen(from_text);
  reaper_container *container = must_create_with(scene, "text", &options);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 4);
  must_delete(container);

  /* A bundle of NULL is the working directory, with or without options at all. */
  const int here = open(".", O_PATH | O_CLOEXEC);
  assert_int_equal(chdir(scene->place.bundle), 0);
  container = must_create_with(scene, "cwd", NULL);
  assert_int_equal(fchdir(here), 0);
  char *bundle = text_of("\"bundle\":\"%s\"", scene->place.bundle);
  assert_state_says(container, bundle);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 3);
  must_delete(container);

  /* A relative one is made absolute. */
  assert_int_equal(chdir(scene->place.directory), 0);
  options = options_of(scene, NULL);
  options.bundle = "bundle";
  container = must_create_with(scene, "relative", &options);
  assert_int_equal(fchdir(here), 0);
  close(here);
  assert_state_says(container, bundle);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 3);
  must_delete(container);
  unlink(path);
  free(bundle);
  free(unended);
  free(from_text);
  free(from_file);
  free(path);
}

/* ---- standard and extra descriptors, pid file ---- */

static void test_stdio_default_is_null(void **state) {
  const struct scene *scene = *state;
  char *marker = path_in(&scene->place, "marker");
  char *script = text_of("for i in 0 1 2; do readlink /proc/$$/fd/$i; done > %s", marker);
  char *config = shell_config(script, "");
  reaper_container *container = must_create(scene, "null", config);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 0);
  must_delete(container);
  char *text = read_whole(marker);
  /* The redirection is of the loop's, in the same shell: 1 is the file while it runs. */
  char *wanted = text_of("/dev/null\n%s\n/dev/null\n", marker);
  assert_string_equal(text, wanted);
  free(wanted);
  free(text);
  free(config);
  free(script);
  free(marker);
}

static void test_stdio_given_in_any_order(void **state) {
  const struct scene *scene = *state;
  char *path = path_in(&scene->place, "input");
  write_whole(path, "hello\n");
  const int input = open(path, O_RDONLY | O_CLOEXEC);
  int out[2];
  assert_int_equal(pipe2(out, O_CLOEXEC), 0);
  char *config = shell_config("read word; echo \"out $word\"; echo \"err $word\" >&2", "");
  reaper_create_options options = options_of(scene, config);
  options.flags = REAPER_CREATE_STDIO;
  options.stdio[0] = input;
  options.stdio[1] = out[1];
  options.stdio[2] = out[1];
  reaper_container *container = must_create_with(scene, "stdio", &options);
  close(input);
  close(out[1]); /* they stay ours, and nothing else keeps them open: end of file comes */
  must_start(container);
  char text[100] = "";
  size_t used = 0;
  for (ssize_t got; (got = read(out[0], text + used, sizeof text - 1 - used)) > 0;) used += (size_t)got;
  assert_string_equal(text, "out hello\nerr hello\n");
  close(out[0]);
  must_wait(container);
  must_delete(container);
  free(config);
  free(path);
}

static void test_extra_descriptors(void **state) {
  const struct scene *scene = *state;
  char *first = path_in(&scene->place, "first");
  char *second = path_in(&scene->place, "second");
  write_whole(first, "one\n");
  write_whole(second, "two\n");
  const int32_t fds[] = {open(second, O_RDONLY | O_CLOEXEC), open(first, O_RDONLY | O_CLOEXEC)};
  char *config = shell_config("cat <&3; cat <&4; ls -l /proc/$$/fd | grep -c -- '->'", "");
  reaper_create_options options = options_of(scene, config);
  options.extra_fds = fds;
  options.extra_fd_count = 2;
  char *text = output_of_config(scene, config, options);
  assert_string_equal(text, "two\none\n5\n");       /* 0 to 4 and nothing else */
  assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC); /* unchanged here */
  close(fds[0]);
  close(fds[1]);
  free(text);
  free(config);
  free(second);
  free(first);
}

static void test_no_descriptor_leaks(void **state) {
  const struct scene *scene = *state;
  const int inheritable = open("/dev/zero", O_RDONLY); /* without close-on-exec */
  assert_true(inheritable > 2);
  char *text = output_of(scene, "echo /proc/$$/fd/*", "");
  char *listed = text_of("/proc/%d/", atoi(text + strlen("/proc/")));
  /* dash has 0, 1 and 2 only; the glob itself needs one for a moment (3). */
  char *wanted = text_of("%sfd/0 %sfd/1 %sfd/2", listed, listed, listed);
  assert_contains(text, wanted);
  assert_null(strstr(text, "fd/4"));
  close(inheritable);
  free(wanted);
  free(listed);
  free(text);
}

static void test_pid_file(void **state) {
  const struct scene *scene = *state;
  char *path = path_in(&scene->place, "pid");
  reaper_create_options options = options_of(scene, sleeper);
  options.pid_file = path;
  write_whole(path, "an old one that is much longer than any pid");
  reaper_container *container = must_create_with(scene, "pid-file", &options);
  char *wanted = text_of("%d", (int)must_pid(container));
  char *text = read_whole(path);
  assert_string_equal(text, wanted); /* digits only, no newline */
  free(text);
  free(wanted);
  reaper_error *error = NULL;
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, &error), REAPER_OK);
  reaper_container_free(container);
  free(path);
}

/* The program's environment is exactly process.env. */
static void test_environment_is_exact(void **state) {
  const struct scene *scene = *state;
  char *config = process_config("\"args\":[\"env\"],\"cwd\":\"/\",\"env\":[\"PATH=/usr/bin:/bin\",\"A=b c\",\"E=\"]");
  char *text = output_of_config(scene, config, options_of(scene, config));
  assert_string_equal(text, "PATH=/usr/bin:/bin\nA=b c\nE=\n");
  free(text);
  free(config);
}

/* A session of its own: the program must not have the caller's terminal. */
static void test_session_and_parent(void **state) {
  const struct scene *scene = *state;
  char *text = output_of(scene, "cut -d' ' -f4-7 /proc/$$/stat; echo $$", "");
  int parent = 0, group = 0, session = 0, terminal = 1, pid = 0;
  assert_int_equal(sscanf(text, "%d %d %d %d\n%d", &parent, &group, &session, &terminal, &pid), 5);
  assert_int_equal(parent, getpid()); /* nothing in between */
  assert_int_equal(session, pid);
  assert_int_equal(group, pid);
  assert_int_equal(terminal, 0);
  free(text);
}

/* ---- delete ---- */

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

/* ---- handles ---- */

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

static void test_open_what_is_not_there(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  const struct expected unknown = {REAPER_ERR_NOT_FOUND, 0, "state-directory", "",
                                   "container \"nothing\" does not exist"};
  assert_error(reaper_open(scene->runtime, "nothing", &container, &error), &error, &unknown); /* no root at all */
  assert_null(container);
  assert_int_equal(access(scene->place.root, F_OK), -1); /* and none was made */
  reaper_container *other = must_create(scene, "other", sleeper);
  error = NULL;
  assert_error(reaper_open(scene->runtime, "nothing", &container, &error), &error, &unknown);
  assert_int_equal(reaper_delete(other, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(other);
}

static void test_duplicate_id(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_create(scene, "twice", sleeper);
  const pid_t pid = must_pid(container);
  const struct census before = take_census(scene->place.root);
  const struct expected exists = {REAPER_ERR_EXISTS, 0, "claim", "", "container with given ID already exists"};
  const reaper_create_options options = options_of(scene, sleeper);
  reaper_container *second = NULL;
  for (int round = 0; round < 3; ++round) {
    reaper_error *error = NULL;
    assert_error(reaper_create(scene->runtime, "twice", &options, &second, &error), &error, &exists);
    assert_null(second);
    assert_int_equal(must_pid(container), pid);
    if (round == 0) must_start(container);
    if (round == 1) assert_int_equal(reaper_kill(container, SIGKILL, 0, NULL), REAPER_OK);
  }
  assert_same_census(before, take_census(scene->place.root));
  must_wait(container);
  must_delete(container);
}

/* ---- list and plan ---- */

static void test_list(void **state) {
  const struct scene *scene = *state;
  char *text = NULL;
  assert_int_equal(reaper_list(scene->runtime, &text, NULL), REAPER_OK);
  assert_string_equal(text, "[]"); /* absent */
  assert_int_equal(access(scene->place.root, F_OK), -1);
  reaper_free(text);
  reaper_container *a = must_create(scene, "a", sleeper);
  reaper_container *b = must_create(scene, "b", sleeper);
  reaper_container *c = must_create(scene, "c", sleeper);
  must_start(b);
  must_start(c);
  assert_int_equal(reaper_kill(c, SIGKILL, 0, NULL), REAPER_OK);
  must_wait(c);
  char *broken = text_of("%s/broken", scene->place.root);
  char *record = text_of("%s/state.json", broken);
  assert_int_equal(mkdir(broken, 0700), 0);
  write_whole(record, "{\"not\":\"a record\"}");
  text = NULL;
  assert_int_equal(reaper_list(scene->runtime, &text, NULL), REAPER_OK);
  char *rows[] = {
      text_of("{\"id\":\"a\",\"pid\":%d,\"status\":\"created\",\"bundle\":\"%s\",\"created\":\"20", (int)must_pid(a),
              scene->place.bundle),
      text_of("{\"id\":\"b\",\"pid\":%d,\"status\":\"running\",\"bundle\":\"%s\",\"created\":\"20", (int)must_pid(b),
              scene->place.bundle),
      text_of("{\"id\":\"c\",\"pid\":0,\"status\":\"stopped\",\"bundle\":\"%s\",\"created\":\"20", scene->place.bundle),
      text_of("{\"id\":\"broken\",\"pid\":0,\"status\":\"corrupt\"")};
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    assert_contains(text, rows[i]);
    free(rows[i]);
  }
  assert_contains(text, "\"owner\":\"");
  assert_contains(text, "\"error\":\"");
  reaper_free(text);
  remove_tree(broken);
  free(record);
  free(broken);
  assert_int_equal(reaper_delete(a, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  assert_int_equal(reaper_delete(b, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  must_delete(c);
  reaper_container_free(a);
  reaper_container_free(b);
  text = NULL;
  assert_int_equal(reaper_list(scene->runtime, &text, NULL), REAPER_OK);
  assert_string_equal(text, "[]"); /* empty */
  reaper_free(text);
}

static void test_plan_changes_nothing(void **state) {
  const struct scene *scene = *state;
  const struct census before = take_census(scene->place.root);
  char *config = shell_config("exit 0", ",\"noNewPrivileges\":true,\"unheardOf\":1");
  const reaper_create_options options = options_of(scene, config);
  char *text = NULL;
  reaper_error *error = NULL;
  assert_int_equal(reaper_plan(scene->runtime, &options, &text, &error), REAPER_OK);
  assert_contains(text, "no_new_privs");
  assert_contains(text, "/process/noNewPrivileges");
  assert_contains(text, "execve \"/bin/sh\" \"-c\" \"exit 0\"");
  assert_contains(text, "warning: /process/unheardOf");
  reaper_free(text);
  assert_same_census(before, take_census(scene->place.root));
  assert_int_equal(access(scene->place.root, F_OK), -1);
  free(config);
}

/* ---- runtime ---- */

static int give_roots(void *argument) {
  const struct place *place = argument;
  reaper_runtime *runtime = NULL;
  reaper_runtime_options options = {.size = sizeof options};
  CHECK(setenv("REAPER_RUNTIME_ROOT", "/from/the/environment", 1) == 0);
  CHECK(reaper_runtime_new(NULL, &runtime, NULL) == REAPER_OK);
  CHECK(strcmp(reaper_runtime_root(runtime), "/from/the/environment") == 0);
  reaper_runtime_free(runtime);
  options.root = "/given";
  CHECK(reaper_runtime_new(&options, &runtime, NULL) == REAPER_OK);
  CHECK(strcmp(reaper_runtime_root(runtime), "/given") == 0); /* the environment is not read */
  reaper_runtime_free(runtime);
  CHECK(chdir(place->directory) == 0);
  options.root = "relative/root";
  CHECK(reaper_runtime_new(&options, &runtime, NULL) == REAPER_OK);
  CHECK(chdir("/") == 0); /* taken from the working directory then, not later */
  char *wanted = text_of("%s/relative/root", place->directory);
  CHECK(strcmp(reaper_runtime_root(runtime), wanted) == 0);
  free(wanted);
  reaper_runtime_free(runtime);
  CHECK(unsetenv("REAPER_RUNTIME_ROOT") == 0 && setenv("XDG_RUNTIME_DIR", "/xdg", 1) == 0);
  CHECK(reaper_runtime_new(NULL, &runtime, NULL) == REAPER_OK);
  CHECK(strcmp(reaper_runtime_root(runtime), geteuid() == 0 ? "/run/reaper" : "/xdg/reaper") == 0);
  reaper_runtime_free(runtime);
  CHECK(count_entries(place->directory) == 1); /* the bundle: nothing was made */
  return 0;
}

static void test_runtime_root(void **state) {
  struct scene *scene = *state;
  assert_string_equal(reaper_runtime_root(scene->runtime), scene->place.root);
  assert_int_equal(in_child(give_roots, &scene->place), 0);
}

static void test_root_is_made_private(void **state) {
  const struct scene *scene = *state;
  const mode_t masks[] = {0, 0777, 022};
  for (size_t i = 0; i < COUNT_OF(masks); ++i) {
    const mode_t before = umask(masks[i]);
    const reaper_create_options options = options_of(scene, sleeper);
    reaper_container *container = NULL;
    const int result = reaper_create(scene->runtime, "private", &options, &container, NULL);
    const mode_t after = umask(before);
    assert_int_equal(result, REAPER_OK);
    assert_int_equal(after, masks[i]);
    struct stat status;
    assert_int_equal(stat(scene->place.root, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    char *directory = text_of("%s/private", scene->place.root);
    assert_int_equal(stat(directory, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    static const char *const files[] = {"state.json", "pid", "owner", "identity", "gate"};
    for (size_t f = 0; f < COUNT_OF(files); ++f) {
      char *path = text_of("%s/%s", directory, files[f]);
      assert_int_equal(stat(path, &status), 0);
      assert_int_equal(status.st_mode & 07777, 0600);
      free(path);
    }
    free(directory);
    assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
    reaper_container_free(container);
    assert_int_equal(rmdir(scene->place.root), 0);
  }
}

/* ---- log ---- */

struct log {
  int count[REAPER_LOG_DEBUG + 1];
  pid_t thread;
  char text[1000];
};

static void take_log(void *data, int32_t level, const char *message) {
  struct log *log = data;
  ++log->count[level];
  log->thread = (pid_t)syscall(SYS_gettid);
  snprintf(log->text, sizeof log->text, "%s", message);
}

static void test_log_callback(void **state) {
  const struct scene *scene = *state;
  char *config = shell_config("exit 0", ",\"noNewPrivilegs\":true");
  for (uint32_t level = 0; level <= REAPER_LOG_DEBUG; ++level) {
    struct log log;
    memset(&log, 0, sizeof log);
    const reaper_runtime_options options = {
        .size = sizeof options, .root = scene->place.root, .log = take_log, .log_data = &log, .log_level = level};
    reaper_runtime *runtime = NULL;
    assert_int_equal(reaper_runtime_new(&options, &runtime, NULL), REAPER_OK);
    struct scene logged = {scene->place, runtime};
    reaper_container *container = must_create(&logged, "logged", config);
    /* 0 means warnings and what is more important. */
    assert_int_equal(log.count[REAPER_LOG_WARNING], level == REAPER_LOG_ERROR ? 0 : 1);
    assert_int_equal(log.count[REAPER_LOG_ERROR], 0);
    if (level != REAPER_LOG_ERROR) {
      assert_int_equal(log.thread, syscall(SYS_gettid));
      assert_contains(log.text, "/process/noNewPrivilegs");
      assert_contains(log.text, "noNewPrivileges"); /* the nearest known name */
      assert_null(strchr(log.text, '\n'));
    }
    assert_state_says(container, "\"pointer\":\"/process/noNewPrivilegs\""); /* and kept in the state */
    assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
    reaper_container_free(container);
    reaper_runtime_free(runtime);
  }
  free(config);
}

/* ---- version and features ---- */

static void test_version_and_features(void **state) {
  (void)state;
  char *version = text_of("%d.%d.%d", REAPER_VERSION_MAJOR, REAPER_VERSION_MINOR, REAPER_VERSION_PATCH);
  assert_string_equal(reaper_version(), version);
  assert_true(reaper_commit()[0] != '\0');
  free(version);
  char *text = NULL;
  assert_int_equal(reaper_features(&text, NULL), REAPER_OK);
  static const char *const parts[] = {"\"ociVersionMin\":\"1.0.0\"",
                                      "\"ociVersionMax\":\"1.",
                                      "\"hooks\":[",
                                      "\"mountOptions\":[",
                                      "\"linux\":{",
                                      "\"CAP_SETUID\"",
                                      "\"potentiallyUnsafeConfigAnnotations\":["};
  for (size_t i = 0; i < COUNT_OF(parts); ++i) assert_contains(text, parts[i]);
  reaper_free(text);
}

static void test_error_names(void **state) {
  (void)state;
  static const char *const names[] = {
      "REAPER_OK",         "REAPER_ERR_INVALID",   "REAPER_ERR_UNSUPPORTED", "REAPER_ERR_NOT_FOUND",
      "REAPER_ERR_EXISTS", "REAPER_ERR_STATUS",    "REAPER_ERR_BUSY",        "REAPER_ERR_PERMISSION",
      "REAPER_ERR_SYSTEM", "REAPER_ERR_NO_MEMORY", "REAPER_ERR_TIMEOUT",     "REAPER_ERR_CORRUPT",
      "REAPER_ERR_VERIFY", "REAPER_ERR_EXEC",      "REAPER_ERR_UNKNOWN",     "REAPER_ERR_INTERNAL"};
  for (int i = 0; i < (int)COUNT_OF(names); ++i) assert_string_equal(reaper_error_name(-i), names[i]);
  const int32_t others[] = {1, -16, 1000, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < COUNT_OF(others); ++i) assert_string_equal(reaper_error_name(others[i]), "REAPER_ERR_?");
  /* NULL gives 0 or "". */
  assert_int_equal(reaper_error_code(NULL), 0);
  assert_int_equal(reaper_error_errno(NULL), 0);
  assert_string_equal(reaper_error_message(NULL), "");
  assert_string_equal(reaper_error_pointer(NULL), "");
  assert_string_equal(reaper_error_stage(NULL), "");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_statuses_at_every_moment),
      TEST(test_zombie_is_stopped),
      TEST(test_a_look_at_the_zombie),
      TEST(test_state_is_the_specifications),
      TEST(test_exit_codes_and_signals),
      TEST(test_core_dump_flag),
      TEST(test_times_and_usage),
      TEST(test_wait_writes_size_bytes),
      TEST(test_wait_limits),
      TEST(test_wait_from_a_second_handle),
      TEST(test_wait_by_many_threads),
      TEST(test_wait_goes_on_after_a_handler),
      TEST(test_wait_by_another_process),
      TEST(test_pidfd),
      TEST(test_start_only_once),
      TEST(test_start_without_process),
      TEST(test_later_edits_change_nothing),
      TEST(test_bundle_or_text),
      TEST(test_stdio_default_is_null),
      TEST(test_stdio_given_in_any_order),
      TEST(test_extra_descriptors),
      TEST(test_no_descriptor_leaks),
      TEST(test_pid_file),
      TEST(test_environment_is_exact),
      TEST(test_session_and_parent),
      TEST(test_delete_only_stopped),
      TEST(test_delete_force),
      TEST(test_delete_id),
      TEST(test_handle_after_delete),
      TEST(test_wait_after_delete),
      TEST(test_handle_of_a_former_life),
      TEST(test_free_in_any_order),
      TEST(test_free_of_null),
      TEST(test_open_what_is_not_there),
      TEST(test_duplicate_id),
      TEST(test_list),
      TEST(test_plan_changes_nothing),
      TEST(test_runtime_root),
      TEST(test_root_is_made_private),
      TEST(test_log_callback),
      TEST(test_version_and_features),
      TEST(test_error_names),
  };
  return cmocka_run_group_tests_name("lifecycle", tests, NULL, NULL);
}
