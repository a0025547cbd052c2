/*
 * A root of the container's own: what is mounted and made in it, what is hidden, and that nothing of it reaches the
 * host. The root file system is busybox, whose one program is copied into it.
 */
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const char proc[] = "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}";
static const char dev[] =
    "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
    "\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]}";
static const char devpts[] =
    "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
    "\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\"]}";

static char *output(const struct scene *scene, const char *script, const char *mounts, const char *root,
                    const char *lin) {
  char *config = root_config(script, mounts, root, lin);
  char *text = output_of_config(scene, config, options_of(scene, config));
  free(config);
  return text;
}

static void says(const struct scene *scene, const char *script, const char *mounts, const char *root, const char *lin,
                 const char *wanted) {
  char *text = output(scene, script, mounts, root, lin);
  assert_string_equal(text, wanted);
  free(text);
}

static void refused(const struct scene *scene, const char *config, struct expected wanted) {
  const reaper_create_options options = options_of(scene, config);
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  assert_error(reaper_create(scene->runtime, "refused", &options, &container, &error), &error, &wanted);
}

static void refused_mount(const struct scene *scene, const char *mount, struct expected wanted) {
  char *config = root_config("true", mount, "", "");
  refused(scene, config, wanted);
  free(config);
}

static void test_a_root(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  char *before = read_whole("/proc/self/mountinfo");
  says(scene, "busybox ls / && busybox ls /bin && cd .. && pwd && echo $$", "", "", "", "bin\ndev\nbusybox\n/\n1\n");
  char *after = read_whole("/proc/self/mountinfo");
  assert_string_equal(before, after);
  free(after);
  free(before);
}

static void test_mounts(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  char *shared = path_in(&scene->place, "shared");
  assert_int_equal(mkdir(shared, 0755), 0);
  char *file = text_of("%s/file", shared);
  write_whole(file, "of the host\n");
  char *mounts = text_of(
      "%s,{\"destination\":\"/a/b\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},"
      "{\"destination\":\"/a/b/c\",\"source\":\"%s\",\"options\":[\"rbind\",\"ro\"]},"
      "{\"destination\":\"/one\",\"source\":\"%s\",\"type\":\"bind\"}",
      proc, shared, file);
  says(scene,
       "busybox cat /a/b/c/file /one; busybox touch /a/b/x && echo wrote; busybox touch /a/b/c/x 2>/dev/null || echo "
       "not; busybox grep -c ^ /proc/self/mountinfo",
       mounts, "", "", "of the host\nof the host\nwrote\nnot\n5\n");
  free(mounts);
  /* Relative to the bundle; and what was made for the mounts is all that the root got. */
  says(scene, "busybox ls -d /a/b /one", "{\"destination\":\"/again\",\"source\":\"rootfs\",\"options\":[\"bind\"]}",
       "", "", "/a/b\n/one\n");
  free(file);
  free(shared);
}

static char *options_shown(const struct scene *scene, const char *mount) {
  char *mounts = text_of("%s,%s", proc, mount);
  char *text = output(scene, "busybox grep ' /m ' /proc/self/mountinfo", mounts, "", "");
  free(mounts);
  return text;
}

