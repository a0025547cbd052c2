/*
 * The calling process is never changed: not by loading the library, and not by any call, whether it succeeds or fails.
 * This program is not linked to the library; everything that /proc and the system calls tell of it is compared around
 * dlopen and around each call.
 */
#include "harness.h"
#include "picture.h"
#include "reaper.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the library, by name ---- */

/* clang-format off */
#define FUNCTIONS(X) \
  X(reaper_version) X(reaper_commit) X(reaper_features) X(reaper_runtime_new) \
  X(reaper_runtime_free) X(reaper_runtime_root) X(reaper_create) X(reaper_open) \
  X(reaper_container_free) X(reaper_container_id) X(reaper_start) X(reaper_state) X(reaper_status) \
  X(reaper_pid) X(reaper_pidfd) X(reaper_kill) X(reaper_delete) X(reaper_delete_id) X(reaper_wait) \
  X(reaper_list) X(reaper_plan) X(reaper_check) X(reaper_spec) X(reaper_error_code) X(reaper_error_errno) X(reaper_error_message) \
  X(reaper_error_pointer) X(reaper_error_stage) X(reaper_error_free) X(reaper_error_name) \
  X(reaper_free)
/* clang-format on */

static struct {
#define MEMBER(name) __typeof__(&name) name;
  FUNCTIONS(MEMBER)
#undef MEMBER
} lib;

static void find_functions(void *library) {
  void *address;
#define FIND(name)                 \
  address = dlsym(library, #name); \
  REQUIRE(address != NULL);        \
  memcpy(&lib.name, &address, sizeof address);
  FUNCTIONS(FIND)
#undef FIND
}

/* ---- around each call ---- */

/* Runs `statement` between two pictures. `kept`: what handles are documented to keep open, so many descriptors. */
static int changes;
#define UNCHANGED(statement)                                 \
  do {                                                       \
    char *before_ = take_picture(children);                  \
    statement;                                               \
    char *after_ = take_picture(children);                   \
    changes += pictures_differ(#statement, before_, after_); \
    free(after_);                                            \
    free(before_);                                           \
  } while (0)

/* A call that makes something that is the caller's: a handle's descriptors, all close-on-exec, and a child. */
static void assert_only_descriptors_were_added(const char *what, const char *before, const char *after) {
  char *rest = text_of("%s", after);
  char *left = rest;
  char *kept = calloc(1, strlen(after) + 1);
  REQUIRE(kept != NULL);
  for (char *line; (line = strsep(&left, "\n")) != NULL && (left != NULL || *line != '\0');) {
    const int is_descriptor = strncmp(line, "fd ", 3) == 0 || strncmp(line, "/proc/self/fd/", 14) == 0;
    char *whole = text_of("%s\n", line);
    if (!is_descriptor || strstr(before, whole) != NULL) strcat(kept, whole);
    if (is_descriptor && strstr(before, whole) == NULL && strncmp(line, "fd ", 3) == 0) {
      int number = 0;
      unsigned flags = 0;
      REQUIRE(sscanf(line, "fd %d: %x", &number, &flags) == 2);
      if ((flags & FD_CLOEXEC) == 0 || number <= 2) {
        dprintf(2, "%s: descriptor %d is not close-on-exec, or a standard one\n", what, number);
        ++changes;
      }
    }
    free(whole);
  }
  changes += pictures_differ(what, before, kept);
  free(kept);
  free(rest);
}

#define ADDS_DESCRIPTORS(new_children, statement)                    \
  do {                                                               \
    char *before_ = take_picture(children);                          \
    statement;                                                       \
    children += new_children;                                        \
    char *after_ = take_picture(children);                           \
    assert_only_descriptors_were_added(#statement, before_, after_); \
    free(after_);                                                    \
    free(before_);                                                   \
  } while (0)

/* ---- the tests ---- */

static void *library;

static void test_loading(void **state) {
  int children = 0;
  (void)state;
  UNCHANGED(library = dlopen(REAPER_LIBRARY, RTLD_NOW | RTLD_LOCAL));
  if (library == NULL) dprintf(2, "%s\n", dlerror());
  assert_non_null(library);
  UNCHANGED(find_functions(library));
  UNCHANGED(lib.reaper_version());
  UNCHANGED(lib.reaper_commit());
  assert_int_equal(changes, 0);
}

static char *sleeping_config(const char *script) {
  return text_of(
      "{\"ociVersion\":\"1.2.0\",\"unknownProperty\":1,\"process\":{\"args\":[\"/bin/sh\",\"-c\",\"%s\"],\"cwd\":\"/"
      "tmp\","
      "\"user\":{\"uid\":%u,\"gid\":%u,\"umask\":63},\"oomScoreAdj\":1000,\"noNewPrivileges\":true,"
      "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":0}]}}",
      script, geteuid(), getegid());
}

