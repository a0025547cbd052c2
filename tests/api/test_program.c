/* What the program is given: bundle or text, descriptors, environment, session; and the pid file. */
#include "containers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char sleeper[] =
    "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"}}";

static void assert_state_says(const reaper_container *container, const char *part) {
  char *state = must_state(container);
  assert_contains(state, part);
  reaper_free(state);
}

/* The specification: edits of config.json after create change nothing. */
static void test_later_edits_change_nothing(void **state) {
  const struct scene *scene = *state;
  char *path = text_of("%s/config.json", scene->place.bundle);
  char *config = shell_config("exit 11", "");
  write_whole(path, config);
  reaper_container *container = must_create(scene, "edits", NULL);
  char *other = shell_config("exit 22", ",\"noNewPrivileges\":true");
  write_whole(path, other);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 11);
  must_delete(container);
  unlink(path);
  free(other);
  free(config);
  free(path);
}

static void test_bundle_or_text(void **state) {
  const struct scene *scene = *state;
  char *path = text_of("%s/config.json", scene->place.bundle);
  char *from_file = shell_config("exit 3", "");
  char *from_text = shell_config("exit 4", "");
  write_whole(path, from_file);
  /* The text wins, and needs no NUL behind it. */
  char *unended = text_of("%sGARBAGE", from_text);
  reaper_create_options options = options_of(scene, unended);
  options.config_length = strlen(from_text);
  reaper_container *container = must_create_with(scene, "text", &options);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 4);
  must_delete(container);

  /* A bundle of NULL is the working directory, with or without options at all. */
  const int here = open(".", O_PATH | O_CLOEXEC);
  assert_int_equal(chdir(scene->place.bundle), 0);
  container = must_create_with(scene, "cwd", NULL);
  assert_int_equal(fchdir(here), 0);
  char *bundle = text_of("\"bundle\":\"%s\"", scene->place.bundle);
  assert_state_says(container, bundle);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 3);
  must_delete(container);

  /* A relative one is made absolute. */
  assert_int_equal(chdir(scene->place.directory), 0);
  options = options_of(scene, NULL);
  options.bundle = "bundle";
  container = must_create_with(scene, "relative", &options);
  assert_int_equal(fchdir(here), 0);
  close(here);
  assert_state_says(container, bundle);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 3);
  must_delete(container);
  unlink(path);
  free(bundle);
  free(unended);
  free(from_text);
  free(from_file);
  free(path);
}

static void test_stdio_default_is_null(void **state) {
  const struct scene *scene = *state;
  char *marker = path_in(&scene->place, "marker");
  char *script = text_of("for i in 0 1 2; do readlink /proc/$$/fd/$i; done > %s", marker);
  char *config = shell_config(script, "");
  reaper_container *container = must_create(scene, "null", config);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 0);
  must_delete(container);
  char *text = read_whole(marker);
  /* The redirection is of the loop's, in the same shell: 1 is the file while it runs. */
  char *wanted = text_of("/dev/null\n%s\n/dev/null\n", marker);
  assert_string_equal(text, wanted);
  free(wanted);
  free(text);
  free(config);
  free(script);
  free(marker);
}

static void test_stdio_given_in_any_order(void **state) {
  const struct scene *scene = *state;
  char *path = path_in(&scene->place, "input");
  write_whole(path, "hello\n");
  const int input = open(path, O_RDONLY | O_CLOEXEC);
  int out[2];
  assert_int_equal(pipe2(out, O_CLOEXEC), 0);
  char *config = shell_config("read word; echo \"out $word\"; echo \"err $word\" >&2", "");
  reaper_create_options options = options_of(scene, config);
  options.flags = REAPER_CREATE_STDIO;
  options.stdio[0] = input;
  options.stdio[1] = out[1];
  options.stdio[2] = out[1];
  reaper_container *container = must_create_with(scene, "stdio", &options);
  close(input);
  close(out[1]); /* they stay ours, and nothing else keeps them open: end of file comes */
  must_start(container);
  char text[100] = "";
  size_t used = 0;
  for (ssize_t got; (got = read(out[0], text + used, sizeof text - 1 - used)) > 0;) used += (size_t)got;
  assert_string_equal(text, "out hello\nerr hello\n");
  close(out[0]);
  must_wait(container);
  must_delete(container);
  free(config);
  free(path);
}

