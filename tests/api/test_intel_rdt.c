/*
 * linux.intelRdt from create to delete. No machine of the tests has resctrl, which takes a processor that has it: a
 * tmpfs plays it, in a mount namespace of this program. That it is one is said by a mountinfo with the type changed,
 * and what the kernel does beside is done by this program's own mkdirat, unlinkat and openat: a new class has its files
 * at once, rmdir takes them along, and `tasks` has nobody who has ended. What the kernel thinks of a line of `schemata`
 * is not played.
 */
#include "processes.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEFAULT_SCHEMATA "    MB:0=100;1=100\n    L3:0=00ff;1=00ff\n"

static char play[] = "/tmp/reaper-resctrl-XXXXXX"; /* made absolute by mkdtemp(3) */
static int plays;
static int out_of_classes;
static int killed_behind_mkdir;

/* Of a descriptor: below the mount, "" for itself; NULL: elsewhere. free(3) it. */
static char *inside(int directory) {
  char target[4096];
  char *link = text_of("/proc/self/fd/%d", directory);
  const ssize_t size = readlink(link, target, sizeof target - 1);
  free(link);
  if (!plays || size < 0) return NULL;
  target[size] = '\0';
  const size_t length = strlen(play);
  if (strncmp(target, play, length) != 0) return NULL;
  return text_of("%s", target + length);
}

static void put(const char *directory, const char *name, const char *text) {
  char *path = text_of("%s/%s", directory, name);
  write_whole(path, text);
  free(path);
}

/* Who has ended is in no class. */
static void forget_the_dead(const char *tasks) {
  char *text = read_whole(tasks);
  if (text == NULL || *text == '\0' || kill((pid_t)strtol(text, NULL, 10), 0) == 0) {
    free(text);
    return;
  }
  write_whole(tasks, "");
  free(text);
}

/* The library's, which finds these first. */
__attribute__((visibility("default"))) int openat(int parent, const char *name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const int mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, int) : 0;
  va_end(arguments);
  char *place = strcmp(name, "tasks") == 0 && (flags & O_ACCMODE) == O_RDONLY ? inside(parent) : NULL;
  if (place != NULL) {
    char *tasks = text_of("%s%s/tasks", play, place);
    forget_the_dead(tasks);
    free(tasks);
  }
  free(place);
  return (int)syscall(SYS_openat, parent, name, flags, mode);
}

__attribute__((visibility("default"))) int mkdirat(int parent, const char *name, mode_t mode) {
  char *place = inside(parent);
  const int is_class = place != NULL && *place == '\0';
  if (is_class && out_of_classes) {
    free(place);
    errno = ENOSPC;
    return -1;
  }
  const int result = (int)syscall(SYS_mkdirat, parent, name, mode);
  if (result == 0 && place != NULL) {
    char *made = text_of("%s%s/%s", play, place, name);
    put(made, "tasks", "");
    if (is_class) {
      char *groups = text_of("%s/mon_groups", made);
      (void)syscall(SYS_mkdirat, AT_FDCWD, groups, 0755);
      free(groups);
      if (strcmp(name, "broken") == 0) {
        char *schemata = text_of("%s/schemata", made);
        if (symlink("elsewhere", schemata) != 0) abort();
        free(schemata);
      } else {
        put(made, "schemata", DEFAULT_SCHEMATA);
      }
    }
    free(made);
    if (killed_behind_mkdir) kill(getpid(), SIGKILL);
  }
  free(place);
  return result;
}

__attribute__((visibility("default"))) int unlinkat(int parent, const char *name, int flags) {
  char *place = inside(parent);
  if (place != NULL && (flags & AT_REMOVEDIR) != 0) {
    static const char *const files[] = {"tasks", "schemata"};
    for (size_t i = 0; i < COUNT_OF(files); ++i) {
      char *path = text_of("%s%s/%s/%s", play, place, name, files[i]);
      (void)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
      free(path);
    }
    char *groups = text_of("%s%s/%s/mon_groups", play, place, name);
    (void)syscall(SYS_unlinkat, AT_FDCWD, groups, AT_REMOVEDIR);
    free(groups);
  }
  free(place);
  return (int)syscall(SYS_unlinkat, parent, name, flags);
}

