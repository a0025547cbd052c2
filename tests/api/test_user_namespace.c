/*
 * User namespaces: who the program is inside and outside, what it holds there, what an ordinary user can have, and what
 * is refused. Whoever runs these tests, those of an ordinary user are run as one.
 */
#include "containers.h"
#include "reaper.h"
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSYBOX "/bin/busybox"
#define ISOLATED                                                                                           \
  ",{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"network\"}," \
  "{\"type\":\"cgroup\"}"
#define WHO "while read -r a b; do case $a in Uid:|Gid:|Groups:|Cap*) echo $a $b;; esac; done </proc/self/status;"
#define MAPS "cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups;"

struct wanted {
  const char *user, *uids, *gids, *namespaces, *more; /* more: members of the config */
};

static char *config_of(const char *script, const struct wanted *w) {
  char *quoted = json_string(script);
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sh\",\"-c\",%s],\"env\":[\"PATH=/usr/bin:/bin\"],"
      "\"cwd\":\"/\"%s%s},\"linux\":{\"namespaces\":[{\"type\":\"user\"}%s],\"uidMappings\":[%s],"
      "\"gidMappings\":[%s]}%s}",
      quoted, w->user[0] != '\0' ? ",\"user\":" : "", w->user, w->namespaces, w->uids, w->gids, w->more);
  free(quoted);
  return config;
}

/* What the script writes; `flags` of the create. */
static char *said(const struct scene *scene, const char *script, const struct wanted *w, uint32_t flags) {
  char *config = config_of(script, w);
  reaper_create_options options = options_of(scene, config);
  options.flags = flags;
  char *text = output_of_config(scene, config, options);
  free(config);
  return text;
}

static int says(const struct scene *scene, const char *script, const struct wanted *w, uint32_t flags,
                const char *expected) {
  char *text = said(scene, script, w, flags);
  const int differs = strcmp(text, expected) != 0;
  if (differs) dprintf(2, "--- wanted\n%s--- found\n%s", expected, text);
  free(text);
  return differs;
}

static char *all_hex(void) {
  char *status = read_whole("/proc/self/status");
  char *line = line_value(status, "CapBnd:");
  char *last = read_whole("/proc/sys/kernel/cap_last_cap");
  char *text = text_of("%016llx", ~0ULL >> (63 - strtol(last, NULL, 10)));
  free(last);
  free(line);
  free(status);
  return text;
}

/* By root: ranges that are others outside. The program has its ids inside, and exactly the capabilities asked for. */
static void test_mapped(void **state) {
  if (!is_root() || !holds_capability("CapEff:", CAP_SETUID)) SKIP("needs root");
  NEED_USER_NAMESPACES(NULL);
  const struct scene *scene = *state;
  const struct wanted w = {
      "{\"uid\":5,\"gid\":6,\"additionalGids\":[7,70000]}", "{\"containerID\":0,\"hostID\":200000,\"size\":65536}",
      "{\"containerID\":70000,\"hostID\":100000,\"size\":1},{\"containerID\":0,\"hostID\":300000,\"size\":65536}",
      ISOLATED, ""};
  const uint32_t flags[] = {0, REAPER_CREATE_SUPERVISE};
  for (size_t i = 0; i < COUNT_OF(flags); ++i) {
    char *text = said(scene, MAPS WHO "echo $$", &w, flags[i]);
    assert_contains(text, "         0     200000      65536\n     70000     100000          1\n");
    assert_contains(text, "         0     300000      65536\nallow\n");
    assert_contains(text, "Uid: 5 5 5 5\nGid: 6 6 6 6\nGroups: 70000 7\n");
    assert_contains(text, "CapInh: 0000000000000000\nCapPrm: 0000000000000000\nCapEff: 0000000000000000\n");
    assert_contains(text, "CapAmb: 0000000000000000\n1\n");
    free(text);
  }
}

/* Without `user`: the root of the container, with everything there is in its namespace and with none of the caller's
 * groups. Outside it is nobody's root. */
