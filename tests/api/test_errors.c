/*
 * What an error says: code, errno, stage, pointer and the words, for the refusals and for what can fail in reaper-init
 * (test_init_faults has those that do not occur by themselves). After each nothing is left: no process, no descriptor,
 * no directory.
 */
#include "containers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct row {
  const char *text; /* a config, or members of `process`; '@' is the place */
  struct expected expected;
};

#define INVALID REAPER_ERR_INVALID
#define UNSUPPORTED REAPER_ERR_UNSUPPORTED

static const struct row configs[] = {
    {"", {INVALID, 0, "json", "", "config.json:1:1:"}},
    {"{", {INVALID, 0, "json", "", "config.json:1:2:"}},
    {"{}x", {INVALID, 0, "json", "", "config.json:1:3:"}},
    {"\xef\xbb\xbf{}", {INVALID, 0, "json", "", "config.json:1:1:"}},
    {"{\"ociVersion\":\"1.0.0\",\"ociVersion\":\"1.0.0\"}", {INVALID, 0, "json", "/ociVersion", "ociVersion"}},
    {"{\"ociVersion\":007}", {INVALID, 0, "json", "", "config.json:1:"}},
    {"{\"ociVersion\":\"\\u0000\"}", {INVALID, 0, "json", "", "config.json:1:"}},
    {"[]", {INVALID, 0, "config", "", ""}},
    {"{}", {INVALID, 0, "config", "/ociVersion", "ociVersion"}},
    {"{\"ociVersion\":1}", {INVALID, 0, "config", "/ociVersion", "a string"}},
    {"{\"ociVersion\":\"one\"}", {INVALID, 0, "config", "/ociVersion", "SemVer"}},
    {"{\"ociVersion\":\"2.0.0\"}", {UNSUPPORTED, 0, "config", "/ociVersion", "2.0.0"}},
    {"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"rootfs\"}}",
     {INVALID, 0, "plan", "/root/path", "mount namespace"}},
    {"{\"ociVersion\":\"1.0.0\",\"root\":{}}", {INVALID, 0, "config", "/root/path", ""}},
    {"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"/\",\"readonly\":true}}",
     {UNSUPPORTED, 0, "plan", "/root/readonly", "a root of the container's own"}},
    {"{\"ociVersion\":\"1.0.0\",\"hostname\":\"x\"}", {INVALID, 0, "plan", "/hostname", "needs a uts namespace"}},
    {"{\"ociVersion\":\"1.0.0\",\"mounts\":[{\"destination\":\"/x\"}]}",
     {UNSUPPORTED, 0, "config", "/mounts/0/type", "without a type"}},
    {"{\"ociVersion\":\"1.0.0\",\"hooks\":{\"poststop\":[{\"path\":\"true\"}]}}",
     {INVALID, 0, "config", "/hooks/poststop/0/path", "absolute"}},
    {"{\"ociVersion\":\"1.0.0\",\"hooks\":{\"poststop\":[{\"path\":\"/bin/true\",\"timeout\":0}]}}",
     {INVALID, 0, "config", "/hooks/poststop/0/timeout", "1"}},
    {"{\"ociVersion\":\"1.0.0\",\"annotations\":{\"\":\"x\"}}", {INVALID, 0, "config", "/annotations/", "empty"}},
    {"{\"ociVersion\":\"1.0.0\",\"annotations\":{\"a\":1}}", {INVALID, 0, "config", "/annotations/a", "a string"}},
    {"{\"ociVersion\":\"1.0.0\",\"linux\":{\"namespaces\":[{\"type\":\"user\"}]}}",
     {INVALID, 0, "plan", "/linux/uidMappings", "at least one range"}},
    {"{\"ociVersion\":\"1.0.0\",\"linux\":{\"namespaces\":[{\"type\":\"net\"}]}}",
     {INVALID, 0, "config", "/linux/namespaces/0/type", "network"}},
    {"{\"ociVersion\":\"1.0.0\",\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"@/nothing\"}]}}",
     {INVALID, ENOENT, "plan", "/linux/namespaces/0/path", "ENOENT"}},
    {"{\"ociVersion\":\"1.0.0\",\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"/proc/self/ns/pid\"}]}}",
     {INVALID, 0, "plan", "/linux/namespaces/0/path", "is a pid namespace"}},
    {"{\"ociVersion\":\"1.0.0\",\"linux\":{\"cgroupsPath\":\"a.slice:b:c\"}}",
     {UNSUPPORTED, 0, "config", "/linux/cgroupsPath", "systemd's form SLICE:PREFIX:NAME"}},
    {"{\"ociVersion\":\"1.0.0\",\"linux\":{\"cgroupsPath\":\"/a/../b\"}}",
     {INVALID, 0, "config", "/linux/cgroupsPath", "has \"..\" in it"}},
    {"{\"ociVersion\":\"1.0.0\",\"linux\":{\"intelRdt\":{\"closID\":\"a\"}}}",
     {UNSUPPORTED, 0, "plan", "/linux/intelRdt", "no resctrl"}},
    {"{\"ociVersion\":\"1.0.0\",\"linux\":{\"netDevices\":{\"eth0\":{}}}}",
     {INVALID, 0, "plan", "/linux/netDevices", "network namespace"}},
};

