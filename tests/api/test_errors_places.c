/* What errors say of bundles, ids, pid files, state directories and records. After each nothing is left. */
#include "containers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void test_bundles(void **state) {
  struct scene *scene = *state;
  char *nothing = path_in(&scene->place, "nothing");
  char *file = path_in(&scene->place, "file");
  char *path = text_of("%s/config.json", scene->place.bundle);
  write_whole(file, "x");
  reaper_create_options options = options_of(scene, NULL);
  options.bundle = nothing;
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_NOT_FOUND, ENOENT, "bundle", "", "is missing"});
  options.config = "{\"ociVersion\":\"1.0.0\"}"; /* also where the text is given */
  options.config_length = strlen(options.config);
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_NOT_FOUND, ENOENT, "bundle", "", "is missing"});
  options.bundle = file;
  assert_create_fails(scene, &options,
                      &(struct expected){REAPER_ERR_NOT_FOUND, ENOTDIR, "bundle", "", "not a directory"});

  options = options_of(scene, NULL);
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_NOT_FOUND, ENOENT, "bundle", "", "config.json"});
  const struct expected irregular = {REAPER_ERR_INVALID, 0, "bundle", "", "is not a regular file"};
  assert_int_equal(mkdir(path, 0755), 0);
  assert_create_fails(scene, &options, &irregular);
  assert_int_equal(rmdir(path), 0);
  assert_int_equal(mkfifo(path, 0644), 0);
  assert_create_fails(scene, &options, &irregular);
  assert_int_equal(unlink(path), 0);
  const int here = open(".", O_PATH | O_CLOEXEC);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const struct sockaddr_un address = {AF_UNIX, "config.json"};
  assert_int_equal(chdir(scene->place.bundle), 0);
  assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(fchdir(here), 0);
  assert_create_fails(scene, &options, &irregular);
  assert_int_equal(unlink(path), 0);
  close(listener);
  close(here);
  assert_int_equal(symlink("/dev/null", path), 0);
  assert_create_fails(scene, &options, &irregular);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(symlink("config.json", path), 0);
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_SYSTEM, ELOOP, "bundle", "", "ELOOP"});
  assert_int_equal(unlink(path), 0);

  write_whole(path, "");
  assert_int_equal(truncate(path, (16 << 20) + 1), 0); /* a hole: it takes no room */
  assert_create_fails(scene, &options,
                      &(struct expected){REAPER_ERR_INVALID, EFBIG, "bundle", "", "larger than 16 MiB"});
  assert_int_equal(truncate(path, 16 << 20), 0);
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_INVALID, 0, "json", "", "config.json:1:1:"});
  assert_int_equal(unlink(path), 0);
  free(path);
  free(file);
  free(nothing);
}

static int read_closed_config(void *argument) {
  const struct scene *scene = argument;
  CHECK(become_ordinary() == 0);
  const reaper_create_options options = options_of(scene, NULL);
  char *text = NULL;
  reaper_error *error = NULL;
  const int result = reaper_plan(scene->runtime, &options, REAPER_FORMAT_TEXT, &text, &error);
  const struct expected expected = {REAPER_ERR_PERMISSION, EACCES, "bundle", "", "config.json"};
  return error_differs(result, &error, &expected);
}

static void test_config_that_may_not_be_read(void **state) {
  struct scene *scene = *state;
  char *path = text_of("%s/config.json", scene->place.bundle);
  write_whole(path, "{}");
  assert_int_equal(chmod(path, 0), 0);
  assert_int_equal(in_child(read_closed_config, scene), 0);
  free(path);
}

static const char *const bad_ids[] = {"",         "/",      ".",   "..", "a/b",  "/etc", "../x", "x/..",
                                      ".hidden",  "-force", "+x",  " ",  "a b",  "a\nb", "a\tb", "a\x7f",
                                      "\xc3\xa4", "a\xff",  "a:b", "a*", "a\\b", "a@b",  "a~",   "$x"};

