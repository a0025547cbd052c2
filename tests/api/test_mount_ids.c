/*
 * Mounts with other ids (idmap, ridmap, uidMappings, gidMappings): who owns what is seen by way of them, who owns what
 * is made there, and what is refused.
 */
#include "holder.h"
#include "root.h"
#include "users.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RANGE(inside, outside, size) "[{\"containerID\":" #inside ",\"hostID\":" #outside ",\"size\":" #size "}]"
#define IDS(uids, gids) ",\"uidMappings\":" uids ",\"gidMappings\":" gids

/* /shared in the place: a file of 7:8. */
static char *make_shared(const struct scene *scene) {
  char *shared = path_in(&scene->place, "shared");
  if (mkdir(shared, 0777) != 0 && errno != EEXIST) fail_msg("mkdir");
  assert_int_equal(chmod(shared, 0777), 0);
  char *file = text_of("%s/file", shared);
  write_whole(file, "mine\n");
  assert_int_equal(chown(file, 7, 8), 0);
  free(file);
  return shared;
}

static char *bind_of(const char *source, const char *options, const char *ids) {
  return text_of("{\"destination\":\"/data\",\"source\":\"%s\",\"options\":[%s]%s}", source, options, ids);
}

/* Whether the file system that `source` is on takes a mapping at all: not in every container. */
static int takes_no_ids(const struct scene *scene, const char *source) {
  char *mount = bind_of(source, "\"bind\"", IDS(RANGE(0, 1000, 100), RANGE(0, 2000, 100)));
  char *config = root_config("true", mount, "", "");
  const reaper_create_options options = options_of(scene, config);
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  const int result = reaper_create(scene->runtime, "probe", &options, &container, &error);
  const int refused = result != 0 && (reaper_error_errno(error) == EINVAL || reaper_error_errno(error) == EPERM);
  if (result != 0 && !refused) fail_msg("%s", reaper_error_message(error));
  reaper_error_free(error);
  if (result == 0) {
    error = NULL;
    assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, &error), 0);
    reaper_container_free(container);
  }
  free(config);
  free(mount);
  return refused;
}
#define NEED_MAPPABLE(scene, source) \
  if (takes_no_ids(scene, source)) SKIP("the file system here takes no mapping of ids")

static void says(const struct scene *scene, const char *config, const char *wanted) {
  char *text = output_of_config(scene, config, options_of(scene, config));
  assert_string_equal(text, wanted);
  free(text);
}

static void test_mapped(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  char *shared = make_shared(scene);
  NEED_MAPPABLE(scene, shared);
  const struct census census = take_census(scene->place.root);
  static const char *const options[] = {"\"bind\"", "\"rbind\",\"idmap\"", "\"bind\",\"ridmap\",\"ro\""};
  for (size_t i = 0; i < COUNT_OF(options); ++i) {
    char *mount = bind_of(shared, options[i], IDS(RANGE(0, 1000, 100), RANGE(0, 2000, 100)));
    char *config = root_config("busybox stat -c %u:%g /data/file; busybox touch /data/new 2>/dev/null || echo nobody",
                               mount, "", "");
    /* Nobody of this name is in the mapping: the container's root makes nothing there. */
    says(scene, config, "1007:2008\nnobody\n");
    free(config);
    free(mount);
  }
  assert_same_census(census, take_census(scene->place.root));
  /* The other way: who makes a file as 1007 owns it as 7 outside. */
  char *mount = bind_of(shared, "\"bind\"", IDS(RANGE(0, 1000, 100), RANGE(0, 2000, 100)));
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/busybox\",\"touch\",\"/data/made\"],\"cwd\":\"/\","
      "\"user\":{\"uid\":1007,\"gid\":2008}},\"root\":{\"path\":\"rootfs\"},\"mounts\":[%s],"
      "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}}",
      mount);
  says(scene, config, "");
  char *made = text_of("%s/made", shared);
  struct stat status;
  assert_int_equal(stat(made, &status), 0);
  assert_int_equal(status.st_uid, 7);
  assert_int_equal(status.st_gid, 8);
  free(made);
  free(config);
  free(mount);
  free(shared);
}

/* A new file system: what root makes in it is another's. */
static void test_new_file_system(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  char *shared = make_shared(scene);
  NEED_MAPPABLE(scene, shared);
  char *config =
      root_config("busybox stat -c %u:%g /new",
                  "{\"destination\":\"/new\",\"type\":\"tmpfs\"" IDS(RANGE(0, 50, 9), RANGE(0, 60, 9)) "}", "", "");
  says(scene, config, "50:60\n");
  free(config);
  free(shared);
}

static const char new_user_namespace[] = "{\"type\":\"user\"},{\"type\":\"mount\"},{\"type\":\"pid\"}";
#define MAPPINGS                                                                                                       \
  ",\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1},{\"containerID\":1,\"hostID\":100001,"                \
  "\"size\":9999}],\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1},{\"containerID\":1,\"hostID\":200001," \
  "\"size\":9999}]"

