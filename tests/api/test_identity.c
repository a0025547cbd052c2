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

struct caller {
  uint64_t permitted, inheritable, ambient;
};

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
