/* Many lives in one process: descriptors, threads, zombies, memory, mounts and directories end where they began.
 * REAPER_CYCLES=100000 for more of them. */
#include "agent.h"
#include "denial.h"
#include "holder.h"
#include "processes.h"
#include "root.h"
#include "supervised.h"
#include "terminal.h"
#include "users.h"

#include <dirent.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PLAIN_CYCLES 500 /* a sanitizer keeps what was freed for a while: memory is not compared there */
#define MEMORY_COUNTS 0
#else
#define PLAIN_CYCLES 10000
#define MEMORY_COUNTS 1
#endif
#define WARM_UP 30
#define RSS_BOUND_KIB 1024 /* what an allocator's fragments and the kernel's batches of page counts come to */

struct standing {
  struct census census;
  long rss_kib;
  long mounts;
};

static long line_number(const char* path, const char* name) {
  char* text = read_whole(path);
  assert_non_null(text);
  char* value = line_value(text, name);
  assert_non_null(value);
  const long number = strtol(value, NULL, 10);
  free(value);
  free(text);
  return number;
}

static long count_mounts(void) {
  char* text = read_whole("/proc/self/mountinfo");
  assert_non_null(text);
  long lines = 0;
  for (const char* at = text; (at = strchr(at, '\n')) != NULL; ++at) ++lines;
  free(text);
  return lines;
}

static struct standing look(const struct scene* scene) {
  return (struct standing){take_census(scene->place.root), line_number("/proc/self/status", "VmRSS:"), count_mounts()};
}

static long cycles(long by_default) {
  const char* wanted = getenv("REAPER_CYCLES");
  const long number = wanted != NULL ? strtol(wanted, NULL, 10) : 0;
  if (number > 0) return by_default * number / 10000 + 1;
  return by_default * PLAIN_CYCLES / 10000;
}

/* `once` many times; `what` for the line that counts them. Plain lives are ten thousand; of the others a few hundred
 * will do, since one descriptor, thread, process, mount or directory that is left is seen. A soak makes ten times as
 * many. */
static void repeat(const struct scene* scene, const char* what, long count, void (*once)(const struct scene*)) {
  for (int i = 0; i < WARM_UP; ++i) once(scene);
  const struct standing before = look(scene);
  for (long i = 0; i < count; ++i) once(scene);
  const struct standing after = look(scene);
  printf("%s: %ld cycles, resident memory %ld KiB before and %ld after\n", what, count, before.rss_kib, after.rss_kib);
  assert_same_census(before.census, after.census);
  assert_int_equal(before.mounts, after.mounts);
  if (MEMORY_COUNTS) assert_true(after.rss_kib <= before.rss_kib + RSS_BOUND_KIB);
}

static const char quick[] = "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\"}}";

static void live(const struct scene* scene, const reaper_create_options* options) {
  reaper_container* container = must_create_with(scene, "cycle", options);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 0);
  must_delete(container);
}

static void plain_once(const struct scene* scene) {
  assert_int_equal(quiet_life(scene->runtime, "cycle", quick, 0), 0);
}

static void supervised_once(const struct scene* scene) {
  const reaper_create_options options = supervised(scene, quick);
  live(scene, &options);
}

static void hooks_once(const struct scene* scene) {
  static const char config[] =
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\"},\"hooks\":{"
      "\"createRuntime\":[{\"path\":\"/bin/true\"}],\"poststart\":[{\"path\":\"/bin/true\"}],"
      "\"poststop\":[{\"path\":\"/bin/true\"}]}}";
  const reaper_create_options options = options_of(scene, config);
  live(scene, &options);
}

static void terminal_once(const struct scene* scene) {
  static const char config[] =
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"terminal\":true,\"args\":[\"/bin/true\"],\"cwd\":\"/\"}}";
  int32_t master = -1;
  reaper_container* container = must_create_terminal(scene, "cycle", config, &master);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 0);
  close(master);
  must_delete(container);
}

