/*
 * Further processes in containers with a user namespace: who they are inside, what they hold there, and those of an
 * ordinary user. Whoever runs these tests, those of an ordinary user are run as one.
 */
#include "denial.h"
#include "processes.h"
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define ISOLATED                                                                                           \
  ",{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"network\"}," \
  "{\"type\":\"cgroup\"}"
#define WHO "while read -r a b; do case $a in Uid:|Gid:|Groups:|Cap*) echo $a $b;; esac; done </proc/self/status;"
#define MAPS "cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups;"
#define NAMESPACES "for n in user pid net mnt ipc uts cgroup; do readlink /proc/self/ns/$n; done;"

#define NEED_ROOT() \
  if (!is_root() || !holds_capability("CapEff:", CAP_SETUID)) SKIP("needs root")

/* One that sleeps as root of its own user namespace. */
static reaper_container *mapped(const struct scene *scene, const char *uids, const char *gids, const char *namespaces) {
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\","
      "\"user\":{\"uid\":0,\"gid\":0}},\"linux\":{\"namespaces\":[{\"type\":\"user\"}%s],\"uidMappings\":[%s],"
      "\"gidMappings\":[%s]}}",
      namespaces, uids, gids);
  reaper_container *container = must_run(scene, "mapped", config);
  free(config);
  return container;
}

static char *said(const reaper_container *container, const char *script, const char *more) {
  char *process = shell_process(script, more);
  char *text = output_of_exec(container, exec_options(process));
  free(process);
  return text;
}

/* 0: it says exactly this. */
static int says(const reaper_container *container, const char *script, const char *more, const char *wanted) {
  char *text = said(container, script, more);
  const int differs = strcmp(text, wanted) != 0;
  if (differs) dprintf(2, "--- wanted\n%s--- found\n%s", wanted, text);
  free(text);
  return differs;
}

static char *all_hex(void) {
  char *last = read_whole("/proc/sys/kernel/cap_last_cap");
  char *text = text_of("%016llx", ~0ULL >> (63 - strtol(last, NULL, 10)));
  free(last);
  return text;
}

/* Those of the container's own process. */
static char *namespaces_of(pid_t pid) {
  static const char *const types[] = {"user", "pid", "net", "mnt", "ipc", "uts", "cgroup"};
  char *text = text_of("%s", "");
  for (size_t i = 0; i < COUNT_OF(types); ++i) {
    char target[64] = "";
    char *path = text_of("/proc/%d/ns/%s", pid, types[i]);
    if (readlink(path, target, sizeof target - 1) < 0) target[0] = 0;
    char *longer = text_of("%s%s\n", text, target);
    free(path);
    free(text);
    text = longer;
  }
  return text;
}

/* By root: ids of other ranges outside, into any mix of namespaces; exactly the ids and capabilities asked for. */
static void test_mapped(void **state) {
  NEED_ROOT();
  NEED_USER_NAMESPACES(NULL);
  static const char *const mixes[] = {"", ISOLATED, ",{\"type\":\"pid\"}",
                                      ",{\"type\":\"mount\"},{\"type\":\"network\"}"};
  const struct scene *scene = *state;
  warm_up(scene);
  for (size_t i = 0; i < COUNT_OF(mixes); ++i) {
    reaper_container *container = mapped(
        scene, "{\"containerID\":0,\"hostID\":200000,\"size\":65536}",
        "{\"containerID\":70000,\"hostID\":100000,\"size\":1},{\"containerID\":0,\"hostID\":300000,\"size\":65536}",
        mixes[i]);
    const struct census before = take_census(scene->place.root);
    char *wanted = namespaces_of(must_pid(container));
    assert_int_equal(says(container, NAMESPACES, "", wanted), 0);
    assert_int_equal(says(container, WHO,
                          ",\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[7,70000]},\"capabilities\":{"
                          "\"bounding\":[\"CAP_KILL\",\"CAP_CHOWN\"],\"permitted\":[\"CAP_KILL\"],"
                          "\"effective\":[\"CAP_KILL\"],\"inheritable\":[\"CAP_KILL\"],\"ambient\":[\"CAP_KILL\"]}",
                          "Uid: 5 5 5 5\nGid: 6 6 6 6\nGroups: 70000 7\nCapInh: 0000000000000020\n"
                          "CapPrm: 0000000000000020\nCapEff: 0000000000000020\nCapBnd: 0000000000000021\n"
                          "CapAmb: 0000000000000020\n"),
                     0);
    char *process = shell_process("exec sleep 1000", "");
    reaper_process *sleeper = must_exec(container, process);
    char *path = text_of("/proc/%d/status", (int)reaper_process_pid(sleeper));
    char *status = read_whole(path);
    assert_contains(status, "Uid:\t200000\t200000\t200000\t200000\n");
    assert_int_equal(reaper_process_kill(sleeper, SIGTERM, NULL), REAPER_OK);
    assert_int_equal(must_end(sleeper).signal, SIGTERM);
    reaper_process_free(sleeper);
    assert_same_census(before, take_census(scene->place.root));
    free(status);
    free(path);
    free(process);
    free(wanted);
    end(container);
  }
}

