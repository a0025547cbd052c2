/*
 * Namespaces of others that a container is made in: the pid and user namespaces that a process is in by its birth or
 * its rights, the time namespace, and those of others beside a user namespace of the container's own.
 */
#include "containers.h"
#include "holder.h"
#include "reaper.h"
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEEDS "making namespaces needs CAP_SYS_ADMIN"
#define WHO "while read -r a b; do case $a in Uid:|Gid:|Groups:) echo $a $b;; esac; done </proc/self/status;"

static const uint32_t both[] = {0, REAPER_CREATE_SUPERVISE};

static struct holder must_hold(int flags, const char *uids, const char *gids) {
  struct holder holder;
  assert_int_equal(hold(&holder, flags, uids, gids, NULL), 0);
  return holder;
}

/* "{"type":"pid","path":"/proc/7/ns/pid"},..." for each type, a word of `types`. */
static char *paths_of(pid_t pid, const char *types) {
  char *copy = text_of("%s", types);
  char *text = text_of("%s", "");
  char *left = NULL;
  for (const char *type = strtok_r(copy, " ", &left); type != NULL; type = strtok_r(NULL, " ", &left)) {
    const char *link = strcmp(type, "network") == 0 ? "net" : strcmp(type, "mount") == 0 ? "mnt" : type;
    char *longer = text_of("%s%s{\"type\":\"%s\",\"path\":\"/proc/%d/ns/%s\"}", text, text[0] != '\0' ? "," : "", type,
                           (int)pid, link);
    free(text);
    text = longer;
  }
  free(copy);
  return text;
}

static char *link_of(pid_t pid, const char *name) {
  char target[64] = "";
  char *path = text_of("/proc/%d/ns/%s", (int)pid, name);
  const ssize_t size = readlink(path, target, sizeof target - 1);
  free(path);
  return size > 0 ? text_of("%s\n", target) : text_of("%s", "nothing\n");
}

static int is_in(const char *text, pid_t pid, const char *name) {
  char *link = link_of(pid, name);
  const int found = strstr(text, link) != NULL;
  if (!found) dprintf(2, "--- not in %s--- but\n%s", link, text);
  free(link);
  return found;
}

static int can_make(void) {
  return is_root() && holds_capability("CapEff:", CAP_SYS_ADMIN);
}

static pid_t parent_of(pid_t pid) {
  char *path = text_of("/proc/%d/status", (int)pid);
  char *text = read_whole(path);
  char *value = line_value(text, "PPid:");
  const pid_t parent = (pid_t)strtol(value, NULL, 10);
  free(value);
  free(text);
  free(path);
  return parent;
}

/* ---- A pid namespace ---- */

/* The container's process is one of its members, and the caller's child; the caller's own children stay where they are.
 */
