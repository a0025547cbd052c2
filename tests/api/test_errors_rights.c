/* What errors say to those who lack a right: another user, a capability, a limit. After each nothing is left. */
#include "containers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct row {
  const char *text; /* a config, or members of `process`; '@' is the place */
  struct expected expected;
};

#define ARGS "\"args\":[\"/bin/true\"],\"cwd\":\"/\""
#define USER(uid, gid) ARGS ",\"user\":{\"uid\":" uid ",\"gid\":" gid "}"

#define LONG_NAME_60 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"
#define LONG_NAME_300 LONG_NAME_60 LONG_NAME_60 LONG_NAME_60 LONG_NAME_60 LONG_NAME_60
#define PROGRAM(path) "\"args\":[\"" path "\"],\"cwd\":\"/\",\"env\":[\"PATH=@/empty:@/programs\"]"
#define CWD(path) "\"args\":[\"/bin/true\"],\"cwd\":\"" path "\""
#define FIND "/process/args/0"

static void make_program(const struct scene *scene, const char *name, const char *text, mode_t mode) {
  char *path = text_of("%s/programs/%s", scene->place.directory, name);
  write_whole(path, text);
  assert_int_equal(chmod(path, mode), 0);
  free(path);
}

static void make_directory(const struct scene *scene, const char *name) {
  char *path = path_in(&scene->place, name);
  assert_int_equal(mkdir(path, 0755), 0);
  free(path);
}

/* Everything that the tables name. */
static void make_files(const struct scene *scene) {
  char *file = path_in(&scene->place, "file");
  char *loop = path_in(&scene->place, "loop");
  char *circle = path_in(&scene->place, "programs/circle");
  write_whole(file, "a file");
  assert_int_equal(symlink("loop", loop), 0);
  make_directory(scene, "empty");
  make_directory(scene, "programs");
  make_directory(scene, "programs/directory");
  assert_int_equal(symlink("circle", circle), 0);
  make_program(scene, "plain", "#!/bin/sh\n", 0644);
  make_program(scene, "garbage", "\001\002 no program\n", 0755);
  make_program(scene, "bad-interpreter", "#!/no/such/interpreter\n", 0755);
  make_program(scene, "interpreted-by-directory", "#!/tmp\n", 0755);
  make_program(scene, "busy", "#!/bin/sh\n", 0755);
  free(circle);
  free(loop);
  free(file);
}

#define AS_ORDINARY ",\"user\":{\"uid\":12345,\"gid\":12345}"

static void test_failures_as_another_user(void **state) {
  const struct scene *scene = *state;
  if (!is_root()) SKIP("needs root");
  warm_up(scene);
  make_files(scene);
  make_directory(scene, "closed");
  char *closed = path_in(&scene->place, "closed");
  assert_int_equal(chmod(closed, 0750), 0);
  make_program(scene, "private", "#!/bin/sh\n", 0700);
  static const struct row rows[] = {
      {CWD("@/closed") AS_ORDINARY,
       {REAPER_ERR_PERMISSION, EACCES, "chdir", "/process/cwd", "cannot be entered by uid 12345"}},
      {CWD("@/closed/below") AS_ORDINARY,
       {REAPER_ERR_PERMISSION, EACCES, "chdir", "/process/cwd", "a mode on the way is 0750"}},
      {PROGRAM("@/programs/private") AS_ORDINARY,
       {REAPER_ERR_EXEC, EACCES, "find", FIND, "/programs/private\": permission denied"}},
      {PROGRAM("private") AS_ORDINARY, {REAPER_ERR_EXEC, EACCES, "find", FIND, "exec: \"private\": permission denied"}},
      {PROGRAM("@/closed/program") AS_ORDINARY,
       {REAPER_ERR_EXEC, EACCES, "find", FIND, "/closed/program\": permission denied"}},
  };
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *members = filled(scene, rows[i].text);
    char *config = process_config(members);
    const reaper_create_options options = options_of(scene, config);
    assert_create_fails(scene, &options, &rows[i].expected);
    free(config);
    free(members);
  }
  free(closed);
}