/* Without `user` and `capabilities`: its root, with everything there is, and none of the caller's groups. */
static void test_root_inside(void **state) {
  NEED_ROOT();
  NEED_USER_NAMESPACES(NULL);
  reaper_container *container = mapped(*state, "{\"containerID\":0,\"hostID\":200000,\"size\":10}",
                                       "{\"containerID\":0,\"hostID\":200000,\"size\":10}", ISOLATED);
  char *all = all_hex();
  char *wanted = text_of(
      "Uid: 0 0 0 0\nGid: 0 0 0 0\nGroups:\nCapInh: 0000000000000000\nCapPrm: %s\nCapEff: %s\nCapBnd: %s\n"
      "CapAmb: 0000000000000000\n",
      all, all, all);
  assert_int_equal(says(container, WHO, "", wanted), 0);
  /* Nothing in it may be touched that belongs to the host's root. */
  assert_int_equal(says(container, "cat /proc/1/environ >/dev/null 2>&1 || echo no", "", "no\n"), 0);
  free(wanted);
  free(all);
  end(container);
}

static void test_refusals(void **state) {
  NEED_ROOT();
  NEED_USER_NAMESPACES(NULL);
  static const struct {
    const char *members;
    struct expected wanted;
  } rows[] = {
      {"\"user\":{\"uid\":10,\"gid\":0}", {REAPER_ERR_INVALID, 0, "plan", "/process/user/uid", "10 is in no range"}},
      {"\"user\":{\"uid\":0,\"gid\":11}", {REAPER_ERR_INVALID, 0, "plan", "/process/user/gid", "11 is in no range"}},
      {"\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[0,12]}",
       {REAPER_ERR_INVALID, 0, "plan", "/process/user/additionalGids/1", "12 is in no range"}},
      {"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,\"hard\":999999999}]",
       {REAPER_ERR_PERMISSION, 0, "plan", "/process/rlimits/0/hard", "CAP_SYS_RESOURCE"}},
  };
  const struct scene *scene = *state;
  reaper_container *container = mapped(scene, "{\"containerID\":0,\"hostID\":200000,\"size\":10}",
                                       "{\"containerID\":0,\"hostID\":200000,\"size\":10}", "");
  const struct census before = take_census(scene->place.root);
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *process = text_of("{\"args\":[\"/bin/true\"],\"cwd\":\"/\",%s}", rows[i].members);
    refused_exec(container, process, rows[i].wanted);
    free(process);
  }
  assert_same_census(before, take_census(scene->place.root));
  end(container);
}

/* CAP_SYS_ADMIN of the container's own is what a filter without no_new_privs takes there. */
static void test_with_a_filter(void **state) {
  NEED_ROOT();
  NEED_USER_NAMESPACES(NULL);
  if (!can_deny()) SKIP("seccomp filters are not allowed here");
  char *features = NULL;
  assert_int_equal(reaper_features(&features, NULL), REAPER_OK);
  const int enabled = strstr(features, "\"seccomp\":{\"enabled\":true") != NULL;
  reaper_free(features);
  if (!enabled) SKIP("this build has no libseccomp");
  reaper_container *container = must_run(
      *state, "filtered",
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\",\"user\":{\"uid\":0,"
      "\"gid\":0}},\"linux\":{\"namespaces\":[{\"type\":\"user\"},{\"type\":\"pid\"}],\"uidMappings\":["
      "{\"containerID\":0,\"hostID\":200000,\"size\":10}],\"gidMappings\":[{\"containerID\":0,\"hostID\":200000,"
      "\"size\":10}],\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"chdir\"],"
      "\"action\":\"SCMP_ACT_ERRNO\"}]}}}");
  assert_int_equal(says(container, "cd /usr 2>/dev/null || grep -E '^(Seccomp|NoNewPrivs|CapEff):' /proc/self/status",
                        ",\"user\":{\"uid\":5,\"gid\":5},\"capabilities\":{}",
                        "CapEff:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t2\n"),
                   0);
  end(container);
}

