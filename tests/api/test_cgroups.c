/*
 * A container in cgroups of its own, from inside a process: handles, threads, faults and descriptors. This program runs
 * in a mount namespace of its own, whose /sys/fs/cgroup shows version 2 alone.
 */
#include "containers.h"
#include "denial.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOUNT "/sys/fs/cgroup"

static char base[64]; /* "/reaper-test-api-PID" */
static const char *no_view;

/* ---- The view ---- */

static const char *make_view(void) {
  if (!is_root()) return "needs root: mounts of its own";
  if (unshare(CLONE_NEWNS) != 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    return "no mount namespace of our own can be made here";
  if (mount("none", MOUNT, "cgroup2", 0, NULL) != 0) return "cgroup2 cannot be mounted here";
  return NULL;
}

static char *cgroup_directory(const char *below) {
  return text_of(MOUNT "%s%s", base, below);
}

/* Counts the cgroups below a directory; `clean`: ends what is in them and removes them, and it. */
static int walk_cgroups(const char *directory, int clean) {
  int count = 0;
  DIR *entries = opendir(directory);
  if (entries == NULL) return 0;
  for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
    char *path = text_of("%s/%s", directory, entry->d_name);
    count += 1 + walk_cgroups(path, clean);
    free(path);
  }
  closedir(entries);
  if (!clean) return count;
  char *switch_file = text_of("%s/cgroup.kill", directory);
  const int file = open(switch_file, O_WRONLY | O_CLOEXEC);
  if (file >= 0) {
    if (write(file, "1", 1) != 1) perror(switch_file);
    close(file);
  }
  free(switch_file);
  for (int i = 0; i < 1000 && rmdir(directory) != 0 && errno == EBUSY; ++i) sleep_ms(2);
  return count;
}

static int count_cgroups(void) {
  char *directory = cgroup_directory("");
  const int count = walk_cgroups(directory, 0);
  free(directory);
  return count;
}

static int setup(void **state) {
  if (no_view == NULL) {
    char *directory = cgroup_directory("");
    if (mkdir(directory, 0755) != 0) no_view = "no cgroup can be made here";
    free(directory);
  }
  return scene_setup(state);
}

static int teardown(void **state) {
  const int result = scene_teardown(state);
  if (no_view == NULL) {
    char *directory = cgroup_directory("");
    walk_cgroups(directory, 1);
    free(directory);
  }
  return result;
}

#define NEED_VIEW()                     \
  do {                                  \
    if (no_view != NULL) SKIP(no_view); \
  } while (0)

/* config.json for a shell script in the cgroup `below` the test's own. */
static char *config_in(const char *below, const char *script) {
  char *quoted = json_string(script);
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sh\",\"-c\",%s],\"cwd\":\"/\","
      "\"env\":[\"PATH=/usr/bin:/bin\"]},\"linux\":{\"cgroupsPath\":\"%s%s\"}}",
      quoted, base, below);
  free(quoted);
  return config;
}

static const char endless[] = "exec sleep 1000";

static int members_of(const char *below) {
  char *path = text_of(MOUNT "%s%s/cgroup.procs", base, below);
  char *text = read_whole(path);
  free(path);
  if (text == NULL) return -1;
  int count = 0;
  for (const char *at = text; *at != '\0'; ++at) count += *at == '\n';
  free(text);
  return count;
}

/* ---- Lives ---- */