static void test_root_inside(void **state) {
  if (!is_root() || !holds_capability("CapEff:", CAP_SETUID)) SKIP("needs root");
  NEED_USER_NAMESPACES(NULL);
  const struct scene *scene = *state;
  const struct wanted w = {"", "{\"containerID\":0,\"hostID\":200000,\"size\":10}",
                           "{\"containerID\":0,\"hostID\":200000,\"size\":10}", ISOLATED, ""};
  char *all = all_hex();
  char *wanted = text_of(
      "Uid: 0 0 0 0\nGid: 0 0 0 0\nGroups:\nCapInh: 0000000000000000\nCapPrm: %s\nCapEff: %s\nCapBnd: %s\n"
      "CapAmb: 0000000000000000\n",
      all, all, all);
  assert_int_equal(says(scene, WHO, &w, 0, wanted), 0);
  char *config = config_of("sleep 1000", &w);
  reaper_container *container = must_create(scene, "outside", config);
  char *path = text_of("/proc/%d/status", (int)must_pid(container));
  must_start(container);
  char *text = read_whole(path);
  assert_contains(text, "Uid:\t200000\t200000\t200000\t200000\n");
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  free(text);
  free(path);
  free(config);
  free(wanted);
  free(all);
}

/* An ordinary user maps its own ids, without the help of anybody. */
static int single_id(void *unused) {
  (void)unused;
  CHECK(become_ordinary() == 0);
  struct scene scene;
  scene_open(&scene);
  char *uids = range_of(0, geteuid(), 1);
  char *gids = range_of(0, getegid(), 1);
  const struct wanted w = {"{\"uid\":0,\"gid\":0}", uids, gids, ISOLATED, ",\"hostname\":\"inside\""};
  char *wanted =
      text_of("         0 %10u          1\n         0 %10u          1\ndeny\ninside\n1\n", geteuid(), getegid());
  int bad = 0;
  const uint32_t flags[] = {0, REAPER_CREATE_SUPERVISE};
  for (size_t i = 0; i < COUNT_OF(flags); ++i) bad += says(&scene, MAPS "uname -n; echo $$", &w, flags[i], wanted);
  char *all = all_hex();
  char *text = said(&scene, WHO, &w, 0);
  char *part = text_of("CapInh: 0000000000000000\nCapPrm: %s\nCapEff: %s\nCapBnd: %s\nCapAmb: 0000000000000000\n", all,
                       all, all);
  CHECK(strstr(text, "Uid: 0 0 0 0\nGid: 0 0 0 0\n") != NULL && strstr(text, part) != NULL);
  free(part);
  free(text);
  free(all);
  free(wanted);
  free(gids);
  free(uids);
  scene_close(&scene);
  return bad;
}

static void test_single_id(void **state) {
  (void)state;
  NEED_USER_NAMESPACES(&ordinary_flag);
  assert_int_equal(in_child(single_id, NULL), 0);
}

/* With another id inside than 0 for the program: init is root there first. The capabilities are those of the config,
 * and who has given them up does not get them back. */
static int given_up(void *unused) {
  (void)unused;
  CHECK(become_ordinary() == 0);
  struct scene scene;
  scene_open(&scene);
  char *uids = range_of(0, geteuid(), 1);
  char *gids = range_of(0, getegid(), 1);
  const struct wanted w = {
      "{\"uid\":0,\"gid\":0},\"noNewPrivileges\":true,\"capabilities\":{\"bounding\":[\"CAP_KILL\"],"
      "\"permitted\":[\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"]}",
      uids, gids, "", ""};
  char *text = said(&scene, WHO, &w, 0);
  const int bad =
      strstr(text, "CapPrm: 0000000000000020\nCapEff: 0000000000000020\nCapBnd: 0000000000000020\n") == NULL;
  if (bad) dprintf(2, "%s", text);
  free(text);
  free(gids);
  free(uids);
  scene_close(&scene);
  return bad;
}

static void test_given_up(void **state) {
  (void)state;
  NEED_USER_NAMESPACES(&ordinary_flag);
  assert_int_equal(in_child(given_up, NULL), 0);
}

/* ---- A root of its own ---- */

