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

/* `text` with each '@' as the place's directory. */
static char *filled(const struct scene *scene, const char *text) {
  const char *directory = scene->place.directory;
  size_t count = 0;
  for (const char *at = text; *at != '\0'; ++at) count += *at == '@';
  char *out = calloc(1, strlen(text) + count * strlen(directory) + 1);
  assert_non_null(out);
  for (char *end = out; *text != '\0'; ++text) {
    if (*text == '@')
      end = stpcpy(end, directory);
    else
      *end++ = *text;
  }
  return out;
}

static int create_differs(const struct scene *scene, const reaper_create_options *options,
                          const struct expected *expected) {
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  const int result = reaper_create(scene->runtime, "failing", options, &container, &error);
  return error_differs(result, &error, expected) || container != NULL;
}

/* Fails as expected, and leaves nothing. */
static void assert_create_fails(const struct scene *scene, const reaper_create_options *options,
                                const struct expected *expected) {
  const struct census before = take_census(scene->place.root);
  if (create_differs(scene, options, expected)) fail_msg("config: %s", options->config != NULL ? options->config : "-");
  assert_same_census(before, take_census(scene->place.root));
}

struct row {
  const char *text; /* a config, or members of `process`; '@' is the place */
  struct expected expected;
};

/* ---- refusals of config.json ---- */

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
    {"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"rootfs\"}}", {UNSUPPORTED, 0, "config", "/root/path", "rootfs"}},
    {"{\"ociVersion\":\"1.0.0\",\"root\":{}}", {INVALID, 0, "config", "/root/path", ""}},
    {"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"/\",\"readonly\":true}}",
     {UNSUPPORTED, 0, "config", "/root/readonly", "mount namespace"}},
    {"{\"ociVersion\":\"1.0.0\",\"hostname\":\"x\"}", {UNSUPPORTED, 0, "config", "/hostname", "uts namespace"}},
    {"{\"ociVersion\":\"1.0.0\",\"mounts\":[{\"destination\":\"/x\"}]}",
     {UNSUPPORTED, 0, "config", "/mounts/0", "mount namespace"}},
    {"{\"ociVersion\":\"1.0.0\",\"hooks\":{\"poststop\":[{\"path\":\"/bin/true\"}]}}",
     {UNSUPPORTED, 0, "config", "/hooks/poststop", "not supported"}},
    {"{\"ociVersion\":\"1.0.0\",\"annotations\":{\"\":\"x\"}}", {INVALID, 0, "config", "/annotations/", "empty"}},
    {"{\"ociVersion\":\"1.0.0\",\"annotations\":{\"a\":1}}", {INVALID, 0, "config", "/annotations/a", "a string"}},
    {"{\"ociVersion\":\"1.0.0\",\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}}",
     {UNSUPPORTED, 0, "plan", "/linux/namespaces/0", "no new pid namespace"}},
    {"{\"ociVersion\":\"1.0.0\",\"linux\":{\"namespaces\":[{\"type\":\"net\"}]}}",
     {INVALID, 0, "config", "/linux/namespaces/0/type", "network"}},
    {"{\"ociVersion\":\"1.0.0\",\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"@/nothing\"}]}}",
     {INVALID, ENOENT, "plan", "/linux/namespaces/0/path", "ENOENT"}},
    {"{\"ociVersion\":\"1.0.0\",\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"/proc/self/ns/pid\"}]}}",
     {UNSUPPORTED, 0, "plan", "/linux/namespaces/0/path", "joins no other network namespace"}},
    {"{\"ociVersion\":\"1.0.0\",\"linux\":{\"cgroupsPath\":\"/x\"}}",
     {UNSUPPORTED, 0, "config", "/linux/cgroupsPath", "not supported"}},
    {"{\"ociVersion\":\"1.0.0\",\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"}}}",
     {UNSUPPORTED, 0, "config", "/linux/seccomp", "not supported"}},
    {"{\"ociVersion\":\"1.0.0\",\"linux\":{\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}}}",
     {UNSUPPORTED, 0, "config", "/linux/sysctl", "not supported"}},
};