static void test_refused_configs(void **state) {
  const struct scene *scene = *state;
  for (size_t i = 0; i < COUNT_OF(configs); ++i) {
    char *config = filled(scene, configs[i].text);
    const reaper_create_options options = options_of(scene, config);
    assert_create_fails(scene, &options, &configs[i].expected);
    char *text = NULL;
    reaper_error *error = NULL;
    assert_error(reaper_plan(scene->runtime, &options, REAPER_FORMAT_TEXT, &text, &error), &error,
                 &configs[i].expected);
    assert_null(text);
    free(config);
  }
  assert_int_equal(access(scene->place.root, F_OK), -1);
}

#define ARGS "\"args\":[\"/bin/true\"],\"cwd\":\"/\""
#define USER(uid, gid) ARGS ",\"user\":{\"uid\":" uid ",\"gid\":" gid "}"

static const struct row processes[] = {
    {"", {INVALID, 0, "config", "/process/args", "args"}},
    {"\"args\":[],\"cwd\":\"/\"", {INVALID, 0, "config", "/process/args", "at least one"}},
    {"\"args\":[\"\"],\"cwd\":\"/\"", {INVALID, 0, "config", "/process/args/0", "must not be empty"}},
    {"\"args\":[1],\"cwd\":\"/\"", {INVALID, 0, "config", "/process/args/0", "a string"}},
    {"\"args\":[\"true\"]", {INVALID, 0, "config", "/process/cwd", "cwd"}},
    {"\"args\":[\"true\"],\"cwd\":\"\"", {INVALID, 0, "config", "/process/cwd", "absolute"}},
    {"\"args\":[\"true\"],\"cwd\":\"tmp\"", {INVALID, 0, "config", "/process/cwd", "absolute"}},
    {ARGS ",\"env\":[\"NAME\"]", {INVALID, 0, "config", "/process/env/0", "NAME=value"}},
    {ARGS ",\"env\":[\"A=1\",\"=x\"]", {INVALID, 0, "config", "/process/env/1", "no name"}},
    {ARGS ",\"terminal\":true", {INVALID, 0, "config", "/process/terminal", "nobody takes the terminal"}},
    {ARGS ",\"user\":{\"uid\":0}", {INVALID, 0, "config", "/process/user/gid", "gid"}},
    {ARGS ",\"user\":{\"gid\":0}", {INVALID, 0, "config", "/process/user/uid", "uid"}},
    {USER("-1", "0"), {INVALID, 0, "config", "/process/user/uid", "0"}},
    {USER("4294967295", "0"), {INVALID, 0, "config", "/process/user/uid", "4294967294"}},
    {USER("4294967296", "0"), {INVALID, 0, "config", "/process/user/uid", "4294967294"}},
    {USER("9223372036854775808", "0"), {INVALID, 0, "config", "/process/user/uid", "4294967294"}},
    {USER("18446744073709551616", "0"), {INVALID, 0, "config", "/process/user/uid", "4294967294"}},
    {USER("1.5", "0"), {INVALID, 0, "config", "/process/user/uid", ""}},
    {USER("1e3", "0"), {INVALID, 0, "config", "/process/user/uid", ""}},
    {USER("\"0\"", "0"), {INVALID, 0, "config", "/process/user/uid", "a number"}},
    {USER("null", "0"), {INVALID, 0, "config", "/process/user/uid", "a number"}},
    {USER("0", "4294967295"), {INVALID, 0, "config", "/process/user/gid", "4294967294"}},
    {ARGS ",\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[4294967295]}",
     {INVALID, 0, "config", "/process/user/additionalGids/0", "4294967294"}},
    {ARGS ",\"user\":{\"uid\":0,\"gid\":0,\"umask\":512}", {INVALID, 0, "config", "/process/user/umask", "511"}},
    {ARGS ",\"capabilities\":{\"effective\":[\"CAP_CHOWN\"]}",
     {INVALID, 0, "config", "/process/capabilities/effective/0", "not in permitted"}},
    {ARGS ",\"rlimits\":[{\"type\":\"RLIMIT_NOFILES\",\"soft\":1,\"hard\":1}]",
     {INVALID, 0, "config", "/process/rlimits/0/type", "RLIMIT_NOFILE"}},
    {ARGS ",\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":2,\"hard\":1}]",
     {INVALID, 0, "config", "/process/rlimits/0/soft", "above the hard limit"}},
    {ARGS
     ",\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":0},{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":0}]",
     {INVALID, 0, "config", "/process/rlimits/1/type", "an earlier entry"}},
    {ARGS ",\"oomScoreAdj\":1001", {INVALID, 0, "config", "/process/oomScoreAdj", "1000"}},
    {ARGS ",\"oomScoreAdj\":-1001", {INVALID, 0, "config", "/process/oomScoreAdj", "1000"}},
    {ARGS ",\"noNewPrivileges\":1", {INVALID, 0, "config", "/process/noNewPrivileges", "true or false"}},
    {ARGS ",\"apparmorProfile\":1", {INVALID, 0, "config", "/process/apparmorProfile", "a string"}},
    {ARGS ",\"scheduler\":{\"policy\":\"SCHED_BACH\"}",
     {INVALID, 0, "config", "/process/scheduler/policy", "did you mean \"SCHED_BATCH\"?"}},
    {ARGS ",\"scheduler\":{\"policy\":\"SCHED_ISO\"}",
     {UNSUPPORTED, 0, "config", "/process/scheduler/policy", "no such scheduler"}},
    {ARGS ",\"commandLine\":\"x\"", {UNSUPPORTED, 0, "config", "/process/commandLine", "not supported"}},
};