static void test_options(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  static const struct {
    const char *options, *wanted;
  } rows[] = {
      {"\"nosuid\",\"nodev\",\"noexec\"", " rw,nosuid,nodev,noexec,relatime "},
      {"\"ro\"", " ro,relatime "},
      {"\"ro\",\"rw\"", " rw,relatime "},
      {"\"noatime\"", " rw,noatime "},
      {"\"strictatime\"", " rw - "},
      {"\"nodiratime\"", " rw,nodiratime,relatime "},
      {"\"nosymfollow\"", "nosymfollow"},
      {"\"nosuid\",\"suid\",\"defaults\"", " rw,relatime "},
      {"\"rro\"", " ro,relatime "},
      {"\"rnoexec\",\"rnosuid\"", " rw,nosuid,noexec,relatime "},
      {"\"shared\"", " shared:"},
      {"\"unbindable\"", " unbindable "},
      {"\"size=64k\",\"mode=700\"", "size=64k,mode=700"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *mount =
        text_of("{\"destination\":\"/m\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[%s]}", rows[i].options);
    char *text = options_shown(*state, mount);
    if (strstr(text, rows[i].wanted) == NULL) fail_msg("%s: %s", rows[i].options, text);
    free(text);
    free(mount);
  }
  /* Of what is bound, the attributes that the host's mount has stay. */
  char *text = options_shown(*state, "{\"destination\":\"/m\",\"source\":\"/proc\",\"options\":[\"bind\",\"ro\"]}");
  assert_contains(text, " /m ro,");
  free(text);
  text = options_shown(*state,
                       "{\"destination\":\"/m\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},"
                       "{\"destination\":\"/m\",\"options\":[\"remount\",\"ro\",\"nosuid\"]}");
  assert_contains(text, " /m ro,nosuid,relatime ");
  free(text);
}

static void test_read_only(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  char *mounts = text_of("%s,%s", proc, dev);
  says(*state, "busybox touch /x 2>/dev/null || echo read-only; busybox touch /dev/x && echo not below", mounts,
       ",\"readonly\":true", "", "read-only\nnot below\n");
  free(mounts);
}

static void test_devices(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  char *mounts = text_of("%s,%s,%s", proc, dev, devpts);
  const char *lin =
      ",\"devices\":[{\"path\":\"/dev/fuse\",\"type\":\"c\",\"major\":10,\"minor\":229,"
      "\"fileMode\":432,\"uid\":7,\"gid\":8},{\"path\":\"/dev/sub/pipe\",\"type\":\"p\"},"
      "{\"path\":\"/dev/null\",\"type\":\"c\",\"major\":1,\"minor\":3,\"fileMode\":438}]";
  says(*state,
       "cd /dev; busybox stat -c '%n %A %t:%T %u:%g' full fuse null random sub/pipe tty urandom zero; "
       "for l in fd stdin stdout stderr ptmx; do busybox readlink $l; done; echo x > null && busybox head -c 1 zero | "
       "busybox wc -c",
       mounts, "", lin,
       "full crw-rw-rw- 1:7 0:0\nfuse crw-rw---- a:e5 7:8\nnull crw-rw-rw- 1:3 0:0\nrandom crw-rw-rw- 1:8 0:0\n"
       "sub/pipe prw-rw-rw- 0:0 0:0\ntty crw-rw-rw- 5:0 0:0\nurandom crw-rw-rw- 1:9 0:0\nzero crw-rw-rw- 1:5 0:0\n"
       "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx\n1\n");
  free(mounts);
}

/* A caller without CAP_MKNOD: the host's devices, and nothing that is another one under their name. */
struct borrower {
  const struct scene *scene;
  char *config, *others[2];
};

static int borrow_devices(void *argument) {
  const struct borrower *borrower = argument;
  CHECK(drop_capability(CAP_MKNOD) == 0);
  CHECK(quiet_life(borrower->scene->runtime, "borrower", borrower->config, 0) == 0);
  const struct expected wanted = {REAPER_ERR_PERMISSION, EPERM, "mknod", "/linux/devices/0", "CAP_MKNOD"};
  for (size_t i = 0; i < COUNT_OF(borrower->others); ++i) {
    const reaper_create_options options = options_of(borrower->scene, borrower->others[i]);
    CHECK(!create_differs(borrower->scene, &options, &wanted));
  }
  return 0;
}

/* For those who have another bundle. */
static char *with_absolute_root(const struct scene *scene, char *config) {
  const char *const name = "\"rootfs\"";
  const char *const at = strstr(config, name);
  char *path = in_root(scene, "");
  char *out = text_of("%.*s\"%s\"%s", (int)(at - config), config, path, at + strlen(name));
  free(path);
  free(config);
  return out;
}

static void test_devices_of_the_host(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  char *mounts = text_of("%s,%s,%s", proc, dev, devpts);
  char *all = root_config(
      "[ \"$(busybox stat -c %F-%t:%T /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty | busybox tr "
      "'\\n' "
      "' ')\" = 'character special file-1:3 character special file-1:5 character special file-1:7 character special "
      "file-1:8 character special file-1:9 character special file-5:0 ' ] && echo x > /dev/null && busybox head -c 1 "
      "/dev/zero > /x",
      mounts, "", "");
  struct borrower borrower = {*state, with_absolute_root(*state, all), {NULL, NULL}};
  borrower.others[0] =
      root_config("true", mounts, "", ",\"devices\":[{\"path\":\"/dev/null\",\"type\":\"c\",\"major\":1,\"minor\":5}]");
  borrower.others[1] = root_config(
      "true", mounts, "", ",\"devices\":[{\"path\":\"/dev/none-such\",\"type\":\"c\",\"major\":1,\"minor\":3}]");
  assert_int_equal(in_child(borrow_devices, &borrower), 0);
  free(borrower.others[1]);
  free(borrower.others[0]);
  free(borrower.config);
  free(mounts);
}

static void test_masked_and_read_only_paths(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  directory_in_root(scene, "/secret");
  file_in_root(scene, "/secret/key", "k");
  file_in_root(scene, "/key", "k");
  directory_in_root(scene, "/kept");
  char *mounts = text_of("%s,%s", proc, dev);
  says(scene,
       "busybox cat /key; busybox ls /secret; busybox touch /kept/x 2>/dev/null || echo kept; "
       "echo 1 2>/dev/null > /proc/sys/kernel/panic || echo sys",
       mounts, "",
       ",\"maskedPaths\":[\"/secret\",\"/key\",\"/no/such\"],\"readonlyPaths\":[\"/kept\",\"/proc/sys\",\"/none\"]",
       "kept\nsys\n");
  free(mounts);
}

static void test_refusals(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  const int invalid = REAPER_ERR_INVALID;
  const int unsupported = REAPER_ERR_UNSUPPORTED;
  refused_mount(scene, "{\"destination\":\"/a\",\"source\":\"/no/such\",\"options\":[\"bind\"]}",
                (struct expected){invalid, ENOENT, "root", "/mounts/0/source",
                                  "/mounts/0/source: open_tree: ENOENT: component \"no\" is missing"});
  refused_mount(scene, "{\"destination\":\"/a\"}",
                (struct expected){unsupported, 0, "config", "/mounts/0/type", "a type"});
  refused_mount(scene, "{\"destination\":\"/a/..\",\"type\":\"tmpfs\"}",
                (struct expected){invalid, 0, "config", "/mounts/0/destination", "hide the root"});
  refused_mount(scene, "{\"destination\":\"/proc\",\"type\":\"tmpfs\"}",
                (struct expected){invalid, 0, "config", "/mounts/0/destination", "procfs"});
  refused_mount(scene, "{\"destination\":\"/x/../proc/sys\",\"type\":\"tmpfs\"}",
                (struct expected){invalid, 0, "config", "/mounts/0/destination", "below /proc"});
  refused_mount(scene, "{\"destination\":\"/a\",\"type\":\"no-such-fs\"}",
                (struct expected){REAPER_ERR_SYSTEM, ENODEV, "mount", "/mounts/0", "no-such-fs"});
  refused_mount(scene, "{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"no-such-option\"]}",
                (struct expected){REAPER_ERR_SYSTEM, EINVAL, "mount", "/mounts/0", "no-such-option"});
  refused(scene, "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"}}",
          (struct expected){invalid, 0, "plan", "/root/path", "mount namespace"});
  refused(scene, "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"/\",\"readonly\":true}}",
          (struct expected){unsupported, 0, "plan", "/root/readonly", "a root of the container's own"});
  refused(scene, "{\"ociVersion\":\"1.2.0\",\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\"}]}",
          (struct expected){unsupported, 0, "plan", "/mounts", "a root of the container's own"});
  refused(
      scene,
      "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"nothing\"},\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}}",
      (struct expected){invalid, ENOENT, "root", "/root/path", "nothing"});
}

