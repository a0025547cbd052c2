/* Arguments: sizes, unknown bits, NULL, what failure leaves alone, and that `err` may be NULL. */
#include "containers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char sleeper[] =
    "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"}}";

/* What an output must still hold after a failure. */
#define UNTOUCHED_POINTER ((void *)&untouched)
static char untouched;

static const struct expected wrong_size = {REAPER_ERR_INVALID, EINVAL, "arguments", "", "size"};

/* The three functions that read create options: the same rules for each. */
static int call_with_options(const struct scene *scene, int plan, const reaper_create_options *options,
                             reaper_error **error) {
  if (plan) {
    char *text = UNTOUCHED_POINTER;
    const int result = reaper_plan(scene->runtime, options, REAPER_FORMAT_TEXT, &text, error);
    if (result == REAPER_OK)
      reaper_free(text);
    else
      assert_ptr_equal(text, UNTOUCHED_POINTER);
    return result;
  }
  reaper_container *container = UNTOUCHED_POINTER;
  const int result = reaper_create(scene->runtime, "options", options, &container, error);
  if (result == REAPER_OK) {
    assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
    reaper_container_free(container);
  } else {
    assert_ptr_equal(container, UNTOUCHED_POINTER);
  }
  return result;
}

static void assert_refused(const struct scene *scene, const reaper_create_options *options,
                           const struct expected *expected) {
  const struct census before = take_census(scene->place.root);
  for (int plan = 0; plan < 2; ++plan) {
    reaper_error *error = NULL;
    assert_error(call_with_options(scene, plan, options, &error), &error, expected);
    assert_int_equal(call_with_options(scene, plan, options, NULL), expected->code); /* err may be NULL */
  }
  assert_same_census(before, take_census(scene->place.root));
}

struct larger_create_options {
  reaper_create_options options;
  unsigned char tail[32];
};

static void test_create_options_size(void **state) {
  const struct scene *scene = *state;
  struct larger_create_options larger;
  memset(&larger, 0, sizeof larger);
  larger.options = options_of(scene, sleeper);
  const uint64_t wrong[] = {0, 1, 8, offsetof(reaper_create_options, listen_fd_count), 65537, UINT64_MAX};
  for (size_t i = 0; i < COUNT_OF(wrong); ++i) {
    larger.options.size = wrong[i];
    assert_refused(scene, &larger.options, &wrong_size);
  }
  larger.options.size = sizeof larger;
  for (int plan = 0; plan < 2; ++plan)
    assert_int_equal(call_with_options(scene, plan, &larger.options, NULL), REAPER_OK);
  for (size_t i = 0; i < sizeof larger.tail; i += 31) {
    memset(larger.tail, 0, sizeof larger.tail);
    larger.tail[i] = 1;
    const struct expected unknown = {REAPER_ERR_UNSUPPORTED, 0, "arguments", "", "which this version"};
    assert_refused(scene, &larger.options, &unknown);
    larger.options.size = sizeof larger.options; /* what is beyond the size is not looked at */
    assert_int_equal(call_with_options(scene, 1, &larger.options, NULL), REAPER_OK);
    larger.options.size = sizeof larger;
  }
}

