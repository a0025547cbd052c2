/*
 * linux.seccomp on the real kernel: what each action does to a call that is really made, arguments, architectures, the
 * privilege that loading takes, and filters that deny what a start itself needs.
 *
 * The program of these containers is this one: `probe CALL,ARGUMENT,...` makes each call and says what it gave.
 */
#include "containers.h"
#include "denial.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILTER \
  "\"process\":{\"args\":[%s],\"cwd\":\"/\"%s},\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"%s}}}"
#define NNP ",\"noNewPrivileges\":true"
#define TARGET "sched_get_priority_max" /* with policy 0 it gives 0, and nobody else makes it */

static char probe_path[4096];

/* "123,1,2" or, for the 32-bit table, "x86:123,1,2": 0 or an errno on a line. */
static int probe(int count, char **calls) {
  for (int i = 0; i < count; ++i) {
    unsigned long n[4] = {0, 0, 0, 0};
    const char *text = calls[i];
    const int old = strncmp(text, "x86:", 4) == 0;
    char *end;
    long result;
    text += old ? 4 : 0;
    for (int j = 0; j < 4; ++j) {
      n[j] = strtoul(text, &end, 0);
      text = *end == ',' ? end + 1 : end;
    }
    if (old) {
#ifdef __x86_64__
      __asm__ volatile("int $0x80" : "=a"(result) : "a"(n[0]), "b"(n[1]), "c"(n[2]), "d"(n[3]) : "memory");
      printf("%ld\n", result < 0 ? -result : 0);
#endif
    } else {
      result = syscall((long)n[0], n[1], n[2], n[3]);
      printf("%d\n", result < 0 ? errno : 0);
    }
    fflush(stdout);
  }
  return 0;
}

static char *probe_config(const char *calls, const char *process, const char *filter) {
  char *args = text_of("\"%s\",\"probe\",%s", probe_path, calls);
  char *config = text_of("{\"ociVersion\":\"1.2.0\"," FILTER, args, process, filter);
  free(args);
  return config;
}

static char *rules(const char *text) {
  return text_of(",\"syscalls\":[%s]", text);
}

/* What a whole life of the probe wrote; `signal`: what ends it. */
static char *probed(const struct scene *scene, const char *calls, const char *filter, int signal) {
  char *config = probe_config(calls, NNP, filter);
  reaper_create_options options = options_of(scene, config);
  const int output = memfd_create("output", MFD_CLOEXEC);
  REQUIRE(output >= 0);
  options.flags |= REAPER_CREATE_STDIO;
  options.stdio[0] = -1;
  options.stdio[1] = output;
  options.stdio[2] = 2;
  reaper_container *container = must_create_with(scene, "p", &options);
  must_start(container);
  const reaper_exit_status status = must_wait(container);
  assert_int_equal(status.signal, signal);
  if (signal == 0) assert_int_equal(status.exit_code, 0);
  must_delete(container);
  free(config);
  char *path = text_of("/proc/self/fd/%d", output);
  char *text = read_whole(path);
  free(path);
  assert_int_equal(close(output), 0);
  return text;
}

static void assert_probe(const struct scene *scene, const char *calls, const char *rule_text, int signal,
                         const char *wanted) {
  char *filter = rules(rule_text);
  char *text = probed(scene, calls, filter, signal);
  assert_string_equal(text, wanted);
  free(text);
  free(filter);
}

static char *call_text(long number, unsigned long a, unsigned long b) {
  return text_of("\"%ld,%lu,%lu\"", number, a, b);
}

static void test_actions(void **state) {
  NEED_FILTERS();
  static const struct {
    const char *action;
    int signal;
    const char *wanted;
  } rows[] = {{"\"SCMP_ACT_ERRNO\"", 0, "1\n"},
              {"\"SCMP_ACT_ERRNO\",\"errnoRet\":28", 0, "28\n"},
              {"\"SCMP_ACT_ERRNO\",\"errnoRet\":0", 0, "0\n"},
              {"\"SCMP_ACT_KILL\"", SIGSYS, ""},
              {"\"SCMP_ACT_KILL_THREAD\"", SIGSYS, ""},
              {"\"SCMP_ACT_KILL_PROCESS\"", SIGSYS, ""},
              {"\"SCMP_ACT_TRAP\"", SIGSYS, ""},
              {"\"SCMP_ACT_TRACE\"", 0, "38\n"}, /* ENOSYS: nobody traces it */
              {"\"SCMP_ACT_TRACE\",\"errnoRet\":7", 0, "38\n"},
              {"\"SCMP_ACT_LOG\"", 0, "0\n"},
              {"\"SCMP_ACT_ALLOW\"", 0, "0\n"}};
  char *call = call_text(SYS_sched_get_priority_max, 0, 0);
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *rule = text_of("{\"names\":[\"" TARGET "\",\"no_such_call\"],\"action\":%s}", rows[i].action);
    assert_probe(*state, call, rule, rows[i].signal, rows[i].wanted);
    free(rule);
  }
  free(call);
}

