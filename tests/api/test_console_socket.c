/* The console socket: a terminal's master sent to whoever listens, and every way in which nobody does. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "terminal.h"

static void console_life(const struct scene *scene, const char *path) {
  const int listener = listen_at(path, 1);
  char *config = terminal_config("tty; read line; exit 5", "");
  reaper_create_options options = options_of(scene, config);
  options.console_socket = path;
  const struct census before = take_census(scene->place.bundle);
  reaper_container *container = must_create_with(scene, "socket", &options);
  char *slave = NULL;
  const int master = take_descriptor(listener, &slave);
  must_start(container);
  char *wanted = text_of("%s\r\n", slave);
  char *said = read_until(master, "\r\n");
  assert_string_equal(said, wanted);
  assert_int_equal(write(master, "x\n", 2), 2);
  assert_int_equal(must_wait(container).exit_code, 5);
  must_delete(container);
  close(master);
  assert_same_census(before, take_census(scene->place.bundle)); /* nothing of the terminal stays with the library */
  close(listener);
  free(said);
  free(wanted);
  free(slave);
  free(config);
}

static void test_console_socket(void **state) {
  need_terminals();
  const struct scene *scene = *state;
  warm_up(scene);
  char *path = path_in(&scene->place, "console");
  console_life(scene, path);
  free(path);
}

static void test_console_socket_with_a_long_path(void **state) {
  need_terminals();
  const struct scene *scene = *state;
  warm_up(scene);
  char *name = text_of("%0200d", 0);
  char *directory = path_in(&scene->place, name);
  assert_int_equal(mkdir(directory, 0755), 0);
  char *path = text_of("%s/console", directory);
  console_life(scene, path);
  free(path);
  free(directory);
  free(name);
}

/* Relative to the caller's directory, as every path. */
static void test_console_socket_by_a_relative_path(void **state) {
  need_terminals();
  const struct scene *scene = *state;
  char *path = path_in(&scene->place, "console");
  const int listener = listen_at(path, 1);
  char *config = terminal_config("exit 0", "");
  reaper_create_options options = options_of(scene, config);
  options.console_socket = "console";
  const int here = open(".", O_PATH | O_CLOEXEC);
  assert_int_equal(chdir(scene->place.directory), 0);
  reaper_container *container = must_create_with(scene, "relative", &options);
  assert_int_equal(fchdir(here), 0);
  close(here);
  char *slave = NULL;
  close(take_descriptor(listener, &slave));
  assert_int_equal(must_wait(container).signal, SIGHUP);
  must_delete(container);
  close(listener);
  free(slave);
  free(config);
  free(path);
}

static void test_console_socket_that_is_none(void **state) {
  const struct scene *scene = *state;
  warm_up(scene);
  char *config = process_config(TERMINAL_MEMBERS);
  reaper_create_options options = options_of(scene, config);
  char *missing = path_in(&scene->place, "missing");
  char *file = path_in(&scene->place, "file");
  write_whole(file, "");
  char *below = text_of("%s/console", file);
  char *deaf = path_in(&scene->place, "deaf");
  close(listen_at(deaf, 1)); /* its name stays, and nobody listens */
  const struct {
    const char *path;
    struct expected expected;
  } rows[] = {
      {missing, {REAPER_ERR_INVALID, ENOENT, "console", "", "nothing is there: ENOENT"}},
      {below, {REAPER_ERR_INVALID, ENOTDIR, "console", "", "nothing is there: ENOTDIR"}},
      {"", {REAPER_ERR_INVALID, ENOENT, "console", "", "nothing is there: ENOENT"}},
      {file, {REAPER_ERR_INVALID, ENOTSOCK, "console", "", "it is something else: ENOTSOCK"}},
      {scene->place.directory, {REAPER_ERR_INVALID, ENOTSOCK, "console", "", "it is something else: ENOTSOCK"}},
      {deaf, {REAPER_ERR_SYSTEM, ECONNREFUSED, "console", "", "connect: ECONNREFUSED"}},
  };
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    options.console_socket = rows[i].path;
    if (rows[i].path == deaf)
      assert_create_fails_unforeseen(scene, &options, &rows[i].expected);
    else
      assert_create_fails(scene, &options, &rows[i].expected);
  }
  free(deaf);
  free(below);
  free(file);
  free(missing);
  free(config);
}

