/*
 * Whom a record means after a reboot, when its pid was used again, seen from another pid or time namespace, and when
 * the clock was set: an innocent process is never signalled, and no process of ours is taken for gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervised.h"
#include "tamper.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static const char other_boot[] = "01234567-89ab-cdef-0123-456789abcdef";
static const char other_start[] = "1"; /* in clock ticks: nobody's that lives now */

/* ---- What is said of a container whose process is gone, while an innocent has its pid ---- */

enum removal { BY_HANDLE, BY_ID, FORCED_BY_HANDLE, FORCED_BY_ID, REMOVALS };

static void remove_in_that_way(const struct scene* scene, reaper_container* container, enum removal removal) {
  const uint32_t flags = removal >= FORCED_BY_HANDLE ? REAPER_DELETE_FORCE : 0;
  reaper_error* error = NULL;
  const int result = removal == BY_ID || removal == FORCED_BY_ID ? reaper_delete_id(scene->runtime, "c", flags, &error)
                                                                 : reaper_delete(container, flags, &error);
  if (result != REAPER_OK) complain("delete", error);
  REQUIRE(result == REAPER_OK);
}

static void look_at_stopped(const struct scene* scene, reaper_container* container) {
  reaper_error* error = NULL;
  int32_t descriptor = -1;
  const struct expected not_running = {REAPER_ERR_STATUS, 0, "status", "", "container not running"};
  const struct expected not_created = {REAPER_ERR_STATUS, 0, "status", "", "is stopped, not created"};
  REQUIRE(must_status(container) == REAPER_STATUS_STOPPED);
  for (int signal = 0; signal <= SIGTERM; ++signal)
    assert_error(reaper_kill(container, signal, 0, &error), &error, &not_running);
  REQUIRE(reaper_kill(container, SIGKILL, REAPER_KILL_ALL, NULL) == REAPER_OK);
  REQUIRE(reaper_kill(container, SIGTERM, REAPER_KILL_ALL, NULL) == REAPER_OK);
  assert_error(reaper_start(container, &error), &error, &not_created);
  assert_error(reaper_pidfd(container, &descriptor, &error), &error, &not_running);
  char* text = must_state(container);
  assert_contains(text, "\"status\":\"stopped\"");
  REQUIRE(strstr(text, "\"pid\":") == NULL);
  reaper_free(text);
  REQUIRE(reaper_list(scene->runtime, &text, NULL) == REAPER_OK);
  assert_contains(text, "{\"id\":\"c\",\"pid\":0,\"status\":\"stopped\"");
  reaper_free(text);
}

/* Reads `stopped`, signals nobody, and goes in that way. */
static void assert_stopped(const struct scene* scene, enum removal removal) {
  reaper_container* container = must_open(scene, "c");
  look_at_stopped(scene, container);
  reaper_exit_status status = {.size = sizeof status};
  reaper_error* error = NULL;
  const struct expected unknown = {REAPER_ERR_UNKNOWN, 0, "wait", "", "can no longer be known"};
  assert_error(reaper_wait(container, LIMIT_MS, &status, &error), &error, &unknown);
  remove_in_that_way(scene, container, removal);
  reaper_container_free(container);
  REQUIRE(count_entries(scene->place.root) == 0);
}

/* ---- A container that is said to be somebody else's ---- */

struct container {
  pid_t pid;
  pid_t supervisor; /* 0: none */
};

static struct container make(const struct scene* scene, int is_supervised, int is_started) {
  reaper_container* container =
      is_supervised ? must_supervise(scene, "c", endless_program) : must_create(scene, "c", endless_program);
  if (is_started) must_start(container);
  const struct container made = {must_pid(container), is_supervised ? supervisor_of(scene, "c") : 0};
  reaper_container_free(container);
  return made;
}

static void assert_unharmed(const struct container* container) {
  REQUIRE(is_unharmed(container->pid));
  REQUIRE(container->supervisor == 0 || is_unharmed(container->supervisor));
}

/* Its record is gone or means nobody: its processes are ours to end. */
static void end(const struct container* container) {
  REQUIRE(container->pid > 1);
  if (container->supervisor == 0) {
    end_own_child(container->pid);
  } else {
    kill(container->pid, SIGKILL);
    assert_goes(container->pid);
    end_own_child(container->supervisor);
  }
}

/* Every kind of container, and every way to remove it. */
static void for_all(const struct scene* scene, void (*body)(const struct scene*, enum removal)) {
  for (int kind = 0; kind < 4 * REMOVALS; ++kind) {
    const struct container container = make(scene, kind % 2, kind / 2 % 2);
    body(scene, (enum removal)(kind / 4));
    assert_unharmed(&container);
    end(&container);
  }
}

/* ---- A reboot ---- */

