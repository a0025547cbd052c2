/*
 * The field's attacks through files and names: what changes between check and use, numbers that mean somebody else,
 * sockets that others reach. Named after the rows of docs/security.md.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "containers.h"

#define EXCHANGE (1U << 1) /* RENAME_EXCHANGE of linux/fs.h */

/* ---- Between check and use ---- */

struct swapper {
  char *here, *there; /* exchanged again and again */
  atomic_int stop;
};

static void* swap(void* argument) {
  struct swapper* swapper = argument;
  while (!atomic_load(&swapper->stop))
    (void)syscall(SYS_renameat2, AT_FDCWD, swapper->here, AT_FDCWD, swapper->there, EXCHANGE);
  return NULL;
}

static char* config_of(const char* word) {
  return text_of(
      "{\"ociVersion\":\"1.0.0\",\"annotations\":{\"first\":\"%s\",\"second\":\"%s\"},"
      "\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\"}}",
      word, word);
}

/* Creates while `there` takes the place of `here`: each is one or the other, or refused with `refused`. Counts both. */
static void create_meanwhile(const struct scene* scene, const char* bundle, int refused, int counts[2]) {
  for (int round = 0; round < 300; ++round) {
    reaper_create_options options = options_of(scene, NULL);
    options.bundle = bundle;
    reaper_container* container = NULL;
    reaper_error* error = NULL;
    const int result = reaper_create(scene->runtime, "swapped", &options, &container, &error);
    if (result != REAPER_OK) {
      if (result != refused) complain("create", error);
      REQUIRE(result == refused);
      reaper_error_free(error);
      ++counts[1];
      continue;
    }
    char* text = must_state(container);
    const int is_a = strstr(text, "\"first\":\"a\",\"second\":\"a\"") != NULL;
    const int is_b = strstr(text, "\"first\":\"b\",\"second\":\"b\"") != NULL;
    REQUIRE(is_a != is_b);
    ++counts[refused == REAPER_OK ? is_b : 0];
    reaper_free(text);
    REQUIRE(reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
    reaper_container_free(container);
  }
}

static void swap_and_create(const struct scene* scene, char* here, char* there, const char* bundle, int refused) {
  struct swapper swapper = {.here = here, .there = there};
  int counts[2] = {0, 0};
  const struct census before = take_census(scene->place.root);
  pthread_t thread;
  REQUIRE(pthread_create(&thread, NULL, swap, &swapper) == 0);
  create_meanwhile(scene, bundle, refused, counts);
  atomic_store(&swapper.stop, 1);
  pthread_join(thread, NULL);
  const int after = count_entries(scene->place.root);
  assert_int_equal(after, before.entries);
  print_message("%d of the one, %d of the other\n", counts[0], counts[1]);
}

static void test_config_swapped_between_check_and_use(void** state) {
  const struct scene* scene = *state;
  warm_up(scene);
  char* here = text_of("%s/config.json", scene->place.bundle);
  char* there = text_of("%s/other", scene->place.bundle);
  char *a = config_of("a"), *b = config_of("b");
  write_whole(here, a);
  write_whole(there, b);
  swap_and_create(scene, here, there, scene->place.bundle, REAPER_OK);
  /* A FIFO, a directory and a device that never ends: refused, never waited for or read. */
  unlink(there);
  assert_int_equal(mkfifo(there, 0644), 0);
  write_whole(here, a);
  swap_and_create(scene, here, there, scene->place.bundle, REAPER_ERR_INVALID);
  remove_tree(here);
  remove_tree(there);
  write_whole(here, a);
  assert_int_equal(symlink("/dev/zero", there), 0);
  swap_and_create(scene, here, there, scene->place.bundle, REAPER_ERR_INVALID);
  remove_tree(here);
  remove_tree(there);
  write_whole(here, a);
  assert_int_equal(mkdir(there, 0755), 0);
  swap_and_create(scene, here, there, scene->place.bundle, REAPER_ERR_INVALID);
  free(b);
  free(a);
  free(there);
  free(here);
}

/* The bundle is opened once: its config is from one of the directories, whichever the link led to. */
static void test_bundle_link_swapped(void** state) {
  const struct scene* scene = *state;
  warm_up(scene);
  char* paths[4] = {path_in(&scene->place, "a"), path_in(&scene->place, "b"), path_in(&scene->place, "link"),
                    path_in(&scene->place, "link2")};
  for (int i = 0; i < 2; ++i) {
    assert_int_equal(mkdir(paths[i], 0755), 0);
    char* config = config_of(i == 0 ? "a" : "b");
    char* file = text_of("%s/config.json", paths[i]);
    write_whole(file, config);
    assert_int_equal(symlink(paths[i], paths[i + 2]), 0);
    free(file);
    free(config);
  }
  swap_and_create(scene, paths[2], paths[3], paths[2], REAPER_OK);
  for (int i = 0; i < 4; ++i) free(paths[i]);
}

/* ---- R4: numbers that mean somebody else by now ---- */

static uint64_t fnv1a(const char* text, size_t size) {
  uint64_t state = 0xcbf29ce484222325U;
  for (size_t i = 0; i < size; ++i) state = (state ^ (unsigned char)text[i]) * 0x100000001b3U;
  return state;
}

static int sleep_for_ever(void* nothing) {
  (void)nothing;
  while (pause() != 0) continue;
  return 0;
}

/* The record as it would be if `pid` were the container's process: with the start time of the one that has gone. */
static void rewrite_record(const char* path, pid_t old, pid_t pid) {
  char* text = read_whole(path);
  char* before = text_of("\"init\":{\"pid\":%d,", (int)old);
  char* record = strstr(text, "\"record\":") + strlen("\"record\":");
  char* place = strstr(record, before);
  REQUIRE(place != NULL);
  char* end = text + strlen(text);
  while (end[-1] != '}') --end;
  --end; /* the frame's */
  char* made = text_of("%.*s\"init\":{\"pid\":%d,%.*s", (int)(place - record), record, (int)pid,
                       (int)(end - place - (ssize_t)strlen(before)), place + strlen(before));
  char* summed = text_of("1\n%s", made);
  char* frame = text_of("{\"version\":1,\"length\":%zu,\"checksum\":\"%016lx\",\"record\":%s}", strlen(made),
                        (unsigned long)fnv1a(summed, strlen(summed)), made);
  write_whole(path, frame);
  free(frame);
  free(summed);
  free(made);
  free(before);
  free(text);
}

static void rewrite_identity(const char* path, pid_t pid) {
  char* text = read_whole(path);
  char* rest = strchr(text, ' ');
  *(strrchr(text, ' ') + 1) = '\0';
  char* fields = text_of("%d%s", (int)pid, rest);
  char* line = text_of("%s%016lx\n", fields, (unsigned long)fnv1a(fields, strlen(fields)));
  write_whole(path, line);
  free(line);
  free(fields);
  free(text);
}

/* By the record, and where that is damaged, by the identity: nobody but the container's process is ever signalled. */
static void test_R4_reused_pid(void** state) {
  const struct scene* scene = *state;
  for (int damaged = 0; damaged < 2; ++damaged) {
    reaper_container* container = must_create(scene, "reused", "{\"ociVersion\":\"1.0.0\"}");
    const pid_t old = must_pid(container);
    assert_int_equal(kill(old, SIGKILL), 0);
    must_wait(container);
    reaper_container_free(container);
    sleep_ms(20); /* so that the innocent has another start time, which counts in hundredths of a second */
    const pid_t innocent = fork_body(sleep_for_ever, NULL);
    char* record = text_of("%s/reused/state.json", scene->place.root);
    char* identity = text_of("%s/reused/identity", scene->place.root);
    rewrite_identity(identity, innocent);
    if (damaged) {
      write_whole(record, "damaged");
    } else {
      rewrite_record(record, old, innocent);
      container = must_open(scene, "reused");
      assert_int_equal(must_pid(container), innocent); /* the trap is laid */
      assert_int_equal(must_status(container), REAPER_STATUS_STOPPED);
      reaper_error* error = NULL;
      assert_int_equal(reaper_kill(container, SIGKILL, 0, &error), REAPER_ERR_STATUS);
      reaper_error_free(error);
      assert_int_equal(reaper_kill(container, SIGKILL, REAPER_KILL_ALL, NULL), REAPER_OK);
      reaper_container_free(container);
    }
    assert_int_equal(reaper_delete_id(scene->runtime, "reused", REAPER_DELETE_FORCE, NULL), REAPER_OK);
    assert_int_equal(waitpid(innocent, NULL, WNOHANG), 0); /* alive */
    assert_int_equal(kill(innocent, SIGKILL), 0);
    assert_int_equal(exit_of(innocent), 128 + SIGKILL);
    free(identity);
    free(record);
  }
}

/* ---- R12 and row 21: sockets ---- */

/* How many of the sockets that /proc/PID/fd names are abstract ones; *all counts those with any name. */
static int abstract_sockets(pid_t pid, int* all) {
  char* sockets = read_whole("/proc/net/unix");
  int found = 0;
  for (int number = 0; number < 256; ++number) {
    char target[64] = "";
    char* path = text_of("/proc/%d/fd/%d", (int)pid, number);
    const ssize_t length = readlink(path, target, sizeof target - 1);
    free(path);
    unsigned long inode = 0;
    if (length <= 0 || sscanf(target, "socket:[%lu]", &inode) != 1) continue;
    char* wanted = text_of(" %lu ", inode);
    char* line = strstr(sockets, wanted);
    free(wanted);
    if (line == NULL) continue;
    line[strcspn(line, "\n")] = '\0';
    *all += strchr(line, '/') != NULL || strchr(line, '@') != NULL || strstr(line, "gate") != NULL;
    found += strchr(line, '@') != NULL;
    line[strlen(line)] = '\n';
  }
  free(sockets);
  return found;
}

static void test_R12_no_abstract_sockets(void** state) {
  if (!holds_capability("CapEff:", CAP_SYS_PTRACE)) SKIP("CAP_SYS_PTRACE is not held");
  const struct scene* scene = *state;
  reaper_create_options options = options_of(scene, "{\"ociVersion\":\"1.0.0\"}");
  options.flags = REAPER_CREATE_SUPERVISE;
  reaper_container* container = must_create_with(scene, "sockets", &options);
  int all = 0;
  assert_int_equal(abstract_sockets(must_pid(container), &all), 0);
  assert_true(all >= 1); /* the gate, at a path */
  assert_int_equal(abstract_sockets(getpid(), &all), 0);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
}

/* ---- R11: what a hook says is nobody's instruction ---- */

static void test_R11_output_of_hooks(void** state) {
  const struct scene* scene = *state;
  static const char config[] =
      "{\"ociVersion\":\"1.0.0\",\"hooks\":{\"createRuntime\":[{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\","
      "\"echo '{\\\"process\\\":{\\\"args\\\":[\\\"/bin/false\\\"],\\\"user\\\":{\\\"uid\\\":0,\\\"gid\\\":0}}}'\"]}]},"
      "\"process\":{\"args\":[\"/bin/sh\",\"-c\",\"grep -E '^(Uid|Gid|Groups|Cap|NoNew)' /proc/self/status\"],"
      "\"cwd\":\"/\",\"env\":[\"PATH=/bin:/usr/bin\"]}}";
  char* plain = output_of(scene, "grep -E '^(Uid|Gid|Groups|Cap|NoNew)' /proc/self/status", "");
  char* hooked = output_of_config(scene, config, options_of(scene, config));
  assert_string_equal(hooked, plain);
  free(hooked);
  free(plain);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_config_swapped_between_check_and_use, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_bundle_link_swapped, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_R4_reused_pid, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_R12_no_abstract_sockets, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_R11_output_of_hooks, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