/* To this thread. */
static void say_resctrl(void) {
  char *told = text_of("%s/info/mountinfo", play);
  REQUIRE(mount(told, "/proc/thread-self/mountinfo", NULL, MS_BIND, NULL) == 0);
  free(told);
}

/* The mount, and a mountinfo that says resctrl of it. False: not here. */
static int begin_to_play(void) {
  if (!is_root() || !holds_capability("CapEff:", 21) || mkdtemp(play) == NULL) return 0;
  if (unshare(CLONE_NEWNS) != 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
      mount("played", play, "tmpfs", 0, "size=4m") != 0)
    return 0;
  char *groups = text_of("%s/mon_groups", play);
  char *info = text_of("%s/info", play);
  REQUIRE(mkdir(groups, 0755) == 0 && mkdir(info, 0755) == 0);
  put(info, "last_cmd_status", "ok\n");
  put(play, "tasks", "");
  put(play, "schemata", DEFAULT_SCHEMATA);
  char *truth = read_whole("/proc/thread-self/mountinfo");
  char *type = truth != NULL ? strstr(truth, " - tmpfs played ") : NULL;
  REQUIRE(type != NULL);
  char *told = text_of("%.*s - resctrl resctrl %s", (int)(type - truth), truth, type + strlen(" - tmpfs played "));
  put(info, "mountinfo", told);
  say_resctrl();
  free(told);
  free(truth);
  free(info);
  free(groups);
  plays = 1;
  return 1;
}

#define NEED_PLAY()                                                           \
  do {                                                                        \
    if (!plays) SKIP("playing resctrl needs root, CAP_SYS_ADMIN and mounts"); \
  } while (0)

static char *in_play(const char *name) {
  return text_of("%s/%s", play, name);
}

static int stands(const char *name) {
  char *path = in_play(name);
  struct stat status;
  const int result = lstat(path, &status) == 0;
  free(path);
  return result;
}

static void assert_says(const char *name, const char *wanted) {
  char *path = in_play(name);
  char *text = read_whole(path);
  assert_non_null(text);
  assert_string_equal(text, wanted);
  free(text);
  free(path);
}

static void assert_holds(const char *name, pid_t pid) {
  char *wanted = text_of("%d\n", (int)pid);
  assert_says(name, wanted);
  free(wanted);
}

/* A class of somebody else's. */
static void pre_configured(const char *name, const char *schemata) {
  char *path = in_play(name);
  assert_int_equal(mkdir(path, 0755), 0);
  put(path, "tasks", "");
  put(path, "schemata", schemata);
  char *groups = text_of("%s/mon_groups", path);
  assert_int_equal(mkdir(groups, 0755), 0);
  free(groups);
  free(path);
}

static void gone(const char *name) {
  char *path = in_play(name);
  remove_tree(path);
  free(path);
}

static char *config_of(const char *rdt, const char *program) {
  return text_of("{\"ociVersion\":\"1.3.0\",\"process\":{\"args\":[%s],\"cwd\":\"/\"},\"linux\":{\"intelRdt\":{%s}}}",
                 program, rdt);
}
#define SLEEP "\"/bin/sleep\",\"1000\""

static reaper_container *run_in(const struct scene *scene, const char *id, const char *rdt) {
  char *config = config_of(rdt, SLEEP);
  reaper_container *container = must_run(scene, id, config);
  free(config);
  return container;
}

