/* See unruly.h. */
#include "unruly.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 12 /* four of each kind of life */

/* ---- what must be as before ---- */

/* Without the two signals that glibc keeps for itself: it catches them when first there is a reason to. */
static uint64_t signals_of(const char* status, const char* line) {
  return capability_set(status, line) & ~(UINT64_C(3) << 31);
}

char* settings_of_the_host(void) {
  uint64_t mask = 0;
  struct rlimit files;
  char cwd[4096] = "";
  char* status = read_whole("/proc/self/status");
  REQUIRE(status != NULL);
  REQUIRE(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof mask) == 0);
  REQUIRE(getrlimit(RLIMIT_NOFILE, &files) == 0);
  REQUIRE(readlink("/proc/self/cwd", cwd, sizeof cwd - 1) > 0);
  char* mode = line_value(status, "Umask:");
  char* users = line_value(status, "Uid:");
  char* text =
      text_of("mask %llx umask %s uid %s ignored %llx caught %llx cwd %s files %llu descriptors %d children %d",
              (unsigned long long)mask, mode, users, (unsigned long long)signals_of(status, "SigIgn:"),
              (unsigned long long)signals_of(status, "SigCgt:"), cwd, (unsigned long long)files.rlim_cur,
              count_entries("/proc/self/fd"), count_children());
  free(mode);
  free(users);
  free(status);
  return text;
}

int settings_differ(const char* before) {
  char* after = settings_of_the_host();
  const int differ = strcmp(before, after) != 0;
  if (differ) dprintf(2, "the host was\n  %s\nand is\n  %s\n", before, after);
  free(after);
  return differ;
}

/* ---- one life, and what its program had ---- */

static const char script[] =
    "umask; pwd; grep -E 'SigBlk|SigIgn' /proc/self/status; ls /proc/self/fd; grep -E 'Uid|Gid' /proc/self/status; "
    "exit 7";

char* expected_output(void) {
  const unsigned uid = getuid(), gid = getgid();
  return text_of(
      "0027\n/usr\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0\n1\n2\n3\nUid:\t%u\t%u\t%u\t%u\n"
      "Gid:\t%u\t%u\t%u\t%u\n",
      uid, uid, uid, uid, gid, gid, gid, gid);
}

char* life_config(enum kind kind) {
  char* quoted = json_string(script);
  char* config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sh\",\"-c\",%s],\"cwd\":\"/usr\",\"env\":[\"PATH=/usr/"
      "bin:/bin\"],\"user\":{\"uid\":%u,\"gid\":%u,\"umask\":23}}%s}",
      quoted, getuid(), getgid(),
      kind == HOOKED
          ? ",\"hooks\":{\"createRuntime\":[{\"path\":\"/bin/true\"}],\"poststop\":[{\"path\":\"/bin/true\"}]}"
          : "");
  free(quoted);
  return config;
}

/* R9: whatever the umask is meanwhile. */
static int modes_are_private(const struct scene* scene, const char* id) {
  static const struct {
    const char* name;
    mode_t mode;
  } rows[] = {{"", 0700}, {"/state.json", 0600}, {"/owner", 0600}, {"/identity", 0600}};
  struct stat status;
  CHECK(stat(scene->place.root, &status) == 0 && (status.st_mode & 07777) == 0700);
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char* path = text_of("%s/%s%s", scene->place.root, id, rows[i].name);
    const int bad = stat(path, &status) != 0 || (status.st_mode & 07777) != rows[i].mode;
    if (bad) dprintf(2, "%s has the mode %o\n", path, status.st_mode & 07777);
    free(path);
    if (bad) return 1;
  }
  return 0;
}

static int status_is(const reaper_container* container, const char* wanted) {
  char* text = NULL;
  reaper_error* error = NULL;
  if (reaper_state(container, &text, &error) != REAPER_OK) return complain("state", error);
  char* part = text_of("\"status\":\"%s\"", wanted);
  const int bad = strstr(text, part) == NULL;
  if (bad) dprintf(2, "not %s: %s\n", wanted, text);
  free(part);
  reaper_free(text);
  return bad;
}

/* Somebody else may have reaped it: then PIDFD_GET_INFO tells (Linux 6.15), or UNKNOWN is the answer, never a number.
 */
static int ends_with_seven(const reaper_container* container, int may_be_unknown) {
  reaper_exit_status status = {.size = sizeof status};
  reaper_error* error = NULL;
  const int result = reaper_wait(container, LIMIT_MS, &status, &error);
  if (result == REAPER_ERR_UNKNOWN && may_be_unknown && !kernel_is_at_least(6, 15)) {
    reaper_error_free(error);
    return 0;
  }
  if (result != REAPER_OK) return complain("wait", error);
  CHECK(status.exit_code == 7 && status.signal == 0);
  return 0;
}

