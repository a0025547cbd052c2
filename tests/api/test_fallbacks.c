/*
 * Calls that older kernels lack and that container engines deny: clone3, close_range, openat2, memfd_create. Whole
 * lives go on without them. pidfd_open is another matter: without it there is a clear error, and nothing is made. And
 * what is asked before a program is executed: who denies the question is named.
 */
#include "containers.h"
#include "denial.h"
#include "hooks.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_memfd_create
#error "memfd_create has no number here"
#endif

/* The program of the life shows its descriptors: with close_range denied, init's walk has to close the others. */
static int whole_life(void) {
  struct scene scene;
  scene_open(&scene);
  for (int fd = 20; fd < 30; ++fd) CHECK(dup2(2, fd) == fd); /* not close-on-exec: a careless host */
  char *marker = path_in(&scene.place, "descriptors");
  char *script = text_of("ls /proc/$$/fd > %s; exit 19", marker);
  char *config = shell_config(script, "");
  int bad = 0;
  for (int round = 0; round < 2 && bad == 0; ++round) bad = quiet_life(scene.runtime, "life", config, 19);
  char *text = bad == 0 ? read_whole(marker) : NULL;
  if (bad == 0 && (text == NULL || strstr(text, "0\n1\n") == NULL || strstr(text, "\n20\n") != NULL)) {
    dprintf(2, "the program's descriptors: %s\n", text != NULL ? text : "unknown");
    bad = 1;
  }
  free(text);
  const struct census census = take_census(scene.place.root);
  free(config);
  free(script);
  free(marker);
  scene_close(&scene);
  CHECK(census.entries == 0 && census.children == 0);
  return bad;
}

static int denied_life(void *argument) {
  const struct denial *denials = argument;
  int count = 0;
  while (denials[count].error != 0) ++count;
  CHECK(deny(denials, count) == 0);
  for (int i = 0; i < count; ++i) {
    errno = 0;
    CHECK(syscall(denials[i].call, -1, 0, 0, 0, 0, 0) == -1 && errno == denials[i].error); /* it is denied indeed */
  }
  return whole_life();
}

static void test_whole_lives(void **state) {
  (void)state;
  if (!can_deny()) SKIP("seccomp filters are not allowed here");
  struct denial rows[][5] = {
      {{SYS_clone3, ENOSYS, 0, 0}},
      {{SYS_clone3, EPERM, 0, 0}},
      {{SYS_close_range, ENOSYS, 0, 0}},
      {{SYS_close_range, EPERM, 0, 0}},
      {{SYS_openat2, ENOSYS, 0, 0}},
      {{SYS_openat2, EPERM, 0, 0}},
      {{SYS_clone3, ENOSYS, 0, 0}, {SYS_close_range, ENOSYS, 0, 0}, {SYS_openat2, ENOSYS, 0, 0}},
  };
  for (size_t i = 0; i < COUNT_OF(rows); ++i) assert_int_equal(in_child(denied_life, rows[i]), 0);
}

/* ---- no memfd: the installed reaper-init ---- */

static void copy_file(const char *from, const char *to) {
  char *command = text_of("cp -- '%s' '%s'", from, to);
  REQUIRE(system(command) == 0);
  free(command);
}

/* A prefix as it is installed: lib/libreaper.so.0, and libexec/reaper/reaper-init if `with_init`. */
static void make_prefix(const char *prefix, int with_init) {
  Dl_info library;
  void *address = NULL;
  const char *(*version)(void) = reaper_version;
  memcpy(&address, &version, sizeof address);
  REQUIRE(dladdr(address, &library) != 0);
  char *real = realpath(library.dli_fname, NULL);
  REQUIRE(real != NULL);
  char *paths[] = {text_of("%s/lib", prefix), text_of("%s/libexec", prefix), text_of("%s/libexec/reaper", prefix)};
  REQUIRE(mkdir(prefix, 0755) == 0);
  for (size_t i = 0; i < COUNT_OF(paths); ++i) REQUIRE(mkdir(paths[i], 0755) == 0);
  char *copy = text_of("%s/libreaper.so.0", paths[0]);
  copy_file(real, copy);
  if (with_init) {
    /* Beside the library in the build tree, or as it is installed. */
    char *directory = dirname(real);
    char *built = text_of("%s/../libexec/reaper-init", directory);
    char *installed = text_of("%s/../libexec/reaper/reaper-init", directory);
    char *init = text_of("%s/reaper-init", paths[2]);
    copy_file(access(built, X_OK) == 0 ? built : installed, init);
    REQUIRE(access(init, X_OK) == 0);
    free(init);
    free(installed);
    free(built);
  }
  for (size_t i = 0; i < COUNT_OF(paths); ++i) free(paths[i]);
  free(copy);
  free(real);
}

#define LIFE "--life-in-prefix"
#define NO_LIFE "--no-life-in-prefix"

struct prefixed {
  char *prefix;
  const char *mode;
  int error;
};