static void test_refused_processes(void **state) {
  const struct scene *scene = *state;
  for (size_t i = 0; i < COUNT_OF(processes); ++i) {
    char *config = process_config(processes[i].text);
    const reaper_create_options options = options_of(scene, config);
    if (strcmp(processes[i].expected.pointer, "/process/terminal") == 0) /* a run in the foreground takes it */
      assert_create_fails_unforeseen(scene, &options, &processes[i].expected);
    else
      assert_create_fails(scene, &options, &processes[i].expected);
    free(config);
  }
}

#define LONG_NAME_60 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"
#define LONG_NAME_300 LONG_NAME_60 LONG_NAME_60 LONG_NAME_60 LONG_NAME_60 LONG_NAME_60
#define PROGRAM(path) "\"args\":[\"" path "\"],\"cwd\":\"/\",\"env\":[\"PATH=@/empty:@/programs\"]"
#define CWD(path) "\"args\":[\"/bin/true\"],\"cwd\":\"" path "\""
#define FIND "/process/args/0"

static const struct row at_create[] = {
    {CWD("@/nothing/below"), {REAPER_ERR_SYSTEM, ENOENT, "chdir", "/process/cwd", "/nothing\" is missing"}},
    {CWD("@/file"), {REAPER_ERR_SYSTEM, ENOTDIR, "chdir", "/process/cwd", "/file\" is not a directory"}},
    {CWD("@/file/below"), {REAPER_ERR_SYSTEM, ENOTDIR, "chdir", "/process/cwd", "/file\" is not a directory"}},
    {CWD("@/loop"), {REAPER_ERR_SYSTEM, ELOOP, "chdir", "/process/cwd", "/loop\""}},
    {CWD("/" LONG_NAME_300), {REAPER_ERR_SYSTEM, ENAMETOOLONG, "chdir", "/process/cwd", "ENAMETOOLONG"}},
    {PROGRAM("no-such-program"),
     {REAPER_ERR_EXEC, ENOENT, "find", FIND, "exec: \"no-such-program\": executable file not found in $PATH"}},
    {PROGRAM("@/programs/none"),
     {REAPER_ERR_EXEC, ENOENT, "find", FIND, "/programs/none\": no such file or directory"}},
    {PROGRAM("@/file/none"), {REAPER_ERR_EXEC, ENOTDIR, "find", FIND, "ENOTDIR"}},
    {PROGRAM("plain"), {REAPER_ERR_EXEC, EACCES, "find", FIND, "exec: \"plain\": permission denied"}},
    {PROGRAM("@/programs/plain"), {REAPER_ERR_EXEC, EACCES, "find", FIND, "/programs/plain\": permission denied"}},
    {PROGRAM("@/programs"), {REAPER_ERR_EXEC, EACCES, "find", FIND, "permission denied"}},
    {PROGRAM("directory"), {REAPER_ERR_EXEC, EACCES, "find", FIND, "exec: \"directory\": permission denied"}},
    {PROGRAM("@/loop"), {REAPER_ERR_EXEC, ELOOP, "find", FIND, "/loop\": ELOOP"}},
    {PROGRAM("circle"), {REAPER_ERR_EXEC, ELOOP, "find", FIND, "exec: \"circle\": ELOOP"}},
    {PROGRAM("@/" LONG_NAME_300), {REAPER_ERR_EXEC, ENAMETOOLONG, "find", FIND, "ENAMETOOLONG"}},
};

