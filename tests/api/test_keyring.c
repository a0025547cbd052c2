/*
 * The session keyring: the program has one of its own and does not possess the caller's, whoever sets a trap by its
 * name; keys come back when containers end; and where there is none to have.
 *
 * This program is also what runs in the containers: "probe" says which keyring it is in and whether it finds the key.
 */
#include "containers.h"
#include "denial.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECRET "reaper-test-secret"
#define SEARCH_BY_ALL 0x3f1b1b1bU /* possessor: everything; user, group, others: view, read, search, link */

static char self[4096];

static long keyctl(int operation, long a, long b, long c, long d) {
  return syscall(SYS_keyctl, operation, a, b, c, d);
}

static long find_secret(void) {
  return keyctl(KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, (long)"user", (long)SECRET, 0);
}

static int probe(void) {
  char text[512] = "";
  if (keyctl(KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, (long)text, sizeof text - 1, 0) < 0) return 1;
  printf("%s %s\n", strrchr(text, ';') + 1, find_secret() >= 0 ? "found" : "not found");
  return 0;
}

/* A session keyring for this process, with the secret in it. */
static int join_with_secret(const char *name) {
  CHECK(keyctl(KEYCTL_JOIN_SESSION_KEYRING, (long)name, 0, 0, 0) >= 0);
  CHECK(syscall(SYS_add_key, "user", SECRET, "x", 1UL, KEY_SPEC_SESSION_KEYRING) >= 0);
  return find_secret() < 0;
}

static char *probe_config(void) {
  char *path = json_string(self);
  char *members = text_of("\"args\":[%s,\"probe\"],\"cwd\":\"/\"", path);
  char *config = process_config(members);
  free(members);
  free(path);
  return config;
}

struct probing {
  uint32_t flags;
  const char *wanted;
};

static int probe_differs(const struct probing *wanted) {
  struct scene scene;
  scene_open(&scene);
  char *config = probe_config();
  reaper_create_options options = options_of(&scene, config);
  options.flags = wanted->flags;
  char *text = output_of_config(&scene, config, options);
  const int differs = strcmp(text, wanted->wanted) != 0;
  if (differs) dprintf(2, "the program says: %s", text);
  free(text);
  free(config);
  scene_close(&scene);
  return differs;
}

static int probe_from_secret(void *argument) {
  CHECK(join_with_secret("reaper-test") == 0);
  return probe_differs(argument);
}

static int can_use_keys(void) {
  return keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0, 0) >= 0;
}

static void test_own_keyring(void **state) {
  (void)state;
  if (!can_use_keys()) SKIP("keyctl is not allowed here");
  struct probing row = {0, "_ses.output not found\n"};
  assert_int_equal(in_child(probe_from_secret, &row), 0);
}

static void test_no_new_keyring(void **state) {
  (void)state;
  if (!can_use_keys()) SKIP("keyctl is not allowed here");
  struct probing row = {REAPER_CREATE_NO_NEW_KEYRING, "reaper-test found\n"};
  assert_int_equal(in_child(probe_from_secret, &row), 0);
}

/* The caller's own session keyring does not change. */
static void test_caller_keeps_its_keyring(void **state) {
  if (!can_use_keys()) SKIP("keyctl is not allowed here");
  const long before = keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0, 0);
  char *text = output_of(*state, "true", "");
  free(text);
  assert_int_equal(keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0, 0), before);
}

/* Somebody made a keyring of that name and lets everybody search it: joining by name would take it. */
static int trapped(void *argument) {
  (void)argument;
  CHECK(join_with_secret("_ses.output") == 0);
  CHECK(keyctl(KEYCTL_SETPERM, KEY_SPEC_SESSION_KEYRING, SEARCH_BY_ALL, 0, 0) == 0);
  const struct probing wanted = {0, "_ses not found\n"};
  return probe_differs(&wanted);
}

static void test_trap(void **state) {
  (void)state;
  if (!can_use_keys()) SKIP("keyctl is not allowed here");
  assert_int_equal(in_child(trapped, NULL), 0);
}

/* An ordinary user may have 200 keys (kernel.keys.maxkeys). */
static int many_lives(void *argument) {
  (void)argument;
  CHECK(become_ordinary() == 0);
  struct scene scene;
  scene_open(&scene);
  char *config = process_config("\"args\":[\"/bin/true\"],\"cwd\":\"/\"");
  int bad = 0;
  for (int i = 0; i < 250 && bad == 0; ++i) bad = quiet_life(scene.runtime, "life", config, 0);
  free(config);
  scene_close(&scene);
  return bad;
}

static void test_keys_are_given_back(void **state) {
  (void)state;
  assert_int_equal(in_child(many_lives, NULL), 0);
}

/* With an id that nobody else uses: a user without keys would be a trouble to other tests. */
#define LONELY_ID 54321

static int without_keys(void *argument) {
  struct scene *scene = argument;
  CHECK(chown(scene->place.directory, LONELY_ID, LONELY_ID) == 0);
  CHECK(setresgid(LONELY_ID, LONELY_ID, LONELY_ID) == 0 && setresuid(LONELY_ID, LONELY_ID, LONELY_ID) == 0);
  CHECK(keyctl(KEYCTL_JOIN_SESSION_KEYRING, (long)"reaper-test", 0, 0, 0) >= 0);
  for (int i = 0; i < 100000; ++i) {
    char name[32];
    snprintf(name, sizeof name, "key-%d", i);
    if (syscall(SYS_add_key, "user", name, "x", 1UL, KEY_SPEC_SESSION_KEYRING) < 0) break;
  }
  CHECK(errno == EDQUOT);
  char *config = process_config("\"args\":[\"/bin/true\"],\"cwd\":\"/\"");
  reaper_create_options options = options_of(scene, config);
  const struct expected expected = {REAPER_ERR_SYSTEM, EDQUOT, "keyring", "", "kernel.keys.maxkeys"};
  int bad = create_differs(scene, &options, &expected);
  options.flags = REAPER_CREATE_NO_NEW_KEYRING;
  reaper_container *container = must_create_with(scene, "without", &options);
  CHECK(reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
  reaper_container_free(container);
  free(config);
  return bad;
}

static void test_quota(void **state) {
  if (!is_root()) SKIP("needs root");
  if (!can_use_keys()) SKIP("keyctl is not allowed here");
  assert_int_equal(in_child(without_keys, *state), 0);
}

static int denied_life(void *argument) {
  const struct denial denial = {SYS_keyctl, *(int *)argument, 0, 0};
  CHECK(deny(&denial, 1) == 0);
  struct scene scene;
  scene_open(&scene);
  char *config = process_config("\"args\":[\"/bin/true\"],\"cwd\":\"/\"");
  const int bad = quiet_life(scene.runtime, "life", config, 0);
  free(config);
  scene_close(&scene);
  return bad;
}

static void test_without_keyrings(void **state) {
  (void)state;
  if (!can_deny()) SKIP("seccomp filters are not allowed here");
  int errors[] = {ENOSYS, EPERM};
  for (size_t i = 0; i < COUNT_OF(errors); ++i) assert_int_equal(in_child(denied_life, &errors[i]), 0);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "probe") == 0) return probe();
  if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_own_keyring),
      cmocka_unit_test(test_no_new_keyring),
      cmocka_unit_test_setup_teardown(test_caller_keeps_its_keyring, scene_setup, scene_teardown),
      cmocka_unit_test(test_trap),
      cmocka_unit_test(test_keys_are_given_back),
      cmocka_unit_test_setup_teardown(test_quota, scene_setup, scene_teardown),
      cmocka_unit_test(test_without_keyrings),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
