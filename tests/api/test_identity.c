/* Who the program is: ids, groups, the five capability sets, no_new_privs, umask, limits, read back by itself. */
#include "containers.h"

#include <grp.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ONLY_ROOT() \
  if (!is_root()) SKIP("needs root")

#define BIT(capability) (UINT64_C(1) << (capability))

/* /proc/self/status of a program that nothing stands between: cat itself. */
static char *status_with(const struct scene *scene, const char *more) {
  char *members = text_of("\"args\":[\"/bin/cat\",\"/proc/self/status\"],\"cwd\":\"/\"%s", more);
  char *config = process_config(members);
  char *text = output_of_config(scene, config, options_of(scene, config));
  free(config);
  free(members);
  return text;
}

static int exec_cat(void *fd) {
  if (dup2(*(int *)fd, 1) != 1) return 1;
  execl("/bin/cat", "cat", "/proc/self/status", (char *)NULL);
  return 1;
}

/* The same of a plain child of ours: the measure for everything that is inherited. */
static char *status_of_plain_child(void) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t pid = fork_body(exec_cat, &ends[1]);
  close(ends[1]);
  char *path = text_of("/proc/self/fd/%d", ends[0]);
  char *text = read_whole(path);
  close(ends[0]);
  free(path);
  REQUIRE(exit_of(pid) == 0);
  return text;
}

static void require_line(const char *text, const char *line, const char *wanted) {
  char *value = line_value(text, line);
  if (value == NULL || strcmp(value, wanted) != 0)
    dprintf(2, "%s is \"%s\" and should be \"%s\"\n", line, value != NULL ? value : "(missing)", wanted);
  REQUIRE(value != NULL && strcmp(value, wanted) == 0);
  free(value);
}

static void require_same_lines(const char *have, const char *want) {
  static const char *const lines[] = {"Uid:",    "Gid:",    "Groups:", "CapInh:",     "CapPrm:", "CapEff:",
                                      "CapBnd:", "CapAmb:", "Umask:",  "NoNewPrivs:", "Seccomp:"};
  for (size_t i = 0; i < COUNT_OF(lines); ++i) {
    char *value = line_value(want, lines[i]);
    require_line(have, lines[i], value);
    free(value);
  }
}

struct sets {
  uint64_t inheritable, permitted, effective, bounding, ambient;
};

static void require_sets(const char *text, struct sets sets) {
  char value[20];
  const struct {
    const char *line;
    uint64_t set;
  } rows[] = {{"CapInh:", sets.inheritable},
              {"CapPrm:", sets.permitted},
              {"CapEff:", sets.effective},
              {"CapBnd:", sets.bounding},
              {"CapAmb:", sets.ambient}};
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    snprintf(value, sizeof value, "%016llx", (unsigned long long)rows[i].set);
    require_line(text, rows[i].line, value);
  }
}

/* ---- inherited ---- */

static void test_nothing_asked_is_a_plain_child(void **state) {
  const struct scene *scene = *state;
  char *plain = status_of_plain_child();
  char *text = status_with(scene, "");
  require_same_lines(text, plain);
  free(text);
  free(plain);
}

static void test_own_ids_need_no_privilege(void **state) {
  const struct scene *scene = *state;
  char *more = text_of(",\"user\":{\"uid\":%u,\"gid\":%u}", (unsigned)geteuid(), (unsigned)getegid());
  char *text = status_with(scene, more);
  char *ids = text_of("%u\t%u\t%u\t%u", geteuid(), geteuid(), geteuid(), geteuid());
  require_line(text, "Uid:", ids);
  free(ids);
  free(text);
  free(more);
}

