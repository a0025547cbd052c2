/* Further processes in a container: their lives, who they are, and what the container's own process gives them. */
#include "processes.h"
#include "reaper.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLEEP "exec sleep 1000"

static char *output(const reaper_container *container, const char *process) {
  return output_of_exec(container, exec_options(process));
}

static void says(const reaper_container *container, const char *script, const char *more, const char *wanted) {
  char *process = shell_process(script, more);
  char *text = output(container, process);
  assert_string_equal(text, wanted);
  free(text);
  free(process);
}

/* ---- Its life ---- */

static void test_life(void **state) {
  const struct scene *scene = *state;
  warm_up(scene);
  reaper_container *container = running(scene, "life", "");
  const struct census before = take_census(scene->place.root);
  char *process = shell_process("exit 7", "");
  reaper_process *seven = must_exec(container, process);
  const reaper_exit_status status = must_end(seven);
  assert_int_equal(status.exit_code, 7);
  assert_int_equal(status.signal, 0);
  assert_true(status.started_at_ns > 0 && status.user_time_us >= 0);
  assert_int_equal(must_end(seven).exit_code, 7); /* asked again */
  reaper_error *error = NULL;
  const struct expected ended = {REAPER_ERR_STATUS, 0, "status", "", "the process has ended"};
  assert_error(reaper_process_kill(seven, SIGTERM, &error), &error, &ended);
  reaper_process_free(seven);
  free(process);

  process = shell_process(SLEEP, "");
  reaper_process *sleeper = must_exec(container, process);
  reaper_exit_status none;
  memset(&none, 0, sizeof none);
  none.size = sizeof none;
  assert_code(reaper_process_wait(sleeper, 0, &none, &error), &error, REAPER_ERR_TIMEOUT);
  int32_t pidfd = -1;
  assert_int_equal(reaper_process_pidfd(sleeper, &pidfd, NULL), REAPER_OK);
  assert_true(fcntl(pidfd, F_GETFD) & FD_CLOEXEC);
  const struct expected no_signal = {REAPER_ERR_INVALID, EINVAL, "arguments", "", "signal 99"};
  assert_error(reaper_process_kill(sleeper, 99, &error), &error, &no_signal);
  assert_int_equal(reaper_process_kill(sleeper, SIGUSR1, NULL), REAPER_OK);
  struct pollfd ends = {.fd = pidfd, .events = POLLIN};
  assert_int_equal(poll(&ends, 1, LIMIT_MS), 1);
  close(pidfd);
  assert_int_equal(must_end(sleeper).signal, SIGUSR1);
  assert_int_equal(must_end(sleeper).exit_code, -1);
  reaper_process_free(sleeper);
  free(process);
  assert_same_census(before, take_census(scene->place.root));
  assert_int_equal(must_status(container), REAPER_STATUS_RUNNING);
  end(container);
}

static int has_ended_now(void *pid) {
  return is_gone(*(pid_t *)pid);
}

/* The host forgets it: the zombie of one that has ended goes with its handle, and another one is the host's child. */
static void test_forgotten(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = running(scene, "forgotten", "");
  char *process = shell_process("exit 0", "");
  reaper_process *first = must_exec(container, process);
  pid_t pid = reaper_process_pid(first);
  assert_true(wait_until(has_ended_now, &pid));
  reaper_process_free(first);
  assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
  free(process);
  process = shell_process(SLEEP, "");
  reaper_process *second = must_exec(container, process);
  pid = reaper_process_pid(second);
  reaper_process_free(second);
  assert_int_equal(kill(pid, SIGKILL), 0);
  assert_int_equal(waitpid(pid, NULL, 0), pid);
  reaper_process_free(NULL);
  assert_int_equal(reaper_process_pid(NULL), 0);
  free(process);
  end(container);
}