/* What is not allowed fails as the default action has it; what the program needs to live is. */
static void test_default_action(void **state) {
  NEED_FILTERS();
  static const char allowed[] =
      "\"execve\",\"brk\",\"mmap\",\"munmap\",\"mprotect\",\"arch_prctl\",\"set_tid_address\",\"set_robust_list\","
      "\"rseq\",\"prlimit64\",\"getrandom\",\"openat\",\"open\",\"access\",\"faccessat\",\"faccessat2\",\"read\","
      "\"write\",\"close\",\"fstat\",\"newfstatat\",\"stat\",\"lstat\",\"pread64\",\"ioctl\",\"lseek\",\"exit_group\","
      "\"exit\",\"rt_sigaction\",\"rt_sigprocmask\",\"rt_sigreturn\",\"getpid\",\"getppid\",\"getuid\",\"geteuid\","
      "\"getgid\",\"getegid\",\"fcntl\",\"getcwd\",\"readlink\",\"readlinkat\",\"futex\",\"clock_gettime\"";
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sh\",\"-c\",\"cd /usr 2>/dev/null && exit 3; exit 5\"],"
      "\"cwd\":\"/\"" NNP
      "},\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,"
      "\"syscalls\":[{\"names\":[%s],\"action\":\"SCMP_ACT_ALLOW\"},"
      "{\"names\":[\"chdir\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}]}}}", /* as the default: passed over */
      allowed);
  reaper_container *container = must_create(*state, "d", config);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 5);
  must_delete(container);
  free(config);
}

static void test_arguments(void **state) {
  NEED_FILTERS();
  char *calls =
      text_of("\"%ld,0\",\"%ld,1\",\"%ld,2\",\"%ld,3\"", (long)SYS_sched_get_priority_max,
              (long)SYS_sched_get_priority_max, (long)SYS_sched_get_priority_max, (long)SYS_sched_get_priority_max);
  static const struct {
    const char *args, *wanted;
  } rows[] = {
      {"{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}", "0\n28\n0\n0\n"},
      {"{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_GT\"}", "0\n0\n28\n28\n"},
      {"{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_NE\"}", "28\n0\n28\n28\n"},
      {"{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_LT\"}", "28\n0\n0\n0\n"},
      {"{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_LE\"}", "28\n28\n0\n0\n"},
      {"{\"index\":0,\"value\":2,\"op\":\"SCMP_CMP_GE\"}", "0\n0\n28\n28\n"},
      {"{\"index\":0,\"value\":2,\"valueTwo\":2,\"op\":\"SCMP_CMP_MASKED_EQ\"}", "0\n0\n28\n28\n"},
      /* two arguments: both must hold */
      {"{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_GE\"},{\"index\":1,\"value\":9,\"op\":\"SCMP_CMP_EQ\"}",
       "0\n0\n0\n0\n"},
      /* twice the same: one of them must */
      {"{\"index\":0,\"value\":0,\"op\":\"SCMP_CMP_EQ\"},{\"index\":0,\"value\":3,\"op\":\"SCMP_CMP_EQ\"}",
       "28\n0\n0\n28\n"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *rule = text_of("{\"names\":[\"" TARGET "\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":28,\"args\":[%s]}",
                         rows[i].args);
    assert_probe(*state, calls, rule, 0, rows[i].wanted);
    free(rule);
  }
  free(calls);
}

/*
 * CVE-2019-10063: the kernel takes 32 bits of an ioctl's number, a filter sees 64. What is compared whole can be passed
 * by with a bit above; what is masked cannot. On a descriptor that is none: EBADF is "allowed".
 */
static void test_masked_comparison(void **state) {
  NEED_FILTERS();
  char *calls = text_of("\"%ld,99,0x5412\",\"%ld,99,0x100005412\",\"%ld,99,0x5413\"", (long)SYS_ioctl, (long)SYS_ioctl,
                        (long)SYS_ioctl);
#define IOCTL "{\"names\":[\"ioctl\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":1,"
  static const char masked[] = IOCTL "\"value\":4294967295,\"valueTwo\":21522,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}";
  static const char whole[] = IOCTL "\"value\":21522,\"op\":\"SCMP_CMP_EQ\"}]}";
  assert_probe(*state, calls, masked, 0, "1\n1\n9\n");
  assert_probe(*state, calls, whole, 0, "1\n9\n9\n");
  free(calls);
}

/* Another table of system calls is closed, unless it is named: then its calls of that name are meant too. */
static void test_architectures(void **state) {
  NEED_FILTERS();
#ifdef __x86_64__
  static const char rule[] =
      ",\"syscalls\":[{\"names\":[\"" TARGET "\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":28}]";
  static const struct {
    const char *architecture, *call; /* 159 there, 146 here and, with bit 30, for x32 */
  } rows[] = {{"SCMP_ARCH_X86", "\"x86:159,0\""}, {"SCMP_ARCH_X32", "\"1073741970,0\""}};
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *text = probed(*state, rows[i].call, rule, SIGSYS);
    assert_string_equal(text, "");
    free(text);
    char *filter = text_of("%s,\"architectures\":[\"SCMP_ARCH_X86_64\",\"%s\"]", rule, rows[i].architecture);
    text = probed(*state, rows[i].call, filter, 0);
    assert_string_equal(text, "28\n");
    free(text);
    free(filter);
  }