static int life_with_output(const struct scene* scene, enum kind kind, int reaps, int output) {
  char* config = life_config(kind);
  reaper_create_options options = options_of(scene, config);
  options.flags = REAPER_CREATE_STDIO | (kind == SUPERVISED ? REAPER_CREATE_SUPERVISE : 0U);
  options.stdio[0] = -1;
  options.stdio[1] = output;
  options.stdio[2] = 2;
  reaper_container* container = NULL;
  reaper_error* error = NULL;
  const int created = reaper_create(scene->runtime, "unruly", &options, &container, &error);
  free(config);
  if (created != REAPER_OK) return complain("create", error);
  CHECK(modes_are_private(scene, "unruly") == 0);
  CHECK(status_is(container, "created") == 0);
  if (reaper_start(container, &error) != REAPER_OK) return complain("start", error);
  CHECK(ends_with_seven(container, reaps && kind != SUPERVISED) == 0);
  CHECK(status_is(container, "stopped") == 0);
  if (reaper_delete(container, 0, &error) != REAPER_OK) return complain("delete", error);
  reaper_container_free(container);
  return 0;
}

int checked_life(const struct scene* scene, enum kind kind, int reaps) {
  const int output = memfd_create("output", MFD_CLOEXEC);
  CHECK(output >= 0);
  int bad = life_with_output(scene, kind, reaps, output);
  char text[1000] = "";
  CHECK(pread(output, text, sizeof text - 1, 0) >= 0);
  close(output);
  char* expected = expected_output();
  if (bad == 0 && strcmp(text, expected) != 0) {
    dprintf(2, "the program had:\n%sand not:\n%s", text, expected);
    bad = 1;
  }
  free(expected);
  return bad;
}

/* A create that fails, and a start that nobody is there for any more: ways on which somebody hangs up. */
static int failing_lives(const struct scene* scene) {
  reaper_create_options options =
      options_of(scene, "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"/no/such\"],\"cwd\":\"/\"}}");
  reaper_container* container = NULL;
  reaper_error* error = NULL;
  CHECK(reaper_create(scene->runtime, "unruly", &options, &container, &error) == REAPER_ERR_EXEC);
  reaper_error_free(error);
  error = NULL;
  options = options_of(scene, "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\"}}");
  if (reaper_create(scene->runtime, "unruly", &options, &container, &error) != REAPER_OK)
    return complain("create", error);
  if (reaper_kill(container, SIGKILL, 0, &error) != REAPER_OK) return complain("kill", error);
  CHECK(reaper_start(container, &error) != REAPER_OK);
  reaper_error_free(error);
  CHECK(reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
  reaper_container_free(container);
  return 0;
}

/* ---- the host around it ---- */

void* make_trouble(void* argument) {
  struct troublemaker* maker = argument;
  return (void*)(intptr_t)maker->unruly->trouble(maker->scene, &maker->over);
}

static int lives_in_trouble(const struct unruly* unruly, const struct scene* scene) {
  struct troublemaker maker = {.unruly = unruly, .scene = scene};
  pthread_t thread;
  void* troubled = NULL;
  int bad = 0;
  if (unruly->trouble != NULL) CHECK(pthread_create(&thread, NULL, make_trouble, &maker) == 0);
  for (int round = 0; round < ROUNDS && bad == 0; ++round)
    bad = checked_life(scene, (enum kind)(round % KINDS), unruly->reaps);
  if (bad == 0) bad = failing_lives(scene);
  atomic_store(&maker.over, 1);
  if (unruly->trouble != NULL) CHECK(pthread_join(thread, &troubled) == 0);
  CHECK(troubled == NULL);
  return bad;
}

static int live_in(void* argument) {
  const struct unruly* unruly = argument;
  struct scene scene;
  scene_open(&scene);
  warm_up(&scene);
  if (unruly->prepare != NULL) CHECK(unruly->prepare(&scene) == 0);
  char* before = settings_of_the_host();
  int bad = lives_in_trouble(unruly, &scene);
  bad += settings_differ(before);
  free(before);
  CHECK(count_entries(scene.place.root) == 0);
  if (bad != 0) dprintf(2, "in a host with %s\n", unruly->name);
  scene_close(&scene);
  return bad;
}

void assert_lives_in(struct unruly unruly) {
  assert_int_equal(in_child(live_in, &unruly), 0);
}

void breathe(void) {
  const struct timespec pause = {.tv_nsec = 50000};
  nanosleep(&pause, NULL);
}