static void in_the_other_boot(const struct scene* scene, enum removal removal) {
  change_identity(scene, "c", FIELD_BOOT_ID, other_boot);
  assert_stopped(scene, removal);
}

static void test_record_of_another_boot(void** state) {
  for_all(*state, in_the_other_boot);
}

struct afterwards {
  const struct scene* scene;
  enum removal removal;
};

/* A runtime of its own, since a handle is of no use after fork(2). */
static struct scene fresh(const struct scene* scene) {
  struct scene own = *scene;
  const reaper_runtime_options options = {.size = sizeof options, .root = scene->place.root};
  REQUIRE(reaper_runtime_new(&options, &own.runtime, NULL) == REAPER_OK);
  return own;
}

static int after_a_reboot(void* argument) {
  const struct afterwards* afterwards = argument;
  char* boot_id = path_in(&afterwards->scene->place, "boot_id");
  CHECK(own_mounts() == 0);
  CHECK(mount(boot_id, "/proc/sys/kernel/random/boot_id", NULL, MS_BIND, NULL) == 0);
  const struct scene own = fresh(afterwards->scene);
  assert_stopped(&own, afterwards->removal);
  reaper_runtime_free(own.runtime);
  free(boot_id);
  return 0;
}

static void reboot(const struct scene* scene, enum removal removal) {
  struct afterwards afterwards = {scene, removal};
  assert_int_equal(in_child(after_a_reboot, &afterwards), 0);
}

static void test_reboot(void** state) {
  const struct scene* scene = *state;
  need_own_mounts();
  char* boot_id = path_in(&scene->place, "boot_id");
  char* text = text_of("%s\n", other_boot);
  write_whole(boot_id, text);
  for_all(scene, reboot);
  free(text);
  free(boot_id);
}

/* ---- A pid that is used again ---- */

static void with_another_start_time(const struct scene* scene, enum removal removal) {
  change_identity(scene, "c", FIELD_START_TIME, other_start);
  assert_stopped(scene, removal);
}

static void test_record_of_another_start(void** state) {
  for_all(*state, with_another_start_time);
}

/* The record cannot be read, and `identity` means nobody: nothing runs that could be lost. */
static void test_damaged_record_of_nobody(void** state) {
  const struct scene* scene = *state;
  for (int i = 0; i < 4; ++i) {
    const struct container container = make(scene, i % 2, 1);
    change_identity(scene, "c", i / 2 ? FIELD_BOOT_ID : FIELD_START_TIME, i / 2 ? other_boot : other_start);
    char* record = file_of(scene, "c", "state.json");
    write_whole(record, "{");
    reaper_error* error = NULL;
    assert_code(reaper_delete_id(scene->runtime, "c", 0, &error), &error, REAPER_ERR_CORRUPT);
    assert_int_equal(reaper_delete_id(scene->runtime, "c", REAPER_DELETE_FORCE, NULL), REAPER_OK);
    assert_int_equal(count_entries(scene->place.root), 0);
    assert_unharmed(&container);
    end(&container);
    free(record);
  }
}

/* The next process or thread gets this pid. */
static int choose_next(pid_t pid) {
  const int file = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const int written = dprintf(file, "%d", (int)pid - 1);
  close(file);
  return written > 0;
}

static int can_choose(void* argument) {
  (void)argument;
  return choose_next(1000) ? 0 : 1;
}

static void* idle(void* argument) {
  (void)argument;
  for (;;) pause();
  return NULL;
}

static char* start_time_of(pid_t pid) {
  char* line = identity_of(pid);
  char* time = identity_field(line, FIELD_START_TIME);
  free(line);
  return time;
}

/* Start times are counted in ticks of 10 ms: only a later one tells two bearers of a pid apart. */
static int ticks_have_passed(void* former) {
  const pid_t pid = innocent();
  char* now = start_time_of(pid);
  end_own_child(pid);
  const int passed = strcmp(now, former) != 0;
  free(now);
  return passed;
}

static int reuse(void* argument) {
  const int kind = *(const int*)argument;
  struct scene scene;
  scene_open(&scene);
  reaper_container* held = must_create(&scene, "c", endless_program);
  must_start(held);
  const pid_t pid = must_pid(held);
  char* former = start_time_of(pid);
  CHECK(kill(pid, SIGKILL) == 0 && exit_of(pid) == 128 + SIGKILL);
  CHECK(wait_until(ticks_have_passed, former));
  free(former);
  CHECK(choose_next(pid));
  pthread_t thread;
  if (kind / REMOVALS == 0)
    CHECK(innocent() == pid);
  else
    CHECK(pthread_create(&thread, NULL, idle, NULL) == 0);
  CHECK(is_unharmed(pid));
  look_at_stopped(&scene, held);
  if (kind % REMOVALS == BY_HANDLE || kind % REMOVALS == FORCED_BY_HANDLE)
    remove_in_that_way(&scene, held, (enum removal)(kind % REMOVALS));
  else
    assert_stopped(&scene, (enum removal)(kind % REMOVALS));
  CHECK(count_entries(scene.place.root) == 0);
  CHECK(is_unharmed(pid));
  reaper_container_free(held);
  scene_close(&scene);
  return 0;
}