static void assert_bad_id(const struct scene *scene, const char *id) {
  const struct expected expected = {REAPER_ERR_INVALID, 0, "id", "", "container id"};
  const reaper_create_options options = options_of(scene, "{\"ociVersion\":\"1.0.0\"}");
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  assert_error(reaper_create(scene->runtime, id, &options, &container, &error), &error, &expected);
  assert_error(reaper_open(scene->runtime, id, &container, &error), &error, &expected);
  assert_error(reaper_delete_id(scene->runtime, id, 0, &error), &error, &expected);
  assert_error(reaper_delete_id(scene->runtime, id, REAPER_DELETE_FORCE, &error), &error, &expected);
  assert_null(container);
}

static void test_ids(void **state) {
  const struct scene *scene = *state;
  char long_id[300];
  memset(long_id, 'x', sizeof long_id);
  long_id[256] = '\0';
  char *secret = path_in(&scene->place, "x");
  write_whole(secret, "outside");
  const int entries = count_entries(scene->place.directory);
  for (size_t i = 0; i < COUNT_OF(bad_ids); ++i) assert_bad_id(scene, bad_ids[i]);
  assert_bad_id(scene, long_id);
  assert_int_equal(count_entries(scene->place.directory), entries);
  assert_int_equal(access(secret, F_OK), 0);

  static const char *const good[] = {"a", "0", "_", "A.b-c+d_e", "x..", "_.."};
  for (size_t i = 0; i <= COUNT_OF(good); ++i) {
    long_id[255] = '\0';
    const char *id = i < COUNT_OF(good) ? good[i] : long_id;
    reaper_container *container = must_create(scene, id, "{\"ociVersion\":\"1.0.0\"}");
    assert_string_equal(reaper_container_id(container), id);
    assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
    reaper_container_free(container);
  }
  free(secret);
}

static void test_pid_files(void **state) {
  const struct scene *scene = *state;
  warm_up(scene);
  const reaper_create_options good = options_of(scene, "{\"ociVersion\":\"1.0.0\"}");
  reaper_create_options options = good;
  char *missing = path_in(&scene->place, "nothing/pid");
  options.pid_file = missing;
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_SYSTEM, ENOENT, "pid-file", "", "ENOENT"});
  options.pid_file = scene->place.bundle;
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_INVALID, 0, "pid-file", "", "not a regular file"});
  options.pid_file = "/dev/null";
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_INVALID, 0, "pid-file", "", "not a regular file"});
  options.pid_file = "";
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_INVALID, 0, "pid-file", "", "not a file's name"});
  assert_int_equal(count_entries(scene->place.bundle), 0);
  free(missing);

  /* A link at the name is replaced, and what it leads to stays. */
  char *target = path_in(&scene->place, "target");
  char *link = path_in(&scene->place, "link");
  write_whole(target, "mine");
  assert_int_equal(symlink("target", link), 0);
  options.pid_file = link;
  reaper_container *container = must_create_with(scene, "pid", &options);
  char *text = read_whole(target);
  assert_string_equal(text, "mine");
  struct stat status;
  assert_int_equal(lstat(link, &status), 0);
  assert_true(S_ISREG(status.st_mode));
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  free(text);
  free(link);
  free(target);
}

static void assert_root_refused(const struct scene *scene, const char *root, const struct expected *expected) {
  const reaper_runtime_options runtime_options = {.size = sizeof runtime_options, .root = root};
  const reaper_create_options options = options_of(scene, "{\"ociVersion\":\"1.0.0\"}");
  reaper_runtime *runtime = NULL;
  reaper_container *container = NULL;
  char *text = NULL;
  reaper_error *error = NULL;
  const struct census before = take_census(scene->place.directory);
  assert_int_equal(reaper_runtime_new(&runtime_options, &runtime, NULL), REAPER_OK);
  assert_error(reaper_create(runtime, "x", &options, &container, &error), &error, expected);
  assert_error(reaper_list(runtime, &text, &error), &error, expected);
  assert_error(reaper_delete_id(runtime, "x", REAPER_DELETE_FORCE, &error), &error, expected);
  reaper_runtime_free(runtime);
  assert_same_census(before, take_census(scene->place.directory));
}

