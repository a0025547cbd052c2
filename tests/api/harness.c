/* See harness.h. */
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
/* Children of a threaded test go on here, as those of the hosts do that the tests stand for. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void) {
  return "die_after_fork=0";
}

/* A careless host's handler, which spoils errno, is what test_hostile_host is about. */
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) {
  return "signal:reap_everybody\n";
}
#endif

static void give_up(const char *what) {
  perror(what);
  abort();
}

static int is_forked_child;

void fail_anywhere(const char *what, const char *file, int line) {
  dprintf(2, "%s:%d: this does not hold: %s\n", file, line, what);
  if (is_forked_child) _exit(1); /* cmocka would go on with the next test, in the child */
  _fail(file, line);
  abort(); /* it jumps */
}

char *text_of(const char *format, ...) {
  char *text = NULL;
  va_list arguments;
  va_start(arguments, format);
  const int length = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (length < 0) give_up("vasprintf");
  return text;
}

char *json_string(const char *text) {
  char *out = malloc(6 * strlen(text) + 3);
  if (out == NULL) give_up("malloc");
  char *end = out;
  *end++ = '"';
  for (; *text != '\0'; ++text) {
    if (*text == '"' || *text == '\\') *end++ = '\\';
    if ((unsigned char)*text < 0x20)
      end += sprintf(end, "\\u%04x", (unsigned)*text);
    else
      *end++ = *text;
  }
  *end++ = '"';
  *end = '\0';
  return out;
}

char *read_whole(const char *path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  size_t used = 0;
  size_t room = 4096;
  char *text = malloc(room);
  for (;;) {
    if (text == NULL) give_up("malloc");
    const ssize_t got = read(fd, text + used, room - used - 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    used += (size_t)got;
    if (used + 1 == room) text = realloc(text, room *= 2);
  }
  close(fd);
  text[used] = '\0';
  return text;
}

void write_whole(const char *path, const char *text) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) give_up(path);
  close(fd);
}

char *line_value(const char *text, const char *name) {
  const size_t length = strlen(name);
  while (text != NULL && strncmp(text, name, length) != 0) {
    text = strchr(text, '\n');
    if (text != NULL) ++text;
  }
  if (text == NULL) return NULL;
  text += length;
  text += strspn(text, " \t");
  return text_of("%.*s", (int)strcspn(text, "\n"), text);
}

void assert_contains(const char *text, const char *part) {
  if (text == NULL || strstr(text, part) == NULL)
    dprintf(2, "\"%s\" does not contain \"%s\"\n", text != NULL ? text : "(null)", part);
  REQUIRE(text != NULL && strstr(text, part) != NULL);
}

void work_in_memory(void) {
  static const char memory[] = "/dev/shm"; /* it is there, and nobody's files lie in it that a test needs */
  if (unshare(CLONE_NEWNS) != 0) return;
  if (mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) give_up("a mount namespace");
  if (mount("tmpfs", memory, "tmpfs", 0, "mode=1777") == 0) setenv("TMPDIR", memory, 1);
}

void place_make(struct place *place) {
  const char *parent = getenv("TMPDIR");
  place->directory = text_of("%s/reaper-api-XXXXXX", parent != NULL && *parent != '\0' ? parent : "/tmp");
  if (mkdtemp(place->directory) == NULL || chmod(place->directory, 0755) != 0) give_up(place->directory);
  place->root = path_in(place, "root");
  place->bundle = path_in(place, "bundle");
  if (mkdir(place->bundle, 0755) != 0 || chmod(place->bundle, 0755) != 0) give_up(place->bundle);
}

void place_remove(struct place *place) {
  remove_tree(place->directory);
  free(place->directory);
  free(place->root);
  free(place->bundle);
  memset(place, 0, sizeof *place);
}

char *path_in(const struct place *place, const char *name) {
  return text_of("%s/%s", place->directory, name);
}

void remove_tree(const char *path) {
  struct stat status;
  if (lstat(path, &status) != 0) return;
  if (S_ISDIR(status.st_mode)) {
    chmod(path, 0700);
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
      if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
      char *below = text_of("%s/%s", path, entry->d_name);
      remove_tree(below);
      free(below);
    }
    if (directory != NULL) closedir(directory);
    rmdir(path);
  } else {
    unlink(path);
  }
}

int count_entries(const char *path) {
  DIR *directory = opendir(path);
  if (directory == NULL) return 0;
  int count = 0;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
    count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
  closedir(directory);
  return count;
}

/* By the parent in /proc/PID/stat, so that it needs no CONFIG_PROC_CHILDREN. */
int count_children(void) {
  DIR *directory = opendir("/proc");
  if (directory == NULL) give_up("/proc");
  int count = 0;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
    char *text = read_whole(path);
    const char *end = text != NULL ? strrchr(text, ')') : NULL;
    int parent = 0;
    char state = 0;
    if (end != NULL && sscanf(end + 1, " %c %d", &state, &parent) == 2 && parent == getpid()) ++count;
    free(text);
  }
  closedir(directory);
  return count;
}