/* A class that a closID names is made, and stays: it is not this container's alone. What is executed joins it. */
static void test_made(void **state) {
  NEED_PLAY();
  const struct scene *scene = *state;
  static const char rdt[] =
      "\"closID\":\"gold\",\"schemata\":[\"L2:0=1\",\"L2:1=1\"],\"memBwSchema\":\"MB:0=20;1=70\","
      "\"l3CacheSchema\":\"L3:0=f\"";
  char *config = config_of(rdt, SLEEP);
  reaper_create_options options = options_of(scene, config);
  char *plan = NULL;
  assert_int_equal(reaper_plan(scene->runtime, &options, REAPER_FORMAT_TEXT, &plan, NULL), REAPER_OK);
  char *line = text_of("resctrl \"%s/gold\"", play);
  assert_contains(plan, line);
  assert_contains(plan, "/linux/intelRdt");
  free(line);
  reaper_free(plan);
  assert_false(stands("gold"));
  assert_false(check_differs(scene, &options, NULL));
  assert_false(stands("gold"));
  reaper_container *container = must_create_with(scene, "c", &options);
  assert_says("gold/schemata", "L3:0=f\nMB:0=20;1=70\nL2:0=1\nL2:1=1\n");
  assert_holds("gold/tasks", must_pid(container));
  must_start(container);
  char *text = must_state(container);
  char *wanted = text_of("\"intelRdt\":{\"directory\":\"%s/gold\",\"made\":true}", play);
  assert_contains(text, wanted);
  reaper_free(text);
  free(wanted);
  reaper_process *process = must_exec(container, "{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"}");
  assert_holds("gold/tasks", reaper_process_pid(process));
  assert_int_equal(reaper_process_kill(process, SIGKILL, NULL), REAPER_OK);
  must_end(process);
  reaper_process_free(process);
  end(container);
  assert_true(stands("gold"));
  gone("gold");
  free(config);
}

/* Without a closID it has the container's name, and goes with it; by another handle, with a supervisor, too. */
static void test_own(void **state) {
  NEED_PLAY();
  const struct scene *scene = *state;
  char *config = config_of("\"l3CacheSchema\":\"L3:0=f\\nL3CODE:0=3\"", SLEEP);
  for (uint32_t flags = 0; flags <= REAPER_CREATE_SUPERVISE; flags += REAPER_CREATE_SUPERVISE) {
    reaper_create_options options = options_of(scene, config);
    options.flags |= flags;
    reaper_container *container = must_create_with(scene, "own", &options);
    assert_says("own/schemata", "L3:0=f\nL3CODE:0=3\n");
    assert_holds("own/tasks", must_pid(container));
    must_start(container);
    reaper_container_free(container);
    assert_int_equal(reaper_delete_id(scene->runtime, "own", REAPER_DELETE_FORCE, NULL), REAPER_OK);
    assert_false(stands("own"));
  }
  /* One of that name that is there is another's. */
  pre_configured("c", DEFAULT_SCHEMATA);
  reaper_create_options options = options_of(scene, config);
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  const struct expected other = {REAPER_ERR_INVALID, EEXIST, "resctrl", "/linux/intelRdt", "not this container's"};
  assert_error(reaper_create(scene->runtime, "c", &options, &container, &error), &error, &other);
  assert_says("c/tasks", "");
  gone("c");
  free(config);
}