static void test_pid(void **state) {
  if (!can_make()) SKIP(NEEDS);
  const struct scene *scene = *state;
  warm_up(scene);
  const struct holder holder = must_hold(CLONE_NEWPID, NULL, NULL);
  char *path = paths_of(holder.pid, "pid");
  char *config = namespaces_config(path, "exec sleep 1000", "", "");
  char *children = link_of(getpid(), "pid_for_children");
  const struct census before = take_census(scene->place.root);
  for (size_t i = 0; i < COUNT_OF(both); ++i) {
    reaper_create_options options = options_of(scene, config);
    options.flags = both[i];
    reaper_container *container = must_create_with(scene, "member", &options);
    const pid_t pid = must_pid(container);
    char *inside = link_of(pid, "pid");
    assert_true(is_in(inside, holder.pid, "pid"));
    free(inside);
    if (both[i] == 0) assert_int_equal(parent_of(pid), getpid());
    if (both[i] != 0) assert_int_equal(parent_of(parent_of(pid)), getpid());
    must_start(container);
    assert_int_equal(must_status(container), REAPER_STATUS_RUNNING);
    reaper_container *other = must_open(scene, "member");
    assert_int_equal(must_pid(other), pid);
    assert_int_equal(reaper_kill(other, SIGTERM, REAPER_KILL_ALL, NULL), REAPER_OK);
    reaper_container_free(other);
    assert_int_equal(must_wait(container).signal, SIGTERM);
    must_delete(container);
    assert_same_census(before, take_census(scene->place.root));
  }
  char *after = link_of(getpid(), "pid_for_children");
  assert_string_equal(children, after);
  free(after);
  free(children);
  /* It sees itself as its neighbours do; its exit status comes through exactly. */
  free(config);
  config = namespaces_config(path, "echo $$", "", "");
  for (size_t i = 0; i < COUNT_OF(both); ++i) {
    char *text = said_by(scene, config, both[i]);
    const long number = strtol(text, NULL, 10);
    assert_true(number > 1 && number < 100);
    free(text);
  }
  free(config);
  config = namespaces_config(path, "exit 7", "", "");
  for (size_t i = 0; i < COUNT_OF(both); ++i) {
    reaper_create_options options = options_of(scene, config);
    options.flags = both[i];
    reaper_container *container = must_create_with(scene, "status", &options);
    must_start(container);
    assert_int_equal(must_wait(container).exit_code, 7);
    must_delete(container);
  }
  free(config);
  free(path);
  assert_int_equal(release(holder), 0);
}

/* Nobody there may trace it before it is what it is to be (CVE-2016-9962); what only the caller may join comes first.
 */
static void test_order(void **state) {
  if (!can_make()) SKIP(NEEDS);
  NEED_USER_NAMESPACES(NULL);
  const struct scene *scene = *state;
  const struct holder holder = must_hold(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET, "0 200000 9", "0 200000 9");
  char *path = paths_of(holder.pid, "user network pid");
  char *config = namespaces_config(path, "true", "", "");
  const reaper_create_options options = options_of(scene, config);
  char *plan = NULL;
  assert_int_equal(reaper_plan(scene->runtime, &options, REAPER_FORMAT_TEXT, &plan, NULL), REAPER_OK);
  static const char *const wanted[] = {"setsid",       "not_dumpable", "/ns/net\"",   "/ns/pid\"", "/ns/user\"",
                                       "clone_parent", "gate",         "become_root", "find"};
  const char *at = plan;
  for (size_t i = 0; i < COUNT_OF(wanted); ++i) {
    at = strstr(at, wanted[i]);
    if (at == NULL) fail_msg("%s is not in its place: %s", wanted[i], plan);
  }
  reaper_free(plan);
  free(config);
  free(path);
  assert_int_equal(release(holder), 0);
}

/* Without a first process nobody can be born there any more. */
static void test_pid_at_its_end(void **state) {
  if (!can_make()) SKIP(NEEDS);
  const struct scene *scene = *state;
  warm_up(scene);
  const struct holder holder = must_hold(CLONE_NEWPID, NULL, NULL);
  char *path = text_of("/proc/%d/ns/pid", (int)holder.pid);
  const int kept = open(path, O_RDONLY | O_CLOEXEC);
  assert_true(kept >= 0);
  assert_int_equal(release(holder), 0);
  char *namespaces = text_of("{\"type\":\"pid\",\"path\":\"/proc/%d/fd/%d\"}", (int)getpid(), kept);
  char *config = namespaces_config(namespaces, "true", "", "");
  const struct expected expected = {REAPER_ERR_SYSTEM, ENOMEM, "clone_parent", "/linux/namespaces",
                                    "the first process of the pid namespace that is joined has ended"};
  for (size_t i = 0; i < COUNT_OF(both); ++i) {
    reaper_create_options options = options_of(scene, config);
    options.flags = both[i];
    assert_create_fails_unforeseen(scene, &options, &expected);
  }
  close(kept);
  free(config);
  free(namespaces);
  free(path);
}

