/* Hosts whose settings move, or are not what one expects: umask and working directory, the setuid family, SIGPIPE, who
 * waits for children, one arena, large descriptors, blocked signals, no working directory. */
#include "unruly.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- umask and working directory ---- */

/* Nobody else changes them: each call must find what the one before has left. */
static int move_about(const struct scene* scene, atomic_int* over) {
  static const mode_t masks[] = {0, 0777, 077, 0277};
  const char* const places[] = {"/", scene->place.bundle, "/proc/self"};
  const mode_t first = umask(masks[0]);
  const int home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  CHECK(home >= 0 && chdir(places[0]) == 0);
  for (size_t at = 1; atomic_load(over) == 0; ++at) {
    CHECK(umask(masks[at % COUNT_OF(masks)]) == masks[(at - 1) % COUNT_OF(masks)]);
    struct stat here, there;
    CHECK(stat(".", &here) == 0 && stat(places[(at - 1) % COUNT_OF(places)], &there) == 0);
    CHECK(here.st_ino == there.st_ino && here.st_dev == there.st_dev);
    CHECK(chdir(places[at % COUNT_OF(places)]) == 0);
    breathe();
  }
  CHECK(fchdir(home) == 0);
  close(home);
  umask(first);
  return 0;
}

static void test_umask_and_cwd_move(void** state) {
  (void)state;
  assert_lives_in((struct unruly){.name = "a umask and a working directory that move", .trouble = move_about});
}

/* ---- the setuid family ---- */

/* glibc interrupts every thread for each of them. */
static int set_the_same_ids(const struct scene* scene, atomic_int* over) {
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  (void)scene;
  while (atomic_load(over) == 0) {
    CHECK(seteuid(uid) == 0 && setegid(gid) == 0);
    CHECK(setreuid((uid_t)-1, uid) == 0 && setresgid((gid_t)-1, gid, (gid_t)-1) == 0);
    breathe();
  }
  return 0;
}

static void test_setuid_family(void** state) {
  (void)state;
  assert_lives_in((struct unruly){.name = "the setuid family at work", .trouble = set_the_same_ids});
}

/* ---- signals ---- */

static int ignore_pipe(struct scene* scene) {
  (void)scene;
  return signal(SIGPIPE, SIG_IGN) == SIG_ERR;
}

static int die_of_pipe(struct scene* scene) {
  (void)scene;
  return signal(SIGPIPE, SIG_DFL) == SIG_ERR;
}

static void test_sigpipe(void** state) {
  (void)state;
  assert_lives_in((struct unruly){.name = "SIGPIPE ignored", .prepare = ignore_pipe});
  assert_lives_in((struct unruly){.name = "SIGPIPE at its default", .prepare = die_of_pipe});
}

static int block_all(struct scene* scene) {
  sigset_t all;
  (void)scene;
  return sigfillset(&all) != 0 || pthread_sigmask(SIG_SETMASK, &all, NULL) != 0;
}

static void test_all_signals_blocked(void** state) {
  (void)state;
  assert_lives_in((struct unruly){.name = "all signals blocked", .prepare = block_all});
}

/* ---- somebody who waits for everybody ---- */

static int reap_by(atomic_int* over, int flags) {
  while (atomic_load(over) == 0) {
    const pid_t pid = waitpid(-1, NULL, flags);
    CHECK(pid >= 0 || errno == ECHILD || errno == EINTR);
    if (pid <= 0) breathe();
  }
  return 0;
}

static int reap_what_has_ended(const struct scene* scene, atomic_int* over) {
  (void)scene;
  return reap_by(over, WNOHANG);
}

static int wait_for_everybody(const struct scene* scene, atomic_int* over) {
  (void)scene;
  return reap_by(over, 0);
}

static void test_others_reap(void** state) {
  (void)state;
  assert_lives_in((struct unruly){.name = "a thread that reaps", .trouble = reap_what_has_ended, .reaps = 1});
  assert_lives_in((struct unruly){.name = "a thread that waits for any", .trouble = wait_for_everybody, .reaps = 1});
}

/* ---- descriptors ---- */