static void test_refused_configs(void **state) {
  const struct scene *scene = *state;
  for (size_t i = 0; i < COUNT_OF(configs); ++i) {
    char *config = filled(scene, configs[i].text);
    const reaper_create_options options = options_of(scene, config);
    assert_create_fails(scene, &options, &configs[i].expected);
    char *text = NULL;
    reaper_error *error = NULL;
    assert_error(reaper_plan(scene->runtime, &options, &text, &error), &error, &configs[i].expected);
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
    {ARGS ",\"terminal\":true", {UNSUPPORTED, 0, "config", "/process/terminal", "not supported"}},
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
    {ARGS ",\"apparmorProfile\":\"x\"", {UNSUPPORTED, 0, "config", "/process/apparmorProfile", "not supported"}},
    {ARGS ",\"scheduler\":{\"policy\":\"SCHED_BATCH\"}",
     {UNSUPPORTED, 0, "config", "/process/scheduler", "not supported"}},
};

static void test_refused_processes(void **state) {
  const struct scene *scene = *state;
  for (size_t i = 0; i < COUNT_OF(processes); ++i) {
    char *config = process_config(processes[i].text);
    const reaper_create_options options = options_of(scene, config);
    assert_create_fails(scene, &options, &processes[i].expected);
    free(config);
  }
}

/* ---- what create finds out in reaper-init ---- */

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

/* ---- what only start can find out ---- */

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

/* ---- another user ---- */

#define AS_ORDINARY ",\"user\":{\"uid\":12345,\"gid\":12345}"

static void test_failures_as_another_user(void **state) {
  const struct scene *scene = *state;
  if (!is_root()) SKIP("needs root");
  warm_up(scene);
  make_files(scene);
  make_directory(scene, "closed");
  char *closed = path_in(&scene->place, "closed");
  assert_int_equal(chmod(closed, 0750), 0);
  make_program(scene, "private", "#!/bin/sh\n", 0700);
  static const struct row rows[] = {
      {CWD("@/closed") AS_ORDINARY,
       {REAPER_ERR_PERMISSION, EACCES, "chdir", "/process/cwd", "cannot be entered by uid 12345"}},
      {CWD("@/closed/below") AS_ORDINARY,
       {REAPER_ERR_PERMISSION, EACCES, "chdir", "/process/cwd", "a mode on the way is 0750"}},
      {PROGRAM("@/programs/private") AS_ORDINARY,
       {REAPER_ERR_EXEC, EACCES, "find", FIND, "/programs/private\": permission denied"}},
      {PROGRAM("private") AS_ORDINARY, {REAPER_ERR_EXEC, EACCES, "find", FIND, "exec: \"private\": permission denied"}},
      {PROGRAM("@/closed/program") AS_ORDINARY,
       {REAPER_ERR_EXEC, EACCES, "find", FIND, "/closed/program\": permission denied"}},
  };
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *members = filled(scene, rows[i].text);
    char *config = process_config(members);
    const reaper_create_options options = options_of(scene, config);
    assert_create_fails(scene, &options, &rows[i].expected);
    free(config);
    free(members);
  }
  free(closed);
}

/* ---- without the right ---- */

struct attempt {
  const char *members;
  struct expected expected;
};

static int attempt_in_a_place_of_ones_own(const struct attempt *attempt) {
  struct scene scene;
  scene_open(&scene);
  char *config = process_config(attempt->members);
  const reaper_create_options options = options_of(&scene, config);
  warm_up(&scene);
  const struct census before = take_census(scene.place.root);
  const int bad = create_differs(&scene, &options, &attempt->expected);
  const struct census after = take_census(scene.place.root);
  free(config);
  scene_close(&scene);
  CHECK(memcmp(&before, &after, sizeof before) == 0);
  return bad;
}