static void test_create_options_members(void **state) {
  const struct scene *scene = *state;
  const int32_t bad_fds[] = {-1};
  const int32_t closed[] = {1000000};
  const reaper_create_options good = options_of(scene, sleeper);
  reaper_create_options options = good;
  for (uint32_t bit = 10; bit < 32; bit += 7) {
    options.flags = 1U << bit;
    const struct expected expected = {REAPER_ERR_UNSUPPORTED, 0, "arguments", "", "flags"};
    assert_refused(scene, &options, &expected);
  }
  options = good;
  options.listen_fd_count = 1;
  assert_refused(scene, &options, &(struct expected){REAPER_ERR_INVALID, EINVAL, "arguments", "", "listen_fd_count"});
  options = good;
  const int32_t open_fds[] = {0, 1};
  options.extra_fds = open_fds;
  options.extra_fd_count = 2;
  options.listen_fd_count = 2;
  const char *const bad_names[] = {"", "a", "a:b:c", "a:b\n", "a:\303\244"};
  for (size_t i = 0; i < COUNT_OF(bad_names); ++i) {
    options.listen_names = bad_names[i];
    assert_refused(scene, &options, &(struct expected){REAPER_ERR_INVALID, EINVAL, "arguments", "", "listen_names"});
  }
  options = good;
  options.listen_names = "a"; /* names of none */
  assert_refused(scene, &options, &(struct expected){REAPER_ERR_INVALID, EINVAL, "arguments", "", "listen_names"});
  options = good;
  options.extra_fd_count = 1;
  assert_refused(scene, &options, &(struct expected){REAPER_ERR_INVALID, EINVAL, "arguments", "", "extra_fds is NULL"});
  options.extra_fds = bad_fds;
  assert_refused(scene, &options, &(struct expected){REAPER_ERR_INVALID, EBADF, "arguments", "", "extra_fds"});
  options.extra_fds = closed;
  assert_refused(scene, &options, &(struct expected){REAPER_ERR_INVALID, EBADF, "arguments", "", "1000000"});
  options.extra_fd_count = UINT32_MAX;
  assert_refused(scene, &options, &(struct expected){REAPER_ERR_INVALID, EINVAL, "arguments", "", "extra_fd_count"});
  options = good;
  options.config = NULL;
  assert_refused(scene, &options, &(struct expected){REAPER_ERR_INVALID, EINVAL, "arguments", "", "config is NULL"});
  options = good;
  options.config_length = 0;
  assert_refused(scene, &options, &(struct expected){REAPER_ERR_INVALID, 0, "json", "", "config.json"});
  for (int i = 0; i < 3; ++i) {
    options = good;
    options.flags = REAPER_CREATE_STDIO;
    options.stdio[0] = options.stdio[1] = options.stdio[2] = -1;
    options.stdio[i] = 1000000;
    assert_refused(scene, &options, &(struct expected){REAPER_ERR_INVALID, EBADF, "arguments", "", "stdio"});
    options.stdio[i] = -2; /* only -1 is /dev/null */
    assert_refused(scene, &options, &(struct expected){REAPER_ERR_INVALID, EBADF, "arguments", "", "stdio"});
  }
  options = good;
  options.stdio[0] = 1000000; /* not looked at without the flag */
  assert_int_equal(call_with_options(scene, 0, &options, NULL), REAPER_OK);
}

static void test_strict(void **state) {
  const struct scene *scene = *state;
  const struct {
    const char *more, *pointer, *part;
  } rows[] = {{",\"capabilites\":{}", "/process/capabilites", "capabilities"},
              {",\"capabilities\":{\"bounding\":[\"CAP_CHWON\"]}", "/process/capabilities/bounding/0", "CAP_CHOWN"}};
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *config = shell_config("exit 0", rows[i].more);
    reaper_create_options options = options_of(scene, config);
    options.flags = REAPER_CREATE_STRICT;
    const struct expected expected = {REAPER_ERR_INVALID, 0, "plan", rows[i].pointer, rows[i].part};
    assert_refused(scene, &options, &expected);
    free(config);
  }
  reaper_create_options options = options_of(scene, sleeper);
  options.flags = REAPER_CREATE_STRICT;
  assert_int_equal(call_with_options(scene, 0, &options, NULL), REAPER_OK);
}

/* ---- runtime options ---- */

static void assert_no_runtime(const reaper_runtime_options *options, const struct expected *expected) {
  reaper_runtime *runtime = UNTOUCHED_POINTER;
  reaper_error *error = NULL;
  assert_error(reaper_runtime_new(options, &runtime, &error), &error, expected);
  assert_int_equal(reaper_runtime_new(options, &runtime, NULL), expected->code);
  assert_ptr_equal(runtime, UNTOUCHED_POINTER);
}

static void assert_runtime(const reaper_runtime_options *options) {
  reaper_runtime *runtime = NULL;
  assert_int_equal(reaper_runtime_new(options, &runtime, NULL), REAPER_OK);
  assert_string_equal(reaper_runtime_root(runtime), "/some/root");
  reaper_runtime_free(runtime);
}