static int make_root(const struct scene *scene) {
  char *root = text_of("%s/rootfs", scene->place.bundle);
  char *bin = text_of("%s/bin", root);
  char *program = text_of("%s/busybox", bin);
  char *shell = text_of("%s/sh", bin);
  CHECK(mkdir(root, 0755) == 0 && mkdir(bin, 0755) == 0 && symlink("busybox", shell) == 0);
  const int in = open(BUSYBOX, O_RDONLY | O_CLOEXEC);
  const int out = open(program, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
  char buffer[65536];
  ssize_t got;
  CHECK(in >= 0 && out >= 0);
  while ((got = read(in, buffer, sizeof buffer)) > 0) CHECK(write(out, buffer, (size_t)got) == got);
  CHECK(close(in) == 0 && close(out) == 0);
  free(shell);
  free(program);
  free(bin);
  free(root);
  return 0;
}

/* What `runc spec --rootless` writes, and a network namespace with its sysfs. */
static const char rootless[] =
    ",\"root\":{\"path\":\"rootfs\"},\"hostname\":\"inside\",\"mounts\":["
    "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
    "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
    "\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
    "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
    "\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]},"
    "{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\","
    "\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]},"
    "{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\","
    "\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
    "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\","
    "\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]}]";

/* A /dev of the root's own, where a loan leaves the files that it covered: the next container covers them again. */
static int lends_again(const struct scene *scene, const struct wanted *like) {
  struct wanted w = *like;
  w.more =
      ",\"root\":{\"path\":\"rootfs\"},\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}]";
  int bad = 0;
  for (int i = 0; i < 2; ++i)
    bad += says(scene, "echo x >/dev/null; [ -c /dev/null ] && [ -c /dev/zero ] && echo there", &w, 0, "there\n");
  return bad;
}

/* The same of a caller that is root in a user namespace and asks for none: it holds CAP_MKNOD, which says nothing. */
static int lends_inside(void *unused) {
  (void)unused;
  CHECK(become_ordinary() == 0 && become_root_inside() == 0);
  struct scene scene;
  scene_open(&scene);
  CHECK(make_root(&scene) == 0);
  int bad = 0;
  for (int i = 0; i < 2; ++i) {
    char *text = output_of_config(
        &scene,
        "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sh\",\"-c\",\"[ -c /dev/null ] && echo there\"],"
        "\"cwd\":\"/\"},\"root\":{\"path\":\"rootfs\"},\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}}",
        options_of(&scene, NULL));
    bad += strcmp(text, "there\n") != 0;
    free(text);
  }
  scene_close(&scene);
  return bad;
}

static void test_lent_again(void **state) {
  (void)state;
  NEED_USER_NAMESPACES(&ordinary_flag);
  if (access(BUSYBOX, X_OK) != 0) SKIP("no busybox here");
  assert_int_equal(in_child(lends_inside, NULL), 0);
}

static int own_root(void *unused) {
  (void)unused;
  CHECK(become_ordinary() == 0);
  struct scene scene;
  scene_open(&scene);
  CHECK(make_root(&scene) == 0);
  char *uids = range_of(0, geteuid(), 1);
  char *gids = range_of(0, getegid(), 1);
  const struct wanted w = {"{\"uid\":0,\"gid\":0}", uids, gids, ISOLATED, rootless};
  const char *script =
      "busybox id -u; busybox id -g; echo $$; busybox hostname; echo x >/dev/null && busybox ls /dev/pts "
      "/sys/class/net;"
      "busybox ls -ld /bin | busybox awk '{print $3,$4}'; [ -c /dev/null ] && [ -d /proc/self ] && echo there";
  int bad = 0;
  const uint32_t flags[] = {0, REAPER_CREATE_SUPERVISE};
  for (size_t i = 0; i < COUNT_OF(flags); ++i)
    bad += says(&scene, script, &w, flags[i], "0\n0\n1\ninside\n/dev/pts:\nptmx\n\n/sys/class/net:\nlo\n0 0\nthere\n");
  bad += lends_again(&scene, &w);
  free(gids);
  free(uids);
  scene_close(&scene);
  return bad;
}

/* A procfs can be mounted there only where the caller's own hides nothing (mount_too_revealing() of the kernel). */
static int proc_is_whole(void *unused) {
  (void)unused;
  if (become_ordinary() != 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) != 0) return 1;
  const pid_t pid = fork();
  if (pid == 0) _exit(mount("proc", "/proc", "proc", 0, NULL) != 0);
  return exit_of(pid);
}