/* The pause process of a pod that shares the pid namespace of others holds what it is there for, as one among them. */
static void test_pause(void **state) {
  if (!can_make()) SKIP(NEEDS);
  const struct scene *scene = *state;
  const struct holder holder = must_hold(CLONE_NEWPID, NULL, NULL);
  char *path = paths_of(holder.pid, "pid");
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"annotations\":{\"io.kubernetes.cri-o.ContainerType\":\"sandbox\"},\"process\":{"
      "\"args\":[\"/pause\"],\"cwd\":\"/\"},\"linux\":{\"namespaces\":[%s]}}",
      path);
  for (size_t i = 0; i < COUNT_OF(both); ++i) {
    reaper_create_options options = options_of(scene, config);
    options.flags = both[i];
    reaper_container *container = must_create_with(scene, "sandbox", &options);
    must_start(container);
    assert_int_equal(must_status(container), REAPER_STATUS_RUNNING);
    char *inside = link_of(must_pid(container), "pid");
    assert_true(is_in(inside, holder.pid, "pid"));
    free(inside);
    assert_int_equal(reaper_kill(container, SIGTERM, 0, NULL), REAPER_OK);
    assert_int_equal(must_wait(container).exit_code, 0);
    must_delete(container);
  }
  free(config);
  free(path);
  assert_int_equal(release(holder), 0);
}

/* ---- A user namespace ---- */

static void test_user(void **state) {
  if (!can_make()) SKIP(NEEDS);
  NEED_USER_NAMESPACES(NULL);
  const struct scene *scene = *state;
  const struct holder holder = must_hold(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC,
                                         "0 200000 65536", "0 300000 65536");
  char *user = paths_of(holder.pid, "user");
  char *fresh = text_of("%s,{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"network\"}", user);
  char *pod = paths_of(holder.pid, "network user uts pid ipc");
  const struct {
    const char *namespaces, *joined;
    int is_first;
  } rows[] = {{user, "user", 0}, {fresh, "user", 1}, {pod, "user net uts pid ipc", 0}};
  for (size_t i = 0; i < COUNT_OF(rows) * COUNT_OF(both); ++i) {
    const size_t row = i / COUNT_OF(both);
    char *config = namespaces_config(
        rows[row].namespaces, "for n in user net uts pid ipc; do readlink /proc/self/ns/$n; done;" WHO "echo pid $$",
        ",\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[9,8]}", "");
    char *text = said_by(scene, config, both[i % COUNT_OF(both)]);
    assert_contains(text, "Uid: 5 5 5 5\nGid: 6 6 6 6\nGroups: 8 9\n");
    static const char *const names[] = {"user", "net", "uts", "pid", "ipc"};
    for (size_t k = 0; k < COUNT_OF(names); ++k)
      if (strstr(rows[row].joined, names[k]) != NULL) assert_true(is_in(text, holder.pid, names[k]));
    assert_int_equal(strstr(text, "pid 1\n") != NULL, rows[row].is_first);
    free(text);
    free(config);
  }
  free(pod);
  free(fresh);
  free(user);
  assert_int_equal(release(holder), 0);
}