static void test_descriptors_and_pid_file(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = running(scene, "fds", "");
  char *pid_file = path_in(&scene->place, "pid-file");
  char *note = path_in(&scene->place, "note");
  write_whole(note, "");
  const int32_t extra = open(note, O_WRONLY | O_CLOEXEC);
  char *script = text_of("echo from-3 >&3; ls /proc/self/fd | tr '\\n' ' '; test \"$(cat %s)\" = $$", pid_file);
  char *process = shell_process(script, "");
  reaper_exec_options options = exec_options(process);
  options.pid_file = pid_file;
  options.extra_fds = &extra;
  options.extra_fd_count = 1;
  char *text = output_of_exec(container, options);
  assert_string_equal(text, "0 1 2 3 4 "); /* 4 is that of ls itself */
  char *written = read_whole(note);
  assert_string_equal(written, "from-3\n");
  close(extra);
  free(written);
  free(text);
  free(process);
  /* A failure leaves no pid file. */
  unlink(pid_file);
  options = exec_options("{\"args\":[\"/nowhere\"],\"cwd\":\"/\"}");
  options.pid_file = pid_file;
  refused_exec_with(container, options,
                    (struct expected){REAPER_ERR_EXEC, ENOENT, "find", "/process/args/0", "no such file"});
  assert_int_equal(access(pid_file, F_OK), -1);
  options.pid_file = "/nowhere/pid";
  options.process = "{\"args\":[\"/bin/true\"],\"cwd\":\"/\"}";
  options.process_length = strlen(options.process);
  reaper_process *none = NULL;
  assert_true(reaper_exec(container, &options, &none, NULL) < 0);
  free(script);
  free(note);
  free(pid_file);
  end(container);
}

static void test_terminal(void **state) {
  need_terminals();
  const struct scene *scene = *state;
  reaper_container *container = running(scene, "tty", "");
  char *process = shell_process("test -t 0 && test -t 2 && stty size; read line; echo \"got $line\"",
                                ",\"terminal\":true,\"consoleSize\":{\"height\":33,\"width\":111}");
  reaper_exec_options options = exec_options(process);
  refused_exec_with(container, options,
                    (struct expected){REAPER_ERR_INVALID, 0, "config", "/process/terminal", "nobody takes"});
  int32_t master = -1;
  options.console = &master;
  reaper_process *shell = must_exec_with(container, &options);
  free(read_until(master, "33 111\r\n"));
  assert_int_equal(write(master, "hello\n", 6), 6);
  free(read_until(master, "got hello\r\n"));
  assert_int_equal(must_end(shell).exit_code, 0);
  reaper_process_free(shell);
  close(master);
  free(process);
  end(container);
}

/* ---- Who it is ---- */

static void test_identity(void **state) {
  if (!is_root()) SKIP("needs root");
  const struct scene *scene = *state;
  reaper_container *container = running(scene, "who", "");
  says(container,
       "grep -E '^(Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs)' /proc/self/status | tr -d '\\t '; "
       "umask; ulimit -n; cat /proc/self/oom_score_adj",
       ",\"user\":{\"uid\":12345,\"gid\":12346,\"additionalGids\":[7,9],\"umask\":63},\"noNewPrivileges\":true,"
       "\"capabilities\":{\"bounding\":[\"CAP_KILL\",\"CAP_CHOWN\"],\"permitted\":[\"CAP_KILL\"],"
       "\"effective\":[\"CAP_KILL\"],\"inheritable\":[\"CAP_KILL\"],\"ambient\":[\"CAP_KILL\"]},"
       "\"oomScoreAdj\":321,\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":77,\"hard\":78}]",
       "Uid:12345123451234512345\nGid:12346123461234612346\nGroups:79\nCapInh:0000000000000020\n"
       "CapPrm:0000000000000020\nCapEff:0000000000000020\nCapBnd:0000000000000021\nCapAmb:0000000000000020\n"
       "NoNewPrivs:1\n0077\n77\n321\n");
  char *process = shell_process("grep NoNewPrivs /proc/self/status", "");
  reaper_exec_options options = exec_options(process);
  options.flags = REAPER_EXEC_NO_NEW_PRIVS;
  char *text = output_of_exec(container, options);
  assert_string_equal(text, "NoNewPrivs:\t1\n");
  free(text);
  free(process);
  end(container);
}

static void laid_over(const reaper_container *container, const char *process, const char *wanted) {
  reaper_exec_options options = exec_options(process);
  options.flags = REAPER_EXEC_LAY_OVER;
  char *text = output_of_exec(container, options);
  assert_string_equal(text, wanted);
  free(text);
}