/* docs/security.md, row 3: a volume in the place of /proc. */
static void test_row3_a_volume_at_proc(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  char *mount = text_of("{\"destination\":\"/proc\",\"source\":\"%s\",\"options\":[\"bind\"]}", scene->place.bundle);
  refused_mount(scene, mount, (struct expected){REAPER_ERR_SYSTEM, EINVAL, "mount", "/mounts/0", "procfs"});
  free(mount);
}

/* Row 4: the image has a link where /proc is to be. */
static void test_row4_a_link_at_proc(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  link_in_root(*state, "/tmp", "/proc");
  refused_mount(*state, proc, (struct expected){REAPER_ERR_SYSTEM, ELOOP, "mount", "/mounts/0", "/proc"});
}

/* Row 5: a link of the image's leads out of it; the kernel resolves it inside. */
static void test_row5_a_link_out_of_the_root(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  char *canary = path_in(&scene->place, "canary");
  assert_int_equal(mkdir(canary, 0755), 0);
  link_in_root(scene, "/", "/out");
  link_in_root(scene, "../../../../../../../../..", "/up");
  char *mounts =
      text_of("{\"destination\":\"/out%s\",\"type\":\"tmpfs\"},{\"destination\":\"/up%s/b\",\"type\":\"tmpfs\"}",
              canary, canary);
  char *script = text_of("busybox ls -d %s && busybox touch %s/x && busybox ls %s", canary, canary, canary);
  char *wanted = text_of("%s\nb\nx\n", canary);
  says(scene, script, mounts, "", "", wanted);
  assert_int_equal(count_entries(canary), 0);
  free(wanted);
  free(script);
  free(mounts);
  free(canary);
}