/* A class that stands there is joined if it is what is asked for; the kernel's numbers are padded. */
static void test_joined(void **state) {
  NEED_PLAY();
  const struct scene *scene = *state;
  warm_up(scene);
  static const char *const good[] = {
      "\"closID\":\"silver\"",
      "\"closID\":\"silver\",\"l3CacheSchema\":\"L3:0=7F0;1=1f\"",
      "\"closID\":\"silver\",\"memBwSchema\":\"MB:1=70\",\"schemata\":[\"L3: 1=1f\",\"L2:0=f\"]",
  };
  pre_configured("silver", "    MB:0= 20;1= 70\n    L3:0=007f0;1=0001f\n    L2:0=0f\n");
  for (size_t i = 0; i < COUNT_OF(good); ++i) {
    reaper_container *container = run_in(scene, "c", good[i]);
    assert_holds("silver/tasks", must_pid(container));
    end(container);
    assert_true(stands("silver"));
    assert_says("silver/schemata", "    MB:0= 20;1= 70\n    L3:0=007f0;1=0001f\n    L2:0=0f\n");
  }
  static const struct {
    const char *rdt;
    struct expected expected;
  } bad[] = {
      {"\"closID\":\"silver\",\"l3CacheSchema\":\"L3:0=7f\"",
       {REAPER_ERR_INVALID, 0, "resctrl", "/linux/intelRdt/l3CacheSchema", "other schemata"}},
      {"\"closID\":\"silver\",\"memBwSchema\":\"MB:2=20\"",
       {REAPER_ERR_INVALID, 0, "resctrl", "/linux/intelRdt/memBwSchema", "other schemata"}},
      {"\"closID\":\"silver\",\"schemata\":[\"L2:0=f\",\"L3CODE:0=7f0\"]",
       {REAPER_ERR_INVALID, 0, "resctrl", "/linux/intelRdt/schemata/1", "other schemata"}},
      {"\"closID\":\"bronze\"", {REAPER_ERR_INVALID, ENOENT, "resctrl", "/linux/intelRdt/closID", "no class"}},
  };
  for (size_t i = 0; i < COUNT_OF(bad); ++i) {
    char *config = config_of(bad[i].rdt, SLEEP);
    reaper_create_options options = options_of(scene, config);
    assert_create_fails(scene, &options, &bad[i].expected);
    free(config);
  }
  assert_false(stands("bronze"));
  gone("silver");
  reaper_container *container = run_in(scene, "c", "\"closID\":\"/\"");
  assert_holds("tasks", must_pid(container));
  end(container);
  assert_says("schemata", DEFAULT_SCHEMATA);
}

static void test_monitoring(void **state) {
  NEED_PLAY();
  const struct scene *scene = *state;
  static const struct {
    const char *rdt, *tasks, *group, *group_tasks;
  } rows[] = {
      {"\"enableMonitoring\":true", "m/tasks", "m/mon_groups/m", "m/mon_groups/m/tasks"},
      {"\"enableMonitoring\":true,\"closID\":\"/\"", "tasks", "mon_groups/m", "mon_groups/m/tasks"},
      {"\"enableMonitoring\":true,\"closID\":\"silver\"", "silver/tasks", "silver/mon_groups/m",
       "silver/mon_groups/m/tasks"},
  };
  pre_configured("silver", DEFAULT_SCHEMATA);
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    reaper_container *container = run_in(scene, "m", rows[i].rdt);
    assert_holds(rows[i].tasks, must_pid(container));
    assert_holds(rows[i].group_tasks, must_pid(container));
    char *text = must_state(container);
    char *wanted = text_of("\"monGroup\":\"%s/%s\"", play, rows[i].group);
    assert_contains(text, wanted);
    reaper_free(text);
    free(wanted);
    reaper_process *process = must_exec(container, "{\"args\":[\"/bin/true\"],\"cwd\":\"/\"}");
    assert_holds(rows[i].group_tasks, reaper_process_pid(process));
    must_end(process);
    reaper_process_free(process);
    end(container);
    assert_false(stands(rows[i].group));
    assert_false(stands("m"));
  }
  assert_true(stands("silver"));
  char *path = in_play("silver/mon_groups/c");
  assert_int_equal(mkdir(path, 0755), 0);
  char *config = config_of(rows[2].rdt, SLEEP);
  reaper_create_options options = options_of(scene, config);
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  const struct expected other = {REAPER_ERR_INVALID, EEXIST, "resctrl", "/linux/intelRdt/enableMonitoring",
                                 "not this container's"};
  assert_error(reaper_create(scene->runtime, "c", &options, &container, &error), &error, &other);
  assert_true(stands("silver/mon_groups/c"));
  gone("silver");
  free(config);
  free(path);
}

