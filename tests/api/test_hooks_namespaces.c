/*
 * Hooks of containers with namespaces and a root of their own: each kind in its namespaces and at its moment
 * (config.md, POSIX-platform Hooks), and nothing left when one fails.
 */
#include "hooks.h"
#include "root.h"
#include "users.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PID "s=$(cat); p=${s#*\\\"pid\\\":}; p=${p%%[,\\}]*}; "

#define NEED_ROOT_AND_HOOKS()                                                             \
  do {                                                                                    \
    NEED_ROOT_FILE_SYSTEM();                                                              \
    if (!holds_capability("CapEff:", CAP_SYS_PTRACE)) SKIP("CAP_SYS_PTRACE is not held"); \
  } while (0)

static int hooks_setup(void **state) {
  if (root_setup(state) != 0) return -1;
  const struct scene *scene = *state;
  if (access(BUSYBOX, X_OK) != 0) return 0;
  link_in_root(scene, "busybox", "/bin/sh");
  link_in_root(scene, "busybox", "/bin/sleep");
  link_in_root(scene, "busybox", "/bin/cat");
  return 0;
}

/* The sleeper of hooks_config() in five namespaces, and in the busybox root unless `members` names none. */
static char *isolated(char *config, const char *members) {
  char *whole = text_of(
      "{\"hostname\":\"inside\",%s\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"ipc\"}"
      ","
      "{\"type\":\"uts\"},{\"type\":\"network\"}]},%s",
      members, config + 1);
  free(config);
  return whole;
}
#define ROOT                                                                                                   \
  "\"root\":{\"path\":\"rootfs\"},\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"p\"}," \
  "{\"destination\":\"/made\",\"type\":\"tmpfs\",\"source\":\"made-for-it\"}],"

static char *namespaces_of(pid_t pid) {
  static const char *const names[] = {"mnt", "net", "uts", "ipc", "pid"};
  return namespace_links(pid, names, COUNT_OF(names));
}

#define SHOW_NAMESPACES "for n in mnt net uts ipc pid; do readlink /proc/self/ns/$n; done"

static struct hook_list one_list(const struct scene *scene, const char *kind, const char *script) {
  const struct hook_list list = {kind, {shell_hook(scene, script, "")}};
  return list;
}

/* oci-rules 80 to 83: where each kind runs and when, and whose view the pid in its state is. */
static void test_each_in_its_place(void **state) {
  NEED_ROOT_AND_HOOKS();
  const struct scene *scene = *state;
  struct hook_list lists[] = {
      /* The namespaces exist, the mounts are made, the root has not changed. */
      one_list(scene, "prestart",
               PID "echo prestart $p >> @/log; " SHOW_NAMESPACES
                   " > @/outer; grep -c made-for-it /proc/$p/mountinfo >> "
                   "@/log; [ -d /proc/$p/root/@ ] && echo before pivot >> @/log"),
      one_list(scene, "createRuntime", PID "echo createRuntime $p >> @/log; readlink /proc/$p/ns/net > @/net"),
      one_list(scene, "createContainer",
               PID "echo createContainer $p >> @/log; " SHOW_NAMESPACES " > @/inner; cat /proc/sys/kernel/hostname >> "
                   "@/log; pwd > @/where; [ $$ -lt 100 ] && echo few >> @/log; grep -c made-for-it "
                   "/proc/self/mountinfo >> @/log"),
      {"startContainer",
       {text_of("{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\",\"cat > /state; pwd > /where; busybox ls / > /names; "
                "busybox readlink /proc/self/ns/net > /net; [ -e /ran ] || echo before > /moment\"],"
                "\"env\":[\"PATH=/bin\"]}")}},
      one_list(scene, "poststart",
               PID "echo poststart $p >> @/log; " SHOW_NAMESPACES " | cmp -s - @/outer && echo outer >> @/log"),
      one_list(scene, "poststop",
               "echo poststop >> @/log; " SHOW_NAMESPACES " | cmp -s - @/outer && echo outer >> @/log")};
  char *config = isolated(hooks_config(lists, COUNT_OF(lists)), ROOT);
  char *mounts = read_whole("/proc/self/mountinfo");
  reaper_container *container = must_create(scene, "placed", config);
  const pid_t pid = must_pid(container);
  char *inner = namespaces_of(pid);
  char *outer = namespaces_of(getpid());
  must_start(container);
  assert_int_equal(reaper_kill(container, SIGKILL, 0, NULL), REAPER_OK);
  must_wait(container);
  must_delete(container);
  assert_text_in(scene, "outer", outer);
  assert_text_in(scene, "inner", inner);
  char *wanted = text_of(
      "prestart %d\n1\nbefore pivot\ncreateRuntime %d\ncreateContainer 1\ninside\nfew\n1\npoststart %d\nouter\n"
      "poststop\nouter\n",
      (int)pid, (int)pid, (int)pid);
  assert_text_in(scene, "log", wanted);
  char *bundle = text_of("%s\n", scene->place.bundle);
  assert_text_in(scene, "where", bundle);
  /* What startContainer wrote lies in the container's root. */
  char *path = in_root(scene, "");
  char *seen = text_of("%s/state", path);
  char *text = read_whole(seen);
  assert_contains(text, "\"status\":\"created\",\"pid\":1,");
  free(text);
  free(seen);
  seen = text_of("%s/where", path);
  text = read_whole(seen);
  assert_string_equal(text, "/\n");
  free(text);
  free(seen);
  seen = text_of("%s/names", path);
  text = read_whole(seen);
  assert_null(strstr(text, "tmp"));
  free(text);
  free(seen);
  seen = text_of("%s/net", path);
  text = read_whole(seen);
  assert_contains(inner, text);
  free(text);
  free(seen);
  char *after = read_whole("/proc/self/mountinfo");
  assert_string_equal(mounts, after);
  free(after);
  free(path);
  free(bundle);
  free(wanted);
  free(outer);
  free(inner);
  free(mounts);
  free(config);
}

