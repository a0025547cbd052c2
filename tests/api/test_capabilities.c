/* Capabilities, read back by the program from /proc: absent, empty, given, and the one that must not be handed on. */
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

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_empty_capabilities),
      TEST(test_given_sets),
      TEST(test_bounding_is_exact),
      TEST(test_ungranted_is_left_out),
      TEST(test_permitted_does_not_leak),
      TEST(test_one_capability_can_be_granted),
      TEST(test_limited_root),
  };
  return cmocka_run_group_tests_name("capabilities", tests, NULL, NULL);
}