static void test_runtime_options(void **state) {
  (void)state;
  struct {
    reaper_runtime_options options;
    unsigned char tail[16];
  } larger;
  memset(&larger, 0, sizeof larger);
  const reaper_runtime_options good = {.size = sizeof good, .root = "/some/root"};
  larger.options = good;
  const uint64_t wrong[] = {0, 1, 8, offsetof(reaper_runtime_options, log_level), 65537, UINT64_MAX};
  for (size_t i = 0; i < COUNT_OF(wrong); ++i) {
    larger.options.size = wrong[i];
    assert_no_runtime(&larger.options, &wrong_size);
  }
  larger.options.size = sizeof larger;
  assert_runtime(&larger.options);
  larger.tail[15] = 1;
  assert_no_runtime(&larger.options,
                    &(struct expected){REAPER_ERR_UNSUPPORTED, 0, "arguments", "", "which this version"});

  reaper_runtime_options options = good;
  options.flags = 1;
  assert_no_runtime(&options, &(struct expected){REAPER_ERR_UNSUPPORTED, 0, "arguments", "", "flags"});
  options = good;
  options.log_level = REAPER_LOG_DEBUG + 1;
  assert_no_runtime(&options, &(struct expected){REAPER_ERR_INVALID, EINVAL, "arguments", "", "log_level"});
  options = good;
  options.lock_timeout_ms = UINT64_MAX;
  assert_runtime(&options);

  options = good;
  options.root = "";
  assert_no_runtime(&options, &(struct expected){REAPER_ERR_INVALID, 0, "state-directory", "", "empty"});
  static const char *const slashes[] = {"/", "//", "/./"};
  for (size_t i = 0; i < COUNT_OF(slashes); ++i) {
    options.root = slashes[i];
    assert_no_runtime(&options, &(struct expected){REAPER_ERR_INVALID, 0, "state-directory", "", "cannot be /"});
  }
  char *path = malloc(5001);
  assert_non_null(path);
  memset(path, 'a', 5000);
  path[0] = '/';
  path[5000] = '\0';
  options.root = path;
  assert_no_runtime(&options, &(struct expected){REAPER_ERR_INVALID, 0, "state-directory", "", "too long"});
  free(path);
}

/* ---- NULL, and what failure leaves alone ---- */

static void assert_null_refused(int result, reaper_error **error) {
  assert_error(result, error, &(struct expected){REAPER_ERR_INVALID, EINVAL, "arguments", "", "NULL"});
}

static void test_null_arguments(void **state) {
  const struct scene *scene = *state;
  reaper_runtime *const runtime = scene->runtime;
  reaper_container *const container = must_create(scene, "null", sleeper);
  const reaper_create_options options = options_of(scene, sleeper);
  reaper_container *out = UNTOUCHED_POINTER;
  char *text = UNTOUCHED_POINTER;
  int32_t number = 77;
  reaper_exit_status status;
  memset(&status, 0x5a, sizeof status);
  const reaper_exit_status before = status;
  reaper_error *error = NULL;

  assert_null_refused(reaper_runtime_new(NULL, NULL, &error), &error);
  assert_null_refused(reaper_features(NULL, &error), &error);
  assert_null_refused(reaper_create(NULL, "x", &options, &out, &error), &error);
  assert_null_refused(reaper_create(runtime, NULL, &options, &out, &error), &error);
  assert_null_refused(reaper_create(runtime, "x", &options, NULL, &error), &error);
  assert_null_refused(reaper_open(NULL, "x", &out, &error), &error);
  assert_null_refused(reaper_open(runtime, NULL, &out, &error), &error);
  assert_null_refused(reaper_open(runtime, "null", NULL, &error), &error);
  assert_null_refused(reaper_start(NULL, &error), &error);
  assert_null_refused(reaper_state(NULL, &text, &error), &error);
  assert_null_refused(reaper_state(container, NULL, &error), &error);
  assert_null_refused(reaper_status(NULL, &number, &error), &error);
  assert_null_refused(reaper_status(container, NULL, &error), &error);
  assert_null_refused(reaper_pid(NULL, &number, &error), &error);
  assert_null_refused(reaper_pid(container, NULL, &error), &error);
  assert_null_refused(reaper_pidfd(NULL, &number, &error), &error);
  assert_null_refused(reaper_pidfd(container, NULL, &error), &error);
  assert_null_refused(reaper_kill(NULL, SIGTERM, 0, &error), &error);
  assert_null_refused(reaper_delete(NULL, 0, &error), &error);
  assert_null_refused(reaper_delete_id(NULL, "x", 0, &error), &error);
  assert_null_refused(reaper_delete_id(runtime, NULL, 0, &error), &error);
  status.size = sizeof status;
  assert_null_refused(reaper_wait(NULL, 0, &status, &error), &error);
  status.size = before.size;
  assert_null_refused(reaper_wait(container, 0, NULL, &error), &error);
  assert_null_refused(reaper_list(NULL, &text, &error), &error);
  assert_null_refused(reaper_list(runtime, NULL, &error), &error);
  assert_null_refused(reaper_plan(NULL, &options, REAPER_FORMAT_TEXT, &text, &error), &error);
  assert_null_refused(reaper_plan(runtime, &options, REAPER_FORMAT_TEXT, NULL, &error), &error);
  assert_int_equal(reaper_start(NULL, NULL), REAPER_ERR_INVALID);
  assert_string_equal(reaper_container_id(NULL), "");
  assert_string_equal(reaper_runtime_root(NULL), "");

  assert_ptr_equal(out, UNTOUCHED_POINTER);
  assert_ptr_equal(text, UNTOUCHED_POINTER);
  assert_int_equal(number, 77);
  assert_memory_equal(&status, &before, sizeof status);
  assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
  assert_int_equal(count_entries(scene->place.root), 1);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
}

