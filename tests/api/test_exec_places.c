/*
 * Where further processes in a container are, when they are refused, and what happens when many come or all ends.
 *
 * This program is also what runs in the containers: "probe" says what it sees.
 */
#include "processes.h"
#include "reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#define NEEDS "making namespaces needs CAP_SYS_ADMIN"
#define SLEEP "exec sleep 1000"

static char self[4096];

static const char *const types[] = {"pid", "net", "mnt", "ipc", "uts", "cgroup", "user", "time"};
static const char all_new[] =
    "{\"type\":\"pid\"},{\"type\":\"network\"},{\"type\":\"mount\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},"
    "{\"type\":\"cgroup\"}";

static int can_make(void) {
  return is_root() && holds_capability("CapEff:", CAP_SYS_ADMIN);
}

/* ---- What runs in the containers ---- */

static int probe(void) {
  for (size_t i = 0; i < COUNT_OF(types); ++i) {
    char path[64];
    char target[64] = "";
    snprintf(path, sizeof path, "/proc/self/ns/%s", types[i]);
    if (readlink(path, target, sizeof target - 1) >= 0) printf("%s\n", target);
  }
  printf("pid: %d session: %d\n", getpid(), getsid(0));
  return 0;
}

/*
 * Tries to trace whoever comes into its pid namespace. What is executed there cannot be traced by its own making: so
 * who is caught was reaper-init, on its way (CVE-2016-9962).
 */
static int attack(void) {
  unsigned refused = 0;
  const int ready = open("attacking", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (ready < 0) return 1;
  close(ready);
  for (int highest = 1;;) {
    for (int pid = 2; pid <= highest + 3; ++pid) {
      if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) return 3;
      if (errno != EPERM) continue;
      if (pid > highest) highest = pid;
      if (++refused == 1) {
        const int file = open("refused", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (file >= 0) close(file);
      }
    }
    if (access("enough", F_OK) == 0) return refused != 0 ? 0 : 4;
  }
}

/* ---- Where it is ---- */

static char *probe_process(const char *what) {
  char *path = json_string(self);
  char *process = text_of("{\"args\":[%s,\"%s\"],\"cwd\":\"/\"}", path, what);
  free(path);
  return process;
}

static void compare_namespaces(const char *text, pid_t pid) {
  for (size_t i = 0; i < COUNT_OF(types); ++i) {
    char target[64] = "";
    char *path = text_of("/proc/%d/ns/%s", pid, types[i]);
    assert_true(readlink(path, target, sizeof target - 1) > 0);
    assert_contains(text, target);
    free(path);
  }
}

static void test_namespaces(void **state) {
  if (!can_make()) SKIP(NEEDS);
  const struct scene *scene = *state;
  static const char *const sets[] = {all_new, "{\"type\":\"pid\"}", "{\"type\":\"network\"}", "{\"type\":\"mount\"}",
                                     "{\"type\":\"uts\"},{\"type\":\"pid\"}"};
  warm_up(scene);
  for (size_t i = 0; i < COUNT_OF(sets); ++i) {
    char *config = text_of(
        "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"},"
        "\"linux\":{\"namespaces\":[%s]}}",
        sets[i]);
    reaper_container *container = must_run(scene, "ns", config);
    const struct census before = take_census(scene->place.root);
    char *process = probe_process("probe");
    char *text = output_of_exec(container, exec_options(process));
    compare_namespaces(text, must_pid(container));
    const int own_pids = strstr(sets[i], "\"pid\"") != NULL;
    int pid = 0;
    int session = 0;
    assert_int_equal(sscanf(strstr(text, "\npid: "), "\npid: %d session: %d", &pid, &session), 2);
    assert_true(own_pids ? pid > 1 && pid < 10 : pid > 10 || getpid() < 20);
    assert_int_equal(session, pid);
    free(text);
    free(process);
    process = shell_process("kill -TERM $$", "");
    reaper_process *killed = must_exec(container, process);
    assert_int_equal(must_end(killed).signal, SIGTERM);
    reaper_process_free(killed);
    free(process);
    assert_same_census(before, take_census(scene->place.root));
    end(container);
    free(config);
  }
}

