/*
 * SCMP_ACT_NOTIFY on the real kernel: an agent at linux.seccomp.listenerPath gets the container process state and the
 * listener, and answers system calls; all of them, execve included. Whoever has no agent gets no program.
 *
 * The program of the first is this one: `probe` makes one call and says what it gave.
 */
#include "agent.h"
#include "denial.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define TARGET "sched_get_priority_max" /* nobody else makes it */
#define NNP ",\"noNewPrivileges\":true"

static char probe_path[4096];

static int probe(void) {
  const long result = syscall(SYS_sched_get_priority_max, 0);
  printf("%d\n", result < 0 ? errno : (int)result);
  fflush(stdout);
  return 0;
}

/* `@`: the socket's path. */
static char *config_of(const struct scene *scene, const char *args, const char *filter) {
  char *text = text_of(
      "{\"ociVersion\":\"1.2.0\",\"annotations\":{\"org.example.of\":\"mine\"},\"process\":{\"args\":[%s],"
      "\"cwd\":\"/\"" NNP "},\"linux\":{\"seccomp\":{\"listenerPath\":\"@/agent\",%s}}}",
      args, filter);
  char *config = filled(scene, text);
  free(text);
  return config;
}

static void test_answered(void **state) {
  NEED_FILTERS();
  const struct scene *scene = *state;
  static const struct {
    const char *flags;
    const char *shown;
    long long value;
    int error;
    const char *wanted;
  } rows[] = {{"", "flags=0x8 ", 42, 0, "42\n"},
              {"\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_TSYNC\"", "flags=0xa ", 0, EXDEV, "18\n"},
              {"\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"", "flags=0x28 ", 7, 0, "7\n"}};
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *path = text_of("%s/agent", scene->place.directory);
    const int agent = agent_of(scene);
    char *args = text_of("\"%s\",\"probe\"", probe_path);
    char *filter = text_of(
        "\"listenerMetadata\":\"for \\\"you\\\"\",\"flags\":[%s],\"defaultAction\":\"SCMP_ACT_ALLOW\","
        "\"syscalls\":[{\"names\":[\"" TARGET "\"],\"action\":\"SCMP_ACT_NOTIFY\"}]",
        rows[i].flags);
    char *config = config_of(scene, args, filter);
    reaper_create_options options = options_of(scene, config);
    char *plan = NULL;
    assert_int_equal(reaper_plan(scene->runtime, &options, REAPER_FORMAT_TEXT, &plan, NULL), REAPER_OK);
    assert_contains(plan, rows[i].shown);
    reaper_free(plan);
    const int output = memfd_create("output", MFD_CLOEXEC);
    REQUIRE(output >= 0);
    options.flags |= REAPER_CREATE_STDIO;
    options.stdio[0] = -1;
    options.stdio[1] = output;
    options.stdio[2] = 2;
    reaper_container *container = must_create_with(scene, "n", &options);
    must_start(container);

    char *text = NULL;
    const int listener = take_listener(agent, &text);
    const int pid = (int)must_pid(container);
    char *wanted = text_of(
        "{\"ociVersion\":\"1.3.0\",\"fds\":[\"seccompFd\"],\"pid\":%d,\"metadata\":\"for \\\"you\\\"\",\"state\":{"
        "\"ociVersion\":\"1.3.0\",\"id\":\"n\",\"status\":\"created\",\"pid\":%d,\"bundle\":\"%s\","
        "\"annotations\":{\"org.example.of\":\"mine\"}}}",
        pid, pid, scene->place.bundle);
    assert_string_equal(text, wanted);
    free(wanted);
    free(text);
    unsigned long long id = 0;
    assert_int_equal(next_call(listener, &id), SYS_sched_get_priority_max);
    assert_int_equal(answer(listener, id, rows[i].value, rows[i].error, 0), 0);
    assert_int_equal(must_wait(container).exit_code, 0);
    assert_int_equal(next_call(listener, &id), -1);
    close(listener);
    must_delete(container);
    char *out = text_of("/proc/self/fd/%d", output);
    text = read_whole(out);
    assert_string_equal(text, rows[i].wanted);
    free(text);
    free(out);
    close(output);
    free(config);
    free(filter);
    free(args);
    close(agent);
    assert_int_equal(unlink(path), 0);
    free(path);
  }
}

/* No call of the start itself waits for an answer before there is somebody to give it. */
static void test_every_call_is_asked_about(void **state) {
  NEED_FILTERS();
  const struct scene *scene = *state;
  struct agent agent = {agent_of(scene), 0, 0};
  char *config =
      config_of(scene, "\"/bin/sh\",\"-c\",\"exec 3<>/dev/null; exit 9\"", "\"defaultAction\":\"SCMP_ACT_NOTIFY\"");
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, let_pass, &agent), 0);
  reaper_container *container = must_create(scene, "e", config);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 9);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_true(agent.execve);
  assert_true(agent.seen > 5);
  must_delete(container);
  free(config);
  close(agent.socket);
}

