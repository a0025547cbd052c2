/*
 * Every option of the specification's table (config.md, Linux mount options), in a container that is there: what the
 * kernel then shows of the mount, and of what is mounted below it.
 */
#include "root.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256 /* Linux 5.10 */
#endif

/* What the mount is of. Two file systems of the host's, one on the other, are bound with `rbind`: `open` ones allow
 * everything and are shared, `closed` ones nothing. */
enum kind { is_new, of_open, of_closed };

#define OPEN "rw,relatime"
#define CLOSED "ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow"

struct row {
  const char *name;
  enum kind kind;
  const char *before; /* options that stand in front of it */
  const char *own;    /* the mount's, as proc_pid_mountinfo(5) has them */
  const char *below;  /* of what is mounted below; NULL: nothing is there */
  const char *super;  /* the file system's begin so; NULL: whatever they are */
};

/* Those of the mount alone leave what is below as it was; those that begin with an "r" do not. */
static const struct row rows[] = {
    {"async", is_new, "\"sync\",", OPEN, NULL, "rw,size"},
    {"atime", of_closed, "", "ro,nosuid,nodev,noexec,nodiratime,relatime,nosymfollow", CLOSED, NULL},
    {"bind", of_open, "", OPEN, NULL, NULL},
    {"defaults", is_new, "", OPEN, NULL, "rw,size"},
    {"dev", of_closed, "", "ro,nosuid,noexec,noatime,nodiratime,nosymfollow", CLOSED, NULL},
    {"diratime", of_closed, "", "ro,nosuid,nodev,noexec,noatime,nosymfollow", CLOSED, NULL},
    {"dirsync", is_new, "", OPEN, NULL, "rw,dirsync,size"},
    {"exec", of_closed, "", "ro,nosuid,nodev,noatime,nodiratime,nosymfollow", CLOSED, NULL},
    /* It is shown nowhere; and what is set in a way of its own leaves the rest. */
    {"iversion", is_new, "\"nosuid\",\"noexec\",\"noatime\",\"ro\",\"sync\",\"lazytime\",", "ro,nosuid,noexec,noatime",
     NULL, "rw,sync,lazytime,size=64k"},
    {"lazytime", is_new, "", OPEN, NULL, "rw,lazytime,size"},
    {"loud", is_new, "", OPEN, NULL, "rw,size"},
    {"mand", is_new, "", OPEN, NULL, "rw"},
    {"noatime", of_open, "", "rw,noatime", OPEN, NULL},
    {"nodev", of_open, "", "rw,nodev,relatime", OPEN, NULL},
    {"nodiratime", of_open, "", "rw,nodiratime,relatime", OPEN, NULL},
    {"noexec", of_open, "", "rw,noexec,relatime", OPEN, NULL},
    {"noiversion", is_new, "\"iversion\",", OPEN, NULL, "rw,size"},
    {"nolazytime", is_new, "\"lazytime\",", OPEN, NULL, "rw,size"},
    {"nomand", is_new, "\"mand\",", OPEN, NULL, "rw,size"},
    {"norelatime", of_open, "", "rw", OPEN, NULL},
    {"nostrictatime", of_closed, "", "ro,nosuid,nodev,noexec,nodiratime,relatime,nosymfollow", CLOSED, NULL},
    {"nosuid", of_open, "", "rw,nosuid,relatime", OPEN, NULL},
    {"nosymfollow", of_open, "", "rw,relatime,nosymfollow", OPEN, NULL},
    {"private", of_open, "", OPEN, OPEN " master", NULL},
    {"ratime", of_closed, "", "ro,nosuid,nodev,noexec,nodiratime,relatime,nosymfollow",
     "ro,nosuid,nodev,noexec,nodiratime,relatime,nosymfollow", NULL},
    {"rbind", of_open, "", OPEN, OPEN, NULL},
    {"rdev", of_closed, "", "ro,nosuid,noexec,noatime,nodiratime,nosymfollow",
     "ro,nosuid,noexec,noatime,nodiratime,nosymfollow", NULL},
    {"rdiratime", of_closed, "", "ro,nosuid,nodev,noexec,noatime,nosymfollow",
     "ro,nosuid,nodev,noexec,noatime,nosymfollow", NULL},
    {"relatime", of_closed, "", "ro,nosuid,nodev,noexec,nodiratime,relatime,nosymfollow", CLOSED, NULL},
    {"rexec", of_closed, "", "ro,nosuid,nodev,noatime,nodiratime,nosymfollow",
     "ro,nosuid,nodev,noatime,nodiratime,nosymfollow", NULL},
    {"rnoatime", of_open, "", "rw,noatime", "rw,noatime", NULL},
    {"rnodev", of_open, "", "rw,nodev,relatime", "rw,nodev,relatime", NULL},
    {"rnodiratime", of_open, "", "rw,nodiratime,relatime", "rw,nodiratime,relatime", NULL},
    {"rnoexec", of_open, "", "rw,noexec,relatime", "rw,noexec,relatime", NULL},
    {"rnorelatime", of_open, "", "rw", "rw", NULL},
    {"rnostrictatime", of_closed, "", "ro,nosuid,nodev,noexec,nodiratime,relatime,nosymfollow",
     "ro,nosuid,nodev,noexec,nodiratime,relatime,nosymfollow", NULL},
    {"rnosuid", of_open, "", "rw,nosuid,relatime", "rw,nosuid,relatime", NULL},
    {"rnosymfollow", of_open, "", "rw,relatime,nosymfollow", "rw,relatime,nosymfollow", NULL},
    {"ro", of_open, "", "ro,relatime", OPEN, NULL},
    {"rprivate", of_open, "", OPEN, OPEN, NULL},
    {"rrelatime", of_closed, "", "ro,nosuid,nodev,noexec,nodiratime,relatime,nosymfollow",
     "ro,nosuid,nodev,noexec,nodiratime,relatime,nosymfollow", NULL},
    {"rro", of_open, "", "ro,relatime", "ro,relatime", NULL},
    {"rrw", of_closed, "", "rw,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow",
     "rw,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow", NULL},
    {"rshared", of_open, "", OPEN " shared master", OPEN " shared master", NULL},
    {"rslave", of_open, "", OPEN " master", OPEN " master", NULL},
    {"rstrictatime", of_open, "", "rw", "rw", NULL},
    {"rsuid", of_closed, "", "ro,nodev,noexec,noatime,nodiratime,nosymfollow",
     "ro,nodev,noexec,noatime,nodiratime,nosymfollow", NULL},
    {"rsymfollow", of_closed, "", "ro,nosuid,nodev,noexec,noatime,nodiratime",
     "ro,nosuid,nodev,noexec,noatime,nodiratime", NULL},
    {"runbindable", of_open, "", OPEN " unbindable", OPEN " unbindable", NULL},
    {"rw", of_closed, "", "rw,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow", CLOSED, NULL},
    {"shared", of_open, "", OPEN " shared master", OPEN " master", NULL},
    {"silent", is_new, "", OPEN, NULL, "rw,size"},
    {"slave", of_open, "", OPEN " master", OPEN " master", NULL},
    {"strictatime", of_open, "", "rw", OPEN, NULL},
    {"suid", of_closed, "", "ro,nodev,noexec,noatime,nodiratime,nosymfollow", CLOSED, NULL},
    {"symfollow", of_closed, "", "ro,nosuid,nodev,noexec,noatime,nodiratime", CLOSED, NULL},
    {"sync", is_new, "", OPEN, NULL, "rw,sync,size"},
    {"tmpcopyup", is_new, "", OPEN, NULL, "rw,size"},
    {"unbindable", of_open, "", OPEN " unbindable", OPEN " master", NULL},
};
/* test_remount below, and test_mount_ids.c. */
static const char *const elsewhere[] = {"remount", "idmap", "ridmap"};