static void test_life(void **state) {
  NEED_VIEW();
  const struct scene *scene = *state;
  warm_up(scene);
  char *own = read_whole("/proc/self/cgroup");
  const struct census before = take_census(scene->place.root);
  char *config = config_in("/pod/c", "sleep 1000 & sleep 1000 & exec sleep 1000");
  for (int forced = 0; forced < 2; ++forced) {
    reaper_container *container = must_create(scene, "life", config);
    assert_int_equal(members_of("/pod/c"), 1);
    char *text = must_state(container);
    assert_contains(text, "\"containment\":\"cgroup\"");
    char *expected =
        text_of("\"cgroups\":[{\"hierarchy\":\"unified\",\"path\":\"" MOUNT "%s/pod/c\",\"made\":true}]", base);
    assert_contains(text, expected);
    free(expected);
    reaper_free(text);
    must_start(container);
    if (!forced) {
      assert_int_equal(reaper_kill(container, SIGKILL, REAPER_KILL_ALL, NULL), REAPER_OK);
      assert_int_equal(members_of("/pod/c"), 0); /* it returns when none is alive */
      assert_int_equal(must_wait(container).signal, SIGKILL);
      assert_int_equal(reaper_kill(container, SIGTERM, REAPER_KILL_ALL, NULL), REAPER_OK); /* nobody is there */
    }
    assert_int_equal(reaper_delete(container, forced ? REAPER_DELETE_FORCE : 0, NULL), REAPER_OK);
    assert_int_equal(must_wait(container).signal, SIGKILL);
    reaper_container_free(container);
    assert_int_equal(count_cgroups(), 0);
  }
  assert_same_census(before, take_census(scene->place.root));
  char *own_after = read_whole("/proc/self/cgroup");
  assert_string_equal(own_after, own);
  free(own_after);
  free(own);
  free(config);
}

/* The caller may say that there is to be no cgroup, whatever config.json wants. */
static void test_no_cgroup(void **state) {
  NEED_VIEW();
  const struct scene *scene = *state;
  char *config = config_in("/c", endless);
  reaper_create_options options = options_of(scene, config);
  options.flags = REAPER_CREATE_NO_CGROUP;
  reaper_container *container = must_create_with(scene, "none", &options);
  assert_int_equal(count_cgroups(), 0);
  char *text = must_state(container);
  assert_contains(text, "\"cgroups\":[]");
  assert_contains(text, "\"containment\":\"descendants\"");
  reaper_free(text);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  free(config);
}

/* An id in use says so, and not that its cgroup is in use. */
static void test_id_in_use(void **state) {
  NEED_VIEW();
  const struct scene *scene = *state;
  char *config = config_in("/c", endless);
  reaper_container *container = must_create(scene, "used", config);
  const reaper_create_options options = options_of(scene, config);
  reaper_container *other = NULL;
  reaper_error *error = NULL;
  assert_error(reaper_create(scene->runtime, "used", &options, &other, &error), &error,
               &(struct expected){REAPER_ERR_EXISTS, 0, "claim", "", "already exists"});
  assert_error(
      reaper_create(scene->runtime, "other", &options, &other, &error), &error,
      &(struct expected){REAPER_ERR_INVALID, EBUSY, "cgroup", "/linux/cgroupsPath", "processes in it already"});
  assert_int_equal(members_of("/c"), 1);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  free(config);
}

/* As deep and as wide as a program may have made them, and with somebody at the bottom. */
static void test_deep_and_wide(void **state) {
  NEED_VIEW();
  const struct scene *scene = *state;
  char *directory = cgroup_directory("/c");
  char *script = text_of(
      "cd %s && i=0; while [ $i -lt 60 ]; do mkdir w$i; i=$((i+1)); done; i=0; "
      "while [ $i -lt 1500 ]; do mkdir d || break; cd -P ./d || break; i=$((i+1)); done; "
      "(echo 0 >cgroup.procs; exec sleep 1000) & while ! grep -q . cgroup.procs; do :; done; exit 5",
      directory);
  char *config = config_in("/c", script);
  reaper_container *container = must_create(scene, "deep", config);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 5);
  assert_true(count_cgroups() > 300);
  assert_int_equal(reaper_delete(container, 0, NULL), REAPER_OK);
  assert_int_equal(count_cgroups(), 0);
  reaper_container_free(container);
  free(config);
  free(script);
  free(directory);
}

/* ---- Neighbours ---- */

static int lives_in_one_parent(void *argument, int number) {
  const struct scene *scene = argument;
  for (int i = 0; i < 15; ++i) {
    char *id = text_of("n-%d-%d", number, i);
    char *below = text_of("/pod/deep/%s", id); /* the parents come and go with the containers */
    char *config = config_in(below, "exit 3");
    const int wrong = quiet_life(scene->runtime, id, config, 3);
    free(config);
    free(below);
    free(id);
    if (wrong) return 1;
  }
  return 0;
}