/* Whatever the library opens from here on has a number above 5000. */
static int fill_descriptors(struct scene* scene) {
  struct rlimit limit;
  (void)scene;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max < 6000 ? limit.rlim_max : 6000;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  for (int fd = 3; fd <= 5000; ++fd)
    if (fcntl(fd, F_GETFD) < 0) CHECK(dup2(2, fd) == fd); /* not close-on-exec */
  return 0;
}

static void test_descriptors_above_5000(void** state) {
  (void)state;
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max < 5100) SKIP("RLIMIT_NOFILE is below 5100");
  assert_lives_in((struct unruly){.name = "5000 descriptors", .prepare = fill_descriptors});
}

/* ---- no working directory ---- */

static int lose_directory(struct scene* scene) {
  char* path = path_in(&scene->place, "gone");
  CHECK(mkdir(path, 0755) == 0 && chdir(path) == 0 && rmdir(path) == 0);
  free(path);
  /* What is relative to it says so. */
  const reaper_create_options options = {.size = sizeof options};
  const reaper_runtime_options relative = {.size = sizeof relative, .root = "relative"};
  reaper_container* container = NULL;
  reaper_runtime* runtime = NULL;
  reaper_error* error = NULL;
  struct expected expected = {REAPER_ERR_SYSTEM, ENOENT, "bundle", "", "getcwd: ENOENT"};
  CHECK(!error_differs(reaper_create(scene->runtime, "gone", &options, &container, &error), &error, &expected));
  expected.stage = "state-directory";
  expected.part = "find the working directory: ENOENT";
  CHECK(!error_differs(reaper_runtime_new(&relative, &runtime, &error), &error, &expected));
  return 0;
}

static void test_deleted_working_directory(void** state) {
  (void)state;
  assert_lives_in((struct unruly){.name = "no working directory", .prepare = lose_directory});
}

/* ---- one arena for all threads ---- */

#define ONE_ARENA "--one-arena"

struct storm {
  struct scene scene;
  atomic_int creators;
};

static int allocate_or_create(void* argument, int number) {
  struct storm* storm = argument;
  if (number >= 4) {
    while (atomic_load(&storm->creators) > 0) {
      for (size_t size = 1; size < 100000; size = size * 3 + 1) {
        char* block = malloc(size);
        CHECK(block != NULL);
        block[size - 1] = 1;
        free(block);
      }
    }
    return 0;
  }
  char* id = text_of("arena-%d", number);
  char* config = shell_config("exit 6", "");
  int bad = 0;
  for (int round = 0; round < 10 && bad == 0; ++round) bad = quiet_life(storm->scene.runtime, id, config, 6);
  free(config);
  free(id);
  atomic_fetch_sub(&storm->creators, 1);
  return bad;
}

static int live_in_one_arena(void) {
  struct storm storm;
  CHECK(getenv("MALLOC_ARENA_MAX") != NULL);
  scene_open(&storm.scene);
  warm_up(&storm.scene);
  atomic_store(&storm.creators, 4);
  char* before = settings_of_the_host();
  const int bad = run_threads(8, allocate_or_create, &storm) + settings_differ(before);
  free(before);
  CHECK(count_entries(storm.scene.place.root) == 0);
  scene_close(&storm.scene);
  return bad;
}

static int execute_with_one_arena(void* argument) {
  (void)argument;
  char* self = realpath("/proc/self/exe", NULL);
  CHECK(self != NULL && setenv("MALLOC_ARENA_MAX", "1", 1) == 0);
  execl(self, self, ONE_ARENA, (char*)NULL);
  return 1;
}

static void test_one_arena(void** state) {
  (void)state;
  assert_int_equal(in_child(execute_with_one_arena, NULL), 0);
}

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], ONE_ARENA) == 0) return live_in_one_arena();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_umask_and_cwd_move),
      cmocka_unit_test(test_setuid_family),

      cmocka_unit_test(test_sigpipe),
      cmocka_unit_test(test_all_signals_blocked),
      cmocka_unit_test(test_others_reap),
      cmocka_unit_test(test_descriptors_above_5000),
      cmocka_unit_test(test_deleted_working_directory),
      cmocka_unit_test(test_one_arena),
  };
  return cmocka_run_group_tests_name("unruly_host", tests, NULL, NULL);
}
