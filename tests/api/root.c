/* See root.h. */
#include "root.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/stat.h>

static void copy_program(const char *from, const char *to) {
  const int in = open(from, O_RDONLY | O_CLOEXEC);
  const int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
  char buffer[65536];
  ssize_t got;
  assert_true(in >= 0 && out >= 0);
  while ((got = read(in, buffer, sizeof buffer)) > 0) assert_int_equal(write(out, buffer, (size_t)got), got);
  assert_int_equal(close(in) | close(out), 0);
}

char *in_root(const struct scene *scene, const char *path) {
  return text_of("%s/rootfs%s", scene->place.bundle, path);
}

void directory_in_root(const struct scene *scene, const char *path) {
  char *whole = in_root(scene, path);
  assert_int_equal(mkdir(whole, 0755), 0);
  free(whole);
}

void file_in_root(const struct scene *scene, const char *path, const char *text) {
  char *whole = in_root(scene, path);
  write_whole(whole, text);
  free(whole);
}

void link_in_root(const struct scene *scene, const char *target, const char *path) {
  char *whole = in_root(scene, path);
  assert_int_equal(symlink(target, whole), 0);
  free(whole);
}

int root_setup(void **state) {
  if (scene_setup(state) != 0) return -1;
  const struct scene *scene = *state;
  if (access(BUSYBOX, X_OK) != 0) return 0;
  directory_in_root(scene, "");
  directory_in_root(scene, "/bin");
  char *program = in_root(scene, "/bin/busybox");
  copy_program(BUSYBOX, program);
  free(program);
  return 0;
}

int can_make_roots(void) {
  return is_root() && holds_capability("CapEff:", CAP_SYS_ADMIN);
}

char *root_config(const char *script, const char *mounts, const char *root, const char *lin) {
  char *quoted = json_string(script);
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/busybox\",\"sh\",\"-c\",%s],"
      "\"env\":[\"PATH=/bin\"],\"cwd\":\"/\"},\"root\":{\"path\":\"rootfs\"%s},\"mounts\":[%s],"
      "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"ipc\"},"
      "{\"type\":\"uts\"},{\"type\":\"network\"}]%s}}",
      quoted, root, mounts, lin);
  free(quoted);
  return config;
}
