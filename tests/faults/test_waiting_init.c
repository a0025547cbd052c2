/* What a container holds while it waits: nothing of its host, in its descriptors, its environment or its signals. */
#include "containers.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char sleeper[] =
    "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"}}";

/* It closes the handshake a moment after create has returned. */
static int holds_five(void* path) {
  return count_entries(path) == 5;
}

/* A host's descriptor without close-on-exec, and one with a high number, are nothing that init needs: it keeps 0, 1 and
 * 2, the gate and its signals (CVE-2024-21626 began with one directory too many). */
static void test_descriptors(void** state) {
  const struct scene* scene = *state;
  if (!is_root()) SKIP("needs root"); /* init is not dumpable: its /proc files are root's */
  const int leaking = open("/", O_RDONLY | O_DIRECTORY);
  const int high = fcntl(leaking, F_DUPFD, 700);
  assert_true(leaking >= 0 && high >= 700);
  reaper_container* container = must_create(scene, "waiting", sleeper);
  char* path = text_of("/proc/%d/fd", (int)must_pid(container));
  assert_true(wait_until(holds_five, path));
  int others = 0;
  DIR* directory = opendir(path);
  assert_non_null(directory);
  for (const struct dirent* entry; (entry = readdir(directory)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    char target[256] = "";
    char* link = text_of("%s/%s", path, entry->d_name);
    assert_true(readlink(link, target, sizeof target - 1) > 0);
    free(link);
    const int known = strcmp(target, "/dev/null") == 0 || strncmp(target, "socket:", 7) == 0 ||
                      strcmp(target, "anon_inode:[signalfd]") == 0;
    if (!known) print_message("init holds %s: %s\n", entry->d_name, target);
    others += !known;
  }
  closedir(directory);
  assert_int_equal(others, 0);
  free(path);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  close(high);
  close(leaking);
}

/* What a host has in its environment may be a secret; /proc/PID/environ would show it. */
static void test_environment(void** state) {
  const struct scene* scene = *state;
  if (!is_root()) SKIP("needs root");
  assert_int_equal(setenv("REAPER_TEST_SECRET", "hush", 1), 0);
  reaper_container* container = must_create(scene, "waiting", sleeper);
  char* path = text_of("/proc/%d/environ", (int)must_pid(container));
  char* environment = read_whole(path);
  assert_non_null(environment);
  assert_string_equal(environment, "");
  free(environment);
  free(path);
  unsetenv("REAPER_TEST_SECRET");
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
}

/* ---- signals to a whole process group, in every moment of a create ---- */

static pid_t host_pid;
static atomic_int strangers; /* handlers that ran in another process, in the host's memory */
static atomic_int storming;

static void note_pid(int signal) {
  (void)signal;
  if (syscall(SYS_getpid) != host_pid) atomic_fetch_add(&strangers, 1);
}

static void* storm(void* unused) {
  (void)unused;
  while (atomic_load(&storming)) kill(0, SIGUSR1); /* the group that this process has made for itself */
  return NULL;
}

static int create_in_a_storm(void* unused) {
  (void)unused;
  CHECK(setpgid(0, 0) == 0);
  CHECK(getpgrp() == getpid());
  host_pid = getpid();
  struct sigaction action = {.sa_handler = note_pid, .sa_flags = SA_RESTART};
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  struct scene scene;
  scene_open(&scene);
  atomic_store(&storming, 1);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, storm, NULL) == 0);
  int bad = 0;
  for (int round = 0; round < 300 && bad == 0; ++round) {
    const reaper_create_options options = options_of(&scene, sleeper);
    reaper_container* container = NULL;
    reaper_error* error = NULL;
    if (reaper_create(scene.runtime, "stormy", &options, &container, &error) != REAPER_OK) {
      bad = complain("create in a storm of signals", error);
      break;
    }
    bad = reaper_delete(container, REAPER_DELETE_FORCE, NULL) != REAPER_OK;
    reaper_container_free(container);
  }
  atomic_store(&storming, 0);
  pthread_join(thread, NULL);
  scene_close(&scene);
  CHECK(atomic_load(&strangers) == 0);
  return bad;
}

static void test_signals_between_clone_and_exec(void** state) {
  (void)state;
  assert_int_equal(in_child(create_in_a_storm, NULL), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(test_descriptors), TEST(test_environment),
                                     TEST(test_signals_between_clone_and_exec)};
  return cmocka_run_group_tests_name("waiting_init", tests, NULL, NULL);
}
