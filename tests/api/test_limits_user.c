/*
 * What is the host's and not the container's to have in a user namespace of its own: limits, and a lower oomScoreAdj.
 * Its caller has them set before that namespace is made, if it may.
 */
#include "containers.h"
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint32_t both[] = {0, REAPER_CREATE_SUPERVISE};

#define MAPPINGS                                                             \
  ",\"uidMappings\":[{\"containerID\":0,\"hostID\":200000,\"size\":65536}]," \
  "\"gidMappings\":[{\"containerID\":0,\"hostID\":200000,\"size\":65536}]"

/* Limits are the host's: they are raised, and oomScoreAdj is lowered, before the user namespace is made. */
static void test_limits_beside_a_new_user(void **state) {
  if (!is_root() || !holds_capability("CapEff:", CAP_SYS_RESOURCE)) SKIP("CAP_SYS_RESOURCE is not held");
  NEED_USER_NAMESPACES(NULL);
  char *before = read_whole("/proc/self/oom_score_adj");
  char *members = text_of(
      ",\"oomScoreAdj\":%ld,\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":1024,\"hard\":"
      "18446744073709551615}]",
      strtol(before, NULL, 10) - 1);
  char *wanted = text_of("%ld\n2\nunlimited\n", strtol(before, NULL, 10) - 1);
  char *config = namespaces_config("{\"type\":\"user\"},{\"type\":\"pid\"}",
                                   "cat /proc/self/oom_score_adj; ulimit -S -c; ulimit -H -c", members, MAPPINGS);
  for (size_t i = 0; i < COUNT_OF(both); ++i) {
    char *text = said_by(*state, config, both[i]);
    assert_string_equal(text, wanted);
    free(text);
  }
  free(config);
  free(wanted);
  free(members);
  free(before);
}

static int lowers(void *unused) {
  (void)unused;
  return put("/proc/self/oom_score_adj", "-1000");
}

static void test_limits_without_rights(void **state) {
  if (!is_root() || !holds_capability("CapEff:", CAP_SETUID)) SKIP("needs root");
  if (in_child(lowers, NULL) == 0) SKIP("CAP_SYS_RESOURCE is held");
  NEED_USER_NAMESPACES(NULL);
  const struct scene *scene = *state;
  warm_up(scene);
  const struct {
    const char *process;
    struct expected expected;
  } rows[] = {
      {",\"oomScoreAdj\":-1000",
       {REAPER_ERR_PERMISSION, EACCES, "oom_score_adj", "/process/oomScoreAdj", "needs CAP_SYS_RESOURCE"}},
      {",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":9,\"hard\":999999999}]",
       {REAPER_ERR_PERMISSION, 0, "plan", "/process/rlimits/0/hard", "needs CAP_SYS_RESOURCE"}},
  };
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *config = namespaces_config("{\"type\":\"user\"}", "true", rows[i].process, MAPPINGS);
    reaper_create_options options = options_of(scene, config);
    assert_create_fails_unforeseen(scene, &options, &rows[i].expected);
    free(config);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_limits_beside_a_new_user, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_limits_without_rights, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
