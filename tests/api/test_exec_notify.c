/*
 * A further process of a container whose filter asks an agent (SCMP_ACT_NOTIFY): it has the filter, and the agent gets
 * a listener for it alone, with a container process state that says whose it is. Without an agent nothing is executed.
 */
#include "agent.h"
#include "denial.h"
#include "processes.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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

/* One that sleeps, whose agent has taken its listener and gone: nothing that it does is asked about. */
static reaper_container *asked(const struct scene *scene, int agent, const char *namespaces) {
  char *text = text_of(
      "{\"ociVersion\":\"1.2.0\",\"annotations\":{\"org.example.of\":\"mine\"},\"process\":{\"args\":[\"/bin/sleep\","
      "\"1000\"],\"cwd\":\"/\"" NNP
      "},\"linux\":{%s\"seccomp\":{\"listenerPath\":\"@/agent\",\"listenerMetadata\":\"m\",\"defaultAction\":"
      "\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"" TARGET "\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}}}",
      namespaces);
  char *config = filled(scene, text);
  reaper_container *container = must_run(scene, "n", config);
  char *state = NULL;
  close(take_listener(agent, &state));
  free(state);
  free(config);
  free(text);
  return container;
}

static char *probe_process(void) {
  return text_of("{\"args\":[\"%s\",\"probe\"],\"cwd\":\"/\"" NNP "}", probe_path);
}

struct output {
  int ends[2];
  reaper_exec_options options;
};

static struct output into_pipe(const char *process) {
  struct output output;
  output.options = exec_options(process);
  assert_int_equal(pipe2(output.ends, O_CLOEXEC), 0);
  output.options.flags |= REAPER_EXEC_STDIO;
  output.options.stdio[0] = -1;
  output.options.stdio[1] = output.ends[1];
  output.options.stdio[2] = 2;
  return output;
}

static void says(struct output *output, const char *wanted) {
  char text[64] = "";
  close(output->ends[1]);
  assert_int_equal(read(output->ends[0], text, sizeof text - 1), (ssize_t)strlen(wanted));
  assert_string_equal(text, wanted);
  close(output->ends[0]);
}

static void answered(const struct scene *scene, const char *namespaces) {
  const int agent = agent_of(scene);
  reaper_container *container = asked(scene, agent, namespaces);
  char *process = probe_process();
  const struct census before = take_census(scene->place.root);
  struct output output = into_pipe(process);
  reaper_process *probed = must_exec_with(container, &output.options);
  char *text = NULL;
  const int listener = take_listener(agent, &text);
  char *wanted = text_of(
      "{\"ociVersion\":\"1.3.0\",\"fds\":[\"seccompFd\"],\"pid\":%d,\"metadata\":\"m\",\"state\":{"
      "\"ociVersion\":\"1.3.0\",\"id\":\"n\",\"status\":\"running\",\"pid\":%d,\"bundle\":\"%s\","
      "\"annotations\":{\"org.example.of\":\"mine\"}}}",
      (int)reaper_process_pid(probed), (int)must_pid(container), scene->place.bundle);
  assert_string_equal(text, wanted);
  unsigned long long id = 0;
  assert_int_equal(next_call(listener, &id), SYS_sched_get_priority_max);
  assert_int_equal(answer(listener, id, 42, 0, 0), 0);
  assert_int_equal(must_end(probed).exit_code, 0);
  assert_int_equal(next_call(listener, &id), -1); /* it was the listener of this process alone */
  close(listener);
  says(&output, "42\n");
  reaper_process_free(probed);
  assert_same_census(before, take_census(scene->place.root));
  end(container);
  close(agent);
  free(wanted);
  free(text);
  free(process);
}

static void test_answered(void **state) {
  NEED_FILTERS();
  answered(*state, "");
}

/* By way of the second process that a pid namespace takes; its pid is the one that the caller sees. */
static void test_answered_in_namespaces(void **state) {
  NEED_FILTERS();
  if (!is_root() || !holds_capability("CapEff:", 21)) SKIP("making namespaces needs CAP_SYS_ADMIN");
  answered(*state, "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"}],");
}

