/* Processes whose namespaces containers join. */
#include "holder.h"

#include "harness.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void hold_in_child(int flags, const int *ready, const int *maps, const int *hold) {
  char byte = 0;
  close(hold[1]);
  close(maps[1]);
  if (unshare(flags) != 0) _exit(1);
  if (write(ready[1], &byte, 1) != 1 || read(maps[0], &byte, 1) != 1) _exit(1);
  const pid_t child = fork();
  if (child == 0) _exit(read(hold[0], &byte, 1) != 0);
  if (child < 0 || write(ready[1], &child, sizeof child) != sizeof child) _exit(1);
  int status = -1;
  _exit(waitpid(child, &status, 0) != child);
}

static int put(pid_t pid, const char *name, const char *text) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  const int bad = fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text);
  if (fd >= 0) close(fd);
  return bad;
}

int hold(struct holder *holder, int flags, const char *uids, const char *gids, const char *clocks) {
  int ready[2];
  int maps[2];
  int hold[2];
  char byte = 0;
  CHECK(pipe2(ready, O_CLOEXEC) == 0 && pipe2(maps, O_CLOEXEC) == 0 && pipe2(hold, O_CLOEXEC) == 0);
  holder->parent = fork();
  if (holder->parent == 0) hold_in_child(flags, ready, maps, hold);
  close(ready[1]);
  close(maps[0]);
  close(hold[0]);
  holder->hold = hold[1];
  CHECK(read(ready[0], &byte, 1) == 1);
  if (gids != NULL && geteuid() != 0) CHECK(put(holder->parent, "setgroups", "deny") == 0);
  if (gids != NULL) CHECK(put(holder->parent, "gid_map", gids) == 0);
  if (uids != NULL) CHECK(put(holder->parent, "uid_map", uids) == 0);
  if (clocks != NULL) CHECK(put(holder->parent, "timens_offsets", clocks) == 0);
  CHECK(write(maps[1], "x", 1) == 1);
  CHECK(read(ready[0], &holder->pid, sizeof holder->pid) == sizeof holder->pid);
  close(ready[0]);
  close(maps[1]);
  return 0;
}

int release(struct holder holder) {
  int status = -1;
  close(holder.hold);
  CHECK(waitpid(holder.parent, &status, 0) == holder.parent);
  return status != 0;
}

/* Its own parent ends, and what waits for the end of this process with it. */
static _Noreturn void hold_for(int end, int answer, int flags, const char *uids, const char *gids) {
  struct holder holder;
  char byte = 0;
  if (hold(&holder, flags, uids, gids, NULL) != 0) _exit(1);
  if (fork() != 0) _exit(write(answer, &holder.pid, sizeof holder.pid) != sizeof holder.pid);
  close(answer);
  _exit(read(end, &byte, 1) != 0);
}

pid_t hold_apart(int flags, const char *uids, const char *gids) {
  int end[2];
  int answer[2];
  if (pipe2(end, O_CLOEXEC) != 0 || pipe2(answer, O_CLOEXEC) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    close(end[1]);
    hold_for(end[0], answer[1], flags, uids, gids);
  }
  close(end[0]); /* the other end stays open as long as we do */
  close(answer[1]);
  pid_t pid = -1;
  int status = -1;
  if (read(answer[0], &pid, sizeof pid) != sizeof pid) pid = -1;
  close(answer[0]);
  return child > 0 && waitpid(child, &status, 0) == child && status == 0 ? pid : -1;
}