/* With the first process of a pid namespace, what was executed there ends. */
static void test_ends_with_its_container(void **state) {
  if (!can_make()) SKIP(NEEDS);
  const struct scene *scene = *state;
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"},"
      "\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}}");
  reaper_container *container = must_run(scene, "with", config);
  char *process = shell_process(SLEEP, "");
  reaper_process *sleeper = must_exec(container, process);
  assert_int_equal(reaper_kill(container, SIGKILL, 0, NULL), REAPER_OK);
  assert_int_equal(must_end(sleeper).signal, SIGKILL);
  assert_int_equal(must_wait(container).signal, SIGKILL);
  refused_exec(container, process, (struct expected){REAPER_ERR_STATUS, 0, "status", "", "container not running"});
  reaper_process_free(sleeper);
  must_delete(container);
  free(process);
  free(config);
}

/* Its first process cannot end while a zombie is left: until then it runs, and nobody can be born there. */
struct farewell {
  reaper_container *container;
  reaper_process *left;
};

static int is_zombie(void *argument) {
  return is_gone(reaper_process_pid(argument));
}

static int see_it_end(void *argument, int number) {
  struct farewell *farewell = argument;
  if (number == 0) {
    sleep_ms(300);
    reaper_exit_status status = {.size = sizeof status};
    return reaper_process_wait(farewell->left, LIMIT_MS, &status, NULL) != REAPER_OK || status.signal != SIGKILL;
  }
  char *process = shell_process("true", "");
  const reaper_exec_options options = exec_options(process);
  const struct expected wanted = {REAPER_ERR_STATUS, 0, "status", "", "container not running"};
  reaper_process *made = NULL;
  reaper_error *error = NULL;
  const int differs = error_differs(reaper_exec(farewell->container, &options, &made, &error), &error, &wanted);
  free(process);
  return differs;
}

static void test_while_its_container_ends(void **state) {
  if (!can_make()) SKIP(NEEDS);
  const struct scene *scene = *state;
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"},"
      "\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}}");
  char *process = shell_process(SLEEP, "");
  struct farewell farewell = {must_run(scene, "farewell", config), NULL};
  farewell.left = must_exec(farewell.container, process);
  assert_int_equal(reaper_kill(farewell.container, SIGKILL, 0, NULL), REAPER_OK);
  assert_true(wait_until(is_zombie, farewell.left));
  assert_int_equal(must_status(farewell.container), REAPER_STATUS_RUNNING);
  assert_int_equal(run_threads(2, see_it_end, &farewell), 0);
  assert_int_equal(must_wait(farewell.container).signal, SIGKILL);
  reaper_process_free(farewell.left);
  must_delete(farewell.container);
  free(process);
  free(config);
}

/* Whoever is in the container already cannot trace reaper-init on its way in, not even with the same rights. */
static void test_nobody_traces_it(void **state) {
  if (!can_make()) SKIP(NEEDS);
  const struct scene *scene = *state;
  static const char bare[] = "\"user\":{\"uid\":0,\"gid\":0},\"capabilities\":{}";
  char *place = json_string(scene->place.directory);
  char *program = path_in(&scene->place, "untraceable");
  char *path = json_string(self);
  char *true_path = json_string(program);
  char *copy = text_of("cp /bin/true %s && chmod 0111 %s && chown 1:1 %s && chmod 0777 %s", program, program, program,
                       scene->place.directory);
  assert_int_equal(system(copy), 0);
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[%s,\"attack\"],\"cwd\":%s,%s},"
      "\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}}",
      path, place, bare);
  reaper_container *container = must_run(scene, "attack", config);
  char *ready = path_in(&scene->place, "attacking");
  char *caught = path_in(&scene->place, "refused");
  char *enough = path_in(&scene->place, "enough");
  while (access(ready, F_OK) != 0) sleep_ms(1);
  char *process = text_of("{\"args\":[%s],\"cwd\":\"/\",%s}", true_path, bare);
  for (int round = 0; round < 300 && must_status(container) == REAPER_STATUS_RUNNING; ++round) {
    reaper_process *victim = NULL;
    const reaper_exec_options options = exec_options(process);
    if (reaper_exec(container, &options, &victim, NULL) == REAPER_OK) must_end(victim);
    reaper_process_free(victim);
    if (round >= 20 && access(caught, F_OK) == 0) break;
  }
  write_whole(enough, "");
  assert_int_equal(must_wait(container).exit_code, 0); /* 3: it has caught one; 4: it has seen none */
  must_delete(container);
  free(process);
  free(enough);
  free(caught);
  free(ready);
  free(config);
  free(copy);
  free(true_path);
  free(path);
  free(program);
  free(place);
}