/* Everything, its execve included, waits for an agent that answers while exec is under way. */
static void test_every_call_is_asked_about(void **state) {
  NEED_FILTERS();
  const struct scene *scene = *state;
  struct agent own = {agent_of(scene), 0, 0};
  char *text =
      text_of("{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"" NNP
              "},\"linux\":{\"seccomp\":{\"listenerPath\":\"@/agent\",\"defaultAction\":\"SCMP_ACT_NOTIFY\"}}}");
  char *config = filled(scene, text);
  pthread_t first;
  assert_int_equal(pthread_create(&first, NULL, let_pass, &own), 0);
  reaper_container *container = must_run(scene, "n", config);
  struct agent further = {own.socket, 0, 0};
  pthread_t second;
  assert_int_equal(pthread_create(&second, NULL, let_pass, &further), 0);
  char *process = shell_process("exec 3<>/dev/null; exit 9", NNP);
  reaper_process *executed = must_exec(container, process);
  assert_int_equal(must_end(executed).exit_code, 9);
  assert_int_equal(pthread_join(second, NULL), 0);
  assert_true(further.execve);
  reaper_process_free(executed);
  end(container);
  assert_int_equal(pthread_join(first, NULL), 0);
  close(own.socket);
  free(process);
  free(config);
  free(text);
}

/* Nothing is executed, the container runs on, and as soon as there is an agent again all is well. */
static void test_nobody_there(void **state) {
  NEED_FILTERS();
  const struct scene *scene = *state;
  static const char pointer[] = "/linux/seccomp/listenerPath";
  char *path = text_of("%s/agent", scene->place.directory);
  int agent = agent_of(scene);
  reaper_container *container = asked(scene, agent, "");
  char *process = probe_process();
  const struct census before = take_census(scene->place.root);
  close(agent);
  refused_exec(container, process, (struct expected){REAPER_ERR_SYSTEM, ECONNREFUSED, "listener", pointer, "connect"});
  assert_int_equal(unlink(path), 0);
  refused_exec(container, process,
               (struct expected){REAPER_ERR_INVALID, ENOENT, "listener", pointer, "nothing is there"});
  assert_int_equal(must_status(container), REAPER_STATUS_RUNNING);
  agent = agent_of(scene);
  const struct census with_agent = take_census(scene->place.root);
  assert_int_equal(with_agent.descriptors, before.descriptors); /* one agent then, one now */
  assert_int_equal(with_agent.children, before.children);
  reaper_process *executed = must_exec(container, process);
  char *text = NULL;
  close(take_listener(agent, &text));
  assert_int_equal(must_end(executed).exit_code, 0); /* its call fails: nobody answers */
  reaper_process_free(executed);
  end(container);
  close(agent);
  free(text);
  free(process);
  free(path);
}

/* What cannot be handed over ends the process before its program has begun. */
static int not_sent(const struct scene *scene) {
  const int agent = agent_of(scene);
  reaper_container *container = asked(scene, agent, "");
  char *ran = text_of("%s/ran", scene->place.directory);
  char *script = text_of(": >%s", ran);
  char *process = shell_process(script, NNP);
  const reaper_exec_options options = exec_options(process);
  /* reaper-init's own sendmsg has other flags, MSG_DONTWAIT is the library's */
  const struct denial denial = {SYS_sendmsg, EPIPE, 3, MSG_NOSIGNAL | MSG_DONTWAIT};
  CHECK(deny(&denial, 1) == 0);
  const struct expected expected = {REAPER_ERR_SYSTEM, EPIPE, "listener", "/linux/seccomp/listenerPath", "sendmsg"};
  reaper_process *executed = NULL;
  reaper_error *error = NULL;
  CHECK(!error_differs(reaper_exec(container, &options, &executed, &error), &error, &expected));
  CHECK(executed == NULL);
  CHECK(access(ran, F_OK) != 0);
  int32_t status = -1;
  CHECK(reaper_status(container, &status, NULL) == REAPER_OK && status == REAPER_STATUS_RUNNING);
  CHECK(count_children() == 1); /* the container's process */
  CHECK(reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
  reaper_container_free(container);
  free(process);
  free(script);
  free(ran);
  close(agent);
  return 0;
}

static void test_not_sent(void **state) {
  (void)state;
  NEED_FILTERS();
  assert_int_equal(in_child_with_scene(not_sent), 0);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "probe") == 0) return probe();
  const ssize_t size = readlink("/proc/self/exe", probe_path, sizeof probe_path - 1);
  if (size < 0) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_answered, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_answered_in_namespaces, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_every_call_is_asked_about, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_nobody_there, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_not_sent, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