static int as_ordinary(void *argument) {
  CHECK(become_ordinary() == 0);
  return attempt_in_a_place_of_ones_own(argument);
}

static void test_identity_without_the_right(void **state) {
  (void)state;
  struct attempt attempts[] = {
      {ARGS ",\"user\":{\"uid\":54321,\"gid\":54321}",
       {REAPER_ERR_PERMISSION, 0, "plan", "/process/user/uid",
        "needs CAP_SETUID, which this process lacks; run as root"}},
      {ARGS ",\"user\":{\"uid\":0,\"gid\":0}",
       {REAPER_ERR_PERMISSION, 0, "plan", "/process/user/uid", "needs CAP_SETUID"}},
      {ARGS ",\"user\":{\"uid\":@,\"gid\":54321}",
       {REAPER_ERR_PERMISSION, 0, "plan", "/process/user/gid", "needs CAP_SETGID"}},
      {ARGS ",\"user\":{\"uid\":@,\"gid\":@,\"additionalGids\":[54321]}",
       {REAPER_ERR_PERMISSION, 0, "plan", "/process/user/additionalGids", "needs CAP_SETGID"}},
      {ARGS ",\"capabilities\":{}",
       {REAPER_ERR_PERMISSION, 0, "plan", "/process/capabilities/bounding", "needs CAP_SETPCAP"}},
  };
  for (size_t i = 0; i < COUNT_OF(attempts); ++i) {
    char ids[12];
    snprintf(ids, sizeof ids, "%u", is_root() ? ORDINARY_ID : (unsigned)geteuid());
    char members[300] = "";
    for (const char *at = attempts[i].members; *at != '\0'; ++at) {
      const size_t used = strlen(members);
      snprintf(members + used, sizeof members - used, *at == '@' ? "%s" : "%.1s", *at == '@' ? ids : at);
    }
    attempts[i].members = members;
    assert_int_equal(in_child(as_ordinary, &attempts[i]), 0);
  }
}

static int without_sys_resource(void *argument) {
  CHECK(drop_capability(CAP_SYS_RESOURCE) == 0);
  const struct rlimit low = {100, 100};
  CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
  return attempt_in_a_place_of_ones_own(argument);
}

static void test_limits_without_the_right(void **state) {
  (void)state;
  struct attempt raise = {ARGS ",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":100,\"hard\":101}]",
                          {REAPER_ERR_PERMISSION, 0, "plan", "/process/rlimits/0/hard",
                           "needs CAP_SYS_RESOURCE, which this process lacks; run as root or ask for at most 100"}};
  assert_int_equal(in_child(without_sys_resource, &raise), 0);
  struct attempt score = {ARGS ",\"oomScoreAdj\":-1000",
                          {REAPER_ERR_PERMISSION, EACCES, "oom_score_adj", "/process/oomScoreAdj",
                           "lowering it below the caller's needs CAP_SYS_RESOURCE"}};
  assert_int_equal(in_child(without_sys_resource, &score), 0);
}

/* ---- bundles ---- */

