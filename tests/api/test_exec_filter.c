/* A further process of a container with a filter of system calls has this filter, loaded as for the container's own. */
#include "denial.h"
#include "processes.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define NNP ",\"noNewPrivileges\":true"
#define TRUE "{\"args\":[\"/bin/true\"],\"cwd\":\"/\"" NNP "}"
#define DENIES_CHDIR "{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":28}"
#define DENIED "cd /usr 2>/dev/null || echo denied; grep -E '^(Seccomp|NoNewPrivs|Cap(Prm|Eff)):' /proc/self/status"

static int may_load(void) {
  return is_root() && holds_capability("CapEff:", CAP_SYS_ADMIN);
}

/* One that sleeps, with a filter. */
static reaper_container *filtered(const struct scene *scene, const char *process, const char *rule, const char *more) {
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"%s},"
      "\"linux\":{%s\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[%s]}}}",
      process, more, rule);
  reaper_container *container = must_run(scene, "filtered", config);
  free(config);
  return container;
}

static void says(const reaper_container *container, const char *more, const char *const *parts) {
  char *process = shell_process(DENIED, more);
  char *text = output_of_exec(container, exec_options(process));
  for (; *parts != NULL; ++parts) assert_contains(text, *parts);
  free(text);
  free(process);
}

static void test_has_the_filter(void **state) {
  NEED_FILTERS();
  static const char *const parts[] = {"denied\n", "Seccomp:\t2\n", "NoNewPrivs:\t1\n", NULL};
  const struct scene *scene = *state;
  warm_up(scene);
  reaper_container *container = filtered(scene, NNP, DENIES_CHDIR, "");
  const struct census before = take_census(scene->place.root);
  says(container, NNP, parts);
  /* Another handle knows the record alone. */
  reaper_container *other = NULL;
  assert_int_equal(reaper_open(scene->runtime, "filtered", &other, NULL), REAPER_OK);
  says(other, NNP, parts);
  reaper_container_free(other);
  assert_same_census(before, take_census(scene->place.root));
  end(container);
}

/* By way of the second process that a pid namespace takes. */
static void test_in_a_pid_namespace(void **state) {
  NEED_FILTERS();
  if (!may_load()) SKIP("making namespaces needs CAP_SYS_ADMIN");
  static const char *const parts[] = {"denied\n", "Seccomp:\t2\n", NULL};
  reaper_container *container =
      filtered(*state, NNP, DENIES_CHDIR, "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"}],");
  says(container, NNP, parts);
  end(container);
}

/* seccomp(2): without no_new_privs a filter takes CAP_SYS_ADMIN, which is held for it alone. */
static void test_without_no_new_privs(void **state) {
  NEED_FILTERS();
  const struct scene *scene = *state;
  reaper_container *container = filtered(scene, NNP, DENIES_CHDIR, "");
  if (!may_load()) {
    refused_exec(container, "{\"args\":[\"/bin/true\"],\"cwd\":\"/\"}",
                 (struct expected){REAPER_ERR_PERMISSION, 0, "plan", "/linux/seccomp", "needs CAP_SYS_ADMIN"});
    end(container);
    SKIP("loading a filter without no_new_privs needs CAP_SYS_ADMIN");
  }
  static const char *const parts[] = {
      "denied\n", "Seccomp:\t2\n", "NoNewPrivs:\t0\n", "CapPrm:\t0000000000000000\n", "CapEff:\t0000000000000000\n",
      NULL};
  says(container, ",\"user\":{\"uid\":1234,\"gid\":1234},\"capabilities\":{\"bounding\":[\"CAP_KILL\"]}", parts);
  end(container);
  /* The capset that gives it up comes behind the filter. */
  container = filtered(scene, NNP, "{\"names\":[\"capset\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}", "");
  const struct census before = take_census(scene->place.root);
  refused_exec(container, "{\"args\":[\"/bin/true\"],\"cwd\":\"/\",\"capabilities\":{}}",
               (struct expected){REAPER_ERR_SYSTEM, ENOSYS, "seccomp", "/linux/seccomp", "noNewPrivileges"});
  assert_same_census(before, take_census(scene->place.root));
  end(container);
}

/* A pod's pause process needs no execve: what is executed beside it does. Neither success nor one that hangs. */
static void test_what_a_filter_denies(void **state) {
  NEED_FILTERS();
  const struct scene *scene = *state;
  static const struct {
    const char *names, *action, *pointer, *part;
    int number;
  } rows[] = {
      {"\"execve\"", "\"SCMP_ACT_ERRNO\"", "/process/args", "permission denied", EPERM},
      {"\"execve\",\"sendto\",\"sendmsg\",\"write\",\"exit\",\"exit_group\"", "\"SCMP_ACT_ERRNO\",\"errnoRet\":38",
       "/process/args", "ENOSYS", ENOSYS},
      {"\"execve\"", "\"SCMP_ACT_KILL_PROCESS\"", "/linux/seccomp", "does not allow execve", EPERM},
  };
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *config = text_of(
        "{\"ociVersion\":\"1.2.0\",\"annotations\":{\"io.kubernetes.cri.container-type\":\"sandbox\"},"
        "\"process\":{\"args\":[\"/pause\"],\"cwd\":\"/\"" NNP
        "},\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[%s],\"action\":%s}]}}"
        "}",
        rows[i].names, rows[i].action);
    reaper_container *container = must_run(scene, "pod", config);
    const struct census before = take_census(scene->place.root);
    refused_exec(container, TRUE,
                 (struct expected){REAPER_ERR_EXEC, rows[i].number, "execve", rows[i].pointer, rows[i].part});
    assert_same_census(before, take_census(scene->place.root));
    end(container);
    free(config);
  }
}

#ifndef PTRACE_SECCOMP_GET_FILTER
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#endif

/* The instructions of a process's only filter; their number, or a negative errno. */
static long filter_of(pid_t pid, struct sock_filter *instructions) {
  int status = 0;
  if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0) return -errno;
  assert_int_equal(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
  assert_int_equal(waitpid(pid, &status, __WALL), pid);
  errno = 0;
  const long count = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, NULL, instructions);
  const long result = count < 0 ? -errno : count;
  assert_true(count < 0 || ptrace(PTRACE_SECCOMP_GET_FILTER, pid, (void *)1, NULL) < 0);
  assert_int_equal(ptrace(PTRACE_DETACH, pid, NULL, NULL), 0);
  return result;
}

/* Bit for bit, as the kernel has them (ptrace(2)). */
static void test_the_same_instructions(void **state) {
  NEED_FILTERS();
  if (!may_load()) SKIP("reading a filter needs CAP_SYS_ADMIN");
  static struct sock_filter own[4096];
  static struct sock_filter other[4096];
  reaper_container *container = filtered(*state, NNP, DENIES_CHDIR, "");
  reaper_process *process = must_exec(container, "{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"" NNP "}");
  const long count = filter_of(must_pid(container), own);
  const long found = filter_of(reaper_process_pid(process), other);
  assert_int_equal(reaper_process_kill(process, SIGKILL, NULL), REAPER_OK);
  must_end(process);
  reaper_process_free(process);
  end(container);
  if (count == -EIO || count == -EACCES || count == -EINVAL)
    SKIP("this kernel shows no filters (CONFIG_CHECKPOINT_RESTORE)");
  assert_true(count > 0);
  assert_int_equal(found, count);
  assert_memory_equal(own, other, (size_t)count * sizeof *own);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_has_the_filter, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_in_a_pid_namespace, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_without_no_new_privs, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_what_a_filter_denies, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_the_same_instructions, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
