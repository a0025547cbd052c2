/*
 * Hooks that run inside, of containers in another user namespace than their caller's: in which namespaces, as whom, and
 * who may have them.
 */
#include "hooks.h"
#include "users.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TELL(file)                                                                                        \
  "{ while read -r a b; do case $a in Uid:|Gid:|Groups:|CapEff:|CapInh:|CapAmb:) echo $a $b;; esac; done" \
  " </proc/self/status; for n in user pid uts; do readlink /proc/self/ns/$n; done; pwd; cat; } >@/" file

static char *links_of(pid_t pid) {
  static const char *const names[] = {"user", "pid", "uts"};
  return namespace_links(pid, names, COUNT_OF(names));
}

static char *everything(void) {
  char *last = read_whole("/proc/sys/kernel/cap_last_cap");
  char *text = text_of("CapInh: 0000000000000000\nCapEff: %016llx\nCapAmb: 0000000000000000\n",
                       ~0ULL >> (63 - strtol(last, NULL, 10)));
  free(last);
  return text;
}

/* Both kinds that run inside. `outside`: what id 0 is there. */
static char *config_of(const struct scene *scene, const char *namespaces, unsigned uid, unsigned gid, unsigned size) {
  struct hook_list lists[] = {{"createContainer", {shell_hook(scene, TELL("create"), "")}},
                              {"startContainer", {shell_hook(scene, TELL("start"), "")}}};
  char *config = hooks_config(lists, COUNT_OF(lists));
  char *whole = text_of(
      "{\"linux\":{\"namespaces\":[%s],\"uidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":%u}],"
      "\"gidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":%u}]},%s",
      namespaces, uid, size, gid, size, config + 1);
  free(config);
  return whole;
}

#define NEW "{\"type\":\"user\"},{\"type\":\"pid\"},{\"type\":\"uts\"}"

/* Files that anybody may write, since the hooks are somebody else outside. */
static void open_up(const struct scene *scene) {
  static const char *const names[] = {"create", "start"};
  REQUIRE(chmod(scene->place.directory, 0711) == 0);
  for (size_t i = 0; i < COUNT_OF(names); ++i) {
    char *path = path_in(&scene->place, names[i]);
    write_whole(path, "");
    REQUIRE(chmod(path, 0666) == 0);
    free(path);
  }
}

static int told(const struct scene *scene, const char *name, const char *part) {
  char *text = text_in(scene, name);
  const int found = strstr(text, part) != NULL;
  if (!found) dprintf(2, "--- %s: not in there: %s--- but\n%s", name, part, text);
  free(text);
  return found;
}

/* A whole life: 0, or how much of it was wrong. */
static int run(const struct scene *scene, const char *config, uint32_t flags, const char *groups) {
  open_up(scene);
  reaper_create_options options = options_of(scene, config);
  options.flags = flags;
  reaper_container *container = must_create_with(scene, "hooked", &options);
  char *links = links_of(must_pid(container));
  char *all = everything();
  char *bundle = text_of("%s\n", scene->place.bundle);
  must_start(container);
  int bad = 0;
  static const char *const names[] = {"create", "start"};
  for (size_t i = 0; i < COUNT_OF(names); ++i) {
    bad += !told(scene, names[i], "Uid: 0 0 0 0\nGid: 0 0 0 0\n") + !told(scene, names[i], groups);
    bad += !told(scene, names[i], all) + !told(scene, names[i], links) + !told(scene, names[i], bundle);
    bad += !told(scene, names[i], "\"pid\":1,");
  }
  CHECK(reaper_kill(container, SIGKILL, 0, NULL) == REAPER_OK);
  must_wait(container);
  must_delete(container);
  free(bundle);
  free(all);
  free(links);
  return bad;
}

/* They are its root, whatever that is outside, with none of the caller's groups. */
static void test_by_root(void **state) {
  if (!is_root() || !holds_capability("CapEff:", CAP_SYS_ADMIN)) SKIP("needs root");
  if (!holds_capability("CapEff:", CAP_SYS_PTRACE)) SKIP("CAP_SYS_PTRACE is not held");
  NEED_USER_NAMESPACES(NULL);
  const unsigned ids[] = {0, 200000};
  const uint32_t flags[] = {0, REAPER_CREATE_SUPERVISE};
  for (size_t i = 0; i < COUNT_OF(ids); ++i) {
    char *config = config_of(*state, NEW, ids[i], ids[i], 65536);
    for (size_t k = 0; k < COUNT_OF(flags); ++k) assert_int_equal(run(*state, config, flags[k], "Groups:\n"), 0);
    free(config);
  }
}

/* The root of the container may not execute what its caller may. */
static void test_not_executable(void **state) {
  if (!is_root() || !holds_capability("CapEff:", CAP_SYS_ADMIN)) SKIP("needs root");
  if (!holds_capability("CapEff:", CAP_SYS_PTRACE)) SKIP("CAP_SYS_PTRACE is not held");
  NEED_USER_NAMESPACES(NULL);
  const struct scene *scene = *state;
  warm_up(scene);
  char *path = path_in(&scene->place, "private");
  write_whole(path, "#!/bin/sh\n");
  assert_int_equal(chmod(path, 0700), 0);
  assert_int_equal(chmod(scene->place.directory, 0711), 0);
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\"},\"hooks\":{\"createContainer\":[{"
      "\"path\":\"%s\"}]},\"linux\":{\"namespaces\":[{\"type\":\"user\"}],\"uidMappings\":[{\"containerID\":0,"
      "\"hostID\":200000,\"size\":9}],\"gidMappings\":[{\"containerID\":0,\"hostID\":200000,\"size\":9}]}}",
      path);
  const reaper_create_options options = options_of(scene, config);
  const struct expected expected = {REAPER_ERR_HOOK, EACCES, "hook", "/hooks/createContainer/0/path",
                                    "cannot be executed: EACCES"};
  assert_create_fails_unforeseen(scene, &options, &expected);
  free(config);
  free(path);
}

/* In what it has made itself an ordinary user has the right to look, but not below a supervisor. */
static int by_ordinary(void *unused) {
  (void)unused;
  CHECK(become_ordinary() == 0);
  struct scene scene;
  scene_open(&scene);
  char *config = config_of(&scene, NEW, geteuid(), getegid(), 1);
  int bad = run(&scene, config, 0, "Groups:");
  reaper_create_options options = options_of(&scene, config);
  options.flags = REAPER_CREATE_SUPERVISE;
  const struct expected expected = {REAPER_ERR_PERMISSION, 0, "plan", "/hooks/createContainer", "CAP_SYS_PTRACE"};
  bad += create_differs(&scene, &options, &expected) + check_differs(&scene, &options, &expected);
  free(config);
  scene_close(&scene);
  return bad;
}

static void test_by_an_ordinary_user(void **state) {
  (void)state;
  NEED_USER_NAMESPACES(&ordinary_flag);
  if (!is_root() && holds_capability("CapEff:", CAP_SYS_PTRACE)) SKIP("CAP_SYS_PTRACE is held");
  assert_int_equal(in_child(by_ordinary, NULL), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_by_root, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_not_executable, scene_setup, scene_teardown),
      cmocka_unit_test(test_by_an_ordinary_user),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
