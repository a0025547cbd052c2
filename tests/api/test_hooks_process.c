/* What a hook is as a process: its caller's identity, nothing of its descriptors, masks or handlers; and hosts of many
 * kinds, none of which is changed. */
#include "hooks.h"
#include "picture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- identity ---- */

/* What `run` leaves in this process' standard output. */
static char *output_of_run(int (*run)(void *), void *argument) {
  const int file = memfd_create("output", MFD_CLOEXEC);
  const int saved = fcntl(1, F_DUPFD_CLOEXEC, 3);
  REQUIRE(file >= 0 && saved >= 0 && dup2(file, 1) == 1);
  const int result = run(argument);
  REQUIRE(dup2(saved, 1) == 1);
  REQUIRE(result == 0);
  char *path = text_of("/proc/self/fd/%d", file);
  char *text = read_whole(path);
  free(path);
  close(saved);
  close(file);
  return text;
}

static int exec_cat(void *unused) {
  (void)unused;
  execl("/bin/cat", "cat", "/proc/self/status", (char *)NULL);
  return 1;
}

static int run_plain(void *unused) {
  return in_child(exec_cat, unused);
}

static int run_hook(void *argument) {
  const struct scene *scene = argument;
  struct hook_list lists[] = {
      {"prestart", {text_of("{\"path\":\"/bin/cat\",\"args\":[\"cat\",\"/proc/self/status\"]}")}}};
  char *config = hooks_config(lists, COUNT_OF(lists));
  const reaper_create_options options = options_of(scene, config);
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  if (reaper_create(scene->runtime, "identity", &options, &container, &error) != REAPER_OK)
    return complain("reaper_create", error);
  free(config);
  const int bad = reaper_delete(container, REAPER_DELETE_FORCE, NULL) != REAPER_OK;
  reaper_container_free(container);
  return bad;
}

/* The hook against a program that this process executes itself; `scene` belongs to whom we are. */
static int compare(const struct scene *scene) {
  char *plain = output_of_run(run_plain, NULL);
  char *hook = output_of_run(run_hook, (void *)(uintptr_t)scene);
  static const char *const lines[] = {"Uid:",    "Gid:",    "Groups:", "CapInh:",     "CapPrm:", "CapEff:",
                                      "CapBnd:", "CapAmb:", "Umask:",  "NoNewPrivs:", "Seccomp:"};
  int bad = 0;
  for (size_t i = 0; i < COUNT_OF(lines); ++i) {
    char *wanted = line_value(plain, lines[i]);
    char *found = line_value(hook, lines[i]);
    if (wanted == NULL || found == NULL || strcmp(wanted, found) != 0) {
      dprintf(2, "%s is %s in a hook and %s in a plain child\n", lines[i], found, wanted);
      bad = 1;
    }
    free(found);
    free(wanted);
  }
  static const char *const none[] = {"SigBlk:", "SigIgn:", "SigCgt:"};
  for (size_t i = 0; i < COUNT_OF(none); ++i) {
    const uint64_t set = capability_set(hook, none[i]);
    if (set == 0) continue;
    dprintf(2, "%s is %llx in a hook\n", none[i], (unsigned long long)set);
    bad = 1;
  }
  free(hook);
  free(plain);
  return bad;
}

static int compare_as_we_are(void *unused) {
  (void)unused;
  struct scene scene;
  scene_open(&scene);
  umask(027);
  signal(SIGPIPE, SIG_IGN);
  sigset_t some;
  sigemptyset(&some);
  sigaddset(&some, SIGTERM);
  sigaddset(&some, SIGCHLD);
  sigprocmask(SIG_BLOCK, &some, NULL);
  const int bad = compare(&scene);
  scene_close(&scene);
  return bad;
}

static int compare_as_ordinary(void *unused) {
  return become_ordinary() != 0 || compare_as_we_are(unused);
}

static int compare_without_new_privileges(void *unused) {
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || compare_as_ordinary(unused);
}

/* An ordinary user who holds one capability, and hands it on or not: only what is ambient survives an execve. */
static int compare_with_capability(void *ambient) {
  const uint32_t bit = 1U << CAP_NET_BIND_SERVICE;
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
  data[0].permitted = data[0].effective = bit;
  data[0].inheritable = *(int *)ambient ? bit : 0;
  CHECK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
  CHECK(become_ordinary() == 0);
  CHECK(syscall(SYS_capset, &header, data) == 0);
  if (*(int *)ambient) CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) == 0);
  CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
  return compare_as_we_are(NULL);
}

static void test_identity(void **state) {
  (void)state;
  assert_int_equal(in_child(compare_as_we_are, NULL), 0);
  assert_int_equal(in_child(compare_as_ordinary, NULL), 0);
  assert_int_equal(in_child(compare_without_new_privileges, NULL), 0);
}

static void test_identity_with_capabilities(void **state) {
  (void)state;
  if (!is_root()) SKIP("needs root");
  if (!holds_capability("CapEff:", CAP_NET_BIND_SERVICE)) SKIP("CAP_NET_BIND_SERVICE is not held");
  for (int ambient = 0; ambient < 2; ++ambient) assert_int_equal(in_child(compare_with_capability, &ambient), 0);
}

/* ---- descriptors ---- */