static reaper_runtime *runtime;
static struct place place;

static reaper_create_options options_for(const char *config) {
  reaper_create_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.bundle = place.bundle;
  options.config = config;
  options.config_length = strlen(config);
  return options;
}

static int open_place(void **state) {
  (void)state;
  place_make(&place);
  return 0;
}

static int close_place(void **state) {
  (void)state;
  lib.reaper_runtime_free(runtime);
  runtime = NULL;
  place_remove(&place);
  return 0;
}

static void make_runtime(void) {
  const reaper_runtime_options options = {.size = sizeof options, .root = place.root};
  REQUIRE(lib.reaper_runtime_new(&options, &runtime, NULL) == REAPER_OK);
}

static void test_a_whole_life(void **state) {
  int children = 0;
  (void)state;
  reaper_container *container = NULL;
  reaper_container *second = NULL;
  char *text = NULL;
  int32_t number = 0;
  int result = 0;
  reaper_exit_status status = {.size = sizeof status};
  UNCHANGED(make_runtime());
  char *config = sleeping_config("sleep 1000");
  const reaper_create_options options = options_for(config);
  UNCHANGED(lib.reaper_runtime_root(runtime));
  UNCHANGED(result = lib.reaper_features(&text, NULL));
  lib.reaper_free(text);
  UNCHANGED(result += lib.reaper_plan(runtime, &options, REAPER_FORMAT_TEXT, &text, NULL));
  lib.reaper_free(text);
  UNCHANGED(result += lib.reaper_check(runtime, &options, REAPER_FORMAT_JSON, &text, NULL));
  lib.reaper_free(text);
  UNCHANGED(result += lib.reaper_spec(&text, NULL));
  lib.reaper_free(text);
  UNCHANGED(result += lib.reaper_list(runtime, &text, NULL));
  lib.reaper_free(text);
  ADDS_DESCRIPTORS(1, result += lib.reaper_create(runtime, "life", &options, &container, NULL));
  ADDS_DESCRIPTORS(0, result += lib.reaper_open(runtime, "life", &second, NULL));
  assert_int_equal(result, 0);
  UNCHANGED(result += lib.reaper_state(container, &text, NULL));
  lib.reaper_free(text);
  UNCHANGED(result += lib.reaper_status(container, &number, NULL));
  UNCHANGED(result += lib.reaper_start(container, NULL));
  UNCHANGED(result += lib.reaper_status(second, &number, NULL));
  UNCHANGED(result += lib.reaper_pid(container, &number, NULL));
  UNCHANGED(result += lib.reaper_pidfd(container, &number, NULL); close(number));
  UNCHANGED(result += lib.reaper_list(runtime, &text, NULL));
  lib.reaper_free(text);
  UNCHANGED(assert_int_equal(lib.reaper_wait(container, 10, &status, NULL), REAPER_ERR_TIMEOUT));
  UNCHANGED(assert_int_equal(lib.reaper_start(container, NULL), REAPER_ERR_STATUS));
  UNCHANGED(assert_int_equal(lib.reaper_delete(container, 0, NULL), REAPER_ERR_STATUS));
  UNCHANGED(result += lib.reaper_kill(container, SIGTERM, REAPER_KILL_ALL, NULL));
  ADDS_DESCRIPTORS(-1, result += lib.reaper_wait(container, -1, &status, NULL));
  UNCHANGED(result += lib.reaper_state(container, &text, NULL));
  lib.reaper_free(text);
  UNCHANGED(result += lib.reaper_delete(container, 0, NULL));
  assert_int_equal(result, 0);
  UNCHANGED(assert_int_equal(lib.reaper_state(container, &text, NULL), REAPER_ERR_NOT_FOUND));
  lib.reaper_container_free(container);
  lib.reaper_container_free(second);
  free(config);
  assert_int_equal(changes, 0);
}