static int count_threads(void) {
#if defined(__SANITIZE_THREAD__)
  return 0; /* ThreadSanitizer has one of its own, from the first that a test starts on */
#else
  return count_entries("/proc/self/task");
#endif
}

/* pthread_join(3) may return a moment before the thread has left /proc. */
static int threads_are(void *wanted) {
  return count_threads() == *(int *)wanted;
}

struct census take_census(const char *directory) {
  struct census census;
  /* opendir's own descriptor is in every count alike. */
  census.descriptors = count_entries("/proc/self/fd");
  census.children = count_children();
  census.threads = count_threads();
  census.entries = count_entries(directory);
  return census;
}

void assert_same_census(struct census before, struct census after) {
  REQUIRE(before.descriptors == after.descriptors);
  REQUIRE(before.children == after.children);
  REQUIRE(before.threads == after.threads || wait_until(threads_are, &before.threads));
  REQUIRE(before.entries == after.entries);
}

int kernel_is_at_least(int major, int minor) {
  struct utsname name;
  int have_major = 0;
  int have_minor = 0;
  if (uname(&name) != 0 || sscanf(name.release, "%d.%d", &have_major, &have_minor) != 2) give_up("uname");
  return have_major > major || (have_major == major && have_minor >= minor);
}

int is_root(void) {
  return geteuid() == 0;
}

uint64_t capability_set(const char *status_text, const char *line) {
  char *value = line_value(status_text, line);
  if (value == NULL) give_up(line);
  const uint64_t set = strtoull(value, NULL, 16);
  free(value);
  return set;
}

int holds_capability(const char *line, int number) {
  char *status = read_whole("/proc/thread-self/status");
  const uint64_t set = capability_set(status, line);
  free(status);
  return (int)(set >> number & 1);
}

int drop_capability(int number) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) != 0) return 1;
  /* Without CAP_SETPCAP it stays in the bounding set, which gives nothing to who is not root. */
  if (prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1 && prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0 && is_root())
    return 1;
  const uint32_t others = ~(1U << (number % 32));
  data[number / 32].effective &= others;
  data[number / 32].permitted &= others;
  data[number / 32].inheritable &= others;
  return syscall(SYS_capset, &header, data) != 0;
}

int become_ordinary(void) {
  if (!is_root()) return 0;
  if (setgroups(0, NULL) != 0 || setresgid(ORDINARY_ID, ORDINARY_ID, ORDINARY_ID) != 0) return 1;
  if (setresuid(ORDINARY_ID, ORDINARY_ID, ORDINARY_ID) != 0) return 1;
  return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0; /* /proc/self is ours again, as it is for a fresh process */
}

pid_t fork_body(int (*body)(void *), void *argument) {
  fflush(NULL);
  const pid_t pid = fork();
  if (pid < 0) give_up("fork");
  if (pid == 0) {
    is_forked_child = 1;
    _exit(body(argument));
  }
  return pid;
}

int exit_of(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) give_up("waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int in_child(int (*body)(void *), void *argument) {
  return exit_of(fork_body(body, argument));
}

void sleep_ms(int milliseconds) {
  const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

int wait_until(int (*condition)(void *), void *argument) {
  struct timespec begin;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (;;) {
    if (condition(argument)) return 1;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if ((now.tv_sec - begin.tv_sec) * 1000 > LIMIT_MS) return 0;
    sleep_ms(2);
  }
}

int is_gone(pid_t pid) {
  char path[40];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  char *text = read_whole(path);
  const char *end = text != NULL ? strrchr(text, ')') : NULL;
  const int gone = end == NULL || end[2] == 'Z' || end[2] == 'X';
  free(text);
  return gone;
}

struct hand {
  pthread_t thread;
  pthread_barrier_t *barrier;
  const struct crew *crew;
  int number;
  int result;
};

static void *hand_main(void *argument) {
  struct hand *hand = argument;
  pthread_barrier_wait(hand->barrier);
  hand->result = hand->crew->body(hand->crew->argument, hand->number);
  return NULL;
}

int run_threads(int count, int (*body)(void *argument, int number), void *argument) {
  const struct crew crew = {body, argument};
  pthread_barrier_t barrier;
  struct hand *hands = calloc((size_t)count, sizeof *hands);
  if (hands == NULL || pthread_barrier_init(&barrier, NULL, (unsigned)count) != 0) give_up("threads");
  for (int i = 0; i < count; ++i) {
    hands[i] = (struct hand){.barrier = &barrier, .crew = &crew, .number = i};
    if (pthread_create(&hands[i].thread, NULL, hand_main, &hands[i]) != 0) give_up("pthread_create");
  }
  int sum = 0;
  for (int i = 0; i < count; ++i) {
    pthread_join(hands[i].thread, NULL);
    sum += hands[i].result;
  }
  pthread_barrier_destroy(&barrier);
  free(hands);
  return sum;
}