static int ordinary_with_groups(void *argument) {
  (void)argument;
  const gid_t groups[] = {70000, 100};
  CHECK(setgroups(2, groups) == 0);
  CHECK(setresgid(ORDINARY_ID, ORDINARY_ID, ORDINARY_ID) == 0);
  CHECK(setresuid(ORDINARY_ID, ORDINARY_ID, ORDINARY_ID) == 0);
  struct scene scene;
  scene_open(&scene);
  /* No additionalGids, our own ids, no CAP_SETGID: inherited, with a warning. */
  char *text = status_with(&scene, ",\"user\":{\"uid\":12345,\"gid\":12345}");
  require_line(text, "Groups:", "100 70000 ");
  free(text);
  static const char config[] =
      "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\","
      "\"user\":{\"uid\":12345,\"gid\":12345}}}";
  reaper_container *container = must_create(&scene, "warned", config);
  text = must_state(container);
  assert_contains(text, "\"pointer\":\"/process/user\",\"message\":\"the supplementary groups");
  reaper_free(text);
  CHECK(reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
  reaper_container_free(container);
  /* Exactly those that are held: a no-op. Others: an error, see test_errors. */
  text = status_with(&scene, ",\"user\":{\"uid\":12345,\"gid\":12345,\"additionalGids\":[70000,100]}");
  require_line(text, "Groups:", "100 70000 ");
  free(text);
  scene_close(&scene);
  return 0;
}

static void test_groups_inherited_with_a_warning(void **state) {
  (void)state;
  ONLY_ROOT();
  assert_int_equal(in_child(ordinary_with_groups, NULL), 0);
}

/* ---- ids and groups ---- */

static void test_switch_of_identity(void **state) {
  const struct scene *scene = *state;
  ONLY_ROOT();
  static const struct {
    const char *more, *uid, *gid, *groups;
  } rows[] = {
      {",\"user\":{\"uid\":1,\"gid\":2}", "1\t1\t1\t1", "2\t2\t2\t2", ""},
      {",\"user\":{\"uid\":12345,\"gid\":54321,\"additionalGids\":[]}", "12345\t12345\t12345\t12345",
       "54321\t54321\t54321\t54321", ""},
      /* The kernel keeps them sorted; the primary gid is not added, and may be there. */
      {",\"user\":{\"uid\":12345,\"gid\":7,\"additionalGids\":[70000,5,4294967294,7]}", "12345\t12345\t12345\t12345",
       "7\t7\t7\t7", "5 7 70000 4294967294 "},
      {",\"user\":{\"uid\":12345,\"gid\":7,\"additionalGids\":[9,8,9,8]}", "12345\t12345\t12345\t12345", "7\t7\t7\t7",
       "8 9 "},
      {",\"user\":{\"uid\":2147483648,\"gid\":2147483648}", "2147483648\t2147483648\t2147483648\t2147483648",
       "2147483648\t2147483648\t2147483648\t2147483648", ""},
      {",\"user\":{\"uid\":4294967294,\"gid\":4294967294}", "4294967294\t4294967294\t4294967294\t4294967294",
       "4294967294\t4294967294\t4294967294\t4294967294", ""},
      {",\"user\":{\"uid\":0,\"gid\":12345}", "0\t0\t0\t0", "12345\t12345\t12345\t12345", ""},
  };
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *text = status_with(scene, rows[i].more);
    require_line(text, "Uid:", rows[i].uid);
    require_line(text, "Gid:", rows[i].gid);
    require_line(text, "Groups:", rows[i].groups);
    free(text);
  }
}

static void test_many_groups(void **state) {
  const struct scene *scene = *state;
  ONLY_ROOT();
  char *list = text_of("1000000");
  char *wanted = text_of("%s", "");
  for (int i = 0; i < 1000; ++i) {
    char *longer = text_of("%s,%d", list, 5000 + (i * 7919) % 1000);
    free(list);
    list = longer;
    longer = text_of("%s%d ", wanted, 5000 + i);
    free(wanted);
    wanted = longer;
  }
  char *all = text_of("%s1000000 ", wanted);
  char *more = text_of(",\"user\":{\"uid\":1,\"gid\":1,\"additionalGids\":[%s]}", list);
  char *text = status_with(scene, more);
  require_line(text, "Groups:", all);
  free(text);
  free(more);
  free(all);
  free(wanted);
  free(list);
}

static void test_state_tells_the_credentials(void **state) {
  const struct scene *scene = *state;
  ONLY_ROOT();
  static const char config[] =
      "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\",\"noNewPrivileges\":true,"
      "\"user\":{\"uid\":12345,\"gid\":6,\"additionalGids\":[9,8]},"
      "\"capabilities\":{\"bounding\":[\"CAP_KILL\"]}}}";
  reaper_container *container = must_create(scene, "told", config);
  char *text = must_state(container);
  assert_contains(text, "\"credentials\":{\"uid\":12345,\"gid\":6,\"additionalGids\":[8,9],\"noNewPrivileges\":true");
  assert_contains(text, "\"bounding\":[\"CAP_KILL\"]");
  reaper_free(text);
  must_start(container);
  must_wait(container);
  must_delete(container);
}