/* Without a root of its own there is no pivot, and the namespaces are there all the same. */
static void test_namespaces_alone(void **state) {
  NEED_ROOT_AND_HOOKS();
  const struct scene *scene = *state;
  struct hook_list lists[] = {
      one_list(scene, "createRuntime", PID "echo $p >> @/log"),
      one_list(scene, "createContainer", PID "echo $p >> @/log; " SHOW_NAMESPACES " > @/inner"),
      one_list(scene, "startContainer",
               PID "echo $p >> @/log; " SHOW_NAMESPACES " | cmp -s - @/inner && echo inner >> @/log")};
  char *config = isolated(hooks_config(lists, COUNT_OF(lists)), "");
  reaper_container *container = must_create(scene, "alone", config);
  const pid_t pid = must_pid(container);
  char *inner = namespaces_of(pid);
  must_start(container);
  assert_text_in(scene, "inner", inner);
  char *wanted = text_of("%d\n1\n1\ninner\n", (int)pid);
  assert_text_in(scene, "log", wanted);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  free(wanted);
  free(inner);
  free(config);
}

/* What network plugins do: the container's network is configured by the pid that they are given. */
static void test_network_by_pid(void **state) {
  NEED_ROOT_AND_HOOKS();
  const struct scene *scene = *state;
  if (access("/usr/bin/nsenter", X_OK) != 0) SKIP("no nsenter(1) here");
  struct hook_list lists[] = {one_list(scene, "createRuntime",
                                       PID "nsenter -t $p -n " BUSYBOX
                                           " ip address add 10.9.8.7/32 dev lo && echo done > @/log")};
  char *config = isolated(hooks_config(lists, COUNT_OF(lists)), ROOT);
  char *sleeper = strstr(config, "\"/bin/sleep\",\"1000\"");
  char *whole = text_of("%.*s\"/bin/sh\",\"-c\",\"busybox ip address show lo\"%s", (int)(sleeper - config), config,
                        sleeper + strlen("\"/bin/sleep\",\"1000\""));
  char *shown = strstr(whole, "\"cwd\":\"/\"");
  char *with_path = text_of("%.*s\"env\":[\"PATH=/bin\"],%s", (int)(shown - whole), whole, shown);
  char *text = output_of_config(scene, with_path, options_of(scene, with_path));
  assert_contains(text, "inet 10.9.8.7/32");
  assert_text_in(scene, "log", "done\n");
  free(text);
  free(with_path);
  free(whole);
  free(config);
}

static void assert_nothing_left(const struct scene *scene, struct census before, const char *mounts) {
  assert_same_census(before, take_census(scene->place.root));
  assert_int_equal(count_entries(scene->place.root), 0);
  assert_text_in(scene, "log", "poststop\n");
  forget(scene, "log");
  char *after = read_whole("/proc/self/mountinfo");
  assert_string_equal(mounts, after);
  free(after);
}

static char *failing(const struct scene *scene, const char *kind, const char *script, const char *more) {
  struct hook_list lists[] = {{kind, {shell_hook(scene, script, more)}},
                              {"poststop", {shell_hook(scene, "echo poststop >> @/log", "")}}};
  return isolated(hooks_config(lists, COUNT_OF(lists)), ROOT);
}