static void test_state_directories(void **state) {
  const struct scene *scene = *state;
  char *file = path_in(&scene->place, "file");
  char *open_to_all = path_in(&scene->place, "open");
  write_whole(file, "x");
  assert_root_refused(scene, file, &(struct expected){REAPER_ERR_INVALID, 0, "state-directory", "", "is no directory"});
  assert_int_equal(mkdir(open_to_all, 0777), 0);
  assert_int_equal(chmod(open_to_all, 0777), 0);
  const struct expected refused = {REAPER_ERR_PERMISSION, 0, "state-directory", "", "make it 0700"};
  assert_root_refused(scene, open_to_all, &refused);
  /* A directory that everybody may write to, with somebody's link in it. */
  char *link = text_of("%s/link", open_to_all);
  assert_int_equal(symlink(scene->place.bundle, link), 0);
  assert_root_refused(scene, link,
                      &(struct expected){REAPER_ERR_PERMISSION, 0, "state-directory", "", "is a symbolic link"});
  free(link);
  free(open_to_all);
  free(file);
}

/* A record that cannot be believed is said to be so, hides nobody, and --force takes it only with its process known. */
static void test_corrupt_records(void **state) {
  const struct scene *scene = *state;
  static const char sleeper[] =
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"}}";
  reaper_container *container = must_create(scene, "corrupt", sleeper);
  const pid_t pid = must_pid(container);
  char *record = text_of("%s/corrupt/state.json", scene->place.root);
  char *identity = text_of("%s/corrupt/identity", scene->place.root);
  char *saved = text_of("%s/saved", scene->place.directory);
  must_start(container);
  write_whole(record, "{\"version\":1}");
  reaper_container *opened = NULL;
  reaper_error *error = NULL;
  const struct expected corrupt = {REAPER_ERR_CORRUPT, 0, "record", "", "container \"corrupt\""};
  assert_error(reaper_open(scene->runtime, "corrupt", &opened, &error), &error, &corrupt);
  assert_int_equal(must_status(container), REAPER_STATUS_RUNNING); /* the handle has read it before */
  assert_error(reaper_delete_id(scene->runtime, "corrupt", 0, &error), &error, &corrupt);
  assert_int_equal(rename(identity, saved), 0);
  const struct expected unknown = {REAPER_ERR_CORRUPT, 0, "delete", "", "nothing was removed"};
  assert_error(reaper_delete_id(scene->runtime, "corrupt", REAPER_DELETE_FORCE, &error), &error, &unknown);
  assert_false(is_gone(pid));
  assert_int_equal(rename(saved, identity), 0);
  assert_int_equal(reaper_delete_id(scene->runtime, "corrupt", REAPER_DELETE_FORCE, &error), REAPER_OK);
  assert_true(is_gone(pid));
  assert_int_equal(count_entries(scene->place.root), 0);
  assert_int_equal(must_wait(container).signal, SIGKILL);
  reaper_container_free(container);
  free(saved);
  free(identity);
  free(record);
}

/* Somebody else's file in the container's directory: nothing at all is removed. */
static void test_foreign_file(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_create(scene, "foreign", "{\"ociVersion\":\"1.0.0\"}");
  char *path = text_of("%s/foreign/precious", scene->place.root);
  write_whole(path, "keep me");
  reaper_error *error = NULL;
  const struct expected expected = {REAPER_ERR_SYSTEM, ENOTEMPTY, "delete", "", "\"precious\""};
  assert_error(reaper_delete(container, REAPER_DELETE_FORCE, &error), &error, &expected);
  char *text = must_state(container); /* it can still be read */
  reaper_free(text);
  assert_int_equal(unlink(path), 0);
  must_delete(container);
  free(path);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_bundles),      TEST(test_config_that_may_not_be_read), TEST(test_ids),
      TEST(test_pid_files),    TEST(test_state_directories),           TEST(test_corrupt_records),
      TEST(test_foreign_file),
  };
  return cmocka_run_group_tests_name("errors_places", tests, NULL, NULL);
}
