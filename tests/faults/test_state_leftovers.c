/* What a killed create or start has left behind, when the pids in it are others' now: swept, and nobody is signalled.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervised.h"
#include "tamper.h"

static const char other_boot[] = "01234567-89ab-cdef-0123-456789abcdef";
static const char other_start[] = "1"; /* in clock ticks: nobody's that lives now */

static void plant(const struct scene* scene, const char* name, const char* line) {
  char* path = file_of(scene, "c", name);
  write_whole(path, line);
  assert_int_equal(chmod(path, 0600), 0);
  free(path);
}

/* `owner` and `identity` name living processes, but those of another boot, or that began at another time. */
static void test_leftover_of_nobody(void** state) {
  const struct scene* scene = *state;
  warm_up(scene);
  const pid_t bystander = innocent();
  static const enum field fields[] = {FIELD_BOOT_ID, FIELD_START_TIME};
  for (int i = 0; i < 4; ++i) {
    char* directory = text_of("%s/c", scene->place.root);
    char* own = identity_of(getpid());
    char* his = identity_of(bystander);
    char* owner = identity_line(own, fields[i % 2], i % 2 ? other_start : other_boot);
    char* identity = identity_line(his, fields[i % 2], i % 2 ? other_start : other_boot);
    assert_int_equal(mkdir(directory, 0700), 0);
    plant(scene, "owner", owner);
    plant(scene, "identity", identity);
    if (i / 2) assert_int_equal(reaper_delete_id(scene->runtime, "c", REAPER_DELETE_FORCE, NULL), REAPER_OK);
    if (i / 2) assert_int_equal(count_entries(scene->place.root), 0);
    reaper_container* container = must_create(scene, "c", endless_program);
    assert_true(is_unharmed(bystander));
    assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
    reaper_container_free(container);
    free(identity);
    free(owner);
    free(his);
    free(own);
    free(directory);
  }
  end_own_child(bystander);
}

/* `starting` of a start that was killed, whose pid is now another's. */
static void test_start_of_nobody(void** state) {
  const struct scene* scene = *state;
  static const char config[] =
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"},"
      "\"hooks\":{\"startContainer\":[{\"path\":\"/bin/true\"}]}}";
  reaper_container* container = must_create(scene, "c", config);
  char* own = identity_of(getpid());
  plant(scene, "starting", own);
  reaper_error* error = NULL;
  const struct expected expected = {REAPER_ERR_STATUS, 0, "status", "", "is being started by process"};
  assert_error(reaper_start(container, &error), &error, &expected);
  char* other = identity_line(own, FIELD_BOOT_ID, other_boot);
  plant(scene, "starting", other);
  must_start(container);
  assert_int_equal(must_status(container), REAPER_STATUS_RUNNING);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  free(other);
  free(own);
}

/* What a create left there, killed or not, is not swept here. */
static void test_leftover_of_another_pid_namespace(void** state) {
  const struct scene* scene = *state;
  warm_up(scene);
  char* directory = text_of("%s/c", scene->place.root);
  char* own = identity_of(getpid());
  char* other = identity_line(own, FIELD_PID_NAMESPACE, "1");
  assert_int_equal(mkdir(directory, 0700), 0);
  plant(scene, "owner", other);
  plant(scene, "identity", other);
  reaper_container* container = NULL;
  reaper_error* error = NULL;
  const reaper_create_options options = options_of(scene, endless_program);
  assert_code(reaper_create(scene->runtime, "c", &options, &container, &error), &error, REAPER_ERR_EXISTS);
  const struct expected expected = {REAPER_ERR_UNSUPPORTED, 0, "identity", "", "created in another pid namespace"};
  assert_error(reaper_delete_id(scene->runtime, "c", REAPER_DELETE_FORCE, &error), &error, &expected);
  assert_int_equal(count_entries(directory), 2);
  remove_tree(directory);
  free(other);
  free(own);
  free(directory);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_leftover_of_nobody),
      TEST(test_start_of_nobody),
      TEST(test_leftover_of_another_pid_namespace),
  };
  return cmocka_run_group_tests_name("state_leftovers", tests, NULL, NULL);
}
