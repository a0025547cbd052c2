/* See users.h. */
#include "users.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

int ordinary_flag;

int try_user_namespace(void *ordinary) {
  if (ordinary != NULL && become_ordinary() != 0) return 1;
  return unshare(CLONE_NEWUSER) != 0;
}

char *range_of(unsigned inside, unsigned outside, unsigned size) {
  return text_of("{\"containerID\":%u,\"hostID\":%u,\"size\":%u}", inside, outside, size);
}

int become_root_inside(void) {
  char *uids = text_of("0 %u 1", geteuid());
  char *gids = text_of("0 %u 1", getegid());
  if (unshare(CLONE_NEWUSER) != 0) return 77;
  CHECK(put("/proc/self/setgroups", "deny") == 0);
  CHECK(put("/proc/self/gid_map", gids) == 0 && put("/proc/self/uid_map", uids) == 0);
  free(gids);
  free(uids);
  return 0;
}

static int over(const struct scene *scene, const char *target, const char *text) {
  char *path = path_in(&scene->place, "over");
  write_whole(path, text);
  CHECK(chmod(path, 0644) == 0 && mount(path, target, NULL, MS_BIND, NULL) == 0);
  CHECK(unlink(path) == 0);
  free(path);
  return 0;
}

int become_subordinate(const struct scene *outer) {
  CHECK(unshare(CLONE_NEWNS) == 0 && mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
  CHECK(over(outer, "/etc/passwd", "root:x:0:0::/:/bin/sh\nordinary:x:12345:12345::/:/bin/sh\n") == 0);
  CHECK(over(outer, "/etc/subuid", "ordinary:400000:1000\n") == 0);
  CHECK(over(outer, "/etc/subgid", "ordinary:500000:1000\n") == 0);
  return become_ordinary();
}

char *namespace_links(pid_t pid, const char *const *names, size_t count) {
  char *text = text_of("%s", "");
  for (size_t i = 0; i < count; ++i) {
    char target[64] = "";
    char *link = text_of("/proc/%d/ns/%s", (int)pid, names[i]);
    REQUIRE(readlink(link, target, sizeof target - 1) > 0);
    char *longer = text_of("%s%s\n", text, target);
    free(link);
    free(text);
    text = longer;
  }
  return text;
}

int put(const char *path, const char *text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  const int bad = fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text);
  if (fd >= 0) close(fd);
  return bad;
}

char *namespaces_config(const char *namespaces, const char *script, const char *process, const char *more) {
  char *quoted = json_string(script);
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sh\",\"-c\",%s],\"env\":[\"PATH=/usr/bin:/bin\"],"
      "\"cwd\":\"/\"%s},\"linux\":{\"namespaces\":[%s]%s}}",
      quoted, process, namespaces, more);
  free(quoted);
  return config;
}

char *said_by(const struct scene *scene, const char *config, uint32_t flags) {
  reaper_create_options options = options_of(scene, config);
  options.flags = flags;
  return output_of_config(scene, config, options);
}