static const struct row at_start[] = {
    {PROGRAM("bad-interpreter"),
     {REAPER_ERR_EXEC, ENOENT, "execve", "/process/args",
      "bad-interpreter\": no such file or directory (the file itself, or the interpreter that it names)"}},
    {PROGRAM("@/programs/garbage"), {REAPER_ERR_EXEC, ENOEXEC, "execve", "/process/args", "garbage\": ENOEXEC"}},
    {PROGRAM("interpreted-by-directory"),
     {REAPER_ERR_EXEC, EACCES, "execve", "/process/args", "interpreted-by-directory\": permission denied"}},
    {PROGRAM("busy"), {REAPER_ERR_EXEC, ETXTBSY, "execve", "/process/args", "busy\": ETXTBSY"}},
};

static void make_program(const struct scene *scene, const char *name, const char *text, mode_t mode) {
  char *path = text_of("%s/programs/%s", scene->place.directory, name);
  write_whole(path, text);
  assert_int_equal(chmod(path, mode), 0);
  free(path);
}

static void make_directory(const struct scene *scene, const char *name) {
  char *path = path_in(&scene->place, name);
  assert_int_equal(mkdir(path, 0755), 0);
  free(path);
}

/* Everything that the tables name. */
static void make_files(const struct scene *scene) {
  char *file = path_in(&scene->place, "file");
  char *loop = path_in(&scene->place, "loop");
  char *circle = path_in(&scene->place, "programs/circle");
  write_whole(file, "a file");
  assert_int_equal(symlink("loop", loop), 0);
  make_directory(scene, "empty");
  make_directory(scene, "programs");
  make_directory(scene, "programs/directory");
  assert_int_equal(symlink("circle", circle), 0);
  make_program(scene, "plain", "#!/bin/sh\n", 0644);
  make_program(scene, "garbage", "\001\002 no program\n", 0755);
  make_program(scene, "bad-interpreter", "#!/no/such/interpreter\n", 0755);
  make_program(scene, "interpreted-by-directory", "#!/tmp\n", 0755);
  make_program(scene, "busy", "#!/bin/sh\n", 0755);
  free(circle);
  free(loop);
  free(file);
}