static void test_bundles(void **state) {
  struct scene *scene = *state;
  char *nothing = path_in(&scene->place, "nothing");
  char *file = path_in(&scene->place, "file");
  char *path = text_of("%s/config.json", scene->place.bundle);
  write_whole(file, "x");
  reaper_create_options options = options_of(scene, NULL);
  options.bundle = nothing;
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_NOT_FOUND, ENOENT, "bundle", "", "is missing"});
  options.config = "{\"ociVersion\":\"1.0.0\"}"; /* also where the text is given */
  options.config_length = strlen(options.config);
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_NOT_FOUND, ENOENT, "bundle", "", "is missing"});
  options.bundle = file;
  assert_create_fails(scene, &options,
                      &(struct expected){REAPER_ERR_NOT_FOUND, ENOTDIR, "bundle", "", "not a directory"});

  options = options_of(scene, NULL);
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_NOT_FOUND, ENOENT, "bundle", "", "config.json"});
  const struct expected irregular = {REAPER_ERR_INVALID, 0, "bundle", "", "is not a regular file"};
  assert_int_equal(mkdir(path, 0755), 0);
  assert_create_fails(scene, &options, &irregular);
  assert_int_equal(rmdir(path), 0);
  assert_int_equal(mkfifo(path, 0644), 0);
  assert_create_fails(scene, &options, &irregular);
  assert_int_equal(unlink(path), 0);
  const int here = open(".", O_PATH | O_CLOEXEC);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const struct sockaddr_un address = {AF_UNIX, "config.json"};
  assert_int_equal(chdir(scene->place.bundle), 0);
  assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(fchdir(here), 0);
  assert_create_fails(scene, &options, &irregular);
  assert_int_equal(unlink(path), 0);
  close(listener);
  close(here);
  assert_int_equal(symlink("/dev/null", path), 0);
  assert_create_fails(scene, &options, &irregular);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(symlink("config.json", path), 0);
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_SYSTEM, ELOOP, "bundle", "", "ELOOP"});
  assert_int_equal(unlink(path), 0);

  write_whole(path, "");
  assert_int_equal(truncate(path, (16 << 20) + 1), 0); /* a hole: it takes no room */
  assert_create_fails(scene, &options,
                      &(struct expected){REAPER_ERR_INVALID, EFBIG, "bundle", "", "larger than 16 MiB"});
  assert_int_equal(truncate(path, 16 << 20), 0);
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_INVALID, 0, "json", "", "config.json:1:1:"});
  assert_int_equal(unlink(path), 0);
  free(path);
  free(file);
  free(nothing);
}

static int read_closed_config(void *argument) {
  const struct scene *scene = argument;
  CHECK(become_ordinary() == 0);
  const reaper_create_options options = options_of(scene, NULL);
  char *text = NULL;
  reaper_error *error = NULL;
  const int result = reaper_plan(scene->runtime, &options, &text, &error);
  const struct expected expected = {REAPER_ERR_PERMISSION, EACCES, "bundle", "", "config.json"};
  return error_differs(result, &error, &expected);
}

static void test_config_that_may_not_be_read(void **state) {
  struct scene *scene = *state;
  char *path = text_of("%s/config.json", scene->place.bundle);
  write_whole(path, "{}");
  assert_int_equal(chmod(path, 0), 0);
  assert_int_equal(in_child(read_closed_config, scene), 0);
  free(path);
}

/* ---- ids ---- */

static const char *const bad_ids[] = {"",         "/",      ".",   "..", "a/b",  "/etc", "../x", "x/..",
                                      ".hidden",  "-force", "+x",  " ",  "a b",  "a\nb", "a\tb", "a\x7f",
                                      "\xc3\xa4", "a\xff",  "a:b", "a*", "a\\b", "a@b",  "a~",   "$x"};

static void assert_bad_id(const struct scene *scene, const char *id) {
  const struct expected expected = {REAPER_ERR_INVALID, 0, "id", "", "container id"};
  const reaper_create_options options = options_of(scene, "{\"ociVersion\":\"1.0.0\"}");
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  assert_error(reaper_create(scene->runtime, id, &options, &container, &error), &error, &expected);
  assert_error(reaper_open(scene->runtime, id, &container, &error), &error, &expected);
  assert_error(reaper_delete_id(scene->runtime, id, 0, &error), &error, &expected);
  assert_error(reaper_delete_id(scene->runtime, id, REAPER_DELETE_FORCE, &error), &error, &expected);
  assert_null(container);
}