static void fails(const struct scene *scene, const char *config, uint32_t flags, int in_start,
                  const struct expected *wanted) {
  reaper_create_options options = options_of(scene, config);
  options.flags |= flags;
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  if (!in_start) {
    assert_error(reaper_create(scene->runtime, "fails", &options, &container, &error), &error, wanted);
    return;
  }
  container = must_create_with(scene, "fails", &options);
  const pid_t pid = must_pid(container);
  assert_error(reaper_start(container, &error), &error, wanted);
  assert_true(is_gone(pid));
  assert_code(reaper_start(container, &error), &error, REAPER_ERR_NOT_FOUND);
  reaper_container_free(container);
}

/* Rules 18 to 20: the container is destroyed, and the poststop hooks run. */
static void test_failures(void **state) {
  NEED_ROOT_AND_HOOKS();
  const struct scene *scene = *state;
  warm_up(scene);
  static const char *const kinds[] = {"prestart", "createRuntime", "createContainer", "startContainer", "poststart"};
  char *mounts = read_whole("/proc/self/mountinfo");
  const struct census before = take_census(scene->place.root);
  for (size_t i = 0; i < 2 * COUNT_OF(kinds); ++i) {
    char *config = failing(scene, kinds[i / 2], "exit 3", "");
    char *pointer = text_of("/hooks/%s/0", kinds[i / 2]);
    const struct expected wanted = {REAPER_ERR_HOOK, 0, "hook", pointer, "failed with exit status 3"};
    fails(scene, config, i % 2 != 0 ? REAPER_CREATE_SUPERVISE : 0, i / 2 > 2, &wanted);
    assert_nothing_left(scene, before, mounts);
    free(pointer);
    free(config);
  }
  free(mounts);
}

/* What a hook in the container's pid namespace has started ends with that, daemons too. */
static void test_time_limit(void **state) {
  NEED_ROOT_AND_HOOKS();
  const struct scene *scene = *state;
  warm_up(scene);
  char *mounts = read_whole("/proc/self/mountinfo");
  const struct census before = take_census(scene->place.root);
  char *config =
      failing(scene, "createContainer",
              "note='read p rest < /proc/self/stat; echo $p >> @/pids; sleep 1000'; (setsid sh -c \"$note\" &); "
              "eval \"$note\"",
              ",\"timeout\":1");
  const struct expected wanted = {REAPER_ERR_HOOK, ETIMEDOUT, "hook", "/hooks/createContainer/0",
                                  "did not end within 1 s and was killed"};
  fails(scene, config, 0, 0, &wanted);
  assert_gone(scene, "pids", 2);
  assert_nothing_left(scene, before, mounts);
  free(config);
  config = failing(scene, "startContainer", "(sleep 1000 &); sleep 1000", ",\"timeout\":1");
  const struct expected later = {REAPER_ERR_HOOK, ETIMEDOUT, "hook", "/hooks/startContainer/0",
                                 "did not end within 1 s and was killed"};
  fails(scene, config, 0, 1, &later);
  assert_nothing_left(scene, before, mounts);
  free(config);
  free(mounts);
}

/* Rule 82: the path of a startContainer hook is the container's; rule 81: that of a createContainer hook is not. */
static void test_whose_path(void **state) {
  NEED_ROOT_AND_HOOKS();
  const struct scene *scene = *state;
  char *host = path_in(&scene->place, "only-here");
  write_whole(host, "#!/bin/sh\necho ran >> \"$0.log\"\n");
  assert_int_equal(chmod(host, 0755), 0);
  char *hook = text_of("{\"path\":\"%s\"}", host);
  struct hook_list lists[] = {{"createContainer", {text_of("%s", hook)}}};
  char *config = isolated(hooks_config(lists, COUNT_OF(lists)), ROOT);
  reaper_container *container = must_create(scene, "host-path", config);
  assert_text_in(scene, "only-here.log", "ran\n");
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  free(config);
  struct hook_list inner[] = {{"startContainer", {hook}}};
  config = isolated(hooks_config(inner, COUNT_OF(inner)), ROOT);
  const struct expected wanted = {REAPER_ERR_HOOK, ENOENT, "hook", "/hooks/startContainer/0/path", "it is missing"};
  fails(scene, config, 0, 1, &wanted);
  free(config);
  free(host);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, hooks_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_each_in_its_place), TEST(test_namespaces_alone), TEST(test_network_by_pid),
      TEST(test_failures),          TEST(test_time_limit),       TEST(test_whose_path),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
