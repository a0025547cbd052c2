/*
 * The calling process is never changed: not by loading the library, and not by any call, whether it succeeds or fails.
 * This program is not linked to the library; everything that /proc and the system calls tell of it is compared around
 * dlopen and around each call.
 */
#include "harness.h"
#include "reaper.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_GET_THP_DISABLE
#define PR_GET_THP_DISABLE 42
#endif

extern char **environ;

/* ---- the library, by name ---- */

/* clang-format off */
#define FUNCTIONS(X) \
  X(reaper_version) X(reaper_commit) X(reaper_features) X(reaper_runtime_new) \
  X(reaper_runtime_free) X(reaper_runtime_root) X(reaper_create) X(reaper_open) \
  X(reaper_container_free) X(reaper_container_id) X(reaper_start) X(reaper_state) X(reaper_status) \
  X(reaper_pid) X(reaper_pidfd) X(reaper_kill) X(reaper_delete) X(reaper_delete_id) X(reaper_wait) \
  X(reaper_list) X(reaper_plan) X(reaper_error_code) X(reaper_error_errno) X(reaper_error_message) \
  X(reaper_error_pointer) X(reaper_error_stage) X(reaper_error_free) X(reaper_error_name) \
  X(reaper_free)
/* clang-format on */

static struct {
#define MEMBER(name) __typeof__(&name) name;
  FUNCTIONS(MEMBER)
#undef MEMBER
} lib;

static void find_functions(void *library) {
  void *address;
#define FIND(name)                 \
  address = dlsym(library, #name); \
  REQUIRE(address != NULL);        \
  memcpy(&lib.name, &address, sizeof address);
  FUNCTIONS(FIND)
#undef FIND
}

/* ---- a picture of the process ---- */

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
    add(picture, "fd %d: %#x %#x, inode %llu, offset %lld, size %lld\n", numbers[i], fcntl(numbers[i], F_GETFD),
        fcntl(numbers[i], F_GETFL), (unsigned long long)status.st_ino, (long long)lseek(numbers[i], 0, SEEK_CUR),
        numbers[i] <= 2 ? (long long)status.st_size : 0LL);
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

static char *take_picture(int children) {
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

static int is_quiet;

static int pictures_differ(const char *what, const char *before, const char *after) {
  size_t at = 0;
  while (before[at] != '\0' && before[at] == after[at]) ++at;
  if (before[at] == after[at]) return 0;
  if (is_quiet) return 1;
  char *was = line_at(before, at);
  char *is = line_at(after, at);
  dprintf(2, "%s changed the process:\n  before: %s\n  after:  %s\n", what, was, is);
  free(is);
  free(was);
  return 1;
}

/* Runs `statement` between two pictures. `kept`: what handles are documented to keep open, so many descriptors. */
static int changes;
#define UNCHANGED(statement)                                 \
  do {                                                       \
    char *before_ = take_picture(children);                  \
    statement;                                               \
    char *after_ = take_picture(children);                   \
    changes += pictures_differ(#statement, before_, after_); \
    free(after_);                                            \
    free(before_);                                           \
  } while (0)

/* A call that makes something that is the caller's: a handle's descriptors, all close-on-exec, and a child. */
static void assert_only_descriptors_were_added(const char *what, const char *before, const char *after) {
  char *rest = text_of("%s", after);
  char *left = rest;
  char *kept = calloc(1, strlen(after) + 1);
  REQUIRE(kept != NULL);
  for (char *line; (line = strsep(&left, "\n")) != NULL && (left != NULL || *line != '\0');) {
    const int is_descriptor = strncmp(line, "fd ", 3) == 0 || strncmp(line, "/proc/self/fd/", 14) == 0;
    char *whole = text_of("%s\n", line);
    if (!is_descriptor || strstr(before, whole) != NULL) strcat(kept, whole);
    if (is_descriptor && strstr(before, whole) == NULL && strncmp(line, "fd ", 3) == 0) {
      int number = 0;
      unsigned flags = 0;
      REQUIRE(sscanf(line, "fd %d: %x", &number, &flags) == 2);
      if ((flags & FD_CLOEXEC) == 0 || number <= 2) {
        dprintf(2, "%s: descriptor %d is not close-on-exec, or a standard one\n", what, number);
        ++changes;
      }
    }
    free(whole);
  }
  changes += pictures_differ(what, before, kept);
  free(kept);
  free(rest);
}

#define ADDS_DESCRIPTORS(new_children, statement)                    \
  do {                                                               \
    char *before_ = take_picture(children);                          \
    statement;                                                       \
    children += new_children;                                        \
    char *after_ = take_picture(children);                           \
    assert_only_descriptors_were_added(#statement, before_, after_); \
    free(after_);                                                    \
    free(before_);                                                   \
  } while (0)

/* ---- the tests ---- */

static void *library;

static void test_loading(void **state) {
  int children = 0;
  (void)state;
  UNCHANGED(library = dlopen(REAPER_LIBRARY, RTLD_NOW | RTLD_LOCAL));
  if (library == NULL) dprintf(2, "%s\n", dlerror());
  assert_non_null(library);
  UNCHANGED(find_functions(library));
  UNCHANGED(lib.reaper_version());
  UNCHANGED(lib.reaper_commit());
  assert_int_equal(changes, 0);
}

static char *sleeping_config(const char *script) {
  return text_of(
      "{\"ociVersion\":\"1.2.0\",\"unknownProperty\":1,\"process\":{\"args\":[\"/bin/sh\",\"-c\",\"%s\"],\"cwd\":\"/"
      "tmp\","
      "\"user\":{\"uid\":%u,\"gid\":%u,\"umask\":63},\"oomScoreAdj\":1000,\"noNewPrivileges\":true,"
      "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":0}]}}",
      script, geteuid(), getegid());
}