/* Failures at different depths: in config.json, in the plan, in init before READY, in init after START; a name that is
 * taken; and a container that is ended before its start. */
static void failing_once(const struct scene* scene) {
  static const char* const configs[] = {
      "{", "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"relative\"}}",
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/nowhere/at/all\"],\"cwd\":\"/\"}}",
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/nowhere\"}}"};
  for (size_t i = 0; i < COUNT_OF(configs); ++i) {
    const reaper_create_options options = options_of(scene, configs[i]);
    reaper_container* container = NULL;
    reaper_error* error = NULL;
    assert_true(reaper_create(scene->runtime, "failing", &options, &container, &error) < 0);
    assert_null(container);
    reaper_error_free(error);
  }
  reaper_container* first = must_create(scene, "taken", quick);
  const reaper_create_options options = options_of(scene, quick);
  reaper_container* second = NULL;
  assert_int_equal(reaper_create(scene->runtime, "taken", &options, &second, NULL), REAPER_ERR_EXISTS);
  assert_int_equal(reaper_delete(first, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(first);
}

static void isolated_once(const struct scene* scene) {
  static const char config[] =
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/busybox\",\"true\"],\"cwd\":\"/\"},"
      "\"root\":{\"path\":\"rootfs\"},\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
      "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}],"
      "\"hooks\":{\"createContainer\":[{\"path\":\"/bin/true\"}],\"startContainer\":[{\"path\":\"/bin/true\"}]},"
      "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},"
      "{\"type\":\"network\"},{\"type\":\"cgroup\"}],\"maskedPaths\":[\"/proc/kcore\"],"
      "\"readonlyPaths\":[\"/proc/sys\"]}}";
  const reaper_create_options options = options_of(scene, config);
  live(scene, &options);
}

static reaper_container* host_of_exec;

/* One that ends by itself, one that is killed, and one whose program is not there. */
static void exec_thrice(const char* more) {
  char* quick_one = text_of("{\"args\":[\"/bin/true\"],\"cwd\":\"/\"%s}", more);
  char* long_one = text_of("{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"%s}", more);
  char* absent = text_of("{\"args\":[\"/nowhere\"],\"cwd\":\"/\"%s}", more);
  reaper_process* process = must_exec(host_of_exec, quick_one);
  assert_int_equal(must_end(process).exit_code, 0);
  reaper_process_free(process);
  process = must_exec(host_of_exec, long_one);
  assert_int_equal(reaper_process_kill(process, 9, NULL), REAPER_OK);
  assert_int_equal(must_end(process).signal, 9);
  reaper_process_free(process);
  refused_exec(host_of_exec, absent,
               (struct expected){REAPER_ERR_EXEC, 2, "find", "/process/args/0", "no such file or directory"});
  free(absent);
  free(long_one);
  free(quick_one);
}

static void exec_once(const struct scene* scene) {
  (void)scene;
  exec_thrice("");
}

static void exec_filtered_once(const struct scene* scene) {
  (void)scene;
  exec_thrice(",\"noNewPrivileges\":true");
}

static void test_exec(void** state) {
  host_of_exec = running(*state, "host", "");
  repeat(*state, "exec (three of them each)", cycles(250), exec_once);
  end(host_of_exec);
}

/* By way of two processes each, which are both to be reaped. */
static void test_exec_in_namespaces(void** state) {
  if (!is_root() || !holds_capability("CapEff:", CAP_SYS_ADMIN)) SKIP("making namespaces needs CAP_SYS_ADMIN");
  host_of_exec = must_run(*state, "host",
                          "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"},"
                          "\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"}]}}");
  repeat(*state, "exec into namespaces (three of them each)", cycles(150), exec_once);
  end(host_of_exec);
}

