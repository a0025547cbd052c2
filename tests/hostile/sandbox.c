/* See sandbox.h. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dirent.h>

/* Both of sys/mount.h, which linux/mount.h of Debian 12 does not go with. */
#define PRIVATE_RECURSIVE ((1UL << 18) | (1UL << 14))
extern int mount(const char*, const char*, const char*, unsigned long, const void*);

static int write_text(const char* path, const char* text) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return errno;
  const int bad = write(file, text, strlen(text)) != (ssize_t)strlen(text) ? errno : 0;
  close(file);
  return bad;
}

/* An ordinary user is root there, so that it may mount. */
static int enter_user_namespace(void) {
  char* uids = text_of("0 %d 1", (int)getuid());
  char* gids = text_of("0 %d 1", (int)getgid());
  int bad = unshare(CLONE_NEWUSER) != 0 ? errno : 0;
  if (bad == 0) bad = write_text("/proc/self/uid_map", uids);
  if (bad == 0) bad = write_text("/proc/self/setgroups", "deny");
  if (bad == 0) bad = write_text("/proc/self/gid_map", gids);
  free(gids);
  free(uids);
  return bad;
}

/* Programs built for coverage would complain on stderr of the read-only build directory. No picture shows this one. */
#define GCOV_PLACE ".gcov"
static int give_gcov_a_place(const char* directory) {
  char* place = text_of("%s/" GCOV_PLACE, directory);
  int bad = mkdir(place, 0755) != 0 ? errno : 0;
  if (bad == 0 && setenv("GCOV_PREFIX", place, 1) != 0) bad = errno;
  free(place);
  return bad;
}

int enter_sandbox(const char* directory) {
  if (!is_root()) {
    const int bad = enter_user_namespace();
    if (bad != 0) return bad;
  }
  if (unshare(CLONE_NEWNS) != 0) return errno;
  if (mount(NULL, "/", NULL, PRIVATE_RECURSIVE, NULL) != 0) return errno;
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
  if (syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof attributes) != 0) return errno;
  if (mount("tmpfs", directory, "tmpfs", 0, "mode=0755") != 0) return errno;
  return give_gcov_a_place(directory);
}

static int try_sandbox(void* directory) {
  return enter_sandbox(directory);
}

void need_sandbox(void) {
  struct place place;
  place_make(&place);
  const int bad = in_child(try_sandbox, place.directory);
  place_remove(&place);
  if (bad == 0) return;
  SKIP("no mount namespace of our own can be made here");
}

struct text {
  char* start;
  size_t size;
  FILE* stream;
};

static void describe(struct text* text, const char* path);

static void describe_directory(struct text* text, const char* path) {
  struct dirent** names = NULL;
  const int count = scandir(path, &names, NULL, alphasort);
  for (int i = 0; i < count; ++i) {
    const char* name = names[i]->d_name;
    if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, GCOV_PLACE) != 0) {
      char* below = text_of("%s/%s", path, name);
      describe(text, below);
      free(below);
    }
    free(names[i]);
  }
  free(names);
}

static void describe(struct text* text, const char* path) {
  struct stat status;
  REQUIRE(lstat(path, &status) == 0);
  fprintf(text->stream, "%s %lu %o %u:%u %ld %ld.%09ld %lu", path, (unsigned long)status.st_ino, status.st_mode,
          status.st_uid, status.st_gid, (long)status.st_size, (long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
          (unsigned long)status.st_nlink);
  if (S_ISREG(status.st_mode)) {
    char* content = read_whole(path);
    fprintf(text->stream, " %s", content != NULL ? content : "?");
    free(content);
  }
  if (S_ISLNK(status.st_mode)) {
    char target[256] = "";
    REQUIRE(readlink(path, target, sizeof target - 1) > 0);
    fprintf(text->stream, " -> %s", target);
  }
  fputc('\n', text->stream);
  if (S_ISDIR(status.st_mode)) describe_directory(text, path);
}

char* picture_of_tree(const char* directory) {
  struct text text = {0};
  text.stream = open_memstream(&text.start, &text.size);
  REQUIRE(text.stream != NULL);
  describe(&text, directory);
  fclose(text.stream);
  return text.start;
}

int run_words(const char* const words[], char** said) {
  const int output = memfd_create("said", MFD_CLOEXEC);
  REQUIRE(output >= 0);
  const pid_t pid = fork();
  if (pid == 0) {
    const int nothing = open("/dev/null", O_RDONLY);
    if (dup2(nothing, 0) == 0 && dup2(output, 1) == 1 && dup2(output, 2) == 2)
      execv(words[0], (char* const*)(uintptr_t)words);
    _exit(127);
  }
  int status = 0;
  REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
  char* path = text_of("/proc/self/fd/%d", output);
  *said = read_whole(path);
  free(path);
  close(output);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