/* ---- capabilities ---- */

static void test_empty_capabilities(void **state) {
  const struct scene *scene = *state;
  ONLY_ROOT();
  static const char *const forms[] = {
      ",\"capabilities\":{}",
      ",\"capabilities\":{\"bounding\":[],\"effective\":[],\"inheritable\":[],\"permitted\":[],\"ambient\":[]}",
      ",\"capabilities\":{},\"user\":{\"uid\":0,\"gid\":0}", ",\"capabilities\":{},\"user\":{\"uid\":12345,\"gid\":1}"};
  for (size_t i = 0; i < COUNT_OF(forms); ++i) {
    char *text = status_with(scene, forms[i]);
    require_sets(text, (struct sets){0, 0, 0, 0, 0});
    free(text);
  }
}

static void test_given_sets(void **state) {
  const struct scene *scene = *state;
  ONLY_ROOT();
  const uint64_t chown = BIT(CAP_CHOWN), kill = BIT(CAP_KILL), port = BIT(CAP_NET_BIND_SERVICE);
  const struct {
    const char *more;
    struct sets sets;
  } rows[] = {
      /* As another user execve keeps what is ambient, and inheritable, and the bounding set. */
      {",\"user\":{\"uid\":12345,\"gid\":1},\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_KILL\"],"
       "\"permitted\":[\"CAP_NET_BIND_SERVICE\",\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"],"
       "\"inheritable\":[\"CAP_NET_BIND_SERVICE\",\"CAP_CHOWN\"],\"ambient\":[\"CAP_NET_BIND_SERVICE\"]}",
       {port | chown, port, port, chown | kill, port}},
      {",\"user\":{\"uid\":12345,\"gid\":1},\"capabilities\":{\"bounding\":[\"CAP_NET_BIND_SERVICE\"],"
       "\"permitted\":[\"CAP_NET_BIND_SERVICE\"],\"effective\":[\"CAP_NET_BIND_SERVICE\"]}",
       {0, 0, 0, port, 0}},
      {",\"user\":{\"uid\":12345,\"gid\":1},\"capabilities\":{\"inheritable\":[\"CAP_CHOWN\"]}", {chown, 0, 0, 0, 0}},
      /* For root, execve makes bounding and inheritable permitted. */
      {",\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"]}",
       {0, chown | kill, chown | kill, chown | kill, 0}},
      {",\"capabilities\":{\"bounding\":[\"CAP_CHOWN\"],\"inheritable\":[\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"],"
       "\"ambient\":[\"CAP_KILL\"]}",
       {kill, chown | kill, chown | kill, chown, kill}},
      /* With no_new_privs nothing is gained by the exec. */
      {",\"noNewPrivileges\":true,\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_KILL\"],"
       "\"permitted\":[\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"]}",
       {0, kill, kill, chown | kill, 0}},
  };
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *text = status_with(scene, rows[i].more);
    require_sets(text, rows[i].sets);
    free(text);
  }
}

/* Each capability alone in the bounding set: no off-by-one at any number. */
static void test_bounding_is_exact(void **state) {
  const struct scene *scene = *state;
  ONLY_ROOT();
  char *mine = read_whole("/proc/self/status");
  const uint64_t held = capability_set(mine, "CapBnd:");
  free(mine);
  static const struct {
    const char *name;
    int number;
  } rows[] = {{"CAP_CHOWN", CAP_CHOWN},
              {"CAP_SETPCAP", CAP_SETPCAP},
              {"CAP_SYS_TIME", CAP_SYS_TIME},
              {"CAP_SETFCAP", CAP_SETFCAP},
              {"CAP_MAC_OVERRIDE", CAP_MAC_OVERRIDE},
              {"CAP_MAC_ADMIN", CAP_MAC_ADMIN},
              {"CAP_AUDIT_READ", CAP_AUDIT_READ},
              {"CAP_BPF", 39}};
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    if ((held >> rows[i].number & 1) == 0) continue;
    char *more = text_of(",\"user\":{\"uid\":1,\"gid\":1},\"capabilities\":{\"bounding\":[\"%s\"]}", rows[i].name);
    char *text = status_with(scene, more);
    require_sets(text, (struct sets){0, 0, 0, BIT(rows[i].number), 0});
    free(text);
    free(more);
  }
}