static char* filtered(const struct scene* scene, const char* action, const char* program) {
  char* text = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[%s],\"cwd\":\"/\",\"noNewPrivileges\":true},\"linux\":{"
      "\"seccomp\":{\"listenerPath\":\"@/agent\",\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":["
      "\"sched_get_priority_max\"],\"action\":\"%s\"}]}}}",
      program, action);
  char* config = filled(scene, text);
  free(text);
  return config;
}

/* From the cache: it is compiled once. */
static void filter_once(const struct scene* scene) {
  char* config = filtered(scene, "SCMP_ACT_ERRNO", "\"/bin/true\"");
  const reaper_create_options options = options_of(scene, config);
  live(scene, &options);
  free(config);
}

static int agent;

/* Its listener is handed over each time, and nothing of it stays here. */
static void notify_once(const struct scene* scene) {
  char* config = filtered(scene, "SCMP_ACT_NOTIFY", "\"/bin/true\"");
  reaper_container* container = must_create(scene, "cycle", config);
  must_start(container);
  char* text = NULL;
  close(take_listener(agent, &text));
  free(text);
  assert_int_equal(must_wait(container).exit_code, 0);
  must_delete(container);
  free(config);
}

static void exec_notify_once(const struct scene* scene) {
  (void)scene;
  reaper_process* process =
      must_exec(host_of_exec, "{\"args\":[\"/bin/true\"],\"cwd\":\"/\",\"noNewPrivileges\":true}");
  char* text = NULL;
  close(take_listener(agent, &text));
  free(text);
  assert_int_equal(must_end(process).exit_code, 0);
  reaper_process_free(process);
}

static void test_filters(void** state) {
  NEED_FILTERS();
  const struct scene* scene = *state;
  agent = agent_of(scene);
  repeat(scene, "filters", cycles(250), filter_once);
  repeat(scene, "filters that notify", cycles(150), notify_once);
  char* config = filtered(scene, "SCMP_ACT_ERRNO", "\"/bin/sleep\",\"1000\"");
  host_of_exec = must_run(scene, "host", config);
  free(config);
  repeat(scene, "exec with a filter (three of them each)", cycles(150), exec_filtered_once);
  end(host_of_exec);
  config = filtered(scene, "SCMP_ACT_NOTIFY", "\"/bin/sleep\",\"1000\"");
  host_of_exec = must_run(scene, "host", config);
  free(config);
  char* text = NULL;
  close(take_listener(agent, &text));
  free(text);
  repeat(scene, "exec with a filter that notifies", cycles(150), exec_notify_once);
  end(host_of_exec);
  close(agent);
}

/* How many processes have a mount of this scene's root: a namespace lives as long as somebody is in it. */
static int holders(const struct scene* scene) {
  const char* const name = strrchr(scene->place.directory, '/');
  int count = 0;
  DIR* all = opendir("/proc");
  assert_non_null(all);
  for (const struct dirent* entry; (entry = readdir(all)) != NULL;) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    char* path = text_of("/proc/%s/mountinfo", entry->d_name);
    char* text = read_whole(path); /* it may have ended meanwhile */
    if (text != NULL && strstr(text, name) != NULL) ++count;
    free(text);
    free(path);
  }
  closedir(all);
  return count;
}

static void test_isolated(void** state) {
  NEED_ROOT_FILE_SYSTEM();
  if (!holds_capability("CapEff:", CAP_SYS_PTRACE)) SKIP("CAP_SYS_PTRACE is not held");
  const struct scene* scene = *state;
  link_in_root(scene, "busybox", "/bin/true");
  reaper_container* container = must_create(scene, "seen",
                                            "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},"
                                            "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}}");
  assert_int_equal(holders(scene), 1); /* the look would see it */
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  repeat(scene, "isolated", cycles(250), isolated_once);
  assert_int_equal(holders(scene), 0);
}