/* The ranges of a namespace that is joined are seen when reaper-init is in it. */
static void test_ranges(void **state) {
  if (!can_make()) SKIP(NEEDS);
  NEED_USER_NAMESPACES(NULL);
  const struct scene *scene = *state;
  warm_up(scene);
  const struct holder holder = must_hold(CLONE_NEWUSER, "0 200000 10\n20 200020 1", "0 300000 10");
  const struct holder rootless = must_hold(CLONE_NEWUSER, "1 200000 10", "1 300000 10");
#define RANGE(inside, outside, size) "{\"containerID\":" inside ",\"hostID\":" outside ",\"size\":" size "}"
  const struct {
    const struct holder *holder;
    const char *process, *more;
    struct expected expected;
  } rows[] = {
      {&holder,
       ",\"user\":{\"uid\":11,\"gid\":0}",
       "",
       {REAPER_ERR_INVALID, 0, "mapped", "/process/user/uid",
        "11 is in no range of the user namespace that is joined"}},
      {&holder,
       ",\"user\":{\"uid\":20,\"gid\":0,\"additionalGids\":[3,20]}",
       "",
       {REAPER_ERR_INVALID, 0, "mapped", "/process/user/additionalGids/1", "20 is in no range"}},
      {&holder,
       "",
       ",\"uidMappings\":[" RANGE("0", "200000", "10") "]",
       {REAPER_ERR_INVALID, 0, "id_map", "/linux/uidMappings", "has other ranges"}},
      {&holder,
       "",
       ",\"gidMappings\":[" RANGE("0", "300001", "10") "]",
       {REAPER_ERR_INVALID, 0, "id_map", "/linux/gidMappings", "has other ranges"}},
      {&rootless, "", "", {REAPER_ERR_UNSUPPORTED, 0, "mapped", "/linux/namespaces/0/path", "id 0 is in no range"}},
  };
  for (size_t i = 0; i < COUNT_OF(rows) * COUNT_OF(both); ++i) {
    const size_t row = i / COUNT_OF(both);
    char *path = paths_of(rows[row].holder->pid, "user");
    char *config = namespaces_config(path, "true", rows[row].process, rows[row].more);
    reaper_create_options options = options_of(scene, config);
    options.flags = both[i % COUNT_OF(both)];
    assert_create_fails_unforeseen(scene, &options, &rows[row].expected);
    free(config);
    free(path);
  }
  /* What the configuration says of it may be said, as containerd does. */
  char *path = paths_of(holder.pid, "user");
  char *config = namespaces_config(path, WHO, "",
                           ",\"uidMappings\":[" RANGE("20", "200020", "1") "," RANGE("0", "200000", "10") "],"
                           "\"gidMappings\":[" RANGE("0", "300000", "10") "]");
  char *text = said_by(scene, config, 0);
  assert_string_equal(text, "Uid: 0 0 0 0\nGid: 0 0 0 0\nGroups:\n");
  free(text);
  free(config);
  free(path);
  assert_int_equal(release(rootless), 0);
  assert_int_equal(release(holder), 0);
}

/* An ordinary user joins what it has made itself, and makes others in it. */
static int own_user(void *unused) {
  (void)unused;
  CHECK(become_ordinary() == 0);
  struct scene scene;
  scene_open(&scene);
  char *uids = text_of("0 %u 1", geteuid());
  char *gids = text_of("0 %u 1", getegid());
  struct holder holder;
  CHECK(hold(&holder, CLONE_NEWUSER | CLONE_NEWNET, uids, gids, NULL) == 0);
  char *path = paths_of(holder.pid, "user network");
  char *namespaces = text_of("%s,{\"type\":\"pid\"},{\"type\":\"uts\"}", path);
  char *config = namespaces_config(namespaces, "readlink /proc/self/ns/user /proc/self/ns/net; echo $$", "", "");
  int bad = 0;
  for (size_t i = 0; i < COUNT_OF(both); ++i) {
    char *text = said_by(&scene, config, both[i]);
    bad += !is_in(text, holder.pid, "user") + !is_in(text, holder.pid, "net") + (strstr(text, "\n1\n") == NULL);
    free(text);
  }
  CHECK(release(holder) == 0);
  free(config);
  free(namespaces);
  free(path);
  free(gids);
  free(uids);
  scene_close(&scene);
  return bad;
}

static void test_user_of_an_ordinary_user(void **state) {
  (void)state;
  NEED_USER_NAMESPACES(&ordinary_flag);
  assert_int_equal(in_child(own_user, NULL), 0);
}

/* ---- Others beside a new user namespace ---- */

#define MAPPINGS                                                             \
  ",\"uidMappings\":[{\"containerID\":0,\"hostID\":200000,\"size\":65536}]," \
  "\"gidMappings\":[{\"containerID\":0,\"hostID\":200000,\"size\":65536}]"

