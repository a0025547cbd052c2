/* See picture.h. */
#include "picture.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness.h"

#ifndef PR_GET_THP_DISABLE
#define PR_GET_THP_DISABLE 42
#endif

extern char **environ;

struct picture {
  char *text;
  size_t used, room;
};

static void add(struct picture *picture, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct picture *picture, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *line = NULL;
  const int length = vasprintf(&line, format, arguments);
  va_end(arguments);
  REQUIRE(length >= 0);
  while (picture->used + (size_t)length + 1 > picture->room) {
    picture->room = picture->room * 2 + 65536;
    picture->text = realloc(picture->text, picture->room);
    REQUIRE(picture->text != NULL);
  }
  memcpy(picture->text + picture->used, line, (size_t)length + 1);
  picture->used += (size_t)length;
  free(line);
}

/* Memory, times and switches go their own way; so does the rest of the sum that SigQ begins with (all of this user). */
static int is_volatile(const char *line) {
  static const char *const names[] = {
      "Vm",          "Rss",          "Hugetlb",      "SigQ",        "voluntary_ctxt", "nonvoluntary_ctxt",
      "State",       "Cpus_allowed", "Mems_allowed", "Speculation", "SpeculationI",   "CoreDumping",
      "THP_enabled", "untag_mask",   "x86_Thread"};
  for (size_t i = 0; i < COUNT_OF(names); ++i)
    if (strncmp(line, names[i], strlen(names[i])) == 0) return 1;
  return 0;
}

static void add_status(struct picture *picture, const char *path) {
  char *text = read_whole(path);
  REQUIRE(text != NULL);
  char *rest = text;
  for (char *line; (line = strsep(&rest, "\n")) != NULL;)
    if (!is_volatile(line)) add(picture, "%s: %s\n", path, line);
  free(text);
}

static void add_file(struct picture *picture, const char *path) {
  char *text = read_whole(path);
  add(picture, "%s: %s\n", path, text != NULL ? text : "unreadable");
  free(text);
}

static void add_link(struct picture *picture, const char *path) {
  char target[4096];
  const ssize_t length = readlink(path, target, sizeof target - 1);
  target[length > 0 ? length : 0] = '\0';
  /* A container's handle holds the container's directory open: after delete /proc says so, and nothing has changed
   * here. */
  char *deleted = strstr(target, " (deleted)");
  if (deleted != NULL) *deleted = '\0';
  add(picture, "%s -> %s\n", path, target);
}

static int compare_numbers(const void *a, const void *b) {
  return *(const int *)a - *(const int *)b;
}

static void add_descriptors(struct picture *picture) {
  int numbers[1024];
  size_t count = 0;
  DIR *directory = opendir("/proc/self/fd");
  REQUIRE(directory != NULL);
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(directory)) continue;
    REQUIRE(count < COUNT_OF(numbers));
    numbers[count++] = atoi(entry->d_name);
  }
  closedir(directory);
  qsort(numbers, count, sizeof *numbers, compare_numbers);
  for (size_t i = 0; i < count; ++i) {
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", numbers[i]);
    add_link(picture, path);
    struct stat status;
    REQUIRE(fstat(numbers[i], &status) == 0);
    add(picture, "fd %d: %#x %#x, inode %llu\n", numbers[i], fcntl(numbers[i], F_GETFD), fcntl(numbers[i], F_GETFL),
        (unsigned long long)status.st_ino);
    /* What others share with us (ctest's log) may move by itself; these may not: nothing is ever written to them. */
    if (numbers[i] <= 2)
      add(picture, "fd %d: offset %lld, size %lld\n", numbers[i], (long long)lseek(numbers[i], 0, SEEK_CUR),
          (long long)status.st_size);
  }
}

static void add_signals(struct picture *picture) {
  uint64_t mask = 0;
  REQUIRE(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof mask) == 0);
  add(picture, "mask %#llx\n", (unsigned long long)mask);
  for (int signal = 1; signal <= 64; ++signal) {
    unsigned long action[4 + 16] = {0};
    if (signal == SIGKILL || signal == SIGSTOP) continue;
    REQUIRE(syscall(SYS_rt_sigaction, signal, NULL, action, sizeof mask) == 0);
    add(picture, "signal %d: %#lx %#lx %#lx %#lx\n", signal, action[0], action[1], action[2], action[3]);
  }
  stack_t stack;
  REQUIRE(sigaltstack(NULL, &stack) == 0);
  add(picture, "sigaltstack %p %d %zu\n", stack.ss_sp, stack.ss_flags, stack.ss_size);
}