static void user_once(const struct scene* scene) {
  static const char config[] =
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\"},"
      "\"hooks\":{\"createContainer\":[{\"path\":\"/bin/true\"}],\"startContainer\":[{\"path\":\"/bin/true\"}]},"
      "\"linux\":{\"namespaces\":[{\"type\":\"user\"},{\"type\":\"pid\"},{\"type\":\"mount\"}],"
      "\"uidMappings\":[{\"containerID\":0,\"hostID\":200000,\"size\":65536}],"
      "\"gidMappings\":[{\"containerID\":0,\"hostID\":200000,\"size\":65536}]}}";
  const reaper_create_options options = options_of(scene, config);
  live(scene, &options);
}

#define NEED_NEIGHBOURS()                                                                 \
  do {                                                                                    \
    if (!can_make_roots()) SKIP("making namespaces needs CAP_SYS_ADMIN");                 \
    if (!holds_capability("CapEff:", CAP_SYS_PTRACE)) SKIP("CAP_SYS_PTRACE is not held"); \
    NEED_USER_NAMESPACES(NULL);                                                           \
  } while (0)

static void test_user(void** state) {
  NEED_NEIGHBOURS();
  repeat(*state, "user namespaces", cycles(150), user_once);
}

static struct holder neighbour;

/* Below a supervisor and without one, in the namespaces of others, and some of them beside a new user namespace. */
static void joined_once(const struct scene* scene) {
  char* user = text_of("{\"type\":\"user\",\"path\":\"/proc/%d/ns/user\"}]", (int)neighbour.pid);
  const char* const rest[] = {user,
                              "{\"type\":\"user\"}],\"uidMappings\":[{\"containerID\":0,\"hostID\":300000,\"size\":9}],"
                              "\"gidMappings\":[{\"containerID\":0,\"hostID\":300000,\"size\":9}]"};
  for (size_t i = 0; i < 2 * COUNT_OF(rest); ++i) {
    char* config = text_of(
        "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\"},\"linux\":{\"namespaces\":["
        "{\"type\":\"pid\",\"path\":\"/proc/%d/ns/pid\"},{\"type\":\"network\",\"path\":\"/proc/%d/ns/net\"},%s}}",
        (int)neighbour.pid, (int)neighbour.pid, rest[i / 2]);
    reaper_create_options options = options_of(scene, config);
    options.flags = i % 2 == 0 ? 0 : REAPER_CREATE_SUPERVISE;
    live(scene, &options);
    free(config);
  }
  free(user);
}

static void test_joined(void** state) {
  NEED_NEIGHBOURS();
  assert_int_equal(
      hold(&neighbour, CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET, "0 200000 65536", "0 200000 65536", NULL), 0);
  repeat(*state, "namespaces of others (four each)", cycles(100), joined_once);
  assert_int_equal(release(neighbour), 0);
}

static void test_plain(void** state) {
  repeat(*state, "plain", cycles(10000), plain_once);
}
static void test_supervised(void** state) {
  repeat(*state, "supervised", cycles(250), supervised_once);
}
static void test_hooks(void** state) {
  repeat(*state, "hooks", cycles(150), hooks_once);
}
static void test_terminals(void** state) {
  need_terminals();
  repeat(*state, "terminals", cycles(150), terminal_once);
}
static void test_failures(void** state) {
  repeat(*state, "failures (six of them each)", cycles(150), failing_once);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  work_in_memory();
  const struct CMUnitTest tests[] = {TEST(test_plain),
                                     TEST(test_supervised),
                                     TEST(test_hooks),
                                     TEST(test_terminals),
                                     TEST(test_failures),
                                     TEST(test_user),
                                     TEST(test_joined),
                                     TEST(test_exec),
                                     TEST(test_exec_in_namespaces),
                                     TEST(test_filters),
                                     cmocka_unit_test_setup_teardown(test_isolated, root_setup, scene_teardown)};
  return cmocka_run_group_tests_name("cycles", tests, NULL, NULL);
}