/* Truly: the container's process was reaped, and the next process, or thread, got its pid. */
static void test_pid_used_again(void** state) {
  (void)state;
  need_own_pids();
  if (in_own_pids(can_choose, NULL) != 0) SKIP("pids cannot be chosen here");
  for (int kind = 0; kind < 2 * REMOVALS; ++kind) assert_int_equal(in_own_pids(reuse, &kind), 0);
}

/* ---- Another pid namespace ---- */

/* Whether the process runs cannot be known there: an error that says so, and nothing is removed. */
static void assert_not_judged(const struct scene* scene) {
  reaper_container* container = NULL;
  reaper_error* error = NULL;
  char* text = NULL;
  const struct expected expected = {REAPER_ERR_UNSUPPORTED, 0, "identity", "", "created in another pid namespace"};
  char* directory = text_of("%s/c", scene->place.root);
  const int entries = count_entries(directory);
  assert_error(reaper_open(scene->runtime, "c", &container, &error), &error, &expected);
  assert_error(reaper_delete_id(scene->runtime, "c", 0, &error), &error, &expected);
  assert_error(reaper_delete_id(scene->runtime, "c", REAPER_DELETE_FORCE, &error), &error, &expected);
  const reaper_create_options options = options_of(scene, endless_program);
  assert_code(reaper_create(scene->runtime, "c", &options, &container, &error), &error, REAPER_ERR_EXISTS);
  REQUIRE(container == NULL);
  REQUIRE(reaper_list(scene->runtime, &text, NULL) == REAPER_OK);
  assert_contains(text, "{\"id\":\"c\",\"pid\":0,\"status\":\"corrupt\"");
  assert_contains(text, "created in another pid namespace");
  reaper_free(text);
  REQUIRE(count_entries(directory) == entries);
  free(directory);
}

static void test_record_of_another_pid_namespace(void** state) {
  const struct scene* scene = *state;
  for (int kind = 0; kind < 4; ++kind) {
    const struct container container = make(scene, kind % 2, kind / 2);
    char* path = file_of(scene, "c", "identity");
    char* line = read_whole(path);
    char* own = identity_field(line, FIELD_PID_NAMESPACE);
    change_identity(scene, "c", FIELD_PID_NAMESPACE, "1");
    assert_not_judged(scene);
    assert_unharmed(&container);
    change_identity(scene, "c", FIELD_PID_NAMESPACE, own);
    assert_int_equal(reaper_delete_id(scene->runtime, "c", REAPER_DELETE_FORCE, NULL), REAPER_OK);
    assert_int_equal(count_entries(scene->place.root), 0);
    free(own);
    free(line);
    free(path);
  }
}

static int look_from_inside(void* argument) {
  const struct scene own = fresh(argument);
  assert_not_judged(&own);
  reaper_runtime_free(own.runtime);
  return 0;
}