/* The container's own process is the beginning, whatever has become of its bundle. */
static void test_lay_over(void **state) {
  const struct scene *scene = *state;
  char *quoted = json_string(SLEEP);
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sh\",\"-c\",%s],\"cwd\":\"/usr\","
      "\"env\":[\"PATH=/bin:/usr/bin\",\"COLOUR=red\",\"SHAPE=round\"],\"oomScoreAdj\":500,\"unknown\":1.5e3}}",
      quoted);
  reaper_container *container = must_run(scene, "over", config);
#define SCRIPT "\"args\":[\"/bin/sh\",\"-c\",\"pwd; echo $COLOUR $SHAPE $SIZE; cat /proc/self/oom_score_adj\"]"
  laid_over(container, "{" SCRIPT "}", "/usr\nred round\n500\n");
  laid_over(container, "{" SCRIPT ",\"cwd\":\"/\",\"env\":[\"SIZE=big\",\"COLOUR=blue\"],\"oomScoreAdj\":600}",
            "/\nblue round big\n600\n");
  if (is_root())
    laid_over(container,
              "{\"args\":[\"/bin/sh\",\"-c\",\"id -u; id -g; id -G\"],\"user\":{\"uid\":7,\"gid\":8,"
              "\"additionalGids\":[9]}}",
              "7\n8\n8 9\n");
  reaper_exec_options options = exec_options("{" SCRIPT ",\"user\":{\"uid\":7}}");
  options.flags = REAPER_EXEC_LAY_OVER;
  refused_exec_with(container, options,
                    (struct expected){REAPER_ERR_INVALID, 0, "config", "/process/user/gid", "required"});
  options = exec_options("[]");
  options.flags = REAPER_EXEC_LAY_OVER;
  refused_exec_with(container, options,
                    (struct expected){REAPER_ERR_INVALID, 0, "config", "/process", "an object is wanted"});
  free(config);
  free(quoted);
  end(container);
}

static void test_added_capabilities(void **state) {
  if (!is_root() || !holds_capability("CapEff:", CAP_CHOWN)) SKIP("needs root");
  const struct scene *scene = *state;
  reaper_container *container =
      running(scene, "caps",
              ",\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[4]},\"capabilities\":{\"bounding\":[\"CAP_KILL\"],"
              "\"permitted\":[\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"]}");
  laid_over(container,
            "{\"args\":[\"/bin/sh\",\"-c\",\"grep -E '^(CapPrm|CapBnd)' /proc/self/status; id -G\"],"
            "\"user\":{\"additionalGids\":[6]},\"capabilities\":{\"bounding\":[\"CAP_CHOWN\"],"
            "\"permitted\":[\"CAP_CHOWN\"],\"effective\":[\"CAP_CHOWN\"]}}",
            "CapPrm:\t0000000000000021\nCapBnd:\t0000000000000021\n0 4 6\n");
  end(container);
}

static void test_affinity(void **state) {
  const struct scene *scene = *state;
  cpu_set_t allowed;
  int first = 0;
  assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  while (!CPU_ISSET(first, &allowed)) ++first;
  char *line = text_of("Cpus_allowed_list:\t%d\n", first);
  reaper_container *container = running(scene, "cpus", "");
  const char *const members[] = {"initial", "final"};
  for (size_t i = 0; i < COUNT_OF(members); ++i) {
    char *more = text_of(",\"execCPUAffinity\":{\"%s\":\"%d\"}", members[i], first);
    says(container, "grep Cpus_allowed_list /proc/self/status", more, line);
    free(more);
  }
  char *process = shell_process("true", ",\"execCPUAffinity\":{\"final\":\"8191\"}");
  refused_exec(
      container, process,
      (struct expected){REAPER_ERR_SYSTEM, EINVAL, "sched_setaffinity", "/process/execCPUAffinity/final", "8191"});
  free(process);
  free(line);
  end(container);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_life, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_forgotten, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_descriptors_and_pid_file, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_terminal, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_identity, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_lay_over, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_added_capabilities, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_affinity, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