/* ---- When it is refused ---- */

static void test_statuses(void **state) {
  const struct scene *scene = *state;
  char *process = shell_process("true", "");
  char *config = shell_config(SLEEP, "");
  reaper_container *container = must_create(scene, "status", config);
  refused_exec(container, process,
               (struct expected){REAPER_ERR_STATUS, 0, "status", "", "is created, and its program"});
  must_start(container);
  assert_int_equal(reaper_kill(container, SIGKILL, 0, NULL), REAPER_OK);
  (void)must_wait(container);
  refused_exec(container, process, (struct expected){REAPER_ERR_STATUS, 0, "status", "", "container not running"});
  assert_int_equal(reaper_delete(container, 0, NULL), REAPER_OK);
  refused_exec(container, process, (struct expected){REAPER_ERR_NOT_FOUND, 0, "state-directory", "", "does not exist"});
  reaper_container_free(container);
  free(config);
  free(process);
}

static void test_programs(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = running(scene, "programs", "");
  const struct census before = take_census(scene->place.root);
  static const struct {
    const char *members;
    struct expected wanted;
  } rows[] = {
      {"\"args\":[\"nowhere\"],\"cwd\":\"/\"",
       {REAPER_ERR_EXEC, ENOENT, "find", "/process/args/0", "exec: \"nowhere\": executable file not found in $PATH"}},
      {"\"args\":[\"/nowhere\"],\"cwd\":\"/\"",
       {REAPER_ERR_EXEC, ENOENT, "find", "/process/args/0", "exec \"/nowhere\": no such file or directory"}},
      {"\"args\":[\"/etc/passwd\"],\"cwd\":\"/\"",
       {REAPER_ERR_EXEC, EACCES, "find", "/process/args/0", "exec: \"/etc/passwd\": permission denied"}},
      {"\"args\":[\"/bin/true\"],\"cwd\":\"/nowhere\"",
       {REAPER_ERR_SYSTEM, ENOENT, "chdir", "/process/cwd", "component \"/nowhere\" is missing"}},
      {"\"args\":[\"/bin/true\"],\"cwd\":\"relative\"",
       {REAPER_ERR_INVALID, 0, "config", "/process/cwd", "an absolute path is wanted"}},
      {"\"args\":[],\"cwd\":\"/\"", {REAPER_ERR_INVALID, 0, "config", "/process/args", "at least one"}},
      {"\"args\":[\"a\"],\"cwd\":\"/\",\"user\":{\"uid\":4294967295,\"gid\":0}",
       {REAPER_ERR_INVALID, 0, "config", "/process/user/uid", "4294967294"}},
  };
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *process = text_of("{%s}", rows[i].members);
    refused_exec(container, process, rows[i].wanted);
    free(process);
  }
  assert_same_census(before, take_census(scene->place.root));
  end(container);
}