/* All that is freed is closed: after the last handle the table of descriptors is what it was. */
static void test_nothing_is_kept(void **state) {
  int children = 0;
  (void)state;
  char *before = take_picture(children);
  make_runtime();
  char *config = sleeping_config("exit 3");
  const reaper_create_options options = options_for(config);
  for (int round = 0; round < 5; ++round) {
    reaper_container *container = NULL;
    reaper_exit_status status = {.size = sizeof status};
    assert_int_equal(lib.reaper_create(runtime, "again", &options, &container, NULL), REAPER_OK);
    assert_int_equal(lib.reaper_start(container, NULL), REAPER_OK);
    assert_int_equal(lib.reaper_wait(container, -1, &status, NULL), REAPER_OK);
    assert_int_equal(status.exit_code, 3);
    assert_int_equal(lib.reaper_delete(container, 0, NULL), REAPER_OK);
    lib.reaper_container_free(container);
  }
  lib.reaper_runtime_free(runtime);
  runtime = NULL;
  char *after = take_picture(children);
  assert_int_equal(pictures_differ("a life with all handles freed", before, after), 0);
  free(after);
  free(before);
  free(config);
}

static void warm_up(void) {
  reaper_container *container = NULL;
  const reaper_create_options options = options_for("{\"ociVersion\":\"1.0.0\"}");
  REQUIRE(lib.reaper_create(runtime, "warm", &options, &container, NULL) == REAPER_OK);
  REQUIRE(lib.reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
  lib.reaper_container_free(container);
}

static void test_failing_calls(void **state) {
  int children = 0;
  (void)state;
  make_runtime();
  warm_up(); /* what the runtime keeps open is open */
  reaper_container *container = NULL;
  reaper_runtime *other = NULL;
  char *text = NULL;
  static const char *const configs[] = {
      "{",
      "{\"ociVersion\":\"2.0.0\"}",
      "{\"ociVersion\":\"1.0.0\",\"hostname\":\"x\"}",
      "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"x\"],\"cwd\":\"/\",\"user\":{\"uid\":-1,\"gid\":0}}}",
      "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"no-such-program\"],\"cwd\":\"/\"}}",
      "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/no/such/directory\"}}",
      "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/"
      "\",\"user\":{\"uid\":12346,\"gid\":1},"
      "\"capabilities\":{},\"umask\":1}}",
  };
  /* The last of them succeeds for root. */
  const size_t count = COUNT_OF(configs) - (is_root() ? 1 : 0);
  for (size_t i = 0; i < count; ++i) {
    const reaper_create_options options = options_for(configs[i]);
    UNCHANGED(assert_int_not_equal(lib.reaper_create(runtime, "x", &options, &container, NULL), REAPER_OK));
  }
  reaper_create_options options = options_for("{\"ociVersion\":\"1.0.0\"}");
  options.pid_file = "/no/such/directory/pid";
  UNCHANGED(assert_int_not_equal(lib.reaper_create(runtime, "x", &options, &container, NULL), REAPER_OK));
  UNCHANGED(assert_int_not_equal(lib.reaper_create(runtime, "../x", NULL, &container, NULL), REAPER_OK));
  options = options_for("");
  options.bundle = "/no/such/bundle";
  options.config = NULL;
  UNCHANGED(assert_int_not_equal(lib.reaper_create(runtime, "x", &options, &container, NULL), REAPER_OK));
  UNCHANGED(assert_int_not_equal(lib.reaper_plan(runtime, &options, REAPER_FORMAT_TEXT, &text, NULL), REAPER_OK));
  UNCHANGED(assert_int_not_equal(lib.reaper_open(runtime, "nobody", &container, NULL), REAPER_OK));
  UNCHANGED(assert_int_not_equal(lib.reaper_delete_id(runtime, "nobody", REAPER_DELETE_FORCE, NULL), REAPER_OK));
  const reaper_runtime_options bad = {.size = 3};
  UNCHANGED(assert_int_not_equal(lib.reaper_runtime_new(&bad, &other, NULL), REAPER_OK));
  UNCHANGED(assert_int_not_equal(lib.reaper_kill(NULL, 9, 0, NULL), REAPER_OK));
  reaper_error *error = NULL;
  UNCHANGED(lib.reaper_open(runtime, "nobody", &container, &error));
  UNCHANGED(lib.reaper_error_message(error); lib.reaper_error_pointer(error); lib.reaper_error_stage(error));
  UNCHANGED(lib.reaper_error_free(error));
  assert_int_equal(changes, 0);
}

/* The picture shows what it should: else nothing above means anything. */
static void test_the_picture_shows_changes(void **state) {
  int children = 0;
  (void)state;
  const int before = changes;
  int expected = 0;
  pictures_are_quiet = 1;
#define CHANGED(statement) \
  UNCHANGED(statement);    \
  assert_int_equal(changes, before + ++expected)
  const mode_t mask = umask(0);
  umask(mask);
  CHANGED(umask(mask ^ 1));
  CHANGED(umask(mask));
  CHANGED(signal(SIGUSR1, SIG_IGN));
  CHANGED(signal(SIGUSR1, SIG_DFL));
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  CHANGED(pthread_sigmask(SIG_BLOCK, &set, NULL));
  CHANGED(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
  CHANGED(prctl(PR_SET_CHILD_SUBREAPER, 1));
  CHANGED(prctl(PR_SET_CHILD_SUBREAPER, 0));
  CHANGED(prctl(PR_SET_DUMPABLE, 0));
  CHANGED(prctl(PR_SET_DUMPABLE, 1));
  CHANGED(setenv("REAPER_TEST_MARK", "1", 1));
  CHANGED(unsetenv("REAPER_TEST_MARK"));
  int fd = -1;
  CHANGED(fd = open("/dev/null", O_RDONLY));
  CHANGED(fcntl(fd, F_SETFD, FD_CLOEXEC));
  CHANGED(close(fd));
  fd = open(".", O_PATH | O_CLOEXEC);
  CHANGED(assert_int_equal(chdir("/proc"), 0));
  CHANGED(assert_int_equal(fchdir(fd), 0));
  close(fd);
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
  if (limit.rlim_cur > 0) {
    const struct rlimit lower = {0, limit.rlim_max};
    CHANGED(setrlimit(RLIMIT_CORE, &lower));
    CHANGED(setrlimit(RLIMIT_CORE, &limit));
  }
  changes = before;
  pictures_are_quiet = 0;
#undef CHANGED
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_loading),
      cmocka_unit_test_setup_teardown(test_a_whole_life, open_place, close_place),
      cmocka_unit_test_setup_teardown(test_nothing_is_kept, open_place, close_place),
      cmocka_unit_test_setup_teardown(test_failing_calls, open_place, close_place),
      cmocka_unit_test(test_the_picture_shows_changes),
  };
  return cmocka_run_group_tests_name("host_unchanged", tests, NULL, NULL);
}