#else
  (void)state;
  SKIP("the other tables are those of amd64");
#endif
}

static void test_flags(void **state) {
  NEED_FILTERS();
  char *filter = text_of(
      ",\"flags\":[\"SECCOMP_FILTER_FLAG_TSYNC\",\"SECCOMP_FILTER_FLAG_LOG\","
      "\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\",\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"]");
  char *call = call_text(SYS_sched_get_priority_max, 0, 0);
  char *config = probe_config(call, NNP, filter);
  reaper_create_options options = options_of(*state, config);
  char *plan = NULL;
  const struct scene *scene = *state;
  assert_int_equal(reaper_plan(scene->runtime, &options, REAPER_FORMAT_TEXT, &plan, NULL), REAPER_OK);
  assert_contains(plan, "flags=0x6"); /* LOG and SPEC_ALLOW: the others say nothing to one thread without a listener */
  reaper_free(plan);
  free(config);
  char *text = probed(scene, call, filter, 0);
  assert_string_equal(text, "0\n");
  free(text);
  free(call);
  free(filter);
}

static char *script_config(const char *script, const char *process, const char *rule) {
  char *quoted = json_string(script);
  char *args = text_of("\"/bin/sh\",\"-c\",%s", quoted);
  char *filter = rules(rule);
  char *config = text_of("{\"ociVersion\":\"1.2.0\"," FILTER, args, process, filter);
  free(filter);
  free(args);
  free(quoted);
  return config;
}