static void test_ids(void **state) {
  const struct scene *scene = *state;
  char long_id[300];
  memset(long_id, 'x', sizeof long_id);
  long_id[256] = '\0';
  char *secret = path_in(&scene->place, "x");
  write_whole(secret, "outside");
  const int entries = count_entries(scene->place.directory);
  for (size_t i = 0; i < COUNT_OF(bad_ids); ++i) assert_bad_id(scene, bad_ids[i]);
  assert_bad_id(scene, long_id);
  assert_int_equal(count_entries(scene->place.directory), entries);
  assert_int_equal(access(secret, F_OK), 0);

  static const char *const good[] = {"a", "0", "_", "A.b-c+d_e", "x..", "_.."};
  for (size_t i = 0; i <= COUNT_OF(good); ++i) {
    long_id[255] = '\0';
    const char *id = i < COUNT_OF(good) ? good[i] : long_id;
    reaper_container *container = must_create(scene, id, "{\"ociVersion\":\"1.0.0\"}");
    assert_string_equal(reaper_container_id(container), id);
    assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
    reaper_container_free(container);
  }
  free(secret);
}

/* ---- the pid file and the state directory ---- */

static void test_pid_files(void **state) {
  const struct scene *scene = *state;
  warm_up(scene);
  const reaper_create_options good = options_of(scene, "{\"ociVersion\":\"1.0.0\"}");
  reaper_create_options options = good;
  char *missing = path_in(&scene->place, "nothing/pid");
  options.pid_file = missing;
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_SYSTEM, ENOENT, "pid-file", "", "ENOENT"});
  options.pid_file = scene->place.bundle;
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_INVALID, 0, "pid-file", "", "not a regular file"});
  options.pid_file = "/dev/null";
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_INVALID, 0, "pid-file", "", "not a regular file"});
  options.pid_file = "";
  assert_create_fails(scene, &options, &(struct expected){REAPER_ERR_INVALID, 0, "pid-file", "", "not a file's name"});
  assert_int_equal(count_entries(scene->place.bundle), 0);
  free(missing);

  /* A link at the name is replaced, and what it leads to stays. */
  char *target = path_in(&scene->place, "target");
  char *link = path_in(&scene->place, "link");
  write_whole(target, "mine");
  assert_int_equal(symlink("target", link), 0);
  options.pid_file = link;
  reaper_container *container = must_create_with(scene, "pid", &options);
  char *text = read_whole(target);
  assert_string_equal(text, "mine");
  struct stat status;
  assert_int_equal(lstat(link, &status), 0);
  assert_true(S_ISREG(status.st_mode));
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  free(text);
  free(link);
  free(target);
}

static void assert_root_refused(const struct scene *scene, const char *root, const struct expected *expected) {
  const reaper_runtime_options runtime_options = {.size = sizeof runtime_options, .root = root};
  const reaper_create_options options = options_of(scene, "{\"ociVersion\":\"1.0.0\"}");
  reaper_runtime *runtime = NULL;
  reaper_container *container = NULL;
  char *text = NULL;
  reaper_error *error = NULL;
  const struct census before = take_census(scene->place.directory);
  assert_int_equal(reaper_runtime_new(&runtime_options, &runtime, NULL), REAPER_OK);
  assert_error(reaper_create(runtime, "x", &options, &container, &error), &error, expected);
  assert_error(reaper_list(runtime, &text, &error), &error, expected);
  assert_error(reaper_delete_id(runtime, "x", REAPER_DELETE_FORCE, &error), &error, expected);
  reaper_runtime_free(runtime);
  assert_same_census(before, take_census(scene->place.directory));
}