static void test_from_another_pid_namespace(void** state) {
  struct scene* scene = *state;
  need_own_pids();
  const struct container container = make(scene, 0, 1);
  assert_int_equal(in_own_pids(look_from_inside, scene), 0);
  assert_unharmed(&container);
  reaper_container* opened = must_open(scene, "c");
  assert_int_equal(must_status(opened), REAPER_STATUS_RUNNING);
  assert_int_equal(reaper_delete(opened, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(opened);
}

/* ---- Clocks ---- */

/* Between two time namespaces start times are shifted: the container is found all the same. */
static int in_another_time(void* argument) {
  const struct scene own = fresh(argument);
  reaper_container* container = must_open(&own, "c");
  CHECK(must_status(container) == REAPER_STATUS_RUNNING);
  CHECK(reaper_kill(container, SIGKILL, 0, NULL) == REAPER_OK);
  reaper_container_free(container);
  container = must_create(&own, "inside", endless_program);
  must_start(container);
  reaper_container_free(container);
  reaper_runtime_free(own.runtime);
  return 0;
}

static int shift_time(void* argument) {
  if (own_mounts() != 0 || unshare(CLONE_NEWTIME) != 0) return 77;
  const int offsets = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
  if (offsets < 0 || dprintf(offsets, "boottime 100000 0\n") < 0) return 77;
  close(offsets);
  return argument == NULL ? 0 : in_child(in_another_time, argument);
}

static void test_another_time_namespace(void** state) {
  struct scene* scene = *state;
  if (in_child(shift_time, NULL) != 0) SKIP("no time namespace of our own can be made here");
  const struct container container = make(scene, 0, 1);
  assert_int_equal(in_child(shift_time, scene), 0);
  assert_int_equal(exit_of(container.pid), 128 + SIGKILL);
  reaper_container* opened = must_open(scene, "inside");
  assert_int_equal(must_status(opened), REAPER_STATUS_RUNNING);
  assert_int_equal(reaper_delete(opened, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(opened);
  assert_int_equal(reaper_delete_id(scene->runtime, "c", 0, NULL), REAPER_OK);
}

static void set_start(const struct scene* scene, int64_t seconds) {
  char* started = file_of(scene, "c", "started");
  const struct timespec times[2] = {{0, UTIME_OMIT}, {seconds, 5}};
  assert_int_equal(utimensat(AT_FDCWD, started, times, AT_SYMLINK_NOFOLLOW), 0);
  free(started);
}

/* The clock was set back, or forward, after create or start: times are told as they were, nothing is decided by them.
 */
static void test_clock_that_was_set(void** state) {
  const struct scene* scene = *state;
  static const struct {
    const char *created, *started;
    int64_t start;
  } cases[] = {
      {"\"2199-01-01T00:00:00.000000000Z\"", "\"startedAt\":\"2001-09-09T01:46:40.000000005Z\"", 1000000000},
      {"\"1970-01-01T00:00:00.000000000Z\"", "\"startedAt\":\"2096-10-02T07:06:40.000000005Z\"", 4000000000},
  };
  for (size_t i = 0; i < 2 * COUNT_OF(cases); ++i) {
    const struct container container = make(scene, (int)i % 2, 1);
    change_record(scene, "c", "created", cases[i / 2].created);
    set_start(scene, cases[i / 2].start);
    reaper_container* opened = must_open(scene, "c");
    assert_int_equal(must_status(opened), REAPER_STATUS_RUNNING);
    assert_state_says(opened, cases[i / 2].created);
    reaper_error* error = NULL;
    assert_code(reaper_delete(opened, 0, &error), &error, REAPER_ERR_STATUS);
    assert_true(is_unharmed(container.pid));
    assert_int_equal(reaper_kill(opened, SIGKILL, 0, NULL), REAPER_OK);
    assert_int_equal(must_wait(opened).signal, SIGKILL);
    assert_state_says(opened, cases[i / 2].started);
    must_delete(opened);
    assert_int_equal(count_entries(scene->place.root), 0);
  }
}

static char* time_in(const char* state, const char* name) {
  char* key = text_of("\"%s\":\"", name);
  const char* at = strstr(state, key);
  REQUIRE(at != NULL);
  at += strlen(key);
  free(key);
  return text_of("%.*s", (int)strcspn(at, "\""), at);
}

/* Every process can ask when the program was started, and it was not before it was created. When it ended is known to
 * a supervisor, and without one only to who saw it end: a wait that comes later says 0 and nothing in `state`. */
static void test_start_is_told(void** state) {
  const struct scene* scene = *state;
  for (int is_supervised = 0; is_supervised < 2; ++is_supervised) {
    make(scene, is_supervised, 1);
    reaper_container* opened = must_open(scene, "c"); /* what the starter's own handle knows stands in no file */
    assert_int_equal(reaper_kill(opened, SIGKILL, 0, NULL), REAPER_OK);
    const reaper_exit_status status = must_wait(opened);
    char* text = must_state(opened);
    char* created = time_in(text, "created");
    char* started = time_in(text, "startedAt");
    /* All are UTC with nine digits, so that text order is that of time. */
    assert_true(strcmp(created, started) <= 0);
    assert_true(status.started_at_ns > 0);
    assert_true(!is_supervised || status.finished_at_ns != 0);
    if (status.finished_at_ns == 0) {
      assert_null(strstr(text, "finishedAt"));
    } else {
      char* finished = time_in(text, "finishedAt");
      assert_true(strcmp(started, finished) <= 0);
      assert_true(status.started_at_ns <= status.finished_at_ns);
      free(finished);
    }
    must_delete(opened);
    free(started);
    free(created);
    reaper_free(text);
  }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_record_of_another_boot),
      TEST(test_reboot),
      TEST(test_record_of_another_start),
      TEST(test_damaged_record_of_nobody),
      TEST(test_pid_used_again),
      TEST(test_record_of_another_pid_namespace),
      TEST(test_from_another_pid_namespace),
      TEST(test_another_time_namespace),
      TEST(test_clock_that_was_set),
      TEST(test_start_is_told),
  };
  return cmocka_run_group_tests_name("state_time", tests, NULL, NULL);
}