static void test_neighbours(void **state) {
  NEED_VIEW();
  struct scene *scene = *state;
  assert_int_equal(run_threads(6, lives_in_one_parent, scene), 0);
  /* A parent stays where the container that it was made for went before its neighbours. */
  assert_true(count_cgroups() <= 2);
}

/* ---- Faults ---- */

struct fault {
  struct denial denials[2];
  struct expected expected;
};

static const struct fault faults[] = {
    {{{SYS_mkdirat, ENOSPC, 3, 0755}},
     {REAPER_ERR_SYSTEM, ENOSPC, "cgroup", "/linux/cgroupsPath", "/linux/cgroupsPath: mkdir \"" MOUNT}},
    {{{SYS_mkdirat, EACCES, 3, 0755}},
     {REAPER_ERR_PERMISSION, EACCES, "cgroup", "/linux/cgroupsPath", "/linux/cgroupsPath: mkdir \"" MOUNT}},
#if defined(SYS_renameat)
    {{{SYS_renameat, EROFS, 0, 0}, {SYS_renameat2, EROFS, 0, 0}},
     {REAPER_ERR_SYSTEM, EROFS, "record", "", "rename cgroup"}},
#endif
    {{{SYS_socketpair, EMFILE, 0, 0}}, {REAPER_ERR_SYSTEM, EMFILE, "launch", "", "socketpair"}},
    {{{SYS_clone3, ENOMEM, 0, 0}}, {REAPER_ERR_NO_MEMORY, ENOMEM, "clone", "", "ENOMEM"}},
    {{{SYS_setsid, EPERM, 0, 0}}, {REAPER_ERR_PERMISSION, EPERM, "setsid", "", "setsid: EPERM"}},
    {{{SYS_chdir, EIO, 0, 0}}, {REAPER_ERR_SYSTEM, EIO, "gate", "", "gate: EIO: chdir /"}},
};

static int fail_as_expected(void *argument) {
  const struct fault *fault = argument;
  struct scene scene;
  scene_open(&scene);
  char *config = config_in("/a/b/c", endless);
  const reaper_create_options options = options_of(&scene, config);
  const int count = fault->denials[1].call != 0 ? 2 : 1;
  if (deny(fault->denials, count) != 0) return 1;
  const int wrong = create_differs(&scene, &options, &fault->expected) + (count_cgroups() != 0);
  free(config);
  scene_close(&scene);
  return wrong;
}

static void test_faults(void **state) {
  (void)state;
  NEED_VIEW();
  if (!can_deny()) SKIP("seccomp filters are not allowed here");
  for (size_t i = 0; i < COUNT_OF(faults); ++i) {
    struct fault fault = faults[i];
    if (in_child(fail_as_expected, &fault) != 0) fail_msg("fault %zu", i);
    assert_int_equal(count_cgroups(), 0);
  }
}

/* Filters of older container managers know no openat2, and pidfds only in part. */
static int live_without_openat2(void *argument) {
  (void)argument;
  struct scene scene;
  scene_open(&scene);
  const struct denial denials[] = {{SYS_openat2, ENOSYS, 0, 0}, {SYS_statx, ENOSYS, 0, 0}};
  if (deny(denials, 2) != 0) return 1;
  char *config = config_in("/a/c", "exit 9");
  const int wrong = quiet_life(scene.runtime, "old", config, 9) + (count_cgroups() != 0);
  free(config);
  scene_close(&scene);
  return wrong;
}

static void test_without_openat2(void **state) {
  (void)state;
  NEED_VIEW();
  if (!can_deny()) SKIP("seccomp filters are not allowed here");
  assert_int_equal(in_child(live_without_openat2, NULL), 0);
}

