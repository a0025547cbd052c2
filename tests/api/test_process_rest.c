/*
 * scheduler, ioPriority, execCPUAffinity, personality, labels, and the sockets of sd_listen_fds(3): seen from outside
 * in the running program, and what a caller without the privilege is told.
 */
#include "containers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct sched_attr in its first version, sched_setattr(2). */
struct attributes {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

#define CLASS_SHIFT 13 /* IOPRIO_CLASS_SHIFT, ioprio_set(2) */
#define WHO_PROCESS 1

static char *sleeper_with(const char *more, const char *linux_members) {
  return text_of(
      "{\"ociVersion\":\"1.3.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"%s},"
      "\"linux\":{%s}}",
      more, linux_members);
}

/* A started container of this config; what it runs waits. */
static reaper_container *started(const struct scene *scene, const char *more, const char *linux_members) {
  char *config = sleeper_with(more, linux_members);
  reaper_container *container = must_create(scene, "c", config);
  free(config);
  must_start(container);
  return container;
}

static void end(reaper_container *container) {
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
}

static struct attributes attributes_of(pid_t pid) {
  struct attributes found;
  memset(&found, 0, sizeof found);
  REQUIRE(syscall(SYS_sched_getattr, pid, &found, sizeof found, 0) == 0);
  return found;
}

static struct attributes applied(const struct scene *scene, const char *members) {
  char *more = text_of(",\"scheduler\":{%s}", members);
  reaper_container *container = started(scene, more, "");
  free(more);
  const struct attributes found = attributes_of(must_pid(container));
  end(container);
  return found;
}

static void test_scheduler(void **state) {
  const struct scene *scene = *state;
  const struct attributes own = attributes_of(0);
  struct attributes found = applied(scene, "\"policy\":\"SCHED_BATCH\",\"nice\":19");
  assert_int_equal(found.policy, SCHED_BATCH);
  assert_int_equal(found.nice, 19);
  assert_int_equal(found.flags, 0);
  found = applied(scene, "\"policy\":\"SCHED_BATCH\",\"nice\":7,\"flags\":[\"SCHED_FLAG_RESET_ON_FORK\"]");
  assert_int_equal(found.nice, 7);
  assert_int_equal(found.flags, 1);
  found = applied(scene, "\"policy\":\"SCHED_IDLE\"");
  assert_int_equal(found.policy, SCHED_IDLE);
  found = applied(scene, "\"policy\":\"SCHED_BATCH\",\"nice\":12,\"flags\":[\"SCHED_FLAG_KEEP_POLICY\"]");
  assert_int_equal(found.policy, own.policy);
  assert_int_equal(found.nice, 12);
  const struct attributes after = attributes_of(0);
  assert_memory_equal(&own, &after, sizeof own); /* the caller stays as it is */
}

/* Whether this machine lets us have it at all: root in a container may not. */
static int take_policy(void *argument) {
  return syscall(SYS_sched_setattr, 0, argument, 0) != 0;
}

static void test_real_time(void **state) {
  const struct scene *scene = *state;
  if (!holds_capability("CapEff:", CAP_SYS_NICE)) SKIP("CAP_SYS_NICE is not held");
  struct attributes wanted = {.size = sizeof wanted, .policy = SCHED_FIFO, .priority = 1};
  if (in_child(take_policy, &wanted) != 0) SKIP("real-time policies are not allowed here");
  struct attributes found = applied(scene, "\"policy\":\"SCHED_FIFO\",\"priority\":3");
  assert_int_equal(found.policy, SCHED_FIFO);
  assert_int_equal(found.priority, 3);
  found = applied(scene, "\"policy\":\"SCHED_RR\",\"priority\":1,\"flags\":[\"SCHED_FLAG_RESET_ON_FORK\"]");
  assert_int_equal(found.policy, SCHED_RR);
  assert_int_equal(found.flags, 1);
  assert_int_equal(applied(scene, "\"policy\":\"SCHED_OTHER\",\"nice\":-20").nice, -20);
}

