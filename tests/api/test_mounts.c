/*
 * What is particular about some mounts: a tmpfs that begins with a copy, control groups in a root of its own, and how
 * mounts propagate.
 */
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PROC "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}"
#define COPY(more) \
  PROC ",{\"destination\":\"/a\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"tmpcopyup\"" more "]}"

static char *output(const struct scene *scene, const char *script, const char *mounts, const char *lin) {
  char *config = root_config(script, mounts, "", lin);
  char *text = output_of_config(scene, config, options_of(scene, config));
  free(config);
  return text;
}

static void says(const struct scene *scene, const char *script, const char *mounts, const char *lin,
                 const char *wanted) {
  char *text = output(scene, script, mounts, lin);
  assert_string_equal(text, wanted);
  free(text);
}

static void refused(const struct scene *scene, const char *mounts, struct expected wanted) {
  char *config = root_config("true", mounts, "", "");
  const reaper_create_options options = options_of(scene, config);
  assert_int_equal(create_differs(scene, &options, &wanted), 0);
  free(config);
}

static void owned(const struct scene *scene, const char *path, unsigned uid, unsigned gid, unsigned mode) {
  char *whole = in_root(scene, path);
  assert_int_equal(lchown(whole, uid, gid), 0);
  if (mode != 0) assert_int_equal(chmod(whole, mode), 0);
  free(whole);
}

/* /a with a file, directories, a link that leads out of the root, a pipe, and what is mounted on one of them. */
static void make_originals(const struct scene *scene) {
  directory_in_root(scene, "/a");
  directory_in_root(scene, "/a/d");
  directory_in_root(scene, "/a/d/e");
  file_in_root(scene, "/a/f", "one\n");
  file_in_root(scene, "/a/d/e/g", "two\n");
  link_in_root(scene, "/etc/passwd", "/a/l");
  char *pipe = in_root(scene, "/a/p");
  assert_int_equal(mkfifo(pipe, 0640), 0);
  free(pipe);
  owned(scene, "/a", 5, 6, 0711);
  owned(scene, "/a/d", 0, 9, 01777);
  owned(scene, "/a/f", 7, 8, 06751);
  owned(scene, "/a/l", 3, 4, 0);
}

static void test_copy_up(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  make_originals(scene);
  says(scene,
       "cd /a; busybox stat -c '%n %A %u:%g' . d d/e d/e/g f l p; busybox cat f d/e/g; busybox readlink l; "
       "echo x >f; echo y >d/e/g; busybox grep -c ' /a tmpfs rw' /proc/mounts",
       COPY(",\"size=1m\""), "",
       ". drwx--x--x 5:6\nd drwxrwxrwt 0:9\nd/e drwxr-xr-x 0:0\nd/e/g -rw-r--r-- 0:0\nf -rwsr-s--x 7:8\n"
       "l lrwxrwxrwx 3:4\np prw-r----- 0:0\none\ntwo\n/etc/passwd\n1\n");
  /* What was written there is gone with it, and nothing of it came to the image. */
  says(scene, "busybox cat /a/f /a/d/e/g", PROC, "", "one\ntwo\n");
  /* Options win; a file system that cannot be written to is filled all the same. */
  says(scene, "busybox stat -c '%A %u:%g' /a; busybox cat /a/f; echo x 2>/dev/null >/a/f || echo read-only",
       COPY(",\"mode=700\",\"uid=1\",\"ro\""), "", "drwx------ 1:0\none\nread-only\n");
  /* What is not there yet is made, and empty. */
  says(scene, "busybox ls -A /new", "{\"destination\":\"/new\",\"type\":\"tmpfs\",\"options\":[\"tmpcopyup\"]}", "",
       "");
}

static void test_copy_up_keeps(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  make_originals(scene);
  char *file = in_root(scene, "/a/f");
  if (setxattr(file, "trusted.reaper", "v", 1, 0) != 0) SKIP("no extended attributes here");
  struct timespec times[2] = {{1000000000, 1}, {1000000001, 2}};
  assert_int_equal(utimensat(AT_FDCWD, file, times, 0), 0);
  char *config = root_config("busybox sleep 1000", COPY(""), "", "");
  reaper_container *container = must_create(scene, "kept", config);
  char *copy = text_of("/proc/%d/root/a/f", (int)must_pid(container));
  char value[8] = "";
  assert_int_equal(getxattr(copy, "trusted.reaper", value, sizeof value), 1);
  assert_string_equal(value, "v");
  struct stat status;
  assert_int_equal(stat(copy, &status), 0);
  assert_int_equal(status.st_mtim.tv_sec, 1000000001);
  assert_int_equal(status.st_mode & 07777, 06751);
  reaper_error *error = NULL;
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, &error), 0);
  reaper_container_free(container);
  free(copy);
  free(config);
  free(file);
}