/* Row 12: what masks is the device, not what the image has under its name. */
static void test_row12_another_dev_null(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  directory_in_root(scene, "/dev");
  link_in_root(scene, "/proc/sys/kernel/core_pattern", "/dev/null");
  char *config = root_config("true", proc, "", ",\"maskedPaths\":[\"/proc/keys\"]");
  refused(scene, config, (struct expected){REAPER_ERR_SYSTEM, EEXIST, "mknod", "", "/dev/null"});
  free(config);
}

/* Row 15: /dev is a link of the image's. */
static void test_row15_a_link_at_dev(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  directory_in_root(*state, "/elsewhere");
  link_in_root(*state, "/elsewhere", "/dev");
  char *config = root_config("true", proc, "", "");
  refused(*state, config, (struct expected){REAPER_ERR_SYSTEM, ELOOP, "mknod", "", "/dev/null"});
  free(config);
}

/* Nothing of a create that fails at its last mount stays: no mount, process or directory. */
static void test_nothing_is_left(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  warm_up(scene);
  char *before = read_whole("/proc/self/mountinfo");
  const struct census census = take_census(scene->place.root);
  char *mounts = text_of("%s,%s,{\"destination\":\"/a\",\"type\":\"no-such-fs\"}", proc, dev);
  for (int i = 0; i < 20; ++i)
    refused_mount(scene, mounts, (struct expected){REAPER_ERR_SYSTEM, ENODEV, "mount", "/mounts/2", "no-such-fs"});
  assert_same_census(census, take_census(scene->place.root));
  char *after = read_whole("/proc/self/mountinfo");
  assert_string_equal(before, after);
  free(after);
  free(mounts);
  free(before);
}

/* REAPER_CREATE_NO_PIVOT: the same to see, no way up, and the caller's mounts are what they were. */
static void test_without_pivot(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  directory_in_root(scene, "/x");
  char *before = read_whole("/proc/self/mountinfo");
  char *mounts = text_of("%s,%s", proc, dev);
  char *config = root_config(
      "busybox ls /; cd ../../..; pwd; busybox chroot /x ls 2>/dev/null; busybox touch /dev/x && busybox ls -d /dev/x; "
      "busybox touch /y 2>/dev/null || echo read-only; echo $$",
      mounts, ",\"readonly\":true", ",\"maskedPaths\":[\"/x\"]");
  reaper_create_options options = options_of(scene, config);
  options.flags = REAPER_CREATE_NO_PIVOT;
  char *text = output_of_config(scene, config, options);
  assert_string_equal(text, "bin\ndev\nproc\nx\n/\n/dev/x\nread-only\n1\n");
  char *after = read_whole("/proc/self/mountinfo");
  assert_string_equal(before, after);
  free(after);
  free(text);
  free(config);
  free(mounts);
  free(before);
}

static void test_supervised(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  char *config = root_config("echo $$", proc, "", "");
  reaper_create_options options = options_of(*state, config);
  options.flags = REAPER_CREATE_SUPERVISE;
  char *text = output_of_config(*state, config, options);
  assert_string_equal(text, "1\n");
  free(text);
  free(config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_a_root, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_mounts, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_options, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_read_only, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_devices, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_devices_of_the_host, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_masked_and_read_only_paths, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_refusals, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row3_a_volume_at_proc, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row4_a_link_at_proc, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row5_a_link_out_of_the_root, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row12_another_dev_null, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row15_a_link_at_dev, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_nothing_is_left, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_without_pivot, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_supervised, root_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