static char *user_config(const char *namespaces, const char *script, const char *mount) {
  char *quoted = json_string(script);
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/busybox\",\"sh\",\"-c\",%s],\"env\":[\"PATH=/bin\"],"
      "\"cwd\":\"/\"},\"root\":{\"path\":\"rootfs\"},\"mounts\":[%s],\"linux\":{\"namespaces\":[%s]%s}}",
      quoted, mount, namespaces, namespaces == new_user_namespace ? MAPPINGS : "");
  free(quoted);
  return config;
}

/* Without mappings of its own: as the container sees them. With some: these. */
static void test_of_the_container(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  NEED_USER_NAMESPACES(NULL);
  const struct scene *scene = *state;
  char *shared = make_shared(scene);
  NEED_MAPPABLE(scene, shared);
  const struct {
    const char *options, *ids, *wanted;
  } rows[] = {{"\"bind\"", "", "65534:65534\n"},
              {"\"bind\",\"idmap\"", "", "7:8\n"},
              {"\"rbind\",\"ridmap\"", "", "7:8\n"},
              {"\"bind\",\"idmap\"", IDS(RANGE(0, 100100, 100), RANGE(0, 200200, 100)), "107:208\n"}};
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *mount = bind_of(shared, rows[i].options, rows[i].ids);
    char *config = user_config(new_user_namespace, "busybox stat -c %u:%g /data/file", mount);
    says(scene, config, rows[i].wanted);
    free(config);
    free(mount);
  }
  free(shared);
}

static void refused(const struct scene *scene, const char *config, struct expected wanted) {
  const reaper_create_options options = options_of(scene, config);
  assert_int_equal(create_differs(scene, &options, &wanted), 0);
}

/* The same of a user namespace of others that is joined; a new file system has its ids as it is. */
static void test_of_a_joined_namespace(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  NEED_USER_NAMESPACES(NULL);
  const struct scene *scene = *state;
  char *shared = make_shared(scene);
  NEED_MAPPABLE(scene, shared);
  struct holder holder;
  assert_int_equal(hold(&holder, CLONE_NEWUSER, "0 0 1\n1 100001 9999", "0 0 1\n1 200001 9999", NULL), 0);
  const struct census census = take_census(scene->place.root);
  const struct {
    const char *options, *ids, *wanted;
  } rows[] = {{"\"bind\"", "", "65534:65534\n"},
              {"\"bind\",\"idmap\"", "", "7:8\n"},
              {"\"rbind\",\"ridmap\"", "", "7:8\n"},
              {"\"bind\",\"idmap\"", IDS(RANGE(0, 100100, 100), RANGE(0, 200200, 100)), "107:208\n"}};
  for (size_t i = 0; i < 2 * COUNT_OF(rows); ++i) {
    char *first = bind_of(shared, rows[i / 2].options, rows[i / 2].ids);
    /* One behind the other: each has the mapping. */
    char *mount =
        text_of("%s,{\"destination\":\"/again\",\"source\":\"%s\",\"options\":[\"bind\",\"idmap\"]}", first, shared);
    char *namespaces = text_of("{\"type\":\"mount\"},{\"type\":\"user\",\"path\":\"/proc/%d/ns/user\"}%s",
                               (int)holder.pid, i % 2 != 0 ? ",{\"type\":\"pid\"}" : "");
    char *config =
        user_config(namespaces, "busybox stat -c %u:%g /data/file; busybox stat -c %u:%g /again/file", mount);
    char *wanted = text_of("%s7:8\n", rows[i / 2].wanted);
    says(scene, config, wanted);
    free(wanted);
    free(config);
    free(namespaces);
    free(mount);
    free(first);
  }
  /* The caller's own is the host's: it maps nothing. */
  char *config = user_config("{\"type\":\"mount\"},{\"type\":\"user\",\"path\":\"/proc/self/ns/user\"}", "true",
                             "{\"destination\":\"/a\",\"source\":\"/\",\"options\":[\"bind\",\"idmap\"]}");
  refused(scene, config, (struct expected){REAPER_ERR_INVALID, 0, "plan", "/mounts/0/options", "user namespace"});
  free(config);
  char *path = text_of("{\"type\":\"mount\"},{\"type\":\"user\",\"path\":\"/proc/%d/ns/user\"}", (int)holder.pid);
  config = user_config(path, "true", "{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"idmap\"]}");
  refused(scene, config, (struct expected){REAPER_ERR_UNSUPPORTED, 0, "plan", "/mounts/0/options", "bind mount"});
  free(config);
  /* What fails in reaper-init before it shows where it is is what is told. */
  config = user_config(path, "true",
                       "{\"destination\":\"/a\",\"source\":\"/\",\"options\":[\"bind\",\"idmap\"]},"
                       "{\"destination\":\"/b\",\"type\":\"tmpfs\",\"options\":[\"gid=20000\"]}");
  refused(scene, config,
          (struct expected){REAPER_ERR_INVALID, 0, "mapped", "/mounts/1/options", "20000 is in no range"});
  free(config);
  free(path);
  assert_same_census(census, take_census(scene->place.root));
  free(shared);
  assert_int_equal(release(holder), 0);
}