static reaper_runtime *runtime;
static struct place place;

static reaper_create_options options_for(const char *config) {
  reaper_create_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.bundle = place.bundle;
  options.config = config;
  options.config_length = strlen(config);
  return options;
}

static int open_place(void **state) {
  (void)state;
  place_make(&place);
  return 0;
}

static int close_place(void **state) {
  (void)state;
  lib.reaper_runtime_free(runtime);
  runtime = NULL;
  place_remove(&place);
  return 0;
}

static void make_runtime(void) {
  const reaper_runtime_options options = {.size = sizeof options, .root = place.root};
  REQUIRE(lib.reaper_runtime_new(&options, &runtime, NULL) == REAPER_OK);
}

static void test_a_whole_life(void **state) {
  int children = 0;
  (void)state;
  reaper_container *container = NULL;
  reaper_container *second = NULL;
  char *text = NULL;
  int32_t number = 0;
  int result = 0;
  reaper_exit_status status = {.size = sizeof status};
  UNCHANGED(make_runtime());
  char *config = sleeping_config("sleep 1000");
  const reaper_create_options options = options_for(config);
  UNCHANGED(lib.reaper_runtime_root(runtime));
  UNCHANGED(result = lib.reaper_features(&text, NULL));
  lib.reaper_free(text);
  UNCHANGED(result += lib.reaper_plan(runtime, &options, &text, NULL));
  lib.reaper_free(text);
  UNCHANGED(result += lib.reaper_list(runtime, &text, NULL));
  lib.reaper_free(text);
  ADDS_DESCRIPTORS(1, result += lib.reaper_create(runtime, "life", &options, &container, NULL));
  ADDS_DESCRIPTORS(0, result += lib.reaper_open(runtime, "life", &second, NULL));
  assert_int_equal(result, 0);
  UNCHANGED(result += lib.reaper_state(container, &text, NULL));
  lib.reaper_free(text);
  UNCHANGED(result += lib.reaper_status(container, &number, NULL));
  UNCHANGED(result += lib.reaper_start(container, NULL));
  UNCHANGED(result += lib.reaper_status(second, &number, NULL));
  UNCHANGED(result += lib.reaper_pid(container, &number, NULL));
  UNCHANGED(result += lib.reaper_pidfd(container, &number, NULL); close(number));
  UNCHANGED(result += lib.reaper_list(runtime, &text, NULL));
  lib.reaper_free(text);
  UNCHANGED(assert_int_equal(lib.reaper_wait(container, 10, &status, NULL), REAPER_ERR_TIMEOUT));
  UNCHANGED(assert_int_equal(lib.reaper_start(container, NULL), REAPER_ERR_STATUS));
  UNCHANGED(assert_int_equal(lib.reaper_delete(container, 0, NULL), REAPER_ERR_STATUS));
  UNCHANGED(result += lib.reaper_kill(container, SIGTERM, REAPER_KILL_ALL, NULL));
  ADDS_DESCRIPTORS(-1, result += lib.reaper_wait(container, -1, &status, NULL));
  UNCHANGED(result += lib.reaper_state(container, &text, NULL));
  lib.reaper_free(text);
  UNCHANGED(result += lib.reaper_delete(container, 0, NULL));
  assert_int_equal(result, 0);
  UNCHANGED(assert_int_equal(lib.reaper_state(container, &text, NULL), REAPER_ERR_NOT_FOUND));
  lib.reaper_container_free(container);
  lib.reaper_container_free(second);
  free(config);
  assert_int_equal(changes, 0);
}

