/*
 * A caller that is root in a user namespace where setgroups(2) is denied: it holds CAP_SETGID, and may not give up a
 * group all the same (user_namespaces(7)).
 */
#include "containers.h"
#include "users.h"

#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define GROUPS "while read -r a b; do case $a in Groups:) echo $b;; esac; done </proc/self/status"
#define ORDINARY 12345

/* With a group of its own, where somebody may give it one. */
static int enter_denied(void) {
  const gid_t group = 7;
  if (is_root()) {
    CHECK(setgroups(1, &group) == 0 && setresgid(ORDINARY, ORDINARY, ORDINARY) == 0);
    CHECK(setresuid(ORDINARY, ORDINARY, ORDINARY) == 0 && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
  }
  const int entered = become_root_inside();
  if (entered != 0) return entered;
  CHECK(geteuid() == 0 && setgroups(0, NULL) != 0);
  return 0;
}

static char *config_of(const char *user, const char *more) {
  return text_of("{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sh\",\"-c\",\"" GROUPS
                 "\"],\"cwd\":\"/\",\"user\":%s}%s}",
                 user, more);
}

static int denied(void *unused) {
  (void)unused;
  const int entered = enter_denied();
  if (entered != 0) return entered;
  struct scene scene;
  scene_open(&scene);
  gid_t groups[64];
  const int count = getgroups((int)COUNT_OF(groups), groups);
  CHECK(count >= 0);
  char *own = read_whole("/proc/self/status");
  char *line = line_value(own, "Groups:");
  int bad = 0;
  /* The caller's ids, and those that it could have: nothing is called that would fail. */
  static const char *const places[] = {
      "",
      ",\"linux\":{\"namespaces\":[{\"type\":\"user\"}],\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}],"
      "\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]}"};
  for (size_t i = 0; i < COUNT_OF(places); ++i) {
    char *config = config_of("{\"uid\":0,\"gid\":0}", places[i]);
    reaper_create_options options = options_of(&scene, config);
    char *text = output_of_config(&scene, config, options);
    const size_t length = strcspn(line, " \n");
    if (strncmp(text, line, length) != 0) bad += dprintf(2, "%zu: groups %s, not %s\n", i, text, line) > 0;
    free(text);
    /* Nobody is left in doubt. */
    if (count > 0) {
      options.flags = REAPER_CREATE_STRICT;
      const struct expected warned = {REAPER_ERR_INVALID, 0, "plan", "/process/user", "denies setgroups(2)"};
      bad += create_differs(&scene, &options, &warned);
    }
    free(config);
    config = config_of("{\"uid\":0,\"gid\":0,\"additionalGids\":[0]}", places[i]);
    options = options_of(&scene, config);
    const struct expected refused = {REAPER_ERR_PERMISSION, 0, "plan", "/process/user/additionalGids",
                                     "denies setgroups(2)"};
    bad += create_differs(&scene, &options, &refused) + check_differs(&scene, &options, &refused);
    free(config);
  }
  free(line);
  free(own);
  scene_close(&scene);
  return bad;
}

static void test_denied(void **state) {
  (void)state;
  const int result = in_child(denied, NULL);
  if (result == 77) SKIP("user namespaces cannot be made here");
  assert_int_equal(result, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_denied)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