/* What cannot be granted is a warning: less than asked, never more. */
static int ask_for_what_is_lost(void *argument) {
  (void)argument;
  CHECK(drop_capability(CAP_NET_ADMIN) == 0);
  struct scene scene;
  scene_open(&scene);
  static const char more[] =
      ",\"capabilities\":{\"bounding\":[\"CAP_NET_ADMIN\",\"CAP_KILL\"],\"permitted\":[\"CAP_NET_ADMIN\",\"CAP_KILL\"]"
      "}";
  char *text = status_with(&scene, more);
  require_sets(text, (struct sets){0, BIT(CAP_KILL), BIT(CAP_KILL), BIT(CAP_KILL), 0});
  free(text);
  char *config = shell_config("exit 0", more);
  reaper_create_options options = options_of(&scene, config);
  reaper_container *container = must_create_with(&scene, "less", &options);
  text = must_state(container);
  assert_contains(text, "CAP_NET_ADMIN cannot be granted");
  reaper_free(text);
  CHECK(reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
  reaper_container_free(container);
  options.flags = REAPER_CREATE_STRICT;
  reaper_error *error = NULL;
  assert_code(reaper_create(scene.runtime, "less", &options, &container, &error), &error, REAPER_ERR_INVALID);
  free(config);
  scene_close(&scene);
  return 0;
}

static void test_ungranted_is_left_out(void **state) {
  (void)state;
  ONLY_ROOT();
  assert_int_equal(in_child(ask_for_what_is_lost, NULL), 0);
}

/* ---- the leak ---- */

static int set_capabilities(uint64_t permitted, uint64_t inheritable) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  for (int half = 0; half < 2; ++half) {
    data[half].permitted = data[half].effective = (uint32_t)(permitted >> (32 * half));
    data[half].inheritable = (uint32_t)(inheritable >> (32 * half));
  }
  return (int)syscall(SYS_capset, &header, data);
}

/* An ordinary user that holds exactly these. */
static int become_ordinary_with(uint64_t permitted, uint64_t inheritable, uint64_t ambient) {
  CHECK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
  CHECK(become_ordinary() == 0);
  CHECK(set_capabilities(permitted, inheritable) == 0);
  for (int number = 0; number < 64; ++number)
    if ((ambient >> number & 1) != 0) CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) == 0);
  return 0;
}

struct caller {
  uint64_t permitted, inheritable, ambient;
};

/* Whatever the caller holds: without `capabilities` the program is what any child of the caller is. */
static int life_of_a_caller(void *argument) {
  const struct caller *caller = argument;
  CHECK(become_ordinary_with(caller->permitted, caller->inheritable, caller->ambient) == 0);
  struct scene scene;
  scene_open(&scene);
  char *plain = status_of_plain_child();
  const uint64_t bounding = capability_set(plain, "CapBnd:");
  char *text = status_with(&scene, "");
  require_same_lines(text, plain);
  require_sets(text, (struct sets){caller->inheritable, caller->ambient, caller->ambient, bounding, caller->ambient});
  free(text);
  text = status_with(&scene, ",\"user\":{\"uid\":12345,\"gid\":12345}");
  require_same_lines(text, plain);
  free(text);
  free(plain);
  scene_close(&scene);
  /* And the caller is as it was. */
  char *mine = read_whole("/proc/self/status");
  require_sets(mine,
               (struct sets){caller->inheritable, caller->permitted, caller->permitted, bounding, caller->ambient});
  free(mine);
  return 0;
}

static void test_permitted_does_not_leak(void **state) {
  (void)state;
  ONLY_ROOT();
  struct caller callers[] = {
      {BIT(CAP_NET_BIND_SERVICE), 0, 0},
      {BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SETPCAP), BIT(CAP_NET_BIND_SERVICE), 0},
      {BIT(CAP_KILL) | BIT(CAP_SETPCAP), BIT(CAP_CHOWN), 0},
      /* Ambient carries: as it does for any child. */
      {BIT(CAP_NET_BIND_SERVICE), BIT(CAP_NET_BIND_SERVICE), BIT(CAP_NET_BIND_SERVICE)},
      {BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_KILL), BIT(CAP_NET_BIND_SERVICE), BIT(CAP_NET_BIND_SERVICE)},
  };
  for (size_t i = 0; i < COUNT_OF(callers); ++i) assert_int_equal(in_child(life_of_a_caller, &callers[i]), 0);
}

