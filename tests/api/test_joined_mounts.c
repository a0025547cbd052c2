/*
 * A mount namespace of others beside a new user namespace: its files are seen, and the container's root has no rights
 * over it.
 */
#include "containers.h"
#include "holder.h"
#include "processes.h"
#include "users.h"

#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define WHO "while read -r a b; do case $a in Uid:|Gid:|Groups:) echo $a $b;; esac; done </proc/self/status;"
#define MAPPINGS                                                             \
  ",\"uidMappings\":[{\"containerID\":0,\"hostID\":200000,\"size\":65536}]," \
  "\"gidMappings\":[{\"containerID\":0,\"hostID\":200000,\"size\":65536}]"

static const uint32_t both[] = {0, REAPER_CREATE_SUPERVISE};

struct mounts {
  const struct scene *scene;
  struct holder holder;
  char *namespaces, *script, *link;
};
#define ROOT_INSIDE ",\"user\":{\"uid\":0,\"gid\":0}"

static int is_beside(const struct mounts *mounts, const char *text) {
  const char *const wanted =
      "of the pod\nrefused\n         0     200000      65536\nUid: 0 0 0 0\nGid: 0 0 0 0\nGroups:\n";
  if (strstr(text, wanted) == NULL) dprintf(2, "--- wanted\n%s--- found\n%s", wanted, text);
  return strstr(text, mounts->link) != NULL && strstr(text, wanted) != NULL;
}

static int without_admin(void *argument) {
  const struct mounts *mounts = argument;
  CHECK(drop_capability(CAP_SYS_ADMIN) == 0);
  char *config = namespaces_config(mounts->namespaces, "true", "", MAPPINGS);
  const reaper_create_options options = options_of(mounts->scene, config);
  const struct expected expected = {REAPER_ERR_PERMISSION, 0, "plan", "/linux/namespaces/0", "CAP_SYS_ADMIN"};
  return create_differs(mounts->scene, &options, &expected);
}

static int join_mounts(struct mounts *mounts) {
  for (size_t i = 0; i < COUNT_OF(both); ++i) {
    char *config = namespaces_config(mounts->namespaces, mounts->script, ROOT_INSIDE, MAPPINGS);
    char *text = said_by(mounts->scene, config, both[i]);
    CHECK(is_beside(mounts, text));
    free(text);
    free(config);
  }
  /* A further process is brought into all of it. */
  char *config = namespaces_config(mounts->namespaces, "exec sleep 1000", ROOT_INSIDE, MAPPINGS);
  reaper_container *container = must_run(mounts->scene, "beside", config);
  char *process = shell_process(mounts->script, ROOT_INSIDE);
  char *text = output_of_exec(container, exec_options(process));
  CHECK(is_beside(mounts, text));
  free(text);
  free(process);
  free(config);
  end(container);
  return in_child(without_admin, mounts);
}

/* The file that is seen is the holder's alone. */
static int hold_mounts(void *argument) {
  struct mounts mounts = {.scene = argument};
  char *seen = path_in(&mounts.scene->place, "seen");
  char *file = text_of("%s/file", seen);
  CHECK(unshare(CLONE_NEWNS) == 0 && mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
  CHECK(mkdir(seen, 0755) == 0 && mount("tmpfs", seen, "tmpfs", 0, NULL) == 0);
  write_whole(file, "of the pod\n");
  CHECK(hold(&mounts.holder, CLONE_NEWNS, NULL, NULL, NULL) == 0);
  CHECK(umount(seen) == 0);
  char *path = text_of("/proc/%d/ns/mnt", (int)mounts.holder.pid);
  char target[64] = "";
  CHECK(readlink(path, target, sizeof target - 1) > 0);
  mounts.link = target;
  mounts.namespaces = text_of("{\"type\":\"mount\",\"path\":\"%s\"},{\"type\":\"user\"},{\"type\":\"pid\"}", path);
  mounts.script = text_of(
      "readlink /proc/self/ns/mnt; cat %s; mount -t tmpfs none %s 2>/dev/null || echo refused; cat "
      "/proc/self/uid_map;" WHO,
      file, seen);
  CHECK(join_mounts(&mounts) == 0);
  free(mounts.script);
  free(mounts.namespaces);
  free(path);
  free(file);
  free(seen);
  return release(mounts.holder);
}

static void test_mounts_beside_a_new_user(void **state) {
  if (!is_root() || !holds_capability("CapEff:", CAP_SYS_ADMIN)) SKIP("making namespaces needs CAP_SYS_ADMIN");
  NEED_USER_NAMESPACES(NULL);
  assert_int_equal(in_child(hold_mounts, *state), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_mounts_beside_a_new_user, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