/* Nobody accepts, and the queue has room: the message waits there, and so does the terminal. */
static void test_peer_that_accepts_late(void **state) {
  need_terminals();
  const struct scene *scene = *state;
  char *path = path_in(&scene->place, "console");
  const int listener = listen_at(path, 4);
  char *config = terminal_config("echo late; read line", "");
  reaper_create_options options = options_of(scene, config);
  options.console_socket = path;
  reaper_container *container = must_create_with(scene, "late", &options);
  must_start(container);
  char *slave = NULL;
  const int master = take_descriptor(listener, &slave);
  free(read_until(master, "late\r\n"));
  close(master);
  assert_int_equal(must_wait(container).signal, SIGHUP);
  must_delete(container);
  /* A listener that goes away without accepting closes the terminal. */
  container = must_create_with(scene, "never", &options);
  must_start(container);
  close(listener);
  assert_int_equal(must_wait(container).signal, SIGHUP);
  must_delete(container);
  free(slave);
  free(config);
  free(path);
}

/* The queue is full: a time limit, and nothing is left. */
static void test_peer_that_never_accepts(void **state) {
  struct scene *scene = *state;
  warm_up(scene);
  char *path = path_in(&scene->place, "console");
  const int listener = listen_at(path, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, path);
  const int first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(connect(first, (const struct sockaddr *)&address, sizeof address), 0);
  char *config = process_config(TERMINAL_MEMBERS);
  reaper_create_options options = options_of(scene, config);
  options.console_socket = path;
  reaper_runtime *patient = scene->runtime;
  reaper_runtime_options impatient = {.size = sizeof impatient, .root = scene->place.root, .lock_timeout_ms = 50};
  assert_int_equal(reaper_runtime_new(&impatient, &scene->runtime, NULL), REAPER_OK);
  warm_up(scene);
  const struct expected full = {REAPER_ERR_TIMEOUT, ETIMEDOUT, "console", "", "nobody accepts"};
  assert_create_fails_unforeseen(scene, &options, &full);
  reaper_runtime_free(scene->runtime);
  scene->runtime = patient;
  close(first);
  close(listener);
  free(config);
  free(path);
}

struct closer {
  int listener;
  const struct scene *scene;
  const reaper_create_options *options;
  int refused;
};

/* One thread accepts and closes, the other creates. The message may have been sent before: then the terminal is hung
 * up, and the container with it. */
static int create_for_a_closer(void *argument, int number) {
  struct closer *closer = argument;
  if (number == 0) {
    const int connection = accept4(closer->listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(connection >= 0);
    return close(connection) != 0;
  }
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  const int result = reaper_create(closer->scene->runtime, "closer", closer->options, &container, &error);
  if (result != REAPER_OK) {
    const struct expected gone = {REAPER_ERR_SYSTEM, EPIPE, "console", "", "sendmsg to the console socket"};
    CHECK(!error_differs(result, &error, &gone));
    closer->refused = 1;
    return 0;
  }
  const reaper_exit_status status = must_wait(container);
  CHECK(status.signal == SIGHUP);
  CHECK(reaper_delete(container, 0, NULL) == REAPER_OK);
  reaper_container_free(container);
  return 0;
}

static void test_peer_that_closes_at_once(void **state) {
  need_terminals();
  const struct scene *scene = *state;
  warm_up(scene);
  char *path = path_in(&scene->place, "console");
  char *config = terminal_config("sleep 1000", "");
  reaper_create_options options = options_of(scene, config);
  options.console_socket = path;
  struct closer closer = {listen_at(path, 1), scene, &options, 0};
  const struct census before = take_census(scene->place.root);
  for (int i = 0; i < 1000 && !closer.refused; ++i) assert_int_equal(run_threads(2, create_for_a_closer, &closer), 0);
  assert_true(closer.refused);
  assert_same_census(before, take_census(scene->place.root));
  close(closer.listener);
  free(config);
  free(path);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_console_socket),
      TEST(test_console_socket_with_a_long_path),
      TEST(test_console_socket_by_a_relative_path),
      TEST(test_console_socket_that_is_none),
      TEST(test_peer_that_accepts_late),
      TEST(test_peer_that_never_accepts),
      TEST(test_peer_that_closes_at_once),
  };
  return cmocka_run_group_tests_name("console_socket", tests, NULL, NULL);
}