static void test_deadline(void **state) {
  const struct scene *scene = *state;
  if (!holds_capability("CapEff:", CAP_SYS_NICE)) SKIP("CAP_SYS_NICE is not held");
  struct attributes wanted = {
      .size = sizeof wanted, .policy = 6, .runtime = 100000, .deadline = 100000000, .period = 200000000};
  if (in_child(take_policy, &wanted) != 0) SKIP("SCHED_DEADLINE is not allowed here");
  struct attributes found =
      applied(scene,
              "\"policy\":\"SCHED_DEADLINE\",\"runtime\":100000,\"deadline\":100000000,"
              "\"period\":200000000,\"flags\":[\"SCHED_FLAG_RECLAIM\"]"); /* no signal that could end it */
  assert_int_equal(found.policy, wanted.policy);
  assert_int_equal(found.runtime, wanted.runtime);
  assert_int_equal(found.deadline, wanted.deadline);
  assert_int_equal(found.period, wanted.period);
  assert_int_equal(found.flags, 2);
  found = applied(scene, "\"policy\":\"SCHED_DEADLINE\",\"runtime\":100000,\"deadline\":100000000");
  assert_int_equal(found.period, found.deadline);
  /* More than a CPU has: the kernel's admission control says no, and nothing stays. */
  char *config = sleeper_with(",\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":1,\"deadline\":2}", "");
  const reaper_create_options options = options_of(scene, config);
  assert_create_fails_unforeseen(
      scene, &options, &(struct expected){REAPER_ERR_INVALID, 0, "config", "/process/scheduler/runtime", "1024"});
  free(config);
  config = sleeper_with(",\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":4000,\"deadline\":4000}", "");
  const reaper_create_options too_short = options_of(scene, config); /* a period below sched_deadline_period_min_us */
  assert_create_fails_unforeseen(
      scene, &too_short,
      &(struct expected){REAPER_ERR_SYSTEM, EINVAL, "sched_setattr", "/process/scheduler", "EINVAL"});
  free(config);
}

struct denied {
  const char *more;
  const char *pointer;
  const char *part;
};

static int denied_without_privilege(void *argument) {
  const struct denied *row = argument;
  CHECK(become_ordinary() == 0);
  const struct rlimit none = {0, 0};
  CHECK(setrlimit(RLIMIT_NICE, &none) == 0 && setrlimit(RLIMIT_RTPRIO, &none) == 0);
  struct scene scene;
  scene_open(&scene);
  char *config = sleeper_with(row->more, "");
  const reaper_create_options options = options_of(&scene, config);
  const struct expected expected = {REAPER_ERR_PERMISSION, 0, "plan", row->pointer, row->part};
  const int bad = create_differs(&scene, &options, &expected);
  free(config);
  scene_close(&scene);
  return bad;
}

static void test_without_privilege(void **state) {
  (void)state;
  struct denied rows[] = {
      {",\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"nice\":-1}", "/process/scheduler/nice", "CAP_SYS_NICE"},
      {",\"scheduler\":{\"policy\":\"SCHED_RR\",\"priority\":1}", "/process/scheduler/priority", "RLIMIT_RTPRIO"},
      {",\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":5000,\"deadline\":100000000}",
       "/process/scheduler/policy", "CAP_SYS_NICE"},
      {",\"ioPriority\":{\"class\":\"IOPRIO_CLASS_RT\",\"priority\":4}", "/process/ioPriority/class", "CAP_SYS_NICE"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); ++i) assert_int_equal(in_child(denied_without_privilege, &rows[i]), 0);
}

static int io_priority_of(const struct scene *scene, const char *class_name, int level) {
  char *more = text_of(",\"ioPriority\":{\"class\":\"%s\",\"priority\":%d}", class_name, level);
  reaper_container *container = started(scene, more, "");
  free(more);
  const int found = (int)syscall(SYS_ioprio_get, WHO_PROCESS, must_pid(container));
  end(container);
  return found;
}

static void test_io_priority(void **state) {
  const struct scene *scene = *state;
  assert_int_equal(io_priority_of(scene, "IOPRIO_CLASS_BE", 0), 2 << CLASS_SHIFT | 0);
  assert_int_equal(io_priority_of(scene, "IOPRIO_CLASS_BE", 7), 2 << CLASS_SHIFT | 7);
  /* Its level is kept as well: nobody looks at it (ioprio_set(2)). */
  assert_int_equal(io_priority_of(scene, "IOPRIO_CLASS_IDLE", 4), 3 << CLASS_SHIFT | 4);
  if (holds_capability("CapEff:", CAP_SYS_NICE))
    assert_int_equal(io_priority_of(scene, "IOPRIO_CLASS_RT", 2), 1 << CLASS_SHIFT | 2);
}

static unsigned long personality_of(const struct scene *scene, const char *linux_members) {
  reaper_container *container = started(scene, "", linux_members);
  char *path = text_of("/proc/%d/personality", (int)must_pid(container));
  char *text = read_whole(path);
  REQUIRE(text != NULL);
  const unsigned long found = strtoul(text, NULL, 16);
  free(text);
  free(path);
  end(container);
  return found;
}

static void test_personality(void **state) {
  const struct scene *scene = *state;
  assert_int_equal(personality_of(scene, "\"personality\":{\"domain\":\"LINUX32\",\"flags\":[]}"), 8);
  assert_int_equal(personality_of(scene, "\"personality\":{\"domain\":\"LINUX\"}"), 0);
  /* Without it, the caller's. */
  char *own = read_whole("/proc/self/personality");
  assert_int_equal(personality_of(scene, ""), strtoul(own, NULL, 16));
  free(own);
}

