/* A state directory on a full or read-only file system, and no descriptors left: success, or an error that names it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hostile/sandbox.h"
#include "supervised.h"
#include "tamper.h"

/* ---- In a forked child with mounts of its own ---- */

static int mount_root(const struct scene* scene, const char* options) {
  return mount("none", scene->place.root, "tmpfs", 0, options);
}

/* Fills the file system but for so many pages; -1: all of it. */
static void fill(const struct scene* scene, const char* name, int pages_free) {
  char* path = text_of("%s/.%s", scene->place.root, name);
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  static const char page[4096];
  int pages = 0;
  if (file >= 0) {
    while (write(file, page, sizeof page) == (ssize_t)sizeof page) ++pages;
    if (pages_free > 0 && ftruncate(file, pages > pages_free ? (pages - pages_free) * 4096L : 0) != 0) abort();
    close(file);
  }
  free(path);
}

/* What exists works where nothing can be made any more. */
static int live_and_die(const struct scene* scene, reaper_container* container) {
  must_start(container);
  CHECK(must_status(container) == REAPER_STATUS_RUNNING);
  reaper_free(must_state(container));
  char* list = NULL;
  CHECK(reaper_list(scene->runtime, &list, NULL) == REAPER_OK);
  assert_contains(list, "\"status\":\"running\"");
  reaper_free(list);
  CHECK(reaper_kill(container, SIGKILL, 0, NULL) == REAPER_OK);
  CHECK(must_wait(container).signal == SIGKILL);
  must_delete(container);
  return 0;
}

/* True: it was made. */
static int create_or(const struct scene* scene, int is_supervised, int number, reaper_container** container) {
  reaper_create_options options = options_of(scene, endless_program);
  if (is_supervised) options.flags = REAPER_CREATE_SUPERVISE;
  reaper_error* error = NULL;
  *container = NULL;
  if (reaper_create(scene->runtime, "c", &options, container, &error) == REAPER_OK) return 1;
  if (reaper_error_errno(error) != number) complain("create", error);
  REQUIRE(reaper_error_errno(error) == number);
  assert_contains(reaper_error_message(error), strerrorname_np(number));
  reaper_error_free(error);
  return 0;
}

static int on_a_full_file_system(void* argument) {
  struct scene* scene = argument;
  CHECK(own_mounts() == 0 && mount_root(scene, "size=64k,mode=0700") == 0);
  int made = 0;
  int refused = 0;
  for (int i = 0; i < 2 * 16; ++i) {
    reaper_container* container = NULL;
    fill(scene, "first", i / 2);
    const int entries = count_entries(scene->place.root);
    if (create_or(scene, i % 2, ENOSPC, &container)) {
      ++made;
      fill(scene, "second", -1);
      CHECK(live_and_die(scene, container) == 0);
    } else {
      ++refused;
    }
    char* second = text_of("%s/.second", scene->place.root);
    unlink(second);
    free(second);
    CHECK(count_entries(scene->place.root) == entries && count_children() == 0);
  }
  printf("%d creates succeeded, %d were refused\n", made, refused);
  CHECK(made > 0 && refused > 0);
  return 0;
}

static struct scene fresh(const struct scene* scene) {
  struct scene own = *scene;
  const reaper_runtime_options options = {.size = sizeof options, .root = scene->place.root};
  REQUIRE(reaper_runtime_new(&options, &own.runtime, NULL) == REAPER_OK);
  return own;
}

static int without_inodes(void* argument) {
  const struct scene* former = argument;
  CHECK(own_mounts() == 0);
  int made = 0;
  int refused = 0;
  for (int i = 2; i < 2 * 16; ++i) {
    char* options = text_of("size=256k,nr_inodes=%d,mode=0700", i / 2);
    CHECK(mount_root(former, options) == 0);
    const struct scene own = fresh(former); /* a handle keeps the directory open that it has found */
    const struct scene* const scene = &own;
    free(options);
    reaper_container* container = NULL;
    if (create_or(scene, i % 2, ENOSPC, &container)) {
      ++made;
      for (int number = 0; number < 16; ++number) {
        char* name = text_of("filler-%d", number);
        fill(scene, name, 1);
        free(name);
      }
      CHECK(live_and_die(scene, container) == 0);
    } else {
      ++refused;
      CHECK(count_entries(scene->place.root) == 0);
    }
    CHECK(count_children() == 0);
    CHECK(umount2(scene->place.root, MNT_DETACH) == 0);
    reaper_runtime_free(own.runtime);
  }
  printf("%d creates succeeded, %d were refused\n", made, refused);
  CHECK(made > 0 && refused > 0);
  return 0;
}