/* All that is freed is closed: after the last handle the table of descriptors is what it was. */
static void test_nothing_is_kept(void **state) {
  int children = 0;
  (void)state;
  char *before = take_picture(children);
  make_runtime();
  char *config = sleeping_config("exit 3");
  const reaper_create_options options = options_for(config);
  for (int round = 0; round < 5; ++round) {
    reaper_container *container = NULL;
    reaper_exit_status status = {.size = sizeof status};
    assert_int_equal(lib.reaper_create(runtime, "again", &options, &container, NULL), REAPER_OK);
    assert_int_equal(lib.reaper_start(container, NULL), REAPER_OK);
    assert_int_equal(lib.reaper_wait(container, -1, &status, NULL), REAPER_OK);
    assert_int_equal(status.exit_code, 3);
    assert_int_equal(lib.reaper_delete(container, 0, NULL), REAPER_OK);
    lib.reaper_container_free(container);
  }
  lib.reaper_runtime_free(runtime);
  runtime = NULL;
  char *after = take_picture(children);
  assert_int_equal(pictures_differ("a life with all handles freed", before, after), 0);
  free(after);
  free(before);
  free(config);
}

static void warm_up(void) {
  reaper_container *container = NULL;
  const reaper_create_options options = options_for("{\"ociVersion\":\"1.0.0\"}");
  REQUIRE(lib.reaper_create(runtime, "warm", &options, &container, NULL) == REAPER_OK);
  REQUIRE(lib.reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
  lib.reaper_container_free(container);
}

static void test_failing_calls(void **state) {
  int children = 0;
  (void)state;
  make_runtime();
  warm_up(); /* what the runtime keeps open is open */
  reaper_container *container = NULL;
  reaper_runtime *other = NULL;
  char *text = NULL;
  static const char *const configs[] = {
      "{",
      "{\"ociVersion\":\"2.0.0\"}",
      "{\"ociVersion\":\"1.0.0\",\"hostname\":\"x\"}",
      "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"x\"],\"cwd\":\"/\",\"user\":{\"uid\":-1,\"gid\":0}}}",
      "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"no-such-program\"],\"cwd\":\"/\"}}",
      "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/no/such/directory\"}}",
      "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/"
      "\",\"user\":{\"uid\":12346,\"gid\":1},"
      "\"capabilities\":{},\"umask\":1}}",
  };
  /* The last of them succeeds for root. */
  const size_t count = COUNT_OF(configs) - (is_root() ? 1 : 0);
  for (size_t i = 0; i < count; ++i) {
    const reaper_create_options options = options_for(configs[i]);
    UNCHANGED(assert_int_not_equal(lib.reaper_create(runtime, "x", &options, &container, NULL), REAPER_OK));
  }
  reaper_create_options options = options_for("{\"ociVersion\":\"1.0.0\"}");
  options.pid_file = "/no/such/directory/pid";
  UNCHANGED(assert_int_not_equal(lib.reaper_create(runtime, "x", &options, &container, NULL), REAPER_OK));
  UNCHANGED(assert_int_not_equal(lib.reaper_create(runtime, "../x", NULL, &container, NULL), REAPER_OK));
  options = options_for("");
  options.bundle = "/no/such/bundle";
  options.config = NULL;
  UNCHANGED(assert_int_not_equal(lib.reaper_create(runtime, "x", &options, &container, NULL), REAPER_OK));
  UNCHANGED(assert_int_not_equal(lib.reaper_plan(runtime, &options, &text, NULL), REAPER_OK));
  UNCHANGED(assert_int_not_equal(lib.reaper_open(runtime, "nobody", &container, NULL), REAPER_OK));
  UNCHANGED(assert_int_not_equal(lib.reaper_delete_id(runtime, "nobody", REAPER_DELETE_FORCE, NULL), REAPER_OK));
  const reaper_runtime_options bad = {.size = 3};
  UNCHANGED(assert_int_not_equal(lib.reaper_runtime_new(&bad, &other, NULL), REAPER_OK));
  UNCHANGED(assert_int_not_equal(lib.reaper_kill(NULL, 9, 0, NULL), REAPER_OK));
  reaper_error *error = NULL;
  UNCHANGED(lib.reaper_open(runtime, "nobody", &container, &error));
  UNCHANGED(lib.reaper_error_message(error); lib.reaper_error_pointer(error); lib.reaper_error_stage(error));
  UNCHANGED(lib.reaper_error_free(error));
  assert_int_equal(changes, 0);
}

/* The picture shows what it should: else nothing above means anything. */
static void test_the_picture_shows_changes(void **state) {
  int children = 0;
  (void)state;
  const int before = changes;
  int expected = 0;
  is_quiet = 1;
#define CHANGED(statement) \
  UNCHANGED(statement);    \
  assert_int_equal(changes, before + ++expected)
  const mode_t mask = umask(0);
  umask(mask);
  CHANGED(umask(mask ^ 1));
  CHANGED(umask(mask));
  CHANGED(signal(SIGUSR1, SIG_IGN));
  CHANGED(signal(SIGUSR1, SIG_DFL));
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  CHANGED(pthread_sigmask(SIG_BLOCK, &set, NULL));
  CHANGED(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
  CHANGED(prctl(PR_SET_CHILD_SUBREAPER, 1));
  CHANGED(prctl(PR_SET_CHILD_SUBREAPER, 0));
  CHANGED(prctl(PR_SET_DUMPABLE, 0));
  CHANGED(prctl(PR_SET_DUMPABLE, 1));
  CHANGED(setenv("REAPER_TEST_MARK", "1", 1));
  CHANGED(unsetenv("REAPER_TEST_MARK"));
  int fd = -1;
  CHANGED(fd = open("/dev/null", O_RDONLY));
  CHANGED(fcntl(fd, F_SETFD, FD_CLOEXEC));
  CHANGED(close(fd));
  fd = open(".", O_PATH | O_CLOEXEC);
  CHANGED(assert_int_equal(chdir("/proc"), 0));
  CHANGED(assert_int_equal(fchdir(fd), 0));
  close(fd);
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
  if (limit.rlim_cur > 0) {
    const struct rlimit lower = {0, limit.rlim_max};
    CHANGED(setrlimit(RLIMIT_CORE, &lower));
    CHANGED(setrlimit(RLIMIT_CORE, &limit));
  }
  changes = before;
  is_quiet = 0;
#undef CHANGED
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_loading),
      cmocka_unit_test_setup_teardown(test_a_whole_life, open_place, close_place),
      cmocka_unit_test_setup_teardown(test_nothing_is_kept, open_place, close_place),
      cmocka_unit_test_setup_teardown(test_failing_calls, open_place, close_place),
      cmocka_unit_test(test_the_picture_shows_changes),
  };
  return cmocka_run_group_tests_name("host_unchanged", tests, NULL, NULL);
}