static void test_nobody_there(void **state) {
  NEED_FILTERS();
  const struct scene *scene = *state;
  char *config = config_of(scene, "\"/bin/true\"",
                           "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"" TARGET
                           "\"],\"action\":\"SCMP_ACT_NOTIFY\"}]");
  reaper_create_options options = options_of(scene, config);
  static const char pointer[] = "/linux/seccomp/listenerPath";
  const struct expected missing = {REAPER_ERR_INVALID, ENOENT, "listener", pointer, "nothing is there"};
  assert_create_fails(scene, &options, &missing);
  char *path = text_of("%s/agent", scene->place.directory);
  assert_int_equal(mkdir(path, 0700), 0);
  const struct expected other = {REAPER_ERR_INVALID, ENOTSOCK, "listener", pointer, "something else"};
  assert_create_fails(scene, &options, &other);
  assert_int_equal(rmdir(path), 0);
  /* A socket, and nobody behind it: the container waits for better times. */
  close(agent_of(scene));
  reaper_container *container = must_create(scene, "w", config);
  const struct expected refused = {REAPER_ERR_SYSTEM, ECONNREFUSED, "listener", pointer, "connect"};
  reaper_error *error = NULL;
  assert_error(reaper_start(container, &error), &error, &refused);
  assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
  assert_int_equal(unlink(path), 0);
  const int agent = agent_of(scene);
  must_start(container);
  char *text = NULL;
  close(take_listener(agent, &text));
  free(text);
  assert_int_equal(must_wait(container).exit_code, 0);
  must_delete(container);
  close(agent);
  free(path);
  free(config);
}

/* What cannot be handed over ends the start, before the program has begun. */
static int not_sent(const struct scene *scene) {
  char *config = config_of(scene, "\"/bin/sh\",\"-c\",\": >$HOME/ran\"",
                           "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"" TARGET
                           "\"],\"action\":\"SCMP_ACT_NOTIFY\"}]");
  const int agent = agent_of(scene);
  reaper_create_options options = options_of(scene, config);
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  /* reaper-init's own sendmsg has other flags, MSG_DONTWAIT is the library's */
  const struct denial denial = {SYS_sendmsg, EPIPE, 3, MSG_NOSIGNAL | MSG_DONTWAIT};
  if (reaper_create(scene->runtime, "x", &options, &container, &error) != REAPER_OK) return complain("create", error);
  if (deny(&denial, 1) != 0) return 2;
  const struct expected expected = {REAPER_ERR_SYSTEM, EPIPE, "listener", "/linux/seccomp/listenerPath", "sendmsg"};
  if (error_differs(reaper_start(container, &error), &error, &expected)) return 3;
  int32_t status = -1;
  if (reaper_status(container, &status, NULL) != REAPER_OK || status != REAPER_STATUS_STOPPED) return 4;
  if (reaper_delete(container, 0, NULL) != REAPER_OK) return 5;
  reaper_container_free(container);
  free(config);
  close(agent);
  return 0;
}

static void test_not_sent(void **state) {
  (void)state;
  NEED_FILTERS();
  assert_int_equal(in_child_with_scene(not_sent), 0);
}

/* A listener that goes away without an answer: the call fails, as seccomp_unotify(2) has it, and nobody hangs. */
static void test_agent_goes(void **state) {
  NEED_FILTERS();
  const struct scene *scene = *state;
  const int agent = agent_of(scene);
  char *args = text_of("\"%s\",\"probe\"", probe_path);
  char *config = config_of(scene, args,
                           "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"" TARGET
                           "\"],\"action\":\"SCMP_ACT_NOTIFY\"}]");
  reaper_container *container = must_create(scene, "g", config);
  must_start(container);
  char *text = NULL;
  close(take_listener(agent, &text));
  free(text);
  assert_int_equal(must_wait(container).exit_code, 0);
  must_delete(container);
  free(config);
  free(args);
  close(agent);
}

/* In namespaces of its own, a time namespace among them, and as the first process of its pid namespace. */
static void test_in_namespaces(void **state) {
  NEED_FILTERS();
  if (!is_root() || !holds_capability("CapEff:", 21)) SKIP("needs root and CAP_SYS_ADMIN");
  const struct scene *scene = *state;
  struct agent agent = {agent_of(scene), 0, 0};
  char *text = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sh\",\"-c\",\"exit $$\"],\"cwd\":\"/\"" NNP
      "},\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"time\"}],"
      "\"seccomp\":{\"listenerPath\":\"@/agent\",\"defaultAction\":\"SCMP_ACT_NOTIFY\"}}}");
  char *config = filled(scene, text);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, let_pass, &agent), 0);
  reaper_container *container = must_create(scene, "i", config);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 1);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_true(agent.execve);
  must_delete(container);
  free(config);
  free(text);
  close(agent.socket);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "probe") == 0) return probe();
  const ssize_t size = readlink("/proc/self/exe", probe_path, sizeof probe_path - 1);
  if (size < 0) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_answered, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_every_call_is_asked_about, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_nobody_there, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_not_sent, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_agent_goes, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_in_namespaces, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
