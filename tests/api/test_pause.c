/* The pause process of a pod, which reaper-init is itself (docs/pause.md). */
#include "containers.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char sandbox[] =
    "{\"ociVersion\":\"1.3.0\",\"annotations\":{\"io.kubernetes.cri-o.ContainerType\":\"sandbox\"},"
    "\"process\":{\"args\":[\"pause\"],\"cwd\":\"/\"}}";

static void test_life_of_a_sandbox(void **state) {
  const struct scene *scene = *state;
  warm_up(scene);
  const struct census before = take_census(scene->place.root);
  for (int supervised = 0; supervised < 2; ++supervised) {
    reaper_create_options options = options_of(scene, sandbox);
    options.flags = supervised ? REAPER_CREATE_SUPERVISE : 0;
    reaper_container *container = must_create_with(scene, "pod", &options);
    assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
    must_start(container);
    assert_int_equal(must_status(container), REAPER_STATUS_RUNNING);
    char *path = text_of("/proc/%d/comm", (int)must_pid(container));
    char *name = read_whole(path);
    assert_string_equal(name, "pause\n");
    reaper_error *error = NULL;
    assert_code(reaper_start(container, &error), &error, REAPER_ERR_STATUS);
    assert_int_equal(reaper_kill(container, SIGTERM, 0, NULL), REAPER_OK);
    assert_int_equal(must_wait(container).exit_code, 0);
    must_delete(container);
    free(name);
    free(path);
  }
  assert_same_census(before, take_census(scene->place.root));
}

/* In `created` it is init, and ends as init does. */
static void test_killed_before_its_start(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_create(scene, "pod", sandbox);
  assert_int_equal(reaper_kill(container, SIGTERM, 0, NULL), REAPER_OK);
  assert_int_equal(must_wait(container).signal, SIGTERM);
  must_delete(container);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_life_of_a_sandbox),
      TEST(test_killed_before_its_start),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