/* They are joined with the caller's rights: podman run --userns --network container:ID. */
static void test_beside_a_new_user(void **state) {
  if (!can_make()) SKIP(NEEDS);
  NEED_USER_NAMESPACES(NULL);
  const struct scene *scene = *state;
  const struct holder holder =
      must_hold(CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP, NULL, NULL);
  char *some = paths_of(holder.pid, "network ipc");
  char *fresh = text_of("{\"type\":\"user\"},{\"type\":\"pid\"},{\"type\":\"mount\"},%s", some);
  char *most = paths_of(holder.pid, "uts pid network ipc cgroup");
  char *joined = text_of("%s,{\"type\":\"user\"},{\"type\":\"mount\"}", most);
  const struct {
    const char *namespaces, *joined;
    int is_first;
  } rows[] = {{fresh, "net ipc", 1}, {joined, "net uts ipc pid cgroup", 0}};
  for (size_t i = 0; i < COUNT_OF(rows) * COUNT_OF(both); ++i) {
    const size_t row = i / COUNT_OF(both);
    char *config = namespaces_config(rows[row].namespaces,
                                     "cat /proc/self/uid_map; for n in net uts pid ipc cgroup; do readlink "
                                     "/proc/self/ns/$n; done;" WHO "echo pid $$",
                                     ",\"user\":{\"uid\":5,\"gid\":6}", MAPPINGS);
    char *text = said_by(scene, config, both[i % COUNT_OF(both)]);
    assert_contains(text, "         0     200000      65536\n");
    assert_contains(text, "Uid: 5 5 5 5\nGid: 6 6 6 6\nGroups:\n");
    static const char *const names[] = {"net", "uts", "pid", "ipc", "cgroup"};
    for (size_t k = 0; k < COUNT_OF(names); ++k)
      if (strstr(rows[row].joined, names[k]) != NULL) assert_true(is_in(text, holder.pid, names[k]));
    assert_int_equal(strstr(text, "pid 1\n") != NULL, rows[row].is_first);
    free(text);
    free(config);
  }
  free(joined);
  free(most);
  free(fresh);
  free(some);
  assert_int_equal(release(holder), 0);
}

/* ---- A time namespace ---- */

static void test_time(void **state) {
  if (!can_make()) SKIP(NEEDS);
  if (access("/proc/self/ns/time_for_children", F_OK) != 0) SKIP("this kernel has no time namespaces");
  if (!holds_capability("CapEff:", CAP_SYS_TIME)) SKIP("CAP_SYS_TIME is not held");
  const struct scene *scene = *state;
  warm_up(scene);
  struct holder holder;
  assert_int_equal(hold(&holder, CLONE_NEWTIME, NULL, NULL, "monotonic 100000 0\nboottime 200000 0\n"), 0);
  char *path = paths_of(holder.pid, "time");
  char *config = namespaces_config(path, "readlink /proc/self/ns/time; cat /proc/self/timens_offsets", "", "");
  for (size_t i = 0; i < COUNT_OF(both); ++i) {
    char *text = said_by(scene, config, both[i]);
    assert_true(is_in(text, holder.pid, "time"));
    assert_contains(text, "monotonic      100000         0\nboottime       200000         0\n");
    free(text);
  }
  free(config);
  /* Its clocks are somebody else's. */
  config = namespaces_config(path, "true", "", ",\"timeOffsets\":{\"monotonic\":{\"secs\":1,\"nanosecs\":0}}");
  const reaper_create_options options = options_of(scene, config);
  const struct expected expected = {REAPER_ERR_INVALID, 0, "plan", "/linux/timeOffsets", "a new time namespace"};
  assert_create_fails(scene, &options, &expected);
  free(config);
  free(path);
  assert_int_equal(release(holder), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_pid, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_pause, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_order, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_pid_at_its_end, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_user, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_ranges, scene_setup, scene_teardown),
      cmocka_unit_test(test_user_of_an_ordinary_user),
      cmocka_unit_test_setup_teardown(test_beside_a_new_user, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_time, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