static void test_flags_and_signals(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_create(scene, "flags", sleeper);
  reaper_error *error = NULL;
  const struct expected flags = {REAPER_ERR_INVALID, EINVAL, "arguments", "", "flags"};
  for (uint32_t bit = 1; bit < 32; bit += 6) {
    assert_error(reaper_kill(container, SIGKILL, 1U << bit, &error), &error, &flags);
    assert_error(reaper_delete(container, 1U << bit | REAPER_DELETE_FORCE, &error), &error, &flags);
    assert_error(reaper_delete_id(scene->runtime, "flags", 1U << bit | REAPER_DELETE_FORCE, &error), &error, &flags);
  }
  const int32_t wrong[] = {-1, -9, 65, 1000, INT32_MIN, INT32_MAX};
  const struct expected signals = {REAPER_ERR_INVALID, EINVAL, "arguments", "", "signal "};
  for (size_t i = 0; i < COUNT_OF(wrong); ++i) {
    assert_error(reaper_kill(container, wrong[i], 0, &error), &error, &signals);
    assert_error(reaper_kill(container, wrong[i], REAPER_KILL_ALL, &error), &error, &signals);
  }
  assert_int_equal(reaper_kill(container, 0, 0, NULL), REAPER_OK); /* kill(2): asks whether it could be sent */
  assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
}

static void test_exit_status_size(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_create(scene, "size", sleeper);
  struct {
    reaper_exit_status status;
    unsigned char tail[16];
  } larger;
  const uint64_t wrong[] = {0, 1, 8, sizeof larger.status - 8, 65537, UINT64_MAX};
  reaper_error *error = NULL;
  assert_int_equal(reaper_kill(container, SIGKILL, 0, NULL), REAPER_OK);
  for (size_t i = 0; i < COUNT_OF(wrong); ++i) {
    memset(&larger, 0x5a, sizeof larger);
    larger.status.size = wrong[i];
    assert_error(reaper_wait(container, -1, &larger.status, &error), &error, &wrong_size);
    const unsigned char *bytes = (const unsigned char *)&larger;
    for (size_t at = sizeof larger.status.size; at < sizeof larger; ++at) assert_int_equal(bytes[at], 0x5a);
    assert_true(larger.status.size == wrong[i]);
  }
  /* A caller of a later version: what this one does not know stays as it is. */
  memset(&larger, 0x5a, sizeof larger);
  larger.status.size = sizeof larger;
  assert_int_equal(reaper_wait(container, -1, &larger.status, NULL), REAPER_OK);
  assert_int_equal(larger.status.signal, SIGKILL);
  assert_int_equal(larger.status.size, sizeof larger);
  for (size_t i = 0; i < sizeof larger.tail; ++i) assert_int_equal(larger.tail[i], 0x5a);
  must_delete(container);
}