static void add_prctl(struct picture *picture) {
  int subreaper = -1, death_signal = -1;
  REQUIRE(prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0) == 0);
  REQUIRE(prctl(PR_GET_PDEATHSIG, &death_signal, 0, 0, 0) == 0);
  add(picture, "dumpable %d subreaper %d keepcaps %d no_new_privs %d securebits %d pdeathsig %d thp %d slack %d\n",
      prctl(PR_GET_DUMPABLE), subreaper, prctl(PR_GET_KEEPCAPS), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
      prctl(PR_GET_SECUREBITS), death_signal, prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), prctl(PR_GET_TIMERSLACK));
  char name[17] = "";
  REQUIRE(prctl(PR_GET_NAME, name) == 0);
  add(picture, "name %s\n", name);
}

static void add_rest(struct picture *picture) {
  char cwd[4096];
  REQUIRE(getcwd(cwd, sizeof cwd) != NULL);
  const mode_t mask = umask(0);
  umask(mask);
  add(picture, "cwd %s umask %o sid %d pgrp %d locale %s nice %d\n", cwd, (unsigned)mask, getsid(0), getpgrp(),
      setlocale(LC_ALL, NULL), getpriority(PRIO_PROCESS, 0));
  for (char **entry = environ; *entry != NULL; ++entry) add(picture, "environ %s\n", *entry);
  for (int resource = 0; resource < 16; ++resource) {
    struct rlimit limit;
    REQUIRE(syscall(SYS_prlimit64, 0, resource, NULL, &limit) == 0);
    add(picture, "limit %d: %llu %llu\n", resource, (unsigned long long)limit.rlim_cur,
        (unsigned long long)limit.rlim_max);
  }
  cpu_set_t cpus;
  REQUIRE(sched_getaffinity(0, sizeof cpus, &cpus) == 0);
  add(picture, "cpus %d policy %d\n", CPU_COUNT(&cpus), sched_getscheduler(0));
  /* -1 where there is no keyring to be read. */
  const int keyrings[] = {KEY_SPEC_SESSION_KEYRING, KEY_SPEC_PROCESS_KEYRING, KEY_SPEC_THREAD_KEYRING};
  for (size_t i = 0; i < COUNT_OF(keyrings); ++i)
    add(picture, "keyring %d: %ld\n", keyrings[i], syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, keyrings[i], 0));
  static const char *const links[] = {
      "exe",    "root",    "ns/mnt",    "ns/pid",  "ns/pid_for_children", "ns/net", "ns/uts",
      "ns/ipc", "ns/user", "ns/cgroup", "ns/time", "ns/time_for_children"};
  for (size_t i = 0; i < COUNT_OF(links); ++i) {
    char path[60];
    snprintf(path, sizeof path, "/proc/self/%s", links[i]);
    add_link(picture, path);
  }
  static const char *const files[] = {"oom_score_adj", "cgroup",        "loginuid",     "coredump_filter",
                                      "personality",   "timerslack_ns", "attr/current", "cmdline"};
  for (size_t i = 0; i < COUNT_OF(files); ++i) {
    char path[60];
    snprintf(path, sizeof path, "/proc/self/%s", files[i]);
    add_file(picture, path);
  }
}

char *take_picture(int children) {
  struct picture picture = {NULL, 0, 0};
  add_status(&picture, "/proc/self/status");
  add_status(&picture, "/proc/thread-self/status");
  add_descriptors(&picture);
  add_signals(&picture);
  add_prctl(&picture);
  add_rest(&picture);
  add(&picture, "children %d threads %d\n", count_children() - children, count_entries("/proc/self/task"));
  return picture.text;
}

static char *line_at(const char *text, size_t at) {
  while (at > 0 && text[at - 1] != '\n') --at;
  return text_of("%.*s", (int)strcspn(text + at, "\n"), text + at);
}

int pictures_are_quiet;

int pictures_differ(const char *what, const char *before, const char *after) {
  size_t at = 0;
  while (before[at] != '\0' && before[at] == after[at]) ++at;
  if (before[at] == after[at]) return 0;
  if (pictures_are_quiet) return 1;
  char *was = line_at(before, at);
  char *is = line_at(after, at);
  dprintf(2, "%s changed the process:\n  before: %s\n  after:  %s\n", what, was, is);
  free(is);
  free(was);
  return 1;
}