/* The hook lists its descriptors by a program that has one of its own for that, and nothing else. */
static int hook_with_leaks(void *argument) {
  const int closed = *(int *)argument;
  struct scene scene;
  scene_open(&scene);
  struct hook_list lists[] = {
      {"prestart",
       {shell_hook(&scene, "exec 2> @/errors; ls /proc/self/fd > @/list", ""),
        shell_hook(&scene, "readlink /proc/self/fd/2 > @/second; exec 3<&0 > @/third; readlink /proc/self/fd/3", "")}}};
  char *config = hooks_config(lists, COUNT_OF(lists));
  for (int fd = 20; fd < 40; ++fd) CHECK(dup2(2, fd) == fd); /* not close-on-exec: a careless host's */
  const int errors = fcntl(2, F_DUPFD_CLOEXEC, 50);
  if (closed) {
    for (int fd = 0; fd < 3; ++fd) close(fd);
  }
  /* Our own descriptors come to lie at 0, 1 and 2 then. */
  reaper_runtime *runtime = NULL;
  const reaper_runtime_options runtime_options = {.size = sizeof runtime_options, .root = scene.place.root};
  int bad = reaper_runtime_new(&runtime_options, &runtime, NULL) != REAPER_OK;
  const reaper_create_options options = options_of(&scene, config);
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  const int result = reaper_create(runtime, "descriptors", &options, &container, &error);
  if (result == REAPER_OK) bad += reaper_delete(container, REAPER_DELETE_FORCE, NULL) != REAPER_OK;
  reaper_container_free(container);
  reaper_runtime_free(runtime);
  CHECK(dup2(errors, 2) == 2);
  if (result != REAPER_OK) return complain("reaper_create", error);
  char *list = text_in(&scene, "list");
  CHECK(strcmp(list, "0\n1\n2\n3\n") == 0); /* 3 is that of ls */
  free(list);
  char *second = text_in(&scene, "second");
  if (closed) CHECK(strcmp(second, "/dev/null\n") == 0);
  CHECK(strchr(second, '\n') != NULL);
  free(second);
  char *third = text_in(&scene, "third");
  CHECK(strncmp(third, "/memfd:reaper-state", 19) == 0);
  free(third);
  free(config);
  scene_close(&scene);
  return bad;
}

static void test_descriptors(void **state) {
  (void)state;
  for (int closed = 0; closed < 2; ++closed) assert_int_equal(in_child(hook_with_leaks, &closed), 0);
}

/* ---- hosts ---- */

static void reap_everybody(int number) {
  (void)number;
  const int saved = errno;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
  errno = saved;
}

/* A life whose hooks succeed, one whose hook fails, and one whose hook does not end. */
static int three_lives(const struct scene *scene, const char *id) {
  static const struct {
    const char *script, *more;
    int wanted;
    const char *part;
  } rows[] = {{"exit 0", "", REAPER_OK, ""},
              {"exit 21", "", REAPER_ERR_HOOK, "exit status 21"},
              {"sleep 1000 & sleep 1000", ",\"timeout\":1", REAPER_ERR_HOOK, "1 s and was killed"}};
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *config = hook_config(scene, "createRuntime", rows[i].script, rows[i].more);
    const reaper_create_options options = options_of(scene, config);
    reaper_container *container = NULL;
    reaper_error *error = NULL;
    const int result = reaper_create(scene->runtime, id, &options, &container, &error);
    if (result != rows[i].wanted || strstr(reaper_error_message(error), rows[i].part) == NULL) {
      dprintf(2, "%s gives %s, not %s\n", rows[i].script, reaper_error_name(result), reaper_error_name(rows[i].wanted));
      return complain("reaper_create", error);
    }
    reaper_error_free(error);
    free(config);
    if (result != REAPER_OK) continue;
    CHECK(reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
    reaper_container_free(container);
  }
  return 0;
}

static int lives_of_host(void *argument) {
  const struct sigaction *action = argument;
  CHECK(sigaction(SIGCHLD, action, NULL) == 0);
  struct scene scene;
  scene_open(&scene);
  const int bad = three_lives(&scene, "host");
  struct sigaction now;
  CHECK(sigaction(SIGCHLD, NULL, &now) == 0 && now.sa_handler == action->sa_handler);
  CHECK(count_entries(scene.place.root) == 0);
  scene_close(&scene);
  CHECK(count_children() == 0);
  return bad;
}

static void test_hosts_that_reap(void **state) {
  (void)state;
  struct sigaction actions[] = {{.sa_handler = SIG_IGN},
                                {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT},
                                {.sa_handler = reap_everybody},
                                {.sa_handler = reap_everybody, .sa_flags = SA_RESTART}};
  for (size_t i = 0; i < COUNT_OF(actions); ++i) assert_int_equal(in_child(lives_of_host, &actions[i]), 0);
}

static int lives_of_a_thread(void *argument, int number) {
  char id[20];
  snprintf(id, sizeof id, "thread-%d", number);
  return three_lives(argument, id);
}

static void test_eight_threads(void **state) {
  struct scene *scene = *state;
  warm_up(scene);
  const struct census before = take_census(scene->place.root);
  assert_int_equal(run_threads(8, lives_of_a_thread, scene), 0);
  assert_same_census(before, take_census(scene->place.root));
}

static void test_host_is_unchanged(void **state) {
  struct scene *scene = *state;
  warm_up(scene);
  char *before = take_picture(0);
  assert_int_equal(three_lives(scene, "picture"), 0);
  char *after = take_picture(0);
  assert_int_equal(pictures_differ("hooks", before, after), 0);
  free(after);
  free(before);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_identity),      TEST(test_identity_with_capabilities),
      TEST(test_descriptors),   TEST(test_hosts_that_reap),
      TEST(test_eight_threads), TEST(test_host_is_unchanged),
  };
  return cmocka_run_group_tests_name("hooks_process", tests, NULL, NULL);
}