/* The library of the prefix instead of ours, by LD_LIBRARY_PATH: so this program is executed anew, with the filter. */
static int execute_in_prefix(void *argument) {
  const struct prefixed *prefixed = argument;
  char *libraries = text_of("%s/lib", prefixed->prefix);
  char *self = realpath("/proc/self/exe", NULL);
  CHECK(self != NULL && setenv("LD_LIBRARY_PATH", libraries, 1) == 0);
  const struct denial denial = {SYS_memfd_create, prefixed->error, 0, 0};
  CHECK(deny(&denial, 1) == 0);
  execl(self, self, prefixed->mode, prefixed->prefix, (char *)NULL);
  return 1;
}

static int is_library_in(const char *prefix) {
  Dl_info library;
  void *address = NULL;
  const char *(*version)(void) = reaper_version;
  memcpy(&address, &version, sizeof address);
  CHECK(dladdr(address, &library) != 0);
  CHECK(strncmp(library.dli_fname, prefix, strlen(prefix)) == 0);
  return 0;
}

static int life_in_prefix(const char *prefix) {
  CHECK(syscall(SYS_memfd_create, "x", 0) == -1);
  return is_library_in(prefix) || whole_life();
}

/* Neither: a clear error, and nothing made. */
static int no_life_in_prefix(const char *prefix) {
  struct scene scene;
  if (is_library_in(prefix)) return 1;
  scene_open(&scene);
  const reaper_create_options options = options_of(&scene, "{\"ociVersion\":\"1.0.0\"}");
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  const struct census before = take_census(scene.place.root);
  const int result = reaper_create(scene.runtime, "x", &options, &container, &error);
  const struct expected expected = {REAPER_ERR_PERMISSION, EPERM, "image", "", "memfd_create reaper-init: EPERM"};
  const int bad = error_differs(result, &error, &expected);
  const struct census after = take_census(scene.place.root);
  scene_close(&scene);
  CHECK(memcmp(&before, &after, sizeof before) == 0);
  return bad;
}

static void test_installed_init(void **state) {
  const struct scene *scene = *state;
  if (!can_deny()) SKIP("seccomp filters are not allowed here");
  char *prefix = path_in(&scene->place, "prefix");
  make_prefix(prefix, 1);
  const int errors[] = {EPERM, EACCES, ENOSYS};
  for (size_t i = 0; i < COUNT_OF(errors); ++i) {
    struct prefixed prefixed = {prefix, LIFE, errors[i]};
    assert_int_equal(in_child(execute_in_prefix, &prefixed), 0);
  }
  free(prefix);
}

static void test_no_init_at_all(void **state) {
  const struct scene *scene = *state;
  if (!can_deny()) SKIP("seccomp filters are not allowed here");
  if (access(REAPER_INIT_INSTALLED, F_OK) == 0) SKIP("reaper-init is installed where this build looks for it");
  char *prefix = path_in(&scene->place, "bare");
  make_prefix(prefix, 0);
  struct prefixed prefixed = {prefix, NO_LIFE, EPERM};
  assert_int_equal(in_child(execute_in_prefix, &prefixed), 0);
  free(prefix);
}

/* ---- no pidfd_open ---- */

/* The creator's handle has its descriptor from the clone; only who comes later cannot have one, and is told so. */
static int without_pidfd_open(void *argument) {
  (void)argument;
  struct scene scene;
  scene_open(&scene);
  const struct denial denial = {SYS_pidfd_open, EPERM, 0, 0};
  CHECK(deny(&denial, 1) == 0);
  const struct expected expected = {REAPER_ERR_PERMISSION, EPERM, "pidfd_open", "", "pidfd_open: EPERM"};
  char *config = shell_config("sleep 1000 & wait", "");
  reaper_container *container = must_create(&scene, "x", config);
  reaper_container *other = NULL;
  reaper_error *error = NULL;
  int32_t pidfd = -1;
  CHECK(!error_differs(reaper_open(scene.runtime, "x", &other, &error), &error, &expected));
  CHECK(!error_differs(reaper_pidfd(container, &pidfd, &error), &error, &expected));
  CHECK(!error_differs(reaper_delete_id(scene.runtime, "x", REAPER_DELETE_FORCE, &error), &error, &expected));
  CHECK(other == NULL && pidfd == -1);
  CHECK(reaper_delete(container, REAPER_DELETE_FORCE, &error) == REAPER_OK);
  CHECK(must_wait(container).signal == 9);
  reaper_container_free(container);
  free(config);
  const struct census census = take_census(scene.place.root);
  CHECK(census.entries == 0 && census.children == 0);
  CHECK(quiet_life(scene.runtime, "x",
                   "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\"}}", 0) == 0);
  scene_close(&scene);
  return 0;
}

static void test_without_pidfd_open(void **state) {
  (void)state;
  if (!can_deny()) SKIP("seccomp filters are not allowed here");
  assert_int_equal(in_child(without_pidfd_open, NULL), 0);
}

/* ---- what hooks and descriptors need ---- */

