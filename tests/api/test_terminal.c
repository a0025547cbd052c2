/* process.terminal: the terminal itself, its end at every moment, and who takes it. */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "denial.h"

static void write_text(int fd, const char *text) {
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void end_and_delete(reaper_container *container) {
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
}

/* ---- The terminal ---- */

static void test_program_has_a_terminal(void **state) {
  need_terminals();
  const struct scene *scene = *state;
  char *config = terminal_config(
      "test -t 0 && test -t 1 && test -t 2 && echo three; tty; stty size; cut -d' ' -f5-8 /proc/$$/stat; echo $$; "
      "ls -1 /proc/$$/fd; echo to-tty > /dev/tty; read line; echo \"got $line\"",
      ",\"consoleSize\":{\"height\":33,\"width\":111}");
  int32_t master;
  reaper_container *container = must_create_terminal(scene, "tty", config, &master);
  assert_true(fcntl(master, F_GETFD) & FD_CLOEXEC);
  unsigned number = 0;
  assert_int_equal(ioctl(master, TIOCGPTN, &number), 0);
  must_start(container);
  char *before = read_until(master, "to-tty\r\n");
  write_text(master, "hello\n");
  char *after = read_to_end(master);
  assert_int_equal(must_wait(container).exit_code, 0);

  int group = 0, session = 0, device = 0, foreground = 0, pid = 0, path = 0;
  assert_int_equal(sscanf(before, "three\r\n/dev/pts/%d\r\n33 111\r\n%d %d %d %d\r\n%d", &path, &group, &session,
                          &device, &foreground, &pid),
                   6);
  assert_int_equal(path, number);
  assert_int_equal(pid, must_pid(container));
  assert_int_equal(group, pid); /* it leads a session whose terminal this is, in the foreground */
  assert_int_equal(session, pid);
  const unsigned minor = (number & 0xff) | (number & ~0xffU) << 12; /* proc(5), tty_nr */
  assert_int_equal(device, 136 << 8 | minor);
  assert_int_equal(foreground, pid);
  assert_contains(before, "\r\n0\r\n1\r\n2\r\nto-tty\r\n"); /* no other descriptor */
  assert_string_equal(after, "hello\r\ngot hello\r\n");     /* with its echo */
  close(master);
  must_delete(container);
  free(after);
  free(before);
  free(config);
}

/* Without consoleSize the size is the kernel's, and the owner of the master may set it at any time. */
static void test_size(void **state) {
  need_terminals();
  const struct scene *scene = *state;
  char *config = terminal_config("trap 'stty size; exit 0' WINCH; stty size; while :; do sleep 0.1; done", "");
  int32_t master;
  reaper_container *container = must_create_terminal(scene, "size", config, &master);
  must_start(container);
  free(read_until(master, "0 0\r\n"));
  const struct winsize size = {.ws_row = 50, .ws_col = 132};
  assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
  free(read_until(master, "50 132\r\n"));
  assert_int_equal(must_wait(container).exit_code, 0);
  close(master);
  must_delete(container);
  free(config);
}

static void test_interrupt(void **state) {
  need_terminals();
  const struct scene *scene = *state;
  char *config = terminal_config("trap 'exit 3' INT; echo ready; while :; do sleep 0.1; done", "");
  int32_t master;
  reaper_container *container = must_create_terminal(scene, "int", config, &master);
  must_start(container);
  free(read_until(master, "ready"));
  write_text(master, "\003"); /* ^C */
  assert_int_equal(must_wait(container).exit_code, 3);
  close(master);
  must_delete(container);
  free(config);
}

/* The program's user can open its terminal by name; the group is devpts's choice. */
static void test_owner(void **state) {
  if (!is_root()) SKIP("needs root");
  need_terminals();
  const struct scene *scene = *state;
  const int other = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  const int unlock = 0;
  assert_int_equal(ioctl(other, TIOCSPTLCK, &unlock), 0);
  const int slave = ioctl(other, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct stat status;
  assert_int_equal(fstat(slave, &status), 0);
  close(slave);
  close(other);
  char *config = terminal_config("stat -c '%u %g %a' \"$(tty)\"; : < \"$(tty)\" && echo opened; id -u",
                                 ",\"user\":{\"uid\":12345,\"gid\":23456}");
  int32_t master;
  reaper_container *container = must_create_terminal(scene, "owner", config, &master);
  must_start(container);
  char *text = read_to_end(master);
  char *wanted = text_of("12345 %u %o\r\nopened\r\n12345\r\n", status.st_gid, status.st_mode & 07777);
  assert_string_equal(text, wanted);
  must_wait(container);
  close(master);
  must_delete(container);
  free(wanted);
  free(text);
  free(config);
}

/* The caller's descriptors are not the program's, and are not kept open by anything. */
static void test_stdio_is_not_used(void **state) {
  need_terminals();
  const struct scene *scene = *state;
  int pipes[2];
  assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
  char *config = terminal_config("readlink /proc/$$/fd/1; read line", "");
  reaper_create_options options = options_of(scene, config);
  int32_t master = -1;
  options.console = &master;
  options.flags = REAPER_CREATE_STDIO;
  options.stdio[0] = options.stdio[1] = options.stdio[2] = pipes[1];
  reaper_container *container = must_create_with(scene, "stdio", &options);
  close(pipes[1]);
  char byte;
  assert_int_equal(read(pipes[0], &byte, 1), 0); /* at once: nobody else has it */
  must_start(container);
  free(read_until(master, "/dev/pts/"));
  close(pipes[0]);
  close(master);
  assert_int_equal(must_wait(container).signal, SIGHUP);
  must_delete(container);
  free(config);
}

static void test_extra_descriptors_stay(void **state) {
  need_terminals();
  const struct scene *scene = *state;
  char *path = path_in(&scene->place, "input");
  write_whole(path, "three\n");
  const int32_t extra[] = {open(path, O_RDONLY | O_CLOEXEC)};
  char *config = terminal_config("cat <&3; tty", "");
  reaper_create_options options = options_of(scene, config);
  int32_t master = -1;
  options.console = &master;
  options.extra_fds = extra;
  options.extra_fd_count = 1;
  reaper_container *container = must_create_with(scene, "extra", &options);
  must_start(container);
  char *text = read_to_end(master);
  assert_contains(text, "three\r\n/dev/pts/");
  must_wait(container);
  close(extra[0]);
  close(master);
  must_delete(container);
  free(text);
  free(config);
  free(path);
}

/* ---- Its end, at every moment ---- */

static void test_hangup_before_start(void **state) {
  need_terminals();
  const struct scene *scene = *state;
  char *config = terminal_config("echo never", "");
  int32_t master;
  reaper_container *container = must_create_terminal(scene, "early", config, &master);
  assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
  close(master);
  assert_int_equal(must_wait(container).signal, SIGHUP);
  reaper_error *error = NULL;
  const struct expected stopped = {REAPER_ERR_STATUS, 0, "status", "", "is stopped, not created"};
  assert_error(reaper_start(container, &error), &error, &stopped);
  must_delete(container);
  free(config);
}

struct closing {
  reaper_container *container;
  int32_t master;
};

static int start_and_hang_up(void *argument, int number) {
  struct closing *closing = argument;
  if (number == 0) return close(closing->master) != 0;
  reaper_error *error = NULL;
  reaper_start(closing->container, &error); /* either is right; what must not be is that it hangs */
  reaper_error_free(error);
  return 0;
}

static void test_hangup_during_start(void **state) {
  need_terminals();
  const struct scene *scene = *state;
  char *config = terminal_config("sleep 1000", "");
  for (int i = 0; i < 40; ++i) {
    struct closing closing;
    closing.container = must_create_terminal(scene, "race", config, &closing.master);
    assert_int_equal(run_threads(2, start_and_hang_up, &closing), 0);
    assert_int_equal(must_wait(closing.container).signal, SIGHUP);
    must_delete(closing.container);
  }
  free(config);
}

static void test_hangup_while_running(void **state) {
  need_terminals();
  const struct scene *scene = *state;
  char *config = terminal_config("echo ready; sleep 1000", "");
  int32_t master;
  reaper_container *container = must_create_terminal(scene, "running", config, &master);
  must_start(container);
  free(read_until(master, "ready"));
  close(master);
  assert_int_equal(must_wait(container).signal, SIGHUP);
  must_delete(container);
  free(config);
}

/* What the program wrote is there to be read after its end, and the master can be closed at any time then. */
static void test_hangup_after_the_end(void **state) {
  need_terminals();
  const struct scene *scene = *state;
  char *config = terminal_config("seq 1 500", "");
  int32_t master;
  reaper_container *container = must_create_terminal(scene, "after", config, &master);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 0);
  must_delete(container);
  char *text = read_to_end(master);
  assert_contains(text, "499\r\n500\r\n");
  close(master);
  free(text);
  free(config);
}

/* ---- Who takes it ---- */

static const char *const plain_members = "\"args\":[\"/bin/true\"],\"cwd\":\"/\"";

static void test_somebody_must_take_it(void **state) {
  const struct scene *scene = *state;
  char *with = process_config(TERMINAL_MEMBERS);
  char *without = process_config(plain_members);
  int32_t master = -77;
  const struct expected nobody = {REAPER_ERR_INVALID, 0, "config", "/process/terminal", "nobody takes the terminal"};
  const struct expected useless = {REAPER_ERR_INVALID, 0, "config", "/process/terminal", "is of no use"};
  const struct expected both = {REAPER_ERR_INVALID, EINVAL, "arguments", "", "are both given"};
  reaper_create_options options = options_of(scene, with);
  assert_create_fails_unforeseen(scene, &options, &nobody); /* a run in the foreground takes it */
  options.console = &master;
  options.console_socket = "/nonexistent";
  assert_create_fails_unforeseen(scene, &options, &both); /* which check refuses too */
  options = options_of(scene, without);
  options.console = &master;
  assert_create_fails(scene, &options, &useless);
  options.console = NULL;
  options.console_socket = "/nonexistent";
  assert_create_fails(scene, &options, &useless);
  options = options_of(scene, "{\"ociVersion\":\"1.3.0\"}");
  options.console = &master;
  assert_create_fails(scene, &options, &useless);
  assert_int_equal(master, -77);
  free(without);
  free(with);
}

/* A plan needs nobody who takes the terminal. */
static void test_plan(void **state) {
  const struct scene *scene = *state;
  char *config = process_config(TERMINAL_MEMBERS);
  const reaper_create_options options = options_of(scene, config);
  char *text = NULL;
  assert_int_equal(reaper_plan(scene->runtime, &options, REAPER_FORMAT_TEXT, &text, NULL), REAPER_OK);
  assert_contains(text, "  3  terminal owner=");
  reaper_free(text);
  free(config);
}

/* A struct of the size that it had before terminals is still taken. */
static void test_older_options(void **state) {
  const struct scene *scene = *state;
  char *config = process_config(plain_members);
  reaper_create_options options = options_of(scene, config);
  options.size = offsetof(reaper_create_options, console_socket);
  options.console_socket = "beyond the size";
  reaper_container *container = must_create_with(scene, "older", &options);
  end_and_delete(container);
  free(config);
}

static void test_failure_leaves_nothing(void **state) {
  need_terminals();
  const struct scene *scene = *state;
  warm_up(scene);
  int32_t master = -77;
  char *config = process_config("\"args\":[\"/nonexistent/program\"],\"cwd\":\"/\",\"terminal\":true");
  reaper_create_options options = options_of(scene, config);
  options.console = &master;
  const struct expected missing = {REAPER_ERR_EXEC, ENOENT, "find", "/process/args/0", "no such file or directory"};
  assert_create_fails(scene, &options, &missing); /* with the terminal made */
  assert_int_equal(master, -77);
  free(config);
}

/* What a kernel or a filter does not give is named. */
static const struct {
  struct denial denial;
  const char *part;
} refusals[] = {
    {{SYS_ioctl, EPERM, 2, TIOCSPTLCK}, "TIOCSPTLCK"}, {{SYS_ioctl, EPERM, 2, TIOCGPTPEER}, "TIOCGPTPEER"},
    {{SYS_ioctl, EPERM, 2, TIOCSCTTY}, "TIOCSCTTY"},   {{SYS_ioctl, EPERM, 2, TIOCGPTN}, "TIOCGPTN"},
    {{SYS_ioctl, EPERM, 2, TIOCSWINSZ}, "TIOCSWINSZ"}, {{SYS_sendmsg, EPERM, 0, 0}, "sendmsg"},
};

static int refused_by_a_filter(void *row) {
  struct scene scene;
  scene_open(&scene);
  char *config = process_config(TERMINAL_MEMBERS ",\"consoleSize\":{\"height\":24,\"width\":80}");
  reaper_create_options options = options_of(&scene, config);
  int32_t master = -77;
  options.console = &master;
  const size_t number = *(size_t *)row;
  CHECK(deny(&refusals[number].denial, 1) == 0);
  const struct expected expected = {REAPER_ERR_PERMISSION, EPERM, "terminal", "/process/terminal",
                                    refusals[number].part};
  CHECK(!create_differs(&scene, &options, &expected));
  CHECK(master == -77);
  CHECK(count_entries(scene.place.root) == 0);
  free(config);
  scene_close(&scene);
  return 0;
}

static void test_no_terminal_to_be_had(void **state) {
  (void)state;
  need_terminals();
  if (!can_deny()) SKIP("seccomp filters are not allowed here");
  for (size_t i = 0; i < COUNT_OF(refusals); ++i) assert_int_equal(in_child(refused_by_a_filter, &i), 0);
}

/* With one descriptor more each time: every step that needs one fails once, cleanly, and in the end none does. */
static int short_of_descriptors(void *unused) {
  (void)unused;
  struct scene scene;
  scene_open(&scene);
  char *config = process_config(TERMINAL_MEMBERS);
  reaper_create_options options = options_of(&scene, config);
  int32_t master = -77;
  options.console = &master;
  struct rlimit before;
  CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
  int failures = 0;
  for (rlim_t limit = 3; limit < 100; ++limit) {
    const struct rlimit tight = {limit, before.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &tight) == 0);
    reaper_container *container = NULL;
    reaper_error *error = NULL;
    const int result = reaper_create(scene.runtime, "tight", &options, &container, &error);
    const int number = reaper_error_errno(error);
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    reaper_error_free(error);
    if (result == REAPER_OK) {
      CHECK(failures > 3);
      CHECK(master >= 0);
      CHECK(reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
      reaper_container_free(container);
      close(master);
      free(config);
      scene_close(&scene);
      return 0;
    }
    ++failures;
    CHECK(number == EMFILE);
    CHECK(master == -77);
    CHECK(count_entries(scene.place.root) == 0);
  }
  return 2;
}

static void test_short_of_descriptors(void **state) {
  (void)state;
  need_terminals();
  assert_int_equal(in_child(short_of_descriptors, NULL), 0);
}

/* The supervisor has no terminal: what the program leaves behind keeps it, and not the terminal. */
static void test_supervised(void **state) {
  need_terminals();
  const struct scene *scene = *state;
  char *file = path_in(&scene->place, "daemon");
  char *script = text_of(
      "setsid sh -c 'echo $$ > %s; exec sleep 1000' </dev/null >/dev/null 2>&1 & "
      "while ! test -s %s; do sleep 0.01; done; tty; exit 4",
      file, file);
  char *config = terminal_config(script, "");
  reaper_create_options options = options_of(scene, config);
  int32_t master = -1;
  options.console = &master;
  options.flags = REAPER_CREATE_SUPERVISE;
  reaper_container *container = must_create_with(scene, "supervised", &options);
  must_start(container);
  char *text = read_to_end(master);
  assert_contains(text, "/dev/pts/");
  assert_int_equal(must_wait(container).exit_code, 4);
  char *description = must_state(container);
  assert_contains(description, "\"supervision\":\"active\"");
  reaper_free(description);
  close(master);
  end_and_delete(container);
  /* And hung up before its start, it ends as any other. */
  container = must_create_with(scene, "supervised", &options);
  close(master);
  assert_int_equal(must_wait(container).signal, SIGHUP);
  must_delete(container);
  free(text);
  free(config);
  free(script);
  free(file);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_program_has_a_terminal),
      TEST(test_size),
      TEST(test_interrupt),
      TEST(test_owner),
      TEST(test_stdio_is_not_used),
      TEST(test_extra_descriptors_stay),
      TEST(test_hangup_before_start),
      TEST(test_hangup_during_start),
      TEST(test_hangup_while_running),
      TEST(test_hangup_after_the_end),
      TEST(test_somebody_must_take_it),
      TEST(test_plan),
      TEST(test_older_options),
      TEST(test_failure_leaves_nothing),
      TEST(test_no_terminal_to_be_had),
      TEST(test_short_of_descriptors),
      TEST(test_supervised),
  };
  return cmocka_run_group_tests_name("terminal", tests, NULL, NULL);
}