/* config.md: never for the container's first process. */
static void test_affinity_is_for_exec(void **state) {
  const struct scene *scene = *state;
  cpu_set_t own, found;
  assert_int_equal(sched_getaffinity(0, sizeof own, &own), 0);
  reaper_container *container = started(scene, ",\"execCPUAffinity\":{\"initial\":\"8190\",\"final\":\"0\"}", "");
  assert_int_equal(sched_getaffinity(must_pid(container), sizeof found, &found), 0);
  assert_true(CPU_EQUAL(&own, &found));
  end(container);
}

/* Applied where the kernel has the module: then the program says what it runs under. Elsewhere refused. */
static void test_labels(void **state) {
  const struct scene *scene = *state;
  const struct {
    const char *name, *pointer, *there, *label;
  } rows[] = {{"apparmorProfile", "/process/apparmorProfile", "/sys/module/apparmor/parameters/enabled", "unconfined"},
              {"selinuxLabel", "/process/selinuxLabel", "/sys/fs/selinux/enforce", "system_u:system_r:nobody_t:s0"}};
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *more = text_of(",\"%s\":\"%s\"", rows[i].name, rows[i].label);
    char *enabled = read_whole(rows[i].there);
    const int is_there = enabled != NULL && enabled[0] != 'N';
    free(enabled);
    char *config = sleeper_with(more, "");
    const reaper_create_options options = options_of(scene, config);
    if (!is_there) {
      assert_create_fails(scene, &options,
                          &(struct expected){REAPER_ERR_UNSUPPORTED, 0, "plan", rows[i].pointer, "not enabled"});
    } else if (i == 0) {
      char *text = output_of(scene, "cat /proc/self/attr/current", more);
      assert_contains(text, "unconfined");
      free(text);
    }
    free(config);
    free(more);
    more = text_of(",\"%s\":\"\"", rows[i].name); /* asks for nothing */
    char *text = output_of(scene, "echo yes", more);
    assert_string_equal(text, "yes\n");
    free(text);
    free(more);
  }
}

static char *listeners_of(const struct scene *scene, uint32_t count, const char *names, const char *env) {
  int32_t sockets[3];
  for (size_t i = 0; i < COUNT_OF(sockets); ++i)
    REQUIRE((sockets[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0);
  char *config = process_config(
      "\"args\":[\"/bin/sh\",\"-c\",\"test -z \\\"$LISTEN_PID\\\" || test $LISTEN_PID = $$ || "
      "echo pid $LISTEN_PID of $$; echo $LISTEN_FDS,${LISTEN_PID:+set},$LISTEN_FDNAMES; "
      "for i in 3 4 5; do test -S /proc/self/fd/$i && echo $i; done; "
      "test -e /proc/self/fd/6 || echo no more\"],\"cwd\":\"/\",\"env\":[@]");
  char *at = strchr(config, '@');
  char *whole = text_of("%.*s%s%s", (int)(at - config), config, env, at + 1);
  free(config);
  reaper_create_options options = options_of(scene, whole);
  options.extra_fds = sockets;
  options.extra_fd_count = COUNT_OF(sockets);
  options.listen_fd_count = count;
  options.listen_names = names;
  char *text = output_of_config(scene, whole, options);
  free(whole);
  for (size_t i = 0; i < COUNT_OF(sockets); ++i) close(sockets[i]);
  return text;
}

static void test_listen_fds(void **state) {
  const struct scene *scene = *state;
  static const char lies[] = "\"LISTEN_PID=1\",\"A=b\",\"LISTEN_FDS=99\",\"LISTEN_FDNAMES=x\"";
  const struct {
    uint32_t count;
    const char *names, *env, *wanted;
  } rows[] = {{0, NULL, "", ",,\n3\n4\n5\nno more\n"},
              {2, NULL, "", "2,set,\n3\n4\n5\nno more\n"},
              {3, "a:b:c", "", "3,set,a:b:c\n3\n4\n5\nno more\n"},
              {1, "web", lies, "1,set,web\n3\n4\n5\nno more\n"},
              {1, NULL, lies, "1,set,\n3\n4\n5\nno more\n"}};
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *text = listeners_of(scene, rows[i].count, rows[i].names, rows[i].env);
    assert_string_equal(text, rows[i].wanted);
    free(text);
  }
  /* Without listen_fd_count, process.env is passed on as it stands. */
  char *text = listeners_of(scene, 0, NULL, lies);
  assert_contains(text, "99,set,x");
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_scheduler, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_real_time, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_deadline, scene_setup, scene_teardown),
      cmocka_unit_test(test_without_privilege),
      cmocka_unit_test_setup_teardown(test_io_priority, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_personality, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_affinity_is_for_exec, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_labels, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_listen_fds, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