struct trees {
  const struct scene *scene;
  char *open, *closed;
};

static int make_tree(const char *directory, unsigned long flags) {
  char *below = text_of("%s/below", directory);
  CHECK(mkdir(directory, 0755) == 0 && mount("tmpfs", directory, "tmpfs", 0, NULL) == 0);
  CHECK(mkdir(below, 0755) == 0 && mount("tmpfs", below, "tmpfs", 0, NULL) == 0);
  const char *const both[] = {below, directory};
  for (size_t i = 0; i < COUNT_OF(both); ++i)
    CHECK(mount(NULL, both[i], NULL, MS_REMOUNT | MS_BIND | flags, NULL) == 0);
  free(below);
  return 0;
}

/* In a child: mounts that are its own. */
static int make_trees(struct trees *trees, const struct scene *scene) {
  *trees = (struct trees){scene, path_in(&scene->place, "open"), path_in(&scene->place, "closed")};
  CHECK(unshare(CLONE_NEWNS) == 0 && mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
  CHECK(make_tree(trees->open, MS_RELATIME) == 0 && mount("", trees->open, NULL, MS_REC | MS_SHARED, NULL) == 0);
  return make_tree(trees->closed,
                   MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_NOSYMFOLLOW);
}

/* What /proc/PID/mountinfo has of a mount point: its options, and behind a blank each how it propagates; and what the
 * file system's are. 0: it is none. */
struct shown {
  char own[256], super[256];
};

static int show(const char *table, const char *point, struct shown *shown) {
  char *found = text_of(" %s ", point);
  const char *const at = strstr(table, found);
  free(found);
  if (at == NULL) return 0;
  char line[1024] = "";
  memcpy(line, at, strcspn(at, "\n") < sizeof line ? strcspn(at, "\n") : sizeof line - 1);
  char *left = NULL;
  (void)strtok_r(line, " ", &left);
  snprintf(shown->own, sizeof shown->own, "%s", strtok_r(NULL, " ", &left));
  for (const char *word = strtok_r(NULL, " ", &left); strcmp(word, "-") != 0; word = strtok_r(NULL, " ", &left)) {
    const size_t used = strlen(shown->own);
    snprintf(shown->own + used, sizeof shown->own - used, " %.*s", (int)strcspn(word, ":"), word);
  }
  (void)strtok_r(NULL, " ", &left);
  (void)strtok_r(NULL, " ", &left);
  snprintf(shown->super, sizeof shown->super, "%s", strtok_r(NULL, " ", &left));
  return 1;
}

/* Without what is not asked about: how a mount propagates is in the rows that are about it alone. */
static int is(const char *wanted, char *found) {
  if (strchr(wanted, ' ') == NULL && strstr(found, "shared") == NULL && strstr(found, "unbindable") == NULL)
    found[strcspn(found, " ")] = '\0';
  return strcmp(wanted, found) == 0;
}

static char *mountinfo_of(const struct scene *scene, const char *mounts) {
  char *config = text_of(
      "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"rootfs\"},\"mounts\":[%s],\"linux\":{\"namespaces\":[{\"type\":"
      "\"mount\"}]}}",
      mounts);
  reaper_create_options options = options_of(scene, config);
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  char *table = NULL;
  if (reaper_create(scene->runtime, "shown", &options, &container, &error) == REAPER_OK) {
    char *path = text_of("/proc/%d/mountinfo", (int)must_pid(container));
    table = read_whole(path);
    free(path);
    if (reaper_delete(container, REAPER_DELETE_FORCE, &error) != REAPER_OK) (void)complain("delete", error);
  } else {
    (void)complain("create", error);
  }
  reaper_container_free(container);
  free(config);
  return table;
}

static int check_row(const struct trees *trees, const struct row *row) {
  const char *const source = row->kind == of_open ? trees->open : row->kind == of_closed ? trees->closed : "tmpfs";
  const int alone = row->kind == is_new || strcmp(row->name, "bind") == 0;
  char *mounts =
      text_of("{\"destination\":\"/m\",\"type\":\"tmpfs\",\"source\":\"%s\",\"options\":[%s%s\"size=64k\",\"%s\"]}",
              source, row->before, alone ? "" : "\"rbind\",", row->name);
  if (row->kind != is_new) {
    char *const size = strstr(mounts, "\"size=64k\",");
    memmove(size, size + strlen("\"size=64k\","), strlen(size + strlen("\"size=64k\",")) + 1);
  }
  char *table = mountinfo_of(trees->scene, mounts);
  struct shown own = {"", ""};
  struct shown below = {"", ""};
  int good = table != NULL && show(table, "/m", &own) && show(table, "/m/below", &below) == (row->below != NULL);
  good = good && is(row->own, own.own) && (row->below == NULL || is(row->below, below.own));
  good = good && (row->super == NULL || strncmp(own.super, row->super, strlen(row->super)) == 0);
  if (!good) dprintf(2, "%s: \"%s\", below \"%s\", file system \"%s\"\n", row->name, own.own, below.own, own.super);
  free(table);
  free(mounts);
  return good;
}

static int check_rows(void *argument) {
  struct trees trees;
  CHECK(make_trees(&trees, argument) == 0);
  int bad = 0;
  for (size_t i = 0; i < COUNT_OF(rows); ++i) bad += !check_row(&trees, &rows[i]);
  free(trees.open);
  free(trees.closed);
  return bad;
}

static void test_each(void **state) {
  if (!can_make_roots()) SKIP("making namespaces needs CAP_SYS_ADMIN");
  const struct scene *scene = *state;
  directory_in_root(scene, "");
  assert_int_equal(in_child(check_rows, *state), 0);
}

/* What stands already gets the attributes: a mount of before, or what it is that is bound. */
static int check_remount(void *argument) {
  struct trees trees;
  CHECK(make_trees(&trees, argument) == 0);
  char *mounts = text_of(
      "{\"destination\":\"/m\",\"source\":\"%s\",\"options\":[\"rbind\"]},"
      "{\"destination\":\"/m\",\"options\":[\"remount\",\"ro\",\"nosuid\"]},"
      "{\"destination\":\"/n\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},"
      "{\"destination\":\"/n\",\"options\":[\"remount\",\"bind\",\"noexec\"]}",
      trees.open);
  char *table = mountinfo_of(trees.scene, mounts);
  struct shown shown;
  CHECK(table != NULL && show(table, "/m", &shown) && is("ro,nosuid,relatime", shown.own));
  CHECK(show(table, "/m/below", &shown) && is(OPEN, shown.own));
  CHECK(show(table, "/n", &shown) && is("rw,noexec,relatime", shown.own));
  free(table);
  free(mounts);
  free(trees.open);
  free(trees.closed);
  return 0;
}

static void test_remount(void **state) {
  if (!can_make_roots()) SKIP("making namespaces needs CAP_SYS_ADMIN");
  const struct scene *scene = *state;
  directory_in_root(scene, "");
  assert_int_equal(in_child(check_remount, *state), 0);
}

/* What `features` lists is what is tried. */
static int is_tried(const char *name) {
  for (size_t i = 0; i < COUNT_OF(rows); ++i)
    if (strcmp(rows[i].name, name) == 0) return 1;
  for (size_t i = 0; i < COUNT_OF(elsewhere); ++i)
    if (strcmp(elsewhere[i], name) == 0) return 1;
  return 0;
}

static void test_all_of_them(void **state) {
  (void)state;
  char *features = NULL;
  assert_int_equal(reaper_features(&features, NULL), REAPER_OK);
  const char *const name = "\"mountOptions\":[";
  char *const list = strstr(features, name);
  assert_non_null(list);
  list[strcspn(list, "]")] = '\0';
  size_t count = 0;
  char *left = NULL;
  for (const char *one = strtok_r(list + strlen(name), "\",", &left); one != NULL; one = strtok_r(NULL, "\",", &left)) {
    if (!is_tried(one)) fail_msg("%s is not tried", one);
    ++count;
  }
  assert_int_equal(count, COUNT_OF(rows) + COUNT_OF(elsewhere));
  reaper_free(features);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_each, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_remount, scene_setup, scene_teardown),
      cmocka_unit_test(test_all_of_them),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