/* What cannot be removed is not called removed: the container stays until it can be. */
static int fail_to_remove(void *argument) {
  const struct scene *scene = argument;
  const struct denial busy = {SYS_unlinkat, EBUSY, 3, 0x200}; /* AT_REMOVEDIR */
  const reaper_runtime_options options = {.size = sizeof options, .root = scene->place.root, .kill_timeout_ms = 50};
  reaper_runtime *runtime = NULL;
  reaper_error *error = NULL;
  if (deny(&busy, 1) != 0 || reaper_runtime_new(&options, &runtime, NULL) != REAPER_OK) return 1;
  const struct expected stays = {REAPER_ERR_TIMEOUT, ETIMEDOUT, "cgroup", "", "could not be removed"};
  int wrong = 0;
  for (uint32_t flags = 0; flags <= REAPER_DELETE_FORCE; ++flags)
    wrong += error_differs(reaper_delete_id(runtime, "stays", flags, &error), &error, &stays);
  reaper_runtime_free(runtime);
  return wrong;
}

static void test_delete_that_cannot(void **state) {
  NEED_VIEW();
  if (!can_deny()) SKIP("seccomp filters are not allowed here");
  struct scene *scene = *state;
  char *config = config_in("/c", "exit 4");
  reaper_container *container = must_create(scene, "stays", config);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 4);
  assert_int_equal(in_child(fail_to_remove, scene), 0);
  assert_int_equal(must_status(container), REAPER_STATUS_STOPPED);
  assert_int_equal(count_cgroups(), 1);
  must_delete(container);
  assert_int_equal(count_cgroups(), 0);
  free(config);
}

/* With ever more descriptors, until there are enough: each failure leaves nothing. */
static int run_out_of_descriptors(void *argument) {
  (void)argument;
  struct scene scene;
  scene_open(&scene);
  warm_up(&scene);
  char *config = config_in("/a/c", endless);
  const reaper_create_options options = options_of(&scene, config);
  int failures = 0;
  for (rlim_t most = 4; most < 100; ++most) {
    struct rlimit limit = {most, 4096};
    reaper_container *container = NULL;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    const int created = reaper_create(scene.runtime, "short", &options, &container, NULL);
    limit.rlim_cur = 4096;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (created == REAPER_OK) {
      CHECK(reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
      reaper_container_free(container);
      break;
    }
    ++failures;
    CHECK(count_cgroups() == 0);
    CHECK(count_entries(scene.place.root) == 0);
  }
  CHECK(failures > 3);
  CHECK(count_cgroups() == 0);
  free(config);
  scene_close(&scene);
  return 0;
}

static void test_descriptors(void **state) {
  (void)state;
  NEED_VIEW();
  assert_int_equal(in_child(run_out_of_descriptors, NULL), 0);
}

/* Its first process has left the container's cgroup, as a program with the right to may do: it is reached all the same.
 */
static void test_first_process_that_left(void **state) {
  NEED_VIEW();
  const struct scene *scene = *state;
  const int signals[] = {SIGTERM, SIGKILL};
  char *config = config_in("/c", "exec sleep 1000");
  for (size_t i = 0; i < COUNT_OF(signals); ++i) {
    reaper_container *container = must_create(scene, "left", config);
    must_start(container);
    char *procs = cgroup_directory("/cgroup.procs");
    char *pid = text_of("%d", (int)must_pid(container));
    write_whole(procs, pid);
    assert_int_equal(members_of("/c"), 0);
    assert_int_equal(reaper_kill(container, signals[i], REAPER_KILL_ALL, NULL), REAPER_OK);
    assert_int_equal(must_wait(container).signal, signals[i]);
    must_delete(container);
    free(pid);
    free(procs);
  }
  free(config);
}

int main(void) {
  snprintf(base, sizeof base, "/reaper-test-api-%d", (int)getpid());
  no_view = make_view();
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_life),
      TEST(test_no_cgroup),
      TEST(test_id_in_use),
      TEST(test_deep_and_wide),
      TEST(test_neighbours),
      TEST(test_faults),
      TEST(test_without_openat2),
      TEST(test_delete_that_cannot),
      TEST(test_descriptors),
      TEST(test_first_process_that_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