/* A read-only mount over the writable one, which what the supervisor has open would keep from becoming so. */
static struct scene close_root(const struct scene* scene) {
  const char* root = scene->place.root;
  REQUIRE(mount(root, root, NULL, MS_BIND, NULL) == 0);
  REQUIRE(mount(NULL, root, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0);
  return fresh(scene);
}

static void open_root(const struct scene* closed) {
  REQUIRE(umount2(closed->place.root, MNT_DETACH) == 0);
  reaper_runtime_free(closed->runtime);
}

/* By address: the call that makes it stands in the first argument. */
static int refused_as_read_only(int result, reaper_error** given) {
  reaper_error* const error = *given;
  *given = NULL;
  CHECK(result != REAPER_OK && reaper_error_errno(error) == EROFS);
  assert_contains(reaper_error_message(error), "EROFS");
  reaper_error_free(error);
  return 0;
}

static int look_at_created(const struct scene* scene) {
  reaper_container* container = must_open(scene, "c");
  reaper_container* none = NULL;
  reaper_error* error = NULL;
  char* list = NULL;
  CHECK(must_status(container) == REAPER_STATUS_CREATED);
  reaper_free(must_state(container));
  CHECK(reaper_list(scene->runtime, &list, NULL) == REAPER_OK);
  assert_contains(list, "{\"id\":\"c\",");
  reaper_free(list);
  const reaper_create_options options = options_of(scene, endless_program);
  CHECK(refused_as_read_only(reaper_create(scene->runtime, "d", &options, &none, &error), &error) == 0);
  CHECK(none == NULL);
  CHECK(refused_as_read_only(reaper_start(container, &error), &error) == 0);
  CHECK(must_status(container) == REAPER_STATUS_CREATED && is_unharmed(must_pid(container)));
  reaper_container_free(container);
  return 0;
}

static int end_running(const struct scene* scene) {
  reaper_container* container = must_open(scene, "c");
  reaper_error* error = NULL;
  CHECK(must_status(container) == REAPER_STATUS_RUNNING);
  CHECK(reaper_kill(container, SIGKILL, 0, NULL) == REAPER_OK);
  CHECK(must_wait(container).signal == SIGKILL);
  CHECK(refused_as_read_only(reaper_delete(container, 0, &error), &error) == 0);
  CHECK(must_status(container) == REAPER_STATUS_STOPPED);
  reaper_container_free(container);
  return 0;
}

static int read_only(void* argument) {
  struct scene* scene = argument;
  CHECK(own_mounts() == 0 && mount_root(scene, "size=256k,mode=0700") == 0);
  for (int is_supervised = 0; is_supervised < 2; ++is_supervised) {
    reaper_container* container = NULL;
    CHECK(create_or(scene, is_supervised, 0, &container));
    struct scene closed = close_root(scene);
    char* before = picture_of_tree(scene->place.root);
    CHECK(look_at_created(&closed) == 0);
    char* after = picture_of_tree(scene->place.root);
    CHECK(strcmp(before, after) == 0);
    free(after);
    free(before);
    open_root(&closed);
    must_start(container);
    closed = close_root(scene);
    CHECK(end_running(&closed) == 0);
    open_root(&closed);
    must_delete(container);
    CHECK(count_entries(scene->place.root) == 0);
  }
  CHECK(count_children() == 0);
  return 0;
}

static void in_mounts(struct scene* scene, int (*body)(void*)) {
  need_own_mounts();
  assert_int_equal(mkdir(scene->place.root, 0700), 0);
  assert_int_equal(in_child(body, scene), 0);
}

static void test_full(void** state) {
  in_mounts(*state, on_a_full_file_system);
}

static void test_no_inodes(void** state) {
  in_mounts(*state, without_inodes);
}

static void test_read_only(void** state) {
  in_mounts(*state, read_only);
}

/* ---- Descriptors ---- */

/* gcc 12 has no macro for the undefined behaviour sanitizer, which is built together with the address sanitizer. */
#if defined(__SANITIZE_ADDRESS__)
#define BUILT_WITH_UBSAN 1
#else
#define BUILT_WITH_UBSAN 0
#endif

static void set_limit(rlim_t count) {
  struct rlimit limit;
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = count < limit.rlim_max ? count : limit.rlim_max;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* So many from the lowest free one on. */
static void leave(int count) {
  const int next = dup(0);
  REQUIRE(next >= 0);
  close(next);
  set_limit((rlim_t)(next + count));
}

/* 1: success, 0: for want of descriptors. */
static int judge(int result, reaper_error** given) {
  reaper_error* const error = *given;
  *given = NULL;
  set_limit(RLIM_INFINITY);
  if (result != REAPER_OK && reaper_error_errno(error) != EMFILE) complain("without descriptors", error);
  REQUIRE(result == REAPER_OK || reaper_error_errno(error) == EMFILE);
  if (result != REAPER_OK) assert_contains(reaper_error_message(error), "EMFILE");
  reaper_error_free(error);
  return result == REAPER_OK;
}

static int with_few_descriptors(void* argument) {
  struct scene* scene = argument;
  for (int is_supervised = 0; is_supervised < 2; ++is_supervised) {
    reaper_create_options options = options_of(scene, endless_program);
    if (is_supervised) options.flags = REAPER_CREATE_SUPERVISE;
    reaper_container* container = NULL;
    reaper_error* error = NULL;
    int count = 0;
    for (;; ++count) {
      error = NULL;
      leave(count);
      if (judge(reaper_create(scene->runtime, "c", &options, &container, &error), &error)) break;
      CHECK(container == NULL && count < 60);
      CHECK(count_entries(scene->place.root) == 0 && count_children() == 0);
    }
    for (count = 0;; ++count) {
      char* text = NULL;
      error = NULL;
      leave(count);
      const int told = judge(reaper_state(container, &text, &error), &error);
      reaper_free(text);
      if (told) break;
      CHECK(text == NULL && count < 60);
    }
    const pid_t pid = must_pid(container);
    for (count = 0;; ++count) {
      error = NULL;
      leave(count);
      if (judge(reaper_delete(container, REAPER_DELETE_FORCE, &error), &error)) break;
      CHECK(count_entries(scene->place.root) == 1 && count < 60);
    }
    CHECK(count_entries(scene->place.root) == 0 && is_gone(pid) && count_children() == 0);
    reaper_container_free(container);
  }
  return 0;
}

static void test_few_descriptors(void** state) {
  if (BUILT_WITH_UBSAN) SKIP("the sanitizer of types opens a pipe to look at an object");
  assert_int_equal(in_child(with_few_descriptors, *state), 0);
}

/* A limit on files, by which a write beyond it would end the host with SIGXFSZ. */
static int with_small_files(void* argument) {
  struct scene* scene = argument;
  warm_up(scene); /* then the image of reaper-init is there, which is larger than any record */
  for (rlim_t limit = 0; limit < 16384; limit += 32) {
    const struct rlimit small = {limit, RLIM_INFINITY};
    reaper_container* container = NULL;
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    if (create_or(scene, 0, EFBIG, &container)) {
      CHECK(live_and_die(scene, container) == 0);
      return limit > 0 ? 0 : 1;
    }
    CHECK(count_entries(scene->place.root) == 0 && count_children() == 0);
  }
  return 1;
}

static void test_small_files(void** state) {
  const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  if (limit.rlim_max != unlimited.rlim_max) SKIP("RLIMIT_FSIZE is limited here");
  assert_int_equal(in_child(with_small_files, *state), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_full), TEST(test_no_inodes), TEST(test_read_only), TEST(test_few_descriptors), TEST(test_small_files),
  };
  return cmocka_run_group_tests_name("state_full", tests, NULL, NULL);
}
