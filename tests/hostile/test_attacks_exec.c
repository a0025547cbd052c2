/*
 * Attacks on what exec brings into a container: by descriptors that come with it, by its program's name, and by what is
 * in the container already. The numbers are the rows of docs/security.md.
 */
#include "processes.h"
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMESPACES \
  "{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"network\"}"
#define ROOT                                                                                                        \
  ",\"root\":{\"path\":\"rootfs\"},\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}]," \
  "\"linux\":{\"namespaces\":[" NAMESPACES "]}}"
#define BARE ",\"user\":{\"uid\":0,\"gid\":0},\"capabilities\":{}"

/* One whose program is this script of busybox'. */
static reaper_container* rooted(const struct scene* scene, const char* script, const char* process) {
  char* quoted = json_string(script);
  char* config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/busybox\",\"sh\",\"-c\",%s],\"env\":[\"PATH=/bin\"],"
      "\"cwd\":\"/\"%s}" ROOT,
      quoted, process);
  reaper_container* container = must_run(scene, "rooted", config);
  free(config);
  free(quoted);
  return container;
}

static char* busybox_process(const char* script, const char* cwd, const char* more) {
  char* quoted = json_string(script);
  char* process = text_of("{\"args\":[\"/bin/busybox\",\"sh\",\"-c\",%s],\"env\":[\"PATH=/bin\"],\"cwd\":\"%s\"%s}",
                          quoted, cwd, more);
  free(quoted);
  return process;
}

/* A directory of the host's at each of these descriptors, which nobody has said close-on-exec of. */
enum { first_open = 3, last_open = 24 };
static void open_everywhere(const char* path) {
  const int directory = open(path, O_RDONLY | O_DIRECTORY);
  assert_true(directory >= 0);
  for (int number = first_open; number <= last_open; ++number)
    if (fcntl(number, F_GETFD) < 0) assert_int_equal(dup2(directory, number), number);
}

/* Row 1: whatever the caller has open, the program has its three, and none while it was on its way. */
static void test_row1_descriptors_of_exec(void** state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene* scene = *state;
  reaper_container* container = rooted(scene, "busybox sleep 1000", "");
  open_everywhere("/");
  char* process = busybox_process("busybox ls /proc/self/fd | busybox wc -l", "/", "");
  char* text = output_of_exec(container, exec_options(process));
  assert_string_equal(text, "4\n"); /* 0 to 2, and the directory that ls reads */
  free(text);
  free(process);
  end(container);
}

/*
 * Row 1: a program of the container's that looks, all the while, for a process of its namespace whose root by a
 * descriptor is another than its own. The further process has no capability, as the watcher has none: nothing but that
 * it is not dumpable keeps the one out of the other.
 */
static void test_row1_watched_from_inside(void** state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene* scene = *state;
  file_in_root(scene, "/inside", "");
  static const char watch[] =
      "while [ ! -e /stop ]; do for p in /proc/[0-9]*; do [ $p = /proc/1 ] && continue;"
      "for f in $p/fd/* $p/cwd $p/root; do [ -d $f/bin ] && [ ! -e $f/inside ] && [ -d $f/bin ] && exit 3; done; done; "
      "done; exit 0";
  reaper_container* container = rooted(scene, watch, BARE);
  open_everywhere("/");
  char* process = busybox_process("exit 0", "/", BARE);
  for (int round = 0; round < 100 && must_status(container) == REAPER_STATUS_RUNNING; ++round) {
    reaper_process* visitor = must_exec(container, process);
    assert_int_equal(must_end(visitor).exit_code, 0);
    reaper_process_free(visitor);
  }
  file_in_root(scene, "/stop", "");
  assert_int_equal(must_wait(container).exit_code, 0);
  must_delete(container);
  free(process);
}

/* Row 10: a working directory, and a program, by a descriptor (CVE-2024-21626). */
static void test_row10_a_way_out_by_descriptor(void** state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene* scene = *state;
  reaper_container* container = rooted(scene, "busybox sleep 1000", "");
  open_everywhere("/");
  const struct census before = take_census(scene->place.root);
  for (int number = 0; number <= last_open; ++number) {
    char* cwd = text_of("/proc/self/fd/%d", number);
    char* process = busybox_process("true", cwd, "");
    reaper_process* made = NULL;
    reaper_error* error = NULL;
    reaper_exec_options options = exec_options(process);
    assert_true(reaper_exec(container, &options, &made, &error) != REAPER_OK);
    assert_string_equal(reaper_error_pointer(error), "/process/cwd");
    reaper_error_free(error);
    free(process);
    process = text_of("{\"args\":[\"/proc/self/fd/%d/bin/sh\"],\"cwd\":\"/\"}", number);
    options = exec_options(process);
    assert_code(reaper_exec(container, &options, &made, &error), &error, REAPER_ERR_EXEC);
    free(process);
    free(cwd);
  }
  /* One that was handed over on purpose is the program's; still nobody begins in it. */
  const int32_t given = last_open;
  char* process = busybox_process("true", "/proc/self/fd/3", "");
  reaper_exec_options options = exec_options(process);
  options.extra_fds = &given;
  options.extra_fd_count = 1;
  refused_exec_with(container, options,
                    (struct expected){REAPER_ERR_INVALID, 0, "getcwd", "/process/cwd", "outside the root directory"});
  free(process);
  assert_same_census(before, take_census(scene->place.root));
  end(container);
}

/* Row 2: by its own file the program gets reaper-init's image, which is sealed (CVE-2019-5736). */
static void test_row2_exec_of_its_own_file(void** state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene* scene = *state;
  reaper_container* container = rooted(scene, "busybox sleep 1000", "");
  reaper_process* made = must_exec(container, "{\"args\":[\"/proc/self/exe\",\"3\"],\"cwd\":\"/\"}");
  const reaper_exit_status status = must_end(made);
  assert_int_equal(status.exit_code, 1); /* a reaper-init that nobody talks to */
  reaper_process_free(made);
  end(container);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_row1_descriptors_of_exec, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row1_watched_from_inside, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row10_a_way_out_by_descriptor, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row2_exec_of_its_own_file, root_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