/* ---- An ordinary user's ---- */

static int single_id(void *unused) {
  (void)unused;
  CHECK(become_ordinary() == 0);
  struct scene scene;
  scene_open(&scene);
  char *uids = range_of(0, geteuid(), 1);
  char *gids = range_of(0, getegid(), 1);
  int bad = 0;
  static const char *const mixes[] = {"", ISOLATED};
  for (size_t i = 0; i < COUNT_OF(mixes); ++i) {
    reaper_container *container = mapped(&scene, uids, gids, mixes[i]);
    char *namespaces = namespaces_of(must_pid(container));
    bad += says(container, NAMESPACES, "", namespaces);
    char *wanted = text_of("         0 %10u          1\n         0 %10u          1\ndeny\n", geteuid(), getegid());
    bad += says(container, MAPS, ",\"user\":{\"uid\":0,\"gid\":0}", wanted);
    char *who = said(container, WHO "true", ",\"user\":{\"uid\":0,\"gid\":0},\"capabilities\":{}");
    bad += strstr(who, "Uid: 0 0 0 0\nGid: 0 0 0 0\n") == NULL || strstr(who, "CapBnd: 0000000000000000\n") == NULL;
    free(who);
    const struct expected groups = {REAPER_ERR_PERMISSION, 0, "plan", "/process/user/additionalGids",
                                    "denies setgroups(2)"};
    refused_exec(container,
                 "{\"args\":[\"/bin/true\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[0]}}",
                 groups);
    refused_exec(container, "{\"args\":[\"/nowhere\"],\"cwd\":\"/\"}",
                 (struct expected){REAPER_ERR_EXEC, ENOENT, "find", "/process/args/0", "no such file or directory"});
    char *process = shell_process("exec sleep 1000", "");
    reaper_process *sleeper = must_exec(container, process);
    CHECK(reaper_process_kill(sleeper, SIGKILL, NULL) == REAPER_OK && must_end(sleeper).signal == SIGKILL);
    reaper_process_free(sleeper);
    end(container);
    free(process);
    free(wanted);
    free(namespaces);
  }
  free(gids);
  free(uids);
  CHECK(count_children() == 0);
  scene_close(&scene);
  return bad;
}

static void test_single_id(void **state) {
  (void)state;
  NEED_USER_NAMESPACES(&ordinary_flag);
  assert_int_equal(in_child(single_id, NULL), 0);
}

/* In a mount namespace of its own, where this user has 1000 subordinate ids. */
static int subordinate_ids(void *argument) {
  const struct scene *outer = argument;
  CHECK(become_subordinate(outer) == 0);
  struct scene scene;
  scene_open(&scene);
  reaper_container *container = mapped(
      &scene, "{\"containerID\":0,\"hostID\":12345,\"size\":1},{\"containerID\":1,\"hostID\":400000,\"size\":1000}",
      "{\"containerID\":0,\"hostID\":12345,\"size\":1},{\"containerID\":1,\"hostID\":500000,\"size\":1000}", ISOLATED);
  char *text = said(container, MAPS WHO, ",\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[7]}");
  const int bad = strstr(text, "allow\nUid: 5 5 5 5\nGid: 6 6 6 6\nGroups: 7\n") == NULL;
  if (bad) dprintf(2, "%s", text);
  free(text);
  /* Ended by its caller, who is another user outside: it made the namespace. */
  char *process = shell_process("exec sleep 1000", ",\"user\":{\"uid\":5,\"gid\":6}");
  reaper_process *sleeper = must_exec(container, process);
  CHECK(reaper_process_kill(sleeper, SIGKILL, NULL) == REAPER_OK && must_end(sleeper).signal == SIGKILL);
  reaper_process_free(sleeper);
  free(process);
  end(container);
  CHECK(count_children() == 0);
  scene_close(&scene);
  return bad;
}

static void test_subordinate_ids(void **state) {
  if (!is_root() || !holds_capability("CapEff:", CAP_SYS_ADMIN)) SKIP("needs root: mounts of its own");
  NEED_USER_NAMESPACES(&ordinary_flag);
  if (access("/usr/bin/newuidmap", X_OK) != 0) SKIP("no newuidmap here");
  assert_int_equal(in_child(subordinate_ids, *state), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_mapped, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_root_inside, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_refusals, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_with_a_filter, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_single_id, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_subordinate_ids, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