/* What is mounted below is not copied, and neither is what a link leads to. */
static void test_copy_up_stays(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  make_originals(scene);
  char *canary = path_in(&scene->place, "canary");
  assert_int_equal(mkdir(canary, 0755), 0);
  char *secret = text_of("%s/secret", canary);
  write_whole(secret, "of the host\n");
  link_in_root(scene, canary, "/a/out");
  char *mounts = text_of(PROC
                         ",{\"destination\":\"/a/d\",\"source\":\"%s\",\"options\":[\"bind\"]},"
                         "{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"tmpcopyup\"]},"
                         "{\"destination\":\"/linked\",\"type\":\"tmpfs\",\"options\":[\"tmpcopyup\"]}",
                         canary);
  const char *const script = "busybox ls -A /a/d; busybox readlink /a/out; busybox cat /a/f";
  char *wanted = text_of("%s\none\n", canary);
  says(scene, script, mounts, "", wanted);
  assert_int_equal(count_entries(canary), 1);
  free(wanted);
  free(mounts);
  free(secret);
  free(canary);
}

static void test_copy_up_refused(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  const struct expected kinds = {REAPER_ERR_INVALID, 0, "config", "/mounts/0/options", "tmpcopyup"};
  refused(scene, "{\"destination\":\"/a\",\"type\":\"proc\",\"options\":[\"tmpcopyup\"]}", kinds);
  refused(scene, "{\"destination\":\"/a\",\"source\":\"/\",\"options\":[\"bind\",\"tmpcopyup\"]}", kinds);
  make_originals(scene);
  /* Bounded by the new file system, and in its depth. */
  refused(scene, COPY(",\"nr_inodes=3\""), (struct expected){REAPER_ERR_SYSTEM, ENOSPC, "mount", "/mounts/1", ""});
  char *path = in_root(scene, "/a");
  for (int i = 0; i < 220; ++i) {
    char *deeper = text_of("%s/x", path);
    assert_int_equal(mkdir(deeper, 0755), 0);
    free(path);
    path = deeper;
  }
  free(path);
  refused(scene, COPY(""), (struct expected){REAPER_ERR_SYSTEM, ELOOP, "mount", "/mounts/1", "x"});
}

/* Each value as the kernel then shows it; a root is never the host's peer, whatever is asked for. */
static void test_propagation(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  static const struct {
    const char *name;
    int shared, unbindable, below;
  } rows[] = {{"shared", 1, 0, 0},  {"rshared", 1, 0, 1},  {"slave", 0, 0, 0},      {"rslave", 0, 0, 0},
              {"private", 0, 0, 0}, {"rprivate", 0, 0, 0}, {"unbindable", 0, 1, 0}, {"runbindable", 0, 1, 1}};
  const char *const mounts = PROC ",{\"destination\":\"/m\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}";
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *lin = text_of(",\"rootfsPropagation\":\"%s\"", rows[i].name);
    char *text =
        output(*state, "busybox grep ' / / ' /proc/self/mountinfo || busybox cat /proc/self/mountinfo", mounts, lin);
    char *below = output(*state, "busybox grep ' / /m ' /proc/self/mountinfo", mounts, lin);
    const int shared = strstr(text, "shared:") != NULL;
    const int unbindable = strstr(text, " unbindable ") != NULL;
    const int below_too = strstr(below, "shared:") != NULL || strstr(below, " unbindable ") != NULL;
    if (shared != rows[i].shared || unbindable != rows[i].unbindable || below_too != rows[i].below)
      fail_msg("%s: %s%s", rows[i].name, text, below);
    free(below);
    free(text);
    free(lin);
  }
  char *config = root_config("true", mounts, "", ",\"rootfsPropagation\":\"sometimes\"");
  const reaper_create_options options = options_of(*state, config);
  const struct expected wanted = {REAPER_ERR_INVALID, 0, "config", "/linux/rootfsPropagation", "sometimes"};
  assert_int_equal(create_differs(*state, &options, &wanted), 0);
  free(config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_copy_up, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_copy_up_keeps, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_copy_up_stays, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_copy_up_refused, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_propagation, root_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