/* Without no_new_privs, CAP_SYS_ADMIN is held for the filter alone, and is gone when the program runs. */
static void test_without_no_new_privs(void **state) {
  NEED_FILTERS();
  static const char rule[] = "{\"names\":[\"" TARGET "\"],\"action\":\"SCMP_ACT_ERRNO\"}";
  static const char process[] = ",\"user\":{\"uid\":1234,\"gid\":1234},\"capabilities\":{\"bounding\":[\"CAP_KILL\"]}";
  const int may = is_root() && holds_capability("CapEff:", CAP_SYS_ADMIN);
  if (!may) {
    char *config = script_config("true", "", rule);
    reaper_create_options options = options_of(*state, config);
    const struct expected expected = {REAPER_ERR_PERMISSION, 0, "plan", "/linux/seccomp", "needs CAP_SYS_ADMIN"};
    assert_create_fails(*state, &options, &expected);
    free(config);
    SKIP("loading a filter without no_new_privs needs CAP_SYS_ADMIN");
  }
  char *config = script_config("grep -E '^(Seccomp|NoNewPrivs|Cap...):' /proc/self/status", process, rule);
  char *text = output_of_config(*state, config, options_of(*state, config));
  assert_contains(text, "Seccomp:\t2\n");
  assert_contains(text, "NoNewPrivs:\t0\n");
  assert_contains(text, "CapPrm:\t0000000000000000\n");
  assert_contains(text, "CapEff:\t0000000000000000\n");
  assert_contains(text, "CapBnd:\t0000000000000020\n");
  free(text);
  free(config);
  /* The capset that gives it up comes after the filter. */
  config = script_config("true", process, "{\"names\":[\"capset\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}");
  reaper_container *container = must_create(*state, "c", config);
  const struct expected expected = {REAPER_ERR_SYSTEM, ENOSYS, "seccomp", "/linux/seccomp", "noNewPrivileges"};
  reaper_error *error = NULL;
  assert_error(reaper_start(container, &error), &error, &expected);
  assert_int_equal(must_status(container), REAPER_STATUS_STOPPED);
  must_delete(container);
  free(config);
}

/* Neither success nor a start that hangs: whatever of execve, the words about it, and the end is denied, and how. */
static void test_what_a_filter_denies(void **state) {
  NEED_FILTERS();
  static const struct {
    const char *names, *action;
    int number;
    const char *part;
  } rows[] = {
      {"\"execve\"", "\"SCMP_ACT_ERRNO\"", EPERM, "permission denied"},
      {"\"execve\"", "\"SCMP_ACT_ERRNO\",\"errnoRet\":38", ENOSYS, "ENOSYS"},
      {"\"execve\",\"sendto\",\"write\",\"sendmsg\"", "\"SCMP_ACT_ERRNO\",\"errnoRet\":38", ENOSYS, "ENOSYS"},
      {"\"execve\",\"sendto\",\"exit_group\",\"exit\",\"close\"", "\"SCMP_ACT_ERRNO\",\"errnoRet\":38", ENOSYS,
       "ENOSYS"},
      {"\"execve\"", "\"SCMP_ACT_KILL\"", EPERM, "does not allow execve"},
      {"\"execve\"", "\"SCMP_ACT_KILL_PROCESS\"", EPERM, "does not allow execve"},
      {"\"execve\"", "\"SCMP_ACT_TRAP\"", EPERM, "does not allow execve"},
      {"\"execve\"", "\"SCMP_ACT_TRACE\"", ENOSYS, "ENOSYS"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *rule = text_of("{\"names\":[%s],\"action\":%s}", rows[i].names, rows[i].action);
    char *config = script_config("true", NNP, rule);
    reaper_container *container = must_create(*state, "x", config);
    const int killed = strstr(rows[i].part, "does not allow") != NULL;
    const struct expected expected = {REAPER_ERR_EXEC, rows[i].number, "execve",
                                      killed ? "/linux/seccomp" : "/process/args", rows[i].part};
    reaper_error *error = NULL;
    assert_error(reaper_start(container, &error), &error, &expected);
    assert_int_equal(must_status(container), REAPER_STATUS_STOPPED);
    must_delete(container);
    free(config);
    free(rule);
  }
}

/* In the running program, and what is known of it. */
static void test_seen_from_outside(void **state) {
  NEED_FILTERS();
  char *config =
      script_config("sleep 1000", NNP, "{\"names\":[\"" TARGET "\",\"xyzzy\"],\"action\":\"SCMP_ACT_ERRNO\"}");
  reaper_container *container = must_create(*state, "s", config);
  must_start(container);
  char *path = text_of("/proc/%d/status", (int)must_pid(container));
  char *text = read_whole(path);
  assert_contains(text, "Seccomp:\t2\n");
  free(text);
  free(path);
  text = must_state(container);
  assert_contains(text, "/linux/seccomp/syscalls/0/names/1");
  reaper_free(text);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  free(config);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "probe") == 0) return probe(argc - 2, argv + 2);
  const ssize_t size = readlink("/proc/self/exe", probe_path, sizeof probe_path - 1);
  if (size < 0) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_actions, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_default_action, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_arguments, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_masked_comparison, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_architectures, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_flags, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_without_no_new_privs, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_what_a_filter_denies, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_seen_from_outside, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