struct attempt {
  const char *members;
  struct expected expected;
};

static int attempt_in_a_place_of_ones_own(const struct attempt *attempt) {
  struct scene scene;
  scene_open(&scene);
  char *config = process_config(attempt->members);
  const reaper_create_options options = options_of(&scene, config);
  warm_up(&scene);
  const struct census before = take_census(scene.place.root);
  const int bad =
      check_differs(&scene, &options, &attempt->expected) || create_differs(&scene, &options, &attempt->expected);
  const struct census after = take_census(scene.place.root);
  free(config);
  scene_close(&scene);
  CHECK(memcmp(&before, &after, sizeof before) == 0);
  return bad;
}

static int as_ordinary(void *argument) {
  CHECK(become_ordinary() == 0);
  return attempt_in_a_place_of_ones_own(argument);
}

static void test_identity_without_the_right(void **state) {
  (void)state;
  struct attempt attempts[] = {
      {ARGS ",\"user\":{\"uid\":54321,\"gid\":54321}",
       {REAPER_ERR_PERMISSION, 0, "plan", "/process/user/uid",
        "needs CAP_SETUID, which this process lacks; run as root"}},
      {ARGS ",\"user\":{\"uid\":0,\"gid\":0}",
       {REAPER_ERR_PERMISSION, 0, "plan", "/process/user/uid", "needs CAP_SETUID"}},
      {ARGS ",\"user\":{\"uid\":@,\"gid\":54321}",
       {REAPER_ERR_PERMISSION, 0, "plan", "/process/user/gid", "needs CAP_SETGID"}},
      {ARGS ",\"user\":{\"uid\":@,\"gid\":@,\"additionalGids\":[54321]}",
       {REAPER_ERR_PERMISSION, 0, "plan", "/process/user/additionalGids", "needs CAP_SETGID"}},
      {ARGS ",\"capabilities\":{}",
       {REAPER_ERR_PERMISSION, 0, "plan", "/process/capabilities/bounding", "needs CAP_SETPCAP"}},
  };
  for (size_t i = 0; i < COUNT_OF(attempts); ++i) {
    char ids[12];
    snprintf(ids, sizeof ids, "%u", is_root() ? ORDINARY_ID : (unsigned)geteuid());
    char members[300] = "";
    for (const char *at = attempts[i].members; *at != '\0'; ++at) {
      const size_t used = strlen(members);
      snprintf(members + used, sizeof members - used, *at == '@' ? "%s" : "%.1s", *at == '@' ? ids : at);
    }
    attempts[i].members = members;
    assert_int_equal(in_child(as_ordinary, &attempts[i]), 0);
  }
}

static int without_sys_resource(void *argument) {
  CHECK(drop_capability(CAP_SYS_RESOURCE) == 0);
  const struct rlimit low = {100, 100};
  CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
  return attempt_in_a_place_of_ones_own(argument);
}

static void test_limits_without_the_right(void **state) {
  (void)state;
  struct attempt raise = {ARGS ",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":100,\"hard\":101}]",
                          {REAPER_ERR_PERMISSION, 0, "plan", "/process/rlimits/0/hard",
                           "needs CAP_SYS_RESOURCE, which this process lacks; run as root or ask for at most 100"}};
  assert_int_equal(in_child(without_sys_resource, &raise), 0);
  struct attempt score = {ARGS ",\"oomScoreAdj\":-1000",
                          {REAPER_ERR_PERMISSION, EACCES, "oom_score_adj", "/process/oomScoreAdj",
                           "lowering it below the caller's needs CAP_SYS_RESOURCE"}};
  assert_int_equal(in_child(without_sys_resource, &score), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_failures_as_another_user),
      TEST(test_identity_without_the_right),
      TEST(test_limits_without_the_right),
  };
  return cmocka_run_group_tests_name("errors_rights", tests, NULL, NULL);
}