struct denied {
  struct denial denial;
  int (*body)(struct scene *scene);
};

/* The runtime has its image already; what a failure leaves is looked for. */
static int in_denial(void *argument) {
  const struct denied *denied = argument;
  struct scene scene;
  scene_open(&scene);
  warm_up(&scene);
  const struct census before = take_census(scene.place.root);
  CHECK(deny(&denied->denial, 1) == 0);
  const int bad = denied->body(&scene);
  const struct census after = take_census(scene.place.root);
  CHECK(memcmp(&before, &after, sizeof before) == 0);
  scene_close(&scene);
  return bad;
}

static void assert_in_denial(struct denied denied) {
  if (!can_deny()) SKIP("seccomp filters are not allowed here");
  assert_int_equal(in_child(in_denial, &denied), 0);
}

static int create_fails(struct scene *scene, const reaper_create_options *options, const struct expected *expected) {
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  const int result = reaper_create(scene->runtime, "denied", options, &container, &error);
  return error_differs(result, &error, expected);
}

static int hook_fails(struct scene *scene, const char *script, const char *more, const struct expected *expected) {
  char *config = hook_config(scene, "createRuntime", script, more);
  const reaper_create_options options = options_of(scene, config);
  const int bad = create_fails(scene, &options, expected);
  free(config);
  return bad;
}

/* The state is then in a file that could be changed, but it is this hook's alone. */
static int hook_reads_its_state(struct scene *scene) {
  char *config = hook_config(scene, "createRuntime", "cat > @/state", "");
  reaper_container *container = must_create(scene, "denied", config);
  char *text = text_in(scene, "state");
  CHECK(strstr(text, "\"status\":\"creating\"") != NULL);
  free(text);
  free(config);
  CHECK(reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
  reaper_container_free(container);
  return 0;
}

static void test_hooks_without_seals(void **state) {
  (void)state;
  assert_in_denial((struct denied){{SYS_fcntl, EPERM, 2, F_ADD_SEALS}, hook_reads_its_state});
}

static int hook_does_not_know_its_output(struct scene *scene) {
  const struct expected expected = {REAPER_ERR_HOOK, EPERM, "hook", "/hooks/createRuntime/0",
                                    "fcntl F_GETFD on descriptor 1: EPERM"};
  return hook_fails(scene, ":", "", &expected);
}

static int descriptor_is_not_known(struct scene *scene) {
  const int32_t extra[] = {2};
  reaper_create_options options = options_of(scene, "{\"ociVersion\":\"1.0.0\"}");
  options.extra_fds = extra;
  options.extra_fd_count = 1;
  const struct expected expected = {REAPER_ERR_PERMISSION, EPERM, "arguments", "",
                                    "extra_fds: fcntl F_GETFD on descriptor 2: EPERM"};
  return create_fails(scene, &options, &expected);
}

/* Only EBADF means that a descriptor is not open. */
static void test_descriptors_that_cannot_be_asked(void **state) {
  (void)state;
  assert_in_denial((struct denied){{SYS_fcntl, EPERM, 2, F_GETFD}, hook_does_not_know_its_output});
  assert_in_denial((struct denied){{SYS_fcntl, EPERM, 2, F_GETFD}, descriptor_is_not_known});
}

/* Nobody may be signalled, and the reaper-init above the hook, which would end it, is stopped: nothing can be done but
   to say so. It is not waited for. */
static int hook_cannot_be_ended(struct scene *scene) {
  const struct expected expected = {REAPER_ERR_HOOK, ETIMEDOUT, "hook", "/hooks/createRuntime/0",
                                    "could not be ended: pidfd_send_signal SIGKILL"};
  const int bad =
      hook_fails(scene, "echo $$ $PPID > @/pids; kill -STOP $PPID; exec sleep 1000", ",\"timeout\":3", &expected);
  pid_t pids[2];
  CHECK(numbers_in(scene, "pids", pids, 2) == 2);
  CHECK(kill(pids[0], SIGKILL) == 0 && kill(pids[1], SIGKILL) == 0);
  CHECK(waitpid(pids[1], NULL, 0) == pids[1]);
  return bad;
}

static void test_hook_that_cannot_be_ended(void **state) {
  (void)state;
  assert_in_denial((struct denied){{SYS_pidfd_send_signal, EPERM, 0, 0}, hook_cannot_be_ended});
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], LIFE) == 0) return life_in_prefix(argv[2]);
  if (argc == 3 && strcmp(argv[1], NO_LIFE) == 0) return no_life_in_prefix(argv[2]);
  const struct CMUnitTest tests[] = {
      TEST(test_whole_lives),
      TEST(test_installed_init),
      TEST(test_no_init_at_all),
      TEST(test_without_pidfd_open),
      cmocka_unit_test(test_hooks_without_seals),
      cmocka_unit_test(test_descriptors_that_cannot_be_asked),
      cmocka_unit_test(test_hook_that_cannot_be_ended),
  };
  return cmocka_run_group_tests_name("fallbacks", tests, NULL, NULL);
}