static void test_extra_descriptors(void **state) {
  const struct scene *scene = *state;
  char *first = path_in(&scene->place, "first");
  char *second = path_in(&scene->place, "second");
  write_whole(first, "one\n");
  write_whole(second, "two\n");
  const int32_t fds[] = {open(second, O_RDONLY | O_CLOEXEC), open(first, O_RDONLY | O_CLOEXEC)};
  char *config = shell_config("cat <&3; cat <&4; exec ls /proc/self/fd", "");
  reaper_create_options options = options_of(scene, config);
  options.extra_fds = fds;
  options.extra_fd_count = 2;
  char *text = output_of_config(scene, config, options);
  assert_string_equal(text, "two\none\n0\n1\n2\n3\n4\n5\n"); /* 5: the directory that ls reads */
  assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);          /* unchanged here */
  close(fds[0]);
  close(fds[1]);
  free(text);
  free(config);
  free(second);
  free(first);
}

static void test_no_descriptor_leaks(void **state) {
  const struct scene *scene = *state;
  const int inheritable = open("/dev/zero", O_RDONLY); /* without close-on-exec */
  assert_true(inheritable > 2);
  char *text = output_of(scene, "echo /proc/$$/fd/*", "");
  char *listed = text_of("/proc/%d/", atoi(text + strlen("/proc/")));
  /* dash has 0, 1 and 2 only; the glob itself needs one for a moment (3). */
  char *wanted = text_of("%sfd/0 %sfd/1 %sfd/2", listed, listed, listed);
  assert_contains(text, wanted);
  assert_null(strstr(text, "fd/4"));
  close(inheritable);
  free(wanted);
  free(listed);
  free(text);
}

static void test_pid_file(void **state) {
  const struct scene *scene = *state;
  char *path = path_in(&scene->place, "pid");
  reaper_create_options options = options_of(scene, sleeper);
  options.pid_file = path;
  write_whole(path, "an old one that is much longer than any pid");
  reaper_container *container = must_create_with(scene, "pid-file", &options);
  char *wanted = text_of("%d", (int)must_pid(container));
  char *text = read_whole(path);
  assert_string_equal(text, wanted); /* digits only, no newline */
  free(text);
  free(wanted);
  reaper_error *error = NULL;
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, &error), REAPER_OK);
  reaper_container_free(container);
  free(path);
}

/* The program's environment is exactly process.env. */
static void test_environment_is_exact(void **state) {
  const struct scene *scene = *state;
  char *config = process_config("\"args\":[\"env\"],\"cwd\":\"/\",\"env\":[\"PATH=/usr/bin:/bin\",\"A=b c\",\"E=\"]");
  char *text = output_of_config(scene, config, options_of(scene, config));
  assert_string_equal(text, "PATH=/usr/bin:/bin\nA=b c\nE=\n");
  free(text);
  free(config);
}

/* A session of its own: the program must not have the caller's terminal. */
static void test_session_and_parent(void **state) {
  const struct scene *scene = *state;
  char *text = output_of(scene, "cut -d' ' -f4-7 /proc/$$/stat; echo $$", "");
  int parent = 0, group = 0, session = 0, terminal = 1, pid = 0;
  assert_int_equal(sscanf(text, "%d %d %d %d\n%d", &parent, &group, &session, &terminal, &pid), 5);
  assert_int_equal(parent, getpid()); /* nothing in between */
  assert_int_equal(session, pid);
  assert_int_equal(group, pid);
  assert_int_equal(terminal, 0);
  free(text);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_later_edits_change_nothing),
      TEST(test_bundle_or_text),
      TEST(test_stdio_default_is_null),
      TEST(test_stdio_given_in_any_order),
      TEST(test_extra_descriptors),
      TEST(test_no_descriptor_leaks),
      TEST(test_pid_file),
      TEST(test_environment_is_exact),
      TEST(test_session_and_parent),
  };
  return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