static void test_arguments(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = running(scene, "arguments", "");
  reaper_process *process = NULL;
  reaper_error *error = NULL;
  static const char true_text[] = "{\"args\":[\"/bin/true\"],\"cwd\":\"/\"}";
  const struct expected null = {REAPER_ERR_INVALID, EINVAL, "arguments", "", "NULL"};
  reaper_exec_options options = exec_options(true_text);
  assert_error(reaper_exec(NULL, &options, &process, &error), &error, &null);
  assert_error(reaper_exec(container, &options, NULL, &error), &error, &null);
  assert_error(reaper_exec(container, NULL, &process, &error), &error, &null);
  assert_error(reaper_process_kill(NULL, 9, &error), &error, &null);
  assert_error(reaper_process_pidfd(NULL, NULL, &error), &error, &null);
  options.flags = 1U << 31;
  refused_exec_with(container, options,
                    (struct expected){REAPER_ERR_UNSUPPORTED, 0, "arguments", "", "flags has a bit"});
  options.flags = 0;
  options.size = 8;
  refused_exec_with(container, options, (struct expected){REAPER_ERR_INVALID, EINVAL, "arguments", "", "size is 8"});
  options.size = sizeof options;
  options.extra_fd_count = 1;
  refused_exec_with(container, options,
                    (struct expected){REAPER_ERR_INVALID, EINVAL, "arguments", "", "extra_fds is NULL"});
  const int32_t closed = 1000;
  options.extra_fds = &closed;
  refused_exec_with(container, options,
                    (struct expected){REAPER_ERR_INVALID, EBADF, "arguments", "", "1000 is not open"});
  static const char *const hostile[] = {"",
                                        "{",
                                        "null",
                                        "\"x\"",
                                        "{\"args\":[\"/bin/true\"],\"cwd\":\"/\"}}",
                                        "{\"args\":[\"/bin/true\"],\"cwd\":\"/\"},\"hooks\":{}",
                                        "{\"args\":1}"};
  for (size_t i = 0; i < COUNT_OF(hostile); ++i) {
    options = exec_options(hostile[i]);
    assert_code(reaper_exec(container, &options, &process, &error), &error, REAPER_ERR_INVALID);
  }
  options = exec_options("{\"args\":[\"/bin/true\"],\"cwd\":\"/\",\"nonsense\":1}");
  options.flags = REAPER_EXEC_STRICT;
  refused_exec_with(container, options,
                    (struct expected){REAPER_ERR_INVALID, 0, "plan", "/process/nonsense", "unknown property"});
  end(container);
}

/* ---- Many at once ---- */

static int exec_some(void *argument, int number) {
  const reaper_container *container = argument;
  char *script = text_of("exit %d", number);
  char *process = shell_process(script, "");
  for (int round = 0; round < 5; ++round) {
    reaper_process *made = NULL;
    reaper_error *error = NULL;
    reaper_exit_status status;
    memset(&status, 0, sizeof status);
    status.size = sizeof status;
    const reaper_exec_options options = exec_options(process);
    if (reaper_exec(container, &options, &made, &error) != REAPER_OK) return complain("exec", error);
    CHECK(reaper_process_wait(made, LIMIT_MS, &status, NULL) == REAPER_OK);
    CHECK(status.exit_code == number);
    reaper_process_free(made);
  }
  free(process);
  free(script);
  return 0;
}

static void test_at_once(void **state) {
  reaper_container *container = running(*state, "crowd", "");
  assert_int_equal(run_threads(8, exec_some, container), 0);
  end(container);
}

struct race {
  reaper_container *container;
  char *process;
};

/* Whatever comes first: a process that ran, or a refusal; never one that is left behind. */
static int exec_against_end(void *argument, int number) {
  const struct race *race = argument;
  if (number == 0) return reaper_kill(race->container, SIGKILL, REAPER_KILL_ALL, NULL) != REAPER_OK;
  const reaper_exec_options options = exec_options(race->process);
  reaper_process *made = NULL;
  reaper_error *error = NULL;
  reaper_exit_status status;
  memset(&status, 0, sizeof status);
  status.size = sizeof status;
  const int result = reaper_exec(race->container, &options, &made, &error);
  if (result == REAPER_OK) CHECK(reaper_process_wait(made, LIMIT_MS, &status, NULL) == REAPER_OK);
  if (result != REAPER_OK && result != REAPER_ERR_STATUS) return complain("exec", error);
  reaper_error_free(error);
  reaper_process_free(made);
  return 0;
}

static void test_against_its_end(void **state) {
  if (!can_make()) SKIP(NEEDS);
  const struct scene *scene = *state;
  warm_up(scene);
  const struct census before = take_census(scene->place.root);
  for (int round = 0; round < 20; ++round) {
    struct race race = {must_run(scene, "race",
                                 "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],"
                                 "\"cwd\":\"/\"},\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}}"),
                        shell_process(SLEEP, "")};
    assert_int_equal(run_threads(4, exec_against_end, &race), 0);
    end(race.container);
    free(race.process);
  }
  assert_same_census(before, take_census(scene->place.root));
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "probe") == 0) return probe();
  if (argc == 2 && strcmp(argv[1], "attack") == 0) return attack();
  if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_namespaces, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_ends_with_its_container, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_while_its_container_ends, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_nobody_traces_it, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_statuses, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_programs, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_arguments, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_at_once, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_against_its_end, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