/* A caller with one permitted capability can grant it where it is asked for. */
static int grant_one(void *argument) {
  (void)argument;
  const uint64_t port = BIT(CAP_NET_BIND_SERVICE);
  CHECK(become_ordinary_with(port | BIT(CAP_SETPCAP), 0, 0) == 0);
  struct scene scene;
  scene_open(&scene);
  char *text = status_with(&scene,
                           ",\"capabilities\":{\"bounding\":[\"CAP_NET_BIND_SERVICE\"],"
                           "\"permitted\":[\"CAP_NET_BIND_SERVICE\"],\"effective\":[\"CAP_NET_BIND_SERVICE\"],"
                           "\"inheritable\":[\"CAP_NET_BIND_SERVICE\"],\"ambient\":[\"CAP_NET_BIND_SERVICE\"]}");
  require_sets(text, (struct sets){port, port, port, port, port});
  free(text);
  scene_close(&scene);
  return 0;
}

static void test_one_capability_can_be_granted(void **state) {
  (void)state;
  ONLY_ROOT();
  assert_int_equal(in_child(grant_one, NULL), 0);
}

/* A root without everything: the exec of a program gives nothing back that its caller has given up for good. */
static int limited_root(void *argument) {
  (void)argument;
  CHECK(drop_capability(CAP_NET_ADMIN) == 0 && drop_capability(CAP_SYS_PTRACE) == 0);
  struct scene scene;
  scene_open(&scene);
  char *plain = status_of_plain_child();
  char *text = status_with(&scene, "");
  require_same_lines(text, plain);
  CHECK((capability_set(text, "CapBnd:") & (BIT(CAP_NET_ADMIN) | BIT(CAP_SYS_PTRACE))) == 0);
  free(text);
  free(plain);
  scene_close(&scene);
  return 0;
}

static void test_limited_root(void **state) {
  (void)state;
  ONLY_ROOT();
  assert_int_equal(in_child(limited_root, NULL), 0);
}

/* ---- no_new_privs, umask, limits, score ---- */

static void test_no_new_privileges(void **state) {
  const struct scene *scene = *state;
  char *text = status_with(scene, ",\"noNewPrivileges\":true");
  require_line(text, "NoNewPrivs:", "1");
  free(text);
  char *plain = status_of_plain_child();
  text = status_with(scene, ",\"noNewPrivileges\":false");
  require_same_lines(text, plain);
  free(text);
  free(plain);
}

static int with_no_new_privileges(void *argument) {
  (void)argument;
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  struct scene scene;
  scene_open(&scene);
  char *plain = status_of_plain_child();
  char *text = status_with(&scene, "");
  require_same_lines(text, plain);
  require_line(text, "NoNewPrivs:", "1");
  free(text);
  free(plain);
  scene_close(&scene);
  return 0;
}

static void test_no_new_privileges_is_inherited(void **state) {
  (void)state;
  assert_int_equal(in_child(with_no_new_privileges, NULL), 0);
}

static void test_umask(void **state) {
  const struct scene *scene = *state;
  const mode_t before = umask(0027);
  char *text = status_with(scene, "");
  require_line(text, "Umask:", "0027"); /* absent: the caller's */
  free(text);
  static const struct {
    int value;
    const char *line;
  } rows[] = {{0, "0000"}, {18, "0022"}, {22, "0026"}, {63, "0077"}, {511, "0777"}};
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *more = text_of(",\"user\":{\"uid\":%u,\"gid\":%u,\"umask\":%d}", geteuid(), getegid(), rows[i].value);
    text = status_with(scene, more);
    require_line(text, "Umask:", rows[i].line);
    free(text);
    free(more);
  }
  assert_int_equal(umask(before), 0027);
}