static void test_failures_of_create(void **state) {
  const struct scene *scene = *state;
  warm_up(scene);
  make_files(scene);
  for (size_t i = 0; i < COUNT_OF(at_create); ++i) {
    char *members = filled(scene, at_create[i].text);
    char *config = process_config(members);
    const reaper_create_options options = options_of(scene, config);
    assert_create_fails(scene, &options, &at_create[i].expected);
    free(config);
    free(members);
  }
}

/* After a start that failed the container is stopped. */
static void assert_start_fails(const struct scene *scene, const char *config, const struct expected *expected) {
  const reaper_create_options options = options_of(scene, config);
  if (expected->number != ETXTBSY) assert_false(check_differs(scene, &options, expected));
  const struct census before = take_census(scene->place.root);
  reaper_container *container = must_create(scene, "failing", config);
  reaper_error *error = NULL;
  assert_error(reaper_start(container, &error), &error, expected);
  assert_int_equal(must_status(container), REAPER_STATUS_STOPPED);
  assert_code(reaper_start(container, &error), &error, REAPER_ERR_STATUS);
  assert_int_not_equal(must_wait(container).exit_code, 0);
  must_delete(container);
  assert_same_census(before, take_census(scene->place.root));
}

static void test_failures_of_start(void **state) {
  const struct scene *scene = *state;
  warm_up(scene);
  make_files(scene);
  char *busy = path_in(&scene->place, "programs/busy");
  const int writer = open(busy, O_WRONLY | O_CLOEXEC);
  for (size_t i = 0; i < COUNT_OF(at_start); ++i) {
    char *members = filled(scene, at_start[i].text);
    char *config = process_config(members);
    assert_start_fails(scene, config, &at_start[i].expected);
    free(config);
    free(members);
  }
  close(writer);
  free(busy);
}

/* The kernel's limit of one argument is 128 KiB (MAX_ARG_STRLEN). */
static void test_argument_too_long(void **state) {
  const struct scene *scene = *state;
  warm_up(scene);
  char *huge = malloc(200001);
  assert_non_null(huge);
  memset(huge, 'x', 200000);
  huge[200000] = '\0';
  char *members = text_of("\"args\":[\"/bin/true\",\"%s\"],\"cwd\":\"/\"", huge);
  char *config = process_config(members);
  assert_start_fails(scene, config, &(struct expected){REAPER_ERR_EXEC, E2BIG, "execve", "/process/args", "E2BIG"});
  free(config);
  free(members);
  free(huge);
}

/* The program is gone, or no longer executable, when start comes. */
static void test_program_changes_before_start(void **state) {
  const struct scene *scene = *state;
  make_files(scene);
  char *path = path_in(&scene->place, "programs/later");
  char *members = filled(scene, PROGRAM("later"));
  char *config = process_config(members);
  for (int removed = 0; removed < 2; ++removed) {
    make_program(scene, "later", "#!/bin/sh\nexit 0\n", 0755);
    reaper_container *container = must_create(scene, "later", config);
    assert_int_equal(removed ? unlink(path) : chmod(path, 0644), 0);
    const struct expected gone = {REAPER_ERR_EXEC, ENOENT, "execve", "/process/args", "no such file or directory"};
    const struct expected denied = {REAPER_ERR_EXEC, EACCES, "execve", "/process/args", "permission denied"};
    reaper_error *error = NULL;
    assert_error(reaper_start(container, &error), &error, removed ? &gone : &denied);
    assert_int_equal(must_status(container), REAPER_STATUS_STOPPED);
    must_delete(container);
  }
  free(config);
  free(members);
  free(path);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_refused_configs),   TEST(test_refused_processes), TEST(test_failures_of_create),
      TEST(test_failures_of_start), TEST(test_argument_too_long), TEST(test_program_changes_before_start),
  };
  return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