static void test_state_directories(void **state) {
  const struct scene *scene = *state;
  char *file = path_in(&scene->place, "file");
  char *open_to_all = path_in(&scene->place, "open");
  write_whole(file, "x");
  assert_root_refused(scene, file, &(struct expected){REAPER_ERR_INVALID, 0, "state-directory", "", "is no directory"});
  assert_int_equal(mkdir(open_to_all, 0777), 0);
  assert_int_equal(chmod(open_to_all, 0777), 0);
  const struct expected refused = {REAPER_ERR_PERMISSION, 0, "state-directory", "", "make it 0700"};
  assert_root_refused(scene, open_to_all, &refused);
  /* A directory that everybody may write to, with somebody's link in it. */
  char *link = text_of("%s/link", open_to_all);
  assert_int_equal(symlink(scene->place.bundle, link), 0);
  assert_root_refused(scene, link,
                      &(struct expected){REAPER_ERR_PERMISSION, 0, "state-directory", "", "is a symbolic link"});
  free(link);
  free(open_to_all);
  free(file);
}

/* A record that cannot be believed is said to be so, hides nobody, and --force takes it only with its process known. */
static void test_corrupt_records(void **state) {
  const struct scene *scene = *state;
  static const char sleeper[] =
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"}}";
  reaper_container *container = must_create(scene, "corrupt", sleeper);
  const pid_t pid = must_pid(container);
  char *record = text_of("%s/corrupt/state.json", scene->place.root);
  char *identity = text_of("%s/corrupt/identity", scene->place.root);
  char *saved = text_of("%s/saved", scene->place.directory);
  must_start(container);
  write_whole(record, "{\"version\":1}");
  reaper_container *opened = NULL;
  reaper_error *error = NULL;
  const struct expected corrupt = {REAPER_ERR_CORRUPT, 0, "record", "", "container \"corrupt\""};
  assert_error(reaper_open(scene->runtime, "corrupt", &opened, &error), &error, &corrupt);
  assert_int_equal(must_status(container), REAPER_STATUS_RUNNING); /* the handle has read it before */
  assert_error(reaper_delete_id(scene->runtime, "corrupt", 0, &error), &error, &corrupt);
  assert_int_equal(rename(identity, saved), 0);
  const struct expected unknown = {REAPER_ERR_CORRUPT, 0, "delete", "", "nothing was removed"};
  assert_error(reaper_delete_id(scene->runtime, "corrupt", REAPER_DELETE_FORCE, &error), &error, &unknown);
  assert_false(is_gone(pid));
  assert_int_equal(rename(saved, identity), 0);
  assert_int_equal(reaper_delete_id(scene->runtime, "corrupt", REAPER_DELETE_FORCE, &error), REAPER_OK);
  assert_true(is_gone(pid));
  assert_int_equal(count_entries(scene->place.root), 0);
  assert_int_equal(must_wait(container).signal, SIGKILL);
  reaper_container_free(container);
  free(saved);
  free(identity);
  free(record);
}

/* Somebody else's file in the container's directory: nothing at all is removed. */
static void test_foreign_file(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = must_create(scene, "foreign", "{\"ociVersion\":\"1.0.0\"}");
  char *path = text_of("%s/foreign/precious", scene->place.root);
  write_whole(path, "keep me");
  reaper_error *error = NULL;
  const struct expected expected = {REAPER_ERR_SYSTEM, ENOTEMPTY, "delete", "", "\"precious\""};
  assert_error(reaper_delete(container, REAPER_DELETE_FORCE, &error), &error, &expected);
  char *text = must_state(container); /* it can still be read */
  reaper_free(text);
  assert_int_equal(unlink(path), 0);
  must_delete(container);
  free(path);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_refused_configs),
      TEST(test_refused_processes),
      TEST(test_failures_of_create),
      TEST(test_failures_of_start),
      TEST(test_argument_too_long),
      TEST(test_program_changes_before_start),
      TEST(test_failures_as_another_user),
      TEST(test_identity_without_the_right),
      TEST(test_limits_without_the_right),
      TEST(test_bundles),
      TEST(test_config_that_may_not_be_read),
      TEST(test_ids),
      TEST(test_pid_files),
      TEST(test_state_directories),
      TEST(test_corrupt_records),
      TEST(test_foreign_file),
  };
  return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