/* What is mounted below: of ridmap alone. */
struct below {
  const struct scene *scene;
  char *mounted, *configs[2];
};

static int live_below(void *argument) {
  const struct below *below = argument;
  CHECK(unshare(CLONE_NEWNS) == 0 && mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
  CHECK(mount("tmpfs", below->mounted, "tmpfs", 0, "uid=3,gid=4") == 0);
  for (size_t i = 0; i < COUNT_OF(below->configs); ++i)
    CHECK(quiet_life(below->scene->runtime, "below", below->configs[i], 0) == 0);
  return 0;
}

static void test_below(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  char *shared = make_shared(scene);
  NEED_MAPPABLE(scene, shared);
  struct below below = {scene, text_of("%s/below", shared), {NULL, NULL}};
  assert_int_equal(mkdir(below.mounted, 0755), 0);
  static const char *const options[] = {"\"rbind\",\"idmap\"", "\"rbind\",\"ridmap\""};
  static const char *const wanted[] = {"3:4", "1003:2004"};
  char *root = in_root(scene, "");
  for (size_t i = 0; i < COUNT_OF(options); ++i) {
    char *mount = bind_of(shared, options[i], IDS(RANGE(0, 1000, 100), RANGE(0, 2000, 100)));
    char *script = text_of("[ $(busybox stat -c %%u:%%g /data/below) = %s ]", wanted[i]);
    char *config = root_config(script, mount, "", "");
    const char *const name = "\"rootfs\"";
    const char *const at = strstr(config, name);
    below.configs[i] = text_of("%.*s\"%s\"%s", (int)(at - config), config, root, at + strlen(name));
    free(config);
    free(script);
    free(mount);
  }
  assert_int_equal(in_child(live_below, &below), 0);
  for (size_t i = 0; i < COUNT_OF(below.configs); ++i) free(below.configs[i]);
  free(root);
  free(below.mounted);
  free(shared);
}

static void refused_mount(const struct scene *scene, const char *mount, struct expected wanted) {
  char *config = root_config("true", mount, "", "");
  refused(scene, config, wanted);
  free(config);
}

static int as_limited_root(void *argument) {
  const struct below *limited = argument;
  CHECK(drop_capability(CAP_SETUID) == 0);
  const struct expected wanted = {REAPER_ERR_PERMISSION, 0, "plan", "/mounts/0/uidMappings", "CAP_SETUID"};
  const reaper_create_options options = options_of(limited->scene, limited->configs[0]);
  CHECK(!create_differs(limited->scene, &options, &wanted));
  return 0;
}

static void test_refused(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  const int invalid = REAPER_ERR_INVALID;
  const int unsupported = REAPER_ERR_UNSUPPORTED;
#define BOTH IDS(RANGE(0, 1000, 100), RANGE(0, 2000, 100))
  refused_mount(scene, "{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"idmap\"]}",
                (struct expected){invalid, 0, "plan", "/mounts/0/options", "user namespace"});
  refused_mount(scene, "{\"destination\":\"/a\",\"type\":\"tmpfs\",\"uidMappings\":" RANGE(0, 1, 1) "}",
                (struct expected){invalid, 0, "config", "/mounts/0/gidMappings", "gidMappings"});
  refused_mount(scene, "{\"destination\":\"/a\",\"type\":\"tmpfs\",\"gidMappings\":" RANGE(0, 1, 1) "}",
                (struct expected){invalid, 0, "config", "/mounts/0/uidMappings", "uidMappings"});
  refused_mount(scene, "{\"destination\":\"/a\",\"options\":[\"remount\"]" BOTH "}",
                (struct expected){invalid, 0, "config", "/mounts/0/options", "remount"});
  refused_mount(scene, "{\"destination\":\"/a\",\"type\":\"cgroup\"" BOTH "}",
                (struct expected){unsupported, 0, "plan", "/mounts/0/uidMappings", "ontrol groups"});
  refused_mount(scene, "{\"destination\":\"/a\",\"source\":\"/proc/sys\",\"options\":[\"bind\"]" BOTH "}",
                (struct expected){REAPER_ERR_SYSTEM, EINVAL, "mount_ids", "/mounts/0", "takes no mapping"});
  char *config =
      user_config(new_user_namespace, "true", "{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"idmap\"]}");
  refused(scene, config, (struct expected){unsupported, 0, "plan", "/mounts/0/options", "bind mount"});
  free(config);
  struct below limited = {
      scene, NULL, {root_config("true", "{\"destination\":\"/a\",\"type\":\"tmpfs\"" BOTH "}", "", ""), NULL}};
  assert_int_equal(in_child(as_limited_root, &limited), 0);
  free(limited.configs[0]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_mapped, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_new_file_system, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_of_the_container, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_of_a_joined_namespace, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_below, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_refused, root_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