static void test_own_root(void **state) {
  (void)state;
  NEED_USER_NAMESPACES(&ordinary_flag);
  if (access(BUSYBOX, X_OK) != 0) SKIP("no busybox here");
  if (in_child(proc_is_whole, NULL) != 0) SKIP("procfs cannot be mounted in a user namespace here");
  assert_int_equal(in_child(own_root, NULL), 0);
}

/* ---- Subordinate ids ---- */

/* In a mount namespace of its own, where this user has 1000 subordinate ids. */
static int subordinate_ids(void *argument) {
  const struct scene *outer = argument;
  CHECK(become_subordinate(outer) == 0);
  struct scene scene;
  scene_open(&scene);
  struct wanted w = {
      "{\"uid\":5,\"gid\":6,\"additionalGids\":[7]}",
      "{\"containerID\":0,\"hostID\":12345,\"size\":1},{\"containerID\":1,\"hostID\":400000,\"size\":1000}",
      "{\"containerID\":0,\"hostID\":12345,\"size\":1},{\"containerID\":1,\"hostID\":500000,\"size\":1000}", ISOLATED,
      ""};
  const char *wanted =
      "         0      12345          1\n         1     400000       1000\n"
      "         0      12345          1\n         1     500000       1000\nallow\n";
  int bad = says(&scene, MAPS, &w, 0, wanted) + says(&scene, MAPS, &w, REAPER_CREATE_SUPERVISE, wanted);
  char *text = said(&scene, WHO, &w, 0);
  CHECK(strstr(text, "Uid: 5 5 5 5\nGid: 6 6 6 6\nGroups: 7\n") != NULL);
  free(text);
  /* Nobody has given it these. */
  w.uids = "{\"containerID\":0,\"hostID\":600000,\"size\":1000}";
  char *config = config_of("true", &w);
  reaper_create_options options = options_of(&scene, config);
  const struct expected expected = {REAPER_ERR_PERMISSION, EPERM, "user_namespace", "/linux/uidMappings",
                                    "uid range [0-1000) -> [600000-601000) not allowed"};
  bad += create_differs(&scene, &options, &expected);
  char *found = NULL;
  CHECK(reaper_check(scene.runtime, &options, REAPER_FORMAT_TEXT, &found, NULL) == REAPER_OK);
  CHECK(strstr(found, "no entry of /etc/subuid gives this user the ids 600000 to 600999") != NULL);
  reaper_free(found);
  free(config);
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

/* ---- What is refused, before anything is made ---- */

struct refusal {
  struct wanted w;
  struct expected expected;
};

#define UIDS "{\"containerID\":0,\"hostID\":200000,\"size\":10}"
static const struct refusal refusals[] = {
    {{"{\"uid\":10,\"gid\":0}", UIDS, UIDS, "", ""},
     {REAPER_ERR_INVALID, 0, "plan", "/process/user/uid", "10 is in no range of /linux/uidMappings"}},
    {{"{\"uid\":0,\"gid\":4294967294}", UIDS, UIDS, "", ""},
     {REAPER_ERR_INVALID, 0, "plan", "/process/user/gid", "4294967294 is in no range of /linux/gidMappings"}},
    {{"{\"uid\":0,\"gid\":0,\"additionalGids\":[0,11]}", UIDS, UIDS, "", ""},
     {REAPER_ERR_INVALID, 0, "plan", "/process/user/additionalGids/1", "11 is in no range"}},
    {{"", "", UIDS, "", ""}, {REAPER_ERR_INVALID, 0, "plan", "/linux/uidMappings", "at least one range"}},
    {{"", UIDS, "", "", ""}, {REAPER_ERR_INVALID, 0, "plan", "/linux/gidMappings", "at least one range"}},
    {{"", "{\"containerID\":1,\"hostID\":200000,\"size\":10}", UIDS, "", ""},
     {REAPER_ERR_UNSUPPORTED, 0, "plan", "/linux/uidMappings", "id 0 of the container must be in a range"}},
    {{"", UIDS "," UIDS, UIDS, "", ""},
     {REAPER_ERR_INVALID, 0, "config", "/linux/uidMappings/1/containerID", "overlaps an earlier one"}},
    {{"", UIDS ",{\"containerID\":10,\"hostID\":200009,\"size\":1}", UIDS, "", ""},
     {REAPER_ERR_INVALID, 0, "config", "/linux/uidMappings/1/hostID", "overlaps an earlier one"}},
    {{"", UIDS, "{\"containerID\":0,\"hostID\":4294967294,\"size\":2}", "", ""},
     {REAPER_ERR_INVALID, 0, "config", "/linux/gidMappings/0/size", "ends beyond 4294967294"}},
};

static void test_refusals(void **state) {
  if (!is_root() || !holds_capability("CapEff:", CAP_SETUID)) SKIP("needs root");
  const struct scene *scene = *state;
  warm_up(scene);
  for (size_t i = 0; i < COUNT_OF(refusals); ++i) {
    char *config = config_of("true", &refusals[i].w);
    const reaper_create_options options = options_of(scene, config);
    assert_create_fails(scene, &options, &refusals[i].expected);
    free(config);
  }
}

static int ordinary_refusals(void *unused) {
  (void)unused;
  CHECK(become_ordinary() == 0);
  struct scene scene;
  scene_open(&scene);
  char *uids = range_of(0, geteuid(), 1);
  char *gids = range_of(0, getegid(), 1);
  struct wanted w = {"{\"uid\":0,\"gid\":0,\"additionalGids\":[0]}", uids, gids, "", ""};
  char *config = config_of("true", &w);
  reaper_create_options options = options_of(&scene, config);
  const struct expected groups = {REAPER_ERR_PERMISSION, 0, "plan", "/process/user/additionalGids",
                                  "denies setgroups(2)"};
  int bad = create_differs(&scene, &options, &groups) + check_differs(&scene, &options, &groups);
  free(config);
  /* A limit is the host's. */
  w.user = "{\"uid\":0,\"gid\":0},\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,\"hard\":999999999}]";
  config = config_of("true", &w);
  options = options_of(&scene, config);
  const struct expected limit = {REAPER_ERR_PERMISSION, 0, "plan", "/process/rlimits/0/hard", "CAP_SYS_RESOURCE"};
  bad += create_differs(&scene, &options, &limit);
  free(config);
  free(gids);
  free(uids);
  scene_close(&scene);
  return bad;
}

static void test_ordinary_refusals(void **state) {
  (void)state;
  NEED_USER_NAMESPACES(&ordinary_flag);
  assert_int_equal(in_child(ordinary_refusals, NULL), 0);
}

static int state_shows(void *unused) {
  (void)unused;
  CHECK(become_ordinary() == 0);
  struct scene scene;
  scene_open(&scene);
  char *uids = range_of(0, geteuid(), 1);
  char *gids = range_of(0, getegid(), 1);
  const struct wanted w = {"{\"uid\":0,\"gid\":0}", uids, gids, "", ""};
  char *config = config_of("true", &w);
  reaper_container *container = must_create(&scene, "waiting", config);
  struct stat status;
  char *path = text_of("/proc/%d/ns/user", (int)must_pid(container));
  CHECK(stat(path, &status) == 0);
  char *wanted = text_of("\"namespaces\":[{\"type\":\"user\",\"inode\":%llu}]", (unsigned long long)status.st_ino);
  char *text = must_state(container);
  const int bad = strstr(text, wanted) == NULL;
  CHECK(reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
  reaper_container_free(container);
  free(text);
  free(wanted);
  free(path);
  free(config);
  free(gids);
  free(uids);
  scene_close(&scene);
  return bad;
}

static void test_state(void **state) {
  (void)state;
  NEED_USER_NAMESPACES(&ordinary_flag);
  assert_int_equal(in_child(state_shows, NULL), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_mapped, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_root_inside, scene_setup, scene_teardown),
      cmocka_unit_test(test_single_id),
      cmocka_unit_test(test_given_up),
      cmocka_unit_test(test_own_root),
      cmocka_unit_test(test_lent_again),
      cmocka_unit_test_setup_teardown(test_subordinate_ids, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_refusals, scene_setup, scene_teardown),
      cmocka_unit_test(test_ordinary_refusals),
      cmocka_unit_test(test_state),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