static void test_resource_limits(void **state) {
  const struct scene *scene = *state;
  struct rlimit now;
  assert_int_equal(getrlimit(RLIMIT_CORE, &now), 0);
  const char *more =
      ",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":7,\"hard\":9},{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":"
      "0},"
      "{\"type\":\"RLIMIT_CPU\",\"soft\":1000,\"hard\":2000}]";
  char *members = text_of("\"args\":[\"/bin/cat\",\"/proc/self/limits\"],\"cwd\":\"/\"%s", more);
  char *config = process_config(members);
  char *text = output_of_config(scene, config, options_of(scene, config));
  static const char *const lines[] = {"Max open files            7                    9 ",
                                      "Max core file size        0                    0 ",
                                      "Max cpu time              1000                 2000 "};
  for (size_t i = 0; i < COUNT_OF(lines); ++i) assert_contains(text, lines[i]);
  free(text);
  free(config);
  free(members);
  struct rlimit after;
  assert_int_equal(getrlimit(RLIMIT_CORE, &after), 0);
  assert_true(after.rlim_cur == now.rlim_cur && after.rlim_max == now.rlim_max);
}

/* No descriptor at all: init needs none any more when it is set. */
static void test_no_descriptors_allowed(void **state) {
  const struct scene *scene = *state;
  char *config = process_config(
      "\"args\":[\"/bin/sh\",\"-c\",\"exit 21\"],\"cwd\":\"/\","
      "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":3,\"hard\":3}]");
  reaper_container *container = must_create(scene, "few", config);
  assert_int_equal(must_status(container), REAPER_STATUS_CREATED); /* another connection to its gate */
  must_start(container);
  /* dynamic linking needs a descriptor above 2: ld.so says 127, and that is the program's own failure */
  assert_int_equal(must_wait(container).exit_code, 127);
  must_delete(container);
  free(config);
}

static void test_oom_score(void **state) {
  const struct scene *scene = *state;
  char *mine = read_whole("/proc/self/oom_score_adj");
  const int own = atoi(mine);
  char *text = output_of(scene, "cat /proc/self/oom_score_adj", "");
  assert_string_equal(text, mine); /* absent: not touched */
  free(text);
  free(mine);
  const int values[] = {own, own < 990 ? own + 10 : 1000, 1000};
  for (size_t i = 0; i < COUNT_OF(values); ++i) {
    char *more = text_of(",\"oomScoreAdj\":%d", values[i]);
    text = output_of(scene, "cat /proc/self/oom_score_adj", more);
    assert_int_equal(atoi(text), values[i]);
    free(text);
    free(more);
  }
}

/* The program is found and the directory entered as the target user. */
static void test_lookup_as_the_target_user(void **state) {
  const struct scene *scene = *state;
  ONLY_ROOT();
  char *own = path_in(&scene->place, "own");
  assert_int_equal(mkdir(own, 0700), 0);
  assert_int_equal(chown(own, 12345, 12345), 0);
  char *program = text_of("%s/program", own);
  write_whole(program, "#!/bin/sh\npwd\n");
  assert_int_equal(chmod(program, 0700), 0);
  assert_int_equal(chown(program, 12345, 12345), 0);
  char *members = text_of(
      "\"args\":[\"program\"],\"cwd\":\"%s\",\"env\":[\"PATH=%s\"],\"user\":{\"uid\":12345,\"gid\":12345}", own, own);
  char *config = process_config(members);
  char *text = output_of_config(scene, config, options_of(scene, config));
  char *wanted = text_of("%s\n", own);
  assert_string_equal(text, wanted);
  free(wanted);
  free(text);
  free(config);
  free(members);
  free(program);
  free(own);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_nothing_asked_is_a_plain_child),
      TEST(test_own_ids_need_no_privilege),
      TEST(test_groups_inherited_with_a_warning),
      TEST(test_switch_of_identity),
      TEST(test_many_groups),
      TEST(test_state_tells_the_credentials),
      TEST(test_empty_capabilities),
      TEST(test_given_sets),
      TEST(test_bounding_is_exact),
      TEST(test_ungranted_is_left_out),
      TEST(test_permitted_does_not_leak),
      TEST(test_one_capability_can_be_granted),
      TEST(test_limited_root),
      TEST(test_no_new_privileges),
      TEST(test_no_new_privileges_is_inherited),
      TEST(test_umask),
      TEST(test_resource_limits),
      TEST(test_no_descriptors_allowed),
      TEST(test_oom_score),
      TEST(test_lookup_as_the_target_user),
  };
  return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
