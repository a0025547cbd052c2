/* open, list, plan, the runtime handle, its log, version and names. */
#include "containers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char sleeper[] =
    "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"}}";

static void assert_state_says(const reaper_container *container, const char *part) {
  char *state = must_state(container);
  assert_contains(state, part);
  reaper_free(state);
}

static void test_open_what_is_not_there(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  const struct expected unknown = {REAPER_ERR_NOT_FOUND, 0, "state-directory", "",
                                   "container \"nothing\" does not exist"};
  assert_error(reaper_open(scene->runtime, "nothing", &container, &error), &error, &unknown); /* no root at all */
  assert_null(container);
  assert_int_equal(access(scene->place.root, F_OK), -1); /* and none was made */
  reaper_container *other = must_create(scene, "other", sleeper);
  error = NULL;
  assert_error(reaper_open(scene->runtime, "nothing", &container, &error), &error, &unknown);
  assert_int_equal(reaper_delete(other, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(other);
}

static void test_duplicate_id(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_create(scene, "twice", sleeper);
  const pid_t pid = must_pid(container);
  const struct census before = take_census(scene->place.root);
  const struct expected exists = {REAPER_ERR_EXISTS, 0, "claim", "", "container with given ID already exists"};
  const reaper_create_options options = options_of(scene, sleeper);
  reaper_container *second = NULL;
  for (int round = 0; round < 3; ++round) {
    reaper_error *error = NULL;
    assert_error(reaper_create(scene->runtime, "twice", &options, &second, &error), &error, &exists);
    assert_null(second);
    assert_int_equal(must_pid(container), pid);
    if (round == 0) must_start(container);
    if (round == 1) assert_int_equal(reaper_kill(container, SIGKILL, 0, NULL), REAPER_OK);
  }
  assert_same_census(before, take_census(scene->place.root));
  must_wait(container);
  must_delete(container);
}

static void test_list(void **state) {
  const struct scene *scene = *state;
  char *text = NULL;
  assert_int_equal(reaper_list(scene->runtime, &text, NULL), REAPER_OK);
  assert_string_equal(text, "[]"); /* absent */
  assert_int_equal(access(scene->place.root, F_OK), -1);
  reaper_free(text);
  reaper_container *a = must_create(scene, "a", sleeper);
  reaper_container *b = must_create(scene, "b", sleeper);
  reaper_container *c = must_create(scene, "c", sleeper);
  must_start(b);
  must_start(c);
  assert_int_equal(reaper_kill(c, SIGKILL, 0, NULL), REAPER_OK);
  must_wait(c);
  char *broken = text_of("%s/broken", scene->place.root);
  char *record = text_of("%s/state.json", broken);
  assert_int_equal(mkdir(broken, 0700), 0);
  write_whole(record, "{\"not\":\"a record\"}");
  text = NULL;
  assert_int_equal(reaper_list(scene->runtime, &text, NULL), REAPER_OK);
  char *rows[] = {
      text_of("{\"id\":\"a\",\"pid\":%d,\"status\":\"created\",\"bundle\":\"%s\",\"created\":\"20", (int)must_pid(a),
              scene->place.bundle),
      text_of("{\"id\":\"b\",\"pid\":%d,\"status\":\"running\",\"bundle\":\"%s\",\"created\":\"20", (int)must_pid(b),
              scene->place.bundle),
      text_of("{\"id\":\"c\",\"pid\":0,\"status\":\"stopped\",\"bundle\":\"%s\",\"created\":\"20", scene->place.bundle),
      text_of("{\"id\":\"broken\",\"pid\":0,\"status\":\"corrupt\"")};
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    assert_contains(text, rows[i]);
    free(rows[i]);
  }
  assert_contains(text, "\"owner\":\"");
  assert_contains(text, "\"error\":\"");
  reaper_free(text);
  remove_tree(broken);
  free(record);
  free(broken);
  assert_int_equal(reaper_delete(a, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  assert_int_equal(reaper_delete(b, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  must_delete(c);
  reaper_container_free(a);
  reaper_container_free(b);
  text = NULL;
  assert_int_equal(reaper_list(scene->runtime, &text, NULL), REAPER_OK);
  assert_string_equal(text, "[]"); /* empty */
  reaper_free(text);
}

static void test_plan_changes_nothing(void **state) {
  const struct scene *scene = *state;
  const struct census before = take_census(scene->place.root);
  char *config = shell_config("exit 0", ",\"noNewPrivileges\":true,\"unheardOf\":1");
  const reaper_create_options options = options_of(scene, config);
  char *text = NULL;
  reaper_error *error = NULL;
  assert_int_equal(reaper_plan(scene->runtime, &options, REAPER_FORMAT_TEXT, &text, &error), REAPER_OK);
  assert_contains(text, "no_new_privs");
  assert_contains(text, "/process/noNewPrivileges");
  assert_contains(text, "execve \"/bin/sh\" \"-c\" \"exit 0\"");
  assert_contains(text, "warning: /process/unheardOf");
  reaper_free(text);
  assert_same_census(before, take_census(scene->place.root));
  assert_int_equal(access(scene->place.root, F_OK), -1);
  free(config);
}

static int give_roots(void *argument) {
  const struct place *place = argument;
  reaper_runtime *runtime = NULL;
  reaper_runtime_options options = {.size = sizeof options};
  CHECK(setenv("REAPER_RUNTIME_ROOT", "/from/the/environment", 1) == 0);
  CHECK(reaper_runtime_new(NULL, &runtime, NULL) == REAPER_OK);
  CHECK(strcmp(reaper_runtime_root(runtime), "/from/the/environment") == 0);
  reaper_runtime_free(runtime);
  options.root = "/given";
  CHECK(reaper_runtime_new(&options, &runtime, NULL) == REAPER_OK);
  CHECK(strcmp(reaper_runtime_root(runtime), "/given") == 0); /* the environment is not read */
  reaper_runtime_free(runtime);
  CHECK(chdir(place->directory) == 0);
  options.root = "relative/root";
  CHECK(reaper_runtime_new(&options, &runtime, NULL) == REAPER_OK);
  CHECK(chdir("/") == 0); /* taken from the working directory then, not later */
  char *wanted = text_of("%s/relative/root", place->directory);
  CHECK(strcmp(reaper_runtime_root(runtime), wanted) == 0);
  free(wanted);
  reaper_runtime_free(runtime);
  CHECK(unsetenv("REAPER_RUNTIME_ROOT") == 0 && setenv("XDG_RUNTIME_DIR", "/xdg", 1) == 0);
  CHECK(reaper_runtime_new(NULL, &runtime, NULL) == REAPER_OK);
  CHECK(strcmp(reaper_runtime_root(runtime), geteuid() == 0 ? "/run/reaper" : "/xdg/reaper") == 0);
  reaper_runtime_free(runtime);
  CHECK(count_entries(place->directory) == 1); /* the bundle: nothing was made */
  return 0;
}

static void test_runtime_root(void **state) {
  struct scene *scene = *state;
  assert_string_equal(reaper_runtime_root(scene->runtime), scene->place.root);
  assert_int_equal(in_child(give_roots, &scene->place), 0);
}

static void test_root_is_made_private(void **state) {
  const struct scene *scene = *state;
  const mode_t masks[] = {0, 0777, 022};
  for (size_t i = 0; i < COUNT_OF(masks); ++i) {
    const mode_t before = umask(masks[i]);
    const reaper_create_options options = options_of(scene, sleeper);
    reaper_container *container = NULL;
    const int result = reaper_create(scene->runtime, "private", &options, &container, NULL);
    const mode_t after = umask(before);
    assert_int_equal(result, REAPER_OK);
    assert_int_equal(after, masks[i]);
    struct stat status;
    assert_int_equal(stat(scene->place.root, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    char *directory = text_of("%s/private", scene->place.root);
    assert_int_equal(stat(directory, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    static const char *const files[] = {"state.json", "pid", "owner", "identity", "gate"};
    for (size_t f = 0; f < COUNT_OF(files); ++f) {
      char *path = text_of("%s/%s", directory, files[f]);
      assert_int_equal(stat(path, &status), 0);
      assert_int_equal(status.st_mode & 07777, 0600);
      free(path);
    }
    free(directory);
    assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
    reaper_container_free(container);
    assert_int_equal(rmdir(scene->place.root), 0);
  }
}

struct log {
  int count[REAPER_LOG_DEBUG + 1];
  pid_t thread;
  char text[1000];
};

static void take_log(void *data, int32_t level, const char *message) {
  struct log *log = data;
  ++log->count[level];
  log->thread = (pid_t)syscall(SYS_gettid);
  snprintf(log->text, sizeof log->text, "%s", message);
}

static void test_log_callback(void **state) {
  const struct scene *scene = *state;
  char *config = shell_config("exit 0", ",\"noNewPrivilegs\":true");
  for (uint32_t level = 0; level <= REAPER_LOG_DEBUG; ++level) {
    struct log log;
    memset(&log, 0, sizeof log);
    const reaper_runtime_options options = {
        .size = sizeof options, .root = scene->place.root, .log = take_log, .log_data = &log, .log_level = level};
    reaper_runtime *runtime = NULL;
    assert_int_equal(reaper_runtime_new(&options, &runtime, NULL), REAPER_OK);
    struct scene logged = {scene->place, runtime};
    reaper_container *container = must_create(&logged, "logged", config);
    /* 0 means warnings and what is more important. */
    assert_int_equal(log.count[REAPER_LOG_WARNING], level == REAPER_LOG_ERROR ? 0 : 1);
    assert_int_equal(log.count[REAPER_LOG_ERROR], 0);
    if (level != REAPER_LOG_ERROR) {
      assert_int_equal(log.thread, syscall(SYS_gettid));
      assert_contains(log.text, "/process/noNewPrivilegs");
      assert_contains(log.text, "noNewPrivileges"); /* the nearest known name */
      assert_null(strchr(log.text, '\n'));
    }
    assert_state_says(container, "\"pointer\":\"/process/noNewPrivilegs\""); /* and kept in the state */
    assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
    reaper_container_free(container);
    reaper_runtime_free(runtime);
  }
  free(config);
}

static void test_version_and_features(void **state) {
  (void)state;
  char *version = text_of("%d.%d.%d", REAPER_VERSION_MAJOR, REAPER_VERSION_MINOR, REAPER_VERSION_PATCH);
  assert_string_equal(reaper_version(), version);
  assert_true(reaper_commit()[0] != '\0');
  free(version);
  char *text = NULL;
  assert_int_equal(reaper_features(&text, NULL), REAPER_OK);
  static const char *const parts[] = {
      "\"ociVersionMin\":\"1.0.0\"",
      "\"ociVersionMax\":\"1.",
      "\"hooks\":[\"prestart\",\"createRuntime\",\"createContainer\",\"startContainer\",\"poststart\",\"poststop\"]",
      "\"mountOptions\":[",
      "\"linux\":{",
      "\"CAP_SETUID\"",
      "\"potentiallyUnsafeConfigAnnotations\":["};
  for (size_t i = 0; i < COUNT_OF(parts); ++i) assert_contains(text, parts[i]);
  reaper_free(text);
}

static void test_error_names(void **state) {
  (void)state;
  static const char *const names[] = {
      "REAPER_OK",         "REAPER_ERR_INVALID",   "REAPER_ERR_UNSUPPORTED", "REAPER_ERR_NOT_FOUND",
      "REAPER_ERR_EXISTS", "REAPER_ERR_STATUS",    "REAPER_ERR_BUSY",        "REAPER_ERR_PERMISSION",
      "REAPER_ERR_SYSTEM", "REAPER_ERR_NO_MEMORY", "REAPER_ERR_TIMEOUT",     "REAPER_ERR_CORRUPT",
      "REAPER_ERR_VERIFY", "REAPER_ERR_EXEC",      "REAPER_ERR_UNKNOWN",     "REAPER_ERR_INTERNAL",
      "REAPER_ERR_HOOK"};
  for (int i = 0; i < (int)COUNT_OF(names); ++i) assert_string_equal(reaper_error_name(-i), names[i]);
  const int32_t others[] = {1, -17, 1000, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < COUNT_OF(others); ++i) assert_string_equal(reaper_error_name(others[i]), "REAPER_ERR_?");
  /* NULL gives 0 or "". */
  assert_int_equal(reaper_error_code(NULL), 0);
  assert_int_equal(reaper_error_errno(NULL), 0);
  assert_string_equal(reaper_error_message(NULL), "");
  assert_string_equal(reaper_error_pointer(NULL), "");
  assert_string_equal(reaper_error_stage(NULL), "");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_open_what_is_not_there), TEST(test_duplicate_id),         TEST(test_list),
      TEST(test_plan_changes_nothing),   TEST(test_runtime_root),         TEST(test_root_is_made_private),
      TEST(test_log_callback),           TEST(test_version_and_features), TEST(test_error_names),
  };
  return cmocka_run_group_tests_name("runtime", tests, NULL, NULL);
}