/* As if it had never been tried: also a class with a closID, which nobody else is in. */
static void test_failed_create(void **state) {
  NEED_PLAY();
  const struct scene *scene = *state;
  warm_up(scene);
  static const struct {
    const char *rdt, *program;
    struct expected expected;
  } rows[] = {
      {"\"closID\":\"broken\",\"l3CacheSchema\":\"L3:0=f\"",
       SLEEP,
       {REAPER_ERR_SYSTEM, ELOOP, "resctrl", "/linux/intelRdt", "broken/schemata"}},
      {"\"closID\":\"iron\",\"l3CacheSchema\":\"L3:0=f\",\"enableMonitoring\":true",
       "\"/nowhere/at/all\"",
       {REAPER_ERR_EXEC, ENOENT, "find", "/process/args/0", "/nowhere/at/all"}},
      {"\"enableMonitoring\":true",
       "\"/nowhere/at/all\"",
       {REAPER_ERR_EXEC, ENOENT, "find", "/process/args/0", "/nowhere/at/all"}},
  };
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *config = config_of(rows[i].rdt, rows[i].program);
    reaper_create_options options = options_of(scene, config);
    assert_create_fails_unforeseen(scene, &options, &rows[i].expected);
    assert_false(stands("broken"));
    assert_false(stands("iron"));
    assert_int_equal(count_entries(play), 4); /* mon_groups, info, tasks, schemata */
    free(config);
  }
  char *status = in_play("info/last_cmd_status");
  write_whole(status, "Out of CLOSIDs\n");
  out_of_classes = 1;
  char *config = config_of("\"l3CacheSchema\":\"L3:0=f\"", SLEEP);
  reaper_create_options options = options_of(scene, config);
  const struct expected none_left = {REAPER_ERR_SYSTEM, ENOSPC, "resctrl", "/linux/intelRdt", "(Out of CLOSIDs)"};
  assert_create_fails_unforeseen(scene, &options, &none_left);
  out_of_classes = 0;
  write_whole(status, "ok\n");
  free(status);
  free(config);
}

static int create_and_die(void *argument) {
  const struct scene *scene = argument;
  char *config = config_of("\"closID\":\"tin\",\"l3CacheSchema\":\"L3:0=f\"", SLEEP);
  reaper_create_options options = options_of(scene, config);
  reaper_container *container = NULL;
  say_resctrl();
  killed_behind_mkdir = 1;
  (void)reaper_create(scene->runtime, "c", &options, &container, NULL);
  return 1;
}

/* A creator that is killed right behind its mkdir has written down what it was about to make. */
static void test_killed_create(void **state) {
  NEED_PLAY();
  const struct scene *scene = *state;
  for (int in_use = 0; in_use < 2; ++in_use) {
    assert_int_equal(in_child(create_and_die, *state), 128 + SIGKILL);
    assert_true(stands("tin"));
    char *path = in_play("tin/tasks");
    if (in_use) write_whole(path, "1\n"); /* somebody else has come to like it */
    free(path);
    assert_int_equal(reaper_delete_id(scene->runtime, "c", REAPER_DELETE_FORCE, NULL), REAPER_OK);
    assert_int_equal(stands("tin"), in_use);
  }
  gone("tin");
  assert_int_equal(in_child(create_and_die, *state), 128 + SIGKILL);
  reaper_container *container = run_in(scene, "c", "\"closID\":\"/\""); /* a create sweeps, too */
  assert_false(stands("tin"));
  end(container);
}

int main(void) {
  begin_to_play();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_made, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_own, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_joined, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_monitoring, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_failed_create, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_killed_create, scene_setup, scene_teardown),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (plays) {
    (void)umount2("/proc/thread-self/mountinfo", MNT_DETACH);
    (void)umount2(play, MNT_DETACH);
  }
  (void)rmdir(play);
  return failed;
}