/* Failure: *out is untouched, `err` may be NULL, and with success `err` is not written. */
static void test_outputs_after_failure(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_create(scene, "failing", sleeper);
  assert_int_equal(reaper_delete_id(scene->runtime, "failing", REAPER_DELETE_FORCE, NULL), REAPER_OK);
  char *text = UNTOUCHED_POINTER;
  int32_t number = 77;
  reaper_container *out = UNTOUCHED_POINTER;
  assert_int_equal(reaper_state(container, &text, NULL), REAPER_ERR_NOT_FOUND);
  assert_int_equal(reaper_status(container, &number, NULL), REAPER_ERR_NOT_FOUND);
  assert_int_equal(reaper_pid(container, &number, NULL), REAPER_ERR_NOT_FOUND);
  assert_int_equal(reaper_pidfd(container, &number, NULL), REAPER_ERR_NOT_FOUND);
  assert_int_equal(reaper_start(container, NULL), REAPER_ERR_NOT_FOUND);
  assert_int_equal(reaper_kill(container, SIGTERM, 0, NULL), REAPER_ERR_NOT_FOUND);
  assert_int_equal(reaper_delete(container, 0, NULL), REAPER_ERR_NOT_FOUND);
  assert_int_equal(reaper_open(scene->runtime, "failing", &out, NULL), REAPER_ERR_NOT_FOUND);
  assert_int_equal(reaper_delete_id(scene->runtime, "failing", 0, NULL), REAPER_ERR_NOT_FOUND);
  assert_ptr_equal(text, UNTOUCHED_POINTER);
  assert_ptr_equal(out, UNTOUCHED_POINTER);
  assert_int_equal(number, 77);
  reaper_container_free(container);

  reaper_error *error = UNTOUCHED_POINTER;
  assert_int_equal(reaper_list(scene->runtime, &text, &error), REAPER_OK);
  assert_ptr_equal(error, UNTOUCHED_POINTER);
  reaper_free(text);
}

/* ---- lock_timeout_ms ---- */

/* Another process' operation holds the container: BUSY for those that change it; the others take no lock. */
static void test_lock_timeout(void **state) {
  struct scene *scene = *state;
  const reaper_runtime_options options = {.size = sizeof options, .root = scene->place.root, .lock_timeout_ms = 50};
  reaper_runtime *runtime = NULL;
  assert_int_equal(reaper_runtime_new(&options, &runtime, NULL), REAPER_OK);
  struct scene hasty = {scene->place, runtime};
  reaper_container *container = must_create(&hasty, "busy", sleeper);
  char *path = text_of("%s/busy", scene->place.root);
  const int lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  assert_int_equal(flock(lock, LOCK_EX), 0);

  reaper_error *error = NULL;
  const struct expected busy = {REAPER_ERR_BUSY, 0, "lock", "", "is busy"};
  assert_error(reaper_start(container, &error), &error, &busy);
  assert_error(reaper_delete(container, 0, &error), &error, &busy);
  assert_error(reaper_delete(container, REAPER_DELETE_FORCE, &error), &error, &busy);
  assert_error(reaper_delete_id(runtime, "busy", 0, &error), &error, &busy);
  assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
  char *text = must_state(container);
  assert_contains(text, "\"status\":\"created\"");
  reaper_free(text);
  assert_int_equal(reaper_kill(container, SIGTERM, 0, NULL), REAPER_OK);
  assert_int_equal(must_wait(container).signal, SIGTERM);
  assert_int_equal(must_status(container), REAPER_STATUS_STOPPED);
  assert_int_equal(flock(lock, LOCK_UN), 0);
  close(lock);
  must_delete(container);
  reaper_runtime_free(runtime);
  free(path);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_create_options_size), TEST(test_create_options_members), TEST(test_strict),
      TEST(test_runtime_options),     TEST(test_null_arguments),         TEST(test_flags_and_signals),
      TEST(test_exit_status_size),    TEST(test_outputs_after_failure),  TEST(test_lock_timeout),
  };
  return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
