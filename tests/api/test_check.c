/*
 * reaper_check() and reaper_spec(): everything that is wrong at once, what is worth knowing, and that nothing is made.
 * That a preflight foresees the failures of create and start is asserted with each of them (assert_create_fails()), and
 * that it has nothing against what runs, with each output_of().
 */
#include "containers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char *must_check(const struct scene *scene, const reaper_create_options *options, uint32_t format) {
  char *findings = NULL;
  reaper_error *error = NULL;
  if (reaper_check(scene->runtime, options, format, &findings, &error) != REAPER_OK) {
    complain("check", error);
    REQUIRE(!"check");
  }
  return findings;
}

/* Of a config, as text. */
static char *check_text(const struct scene *scene, const char *config, uint32_t flags) {
  reaper_create_options options = options_of(scene, config);
  options.flags = flags;
  return must_check(scene, &options, REAPER_FORMAT_TEXT);
}

static void assert_says(const struct scene *scene, const char *members, const char *part) {
  char *text = filled(scene, members);
  char *config = process_config(text);
  char *findings = check_text(scene, config, 0);
  assert_contains(findings, part);
  reaper_free(findings);
  free(config);
  free(text);
}

#define ARGS "\"args\":[\"/bin/true\"],\"cwd\":\"/\""

static void test_nothing_to_say(void **state) {
  const struct scene *scene = *state;
  char *config = process_config(ARGS ",\"noNewPrivileges\":true");
  const reaper_create_options options = options_of(scene, config);
  char *text = must_check(scene, &options, REAPER_FORMAT_TEXT);
  assert_string_equal(text, "");
  reaper_free(text);
  text = must_check(scene, &options, REAPER_FORMAT_JSON);
  assert_string_equal(text, "{\"ok\":true,\"findings\":[]}");
  reaper_free(text);
  free(config);
}

/* In the order in which they would be met, whatever stage they belong to. */
static void test_everything_at_once(void **state) {
  const struct scene *scene = *state;
  static const char config[] =
      "{\"ociVersion\":\"1.0.0\",\"zos\":{\"x\":1},\"proces\":{},\"process\":{\"args\":[],\"cwd\":\"x\","
      "\"user\":{\"uid\":-1,\"gid\":0},\"env\":[\"A\"]}}";
  reaper_create_options options = options_of(scene, config);
  const int32_t closed = 999;
  options.extra_fds = &closed;
  options.extra_fd_count = 1;
  char *text = must_check(scene, &options, REAPER_FORMAT_TEXT);
  static const char *const beginnings[] = {
      "error: extra_fds: descriptor 999 is not open",
      "error: /process/args: at least one entry",
      "error: /process/cwd: an absolute path",
      "error: /process/env/0: the form is NAME=value",
      "error: /process/user/uid: ",
      "error: /zos: not supported",
      "warning: /proces: unknown property \"proces\"; did you mean \"process\"?",
  };
  char *rest = text;
  for (size_t i = 0; i < COUNT_OF(beginnings); ++i) {
    if (strncmp(rest, beginnings[i], strlen(beginnings[i])) != 0) fail_msg("wanted %s in\n%s", beginnings[i], text);
    rest = strchr(rest, '\n') + 1;
  }
  assert_string_equal(rest, "");
  reaper_free(text);
}

static void test_several_stages_at_once(void **state) {
  const struct scene *scene = *state;
  char *file = path_in(&scene->place, "file");
  write_whole(file, "x");
  const reaper_runtime_options runtime_options = {.size = sizeof runtime_options, .root = file};
  struct scene other = *scene;
  assert_int_equal(reaper_runtime_new(&runtime_options, &other.runtime, NULL), REAPER_OK);
  char *config = process_config("\"args\":[\"no-such-program\"],\"cwd\":\"/\",\"capabilites\":{}");
  reaper_create_options options = options_of(&other, config);
  options.pid_file = scene->place.bundle;
  char *text = must_check(&other, &options, REAPER_FORMAT_TEXT);
  assert_contains(text, "warning: /process/capabilites: unknown property");
  assert_contains(text, "error: state directory");
  assert_contains(text, "error: exec: \"no-such-program\": executable file not found in $PATH\n");
  assert_contains(text, "error: file \"");
  reaper_free(text);
  reaper_runtime_free(other.runtime);
  free(config);
  free(file);
}

static void test_strict(void **state) {
  const struct scene *scene = *state;
  char *config = process_config(ARGS ",\"capabilites\":{},\"capabilities\":{\"bounding\":[\"CAP_NONE\"]}");
  char *text = check_text(scene, config, 0);
  assert_contains(text, "warning: /process/capabilites: ");
  assert_contains(text, "warning: /process/capabilities/bounding/0: ");
  reaper_free(text);
  text = check_text(scene, config, REAPER_CREATE_STRICT);
  assert_contains(text, "error: /process/capabilites: ");
  assert_contains(text, "error: /process/capabilities/bounding/0: ");
  assert_null(strstr(text, "warning: "));
  reaper_free(text);
  reaper_create_options options = options_of(scene, config);
  options.flags = REAPER_CREATE_STRICT;
  const struct expected expected = {REAPER_ERR_INVALID, 0, "plan", "/process/capabilites", "did you mean"};
  assert_create_fails(scene, &options, &expected);
  free(config);
}

/* Not even the state directory, and no descriptor stays. */
static void test_nothing_is_made(void **state) {
  const struct scene *scene = *state;
  char *config = shell_config("exit 0", "");
  reaper_create_options options = options_of(scene, config);
  char *pid_file = path_in(&scene->place, "pid");
  options.pid_file = pid_file;
  reaper_free(must_check(scene, &options, REAPER_FORMAT_TEXT));
  const struct census before = take_census(scene->place.directory);
  for (int i = 0; i < 20; ++i) reaper_free(must_check(scene, &options, REAPER_FORMAT_JSON));
  assert_same_census(before, take_census(scene->place.directory));
  assert_int_equal(access(scene->place.root, F_OK), -1);
  assert_int_equal(access(pid_file, F_OK), -1);
  free(pid_file);
  free(config);
}

static void write_program(const struct scene *scene, const char *name, const char *text, mode_t mode) {
  char *path = path_in(&scene->place, name);
  write_whole(path, text);
  assert_int_equal(chmod(path, mode), 0);
  free(path);
}

/* What the interpreter of a script's interpreter is like. */
static void test_interpreters(void **state) {
  const struct scene *scene = *state;
  write_program(scene, "script", "#! \t/bin/sh -e\nexit 0\n", 0755);
  write_program(scene, "again", "#!./script\n", 0755);
  write_program(scene, "bad", "#!/no/such/interpreter\n", 0755);
  write_program(scene, "worse", "#!bad\n", 0755);
  write_program(scene, "empty", "#!\n", 0755);
  write_program(scene, "circle", "#!circle\n", 0755);
  static const struct {
    const char *name;
    const char *error; /* NULL: none */
  } rows[] = {
      {"script", NULL},
      {"again", NULL},
      {"bad", "(the file itself, or the interpreter that it names): the interpreter is \"/no/such/interpreter\"\n"},
      {"worse", "(the file itself, or the interpreter that it names): the interpreter is \"/no/such/interpreter\"\n"},
      {"empty", "ENOEXEC"},
      {"circle", "ELOOP: too many interpreters\n"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *members = text_of("\"args\":[\"./%s\"],\"cwd\":\"%s\"", rows[i].name, scene->place.directory);
    char *config = process_config(members);
    char *text = check_text(scene, config, 0);
    assert_int_equal(strstr(text, "error: ") != NULL, rows[i].error != NULL);
    if (rows[i].error != NULL) assert_contains(text, rows[i].error);
    reaper_container *container = must_create(scene, "script", config);
    assert_int_equal(reaper_start(container, NULL), rows[i].error != NULL ? REAPER_ERR_EXEC : REAPER_OK);
    must_wait(container);
    must_delete(container);
    reaper_free(text);
    free(config);
    free(members);
  }
}

/* A program whose dynamic loader is missing: a copy of this one with another name in PT_INTERP. */
static void test_dynamic_loader(void **state) {
  const struct scene *scene = *state;
  char *path = path_in(&scene->place, "foreign");
  const int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  const int to = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
  struct stat status;
  assert_int_equal(fstat(from, &status), 0);
  char *bytes = malloc((size_t)status.st_size);
  assert_non_null(bytes);
  assert_int_equal(read(from, bytes, (size_t)status.st_size), status.st_size);
  char *loader = memmem(bytes, 4096, "/ld-linux", 9);
  assert_non_null(loader);
  loader[1] = 'X';
  assert_int_equal(write(to, bytes, (size_t)status.st_size), status.st_size);
  close(to);
  close(from);
  free(bytes);
  char *members = text_of("\"args\":[\"%s\"],\"cwd\":\"/\"", path);
  char *config = process_config(members);
  const reaper_create_options options = options_of(scene, config);
  const struct expected expected = {REAPER_ERR_EXEC, 0, "execve", "/process/args", "/Xd-linux"};
  assert_false(check_differs(scene, &options, &expected));
  reaper_container *container = must_create(scene, "loader", config);
  reaper_error *error = NULL;
  assert_code(reaper_start(container, &error), &error, REAPER_ERR_EXEC);
  must_wait(container);
  must_delete(container);
  free(config);
  free(members);
  free(path);
}

static void test_notes(void **state) {
  const struct scene *scene = *state;
  char *config = shell_config("exit 0", ",\"noNewPrivileges\":true");
  char *text = check_text(scene, config, 0);
  assert_null(strstr(text, "noNewPrivileges"));
  reaper_free(text);
  free(config);
  text = check_text(scene, "{\"ociVersion\":\"1.0.0\"}", 0);
  assert_string_equal(text, "note: /process: config.json has none: create works, and start is an error\n");
  reaper_free(text);
  assert_says(scene, "\"args\":[\"/bin/true\"],\"cwd\":\"/proc/self/cwd\"", "note: /process/cwd: whether uid ");
  write_program(scene, "elevated", "#!/bin/sh\n", 04755);
  assert_says(scene, "\"args\":[\"@/elevated\"],\"cwd\":\"/\"",
              "note: /process/args/0: the program is set-user-id or set-group-id (uid ");
}

static void test_notes_of_privileges(void **state) {
  const struct scene *scene = *state;
  if (!is_root() || !holds_capability("CapEff:", CAP_SETPCAP)) SKIP("needs root");
  assert_says(scene, ARGS ",\"user\":{\"uid\":12345,\"gid\":12345}",
              "note: /process/noNewPrivileges: the bounding set is as full");
  assert_says(scene, ARGS ",\"capabilities\":{\"bounding\":[\"CAP_KILL\"]}",
              "note: /process/capabilities: execve(2) gives uid 0 what the bounding set leaves");
}

/* As another user: by owner, group and mode of every directory on the way, and by whatever links there are. */
static void test_looks_as_the_target_user(void **state) {
  const struct scene *scene = *state;
  if (!is_root()) SKIP("needs root");
  char *inner = path_in(&scene->place, "inner");
  char *link = path_in(&scene->place, "link");
  assert_int_equal(mkdir(inner, 0750), 0);
  assert_int_equal(symlink("inner/../inner/program", link), 0);
  write_program(scene, "inner/program", "#!/bin/sh\nexit 0\n", 0750);
  char *program = path_in(&scene->place, "inner/program");
  static const struct {
    uid_t owner;
    gid_t directory_group, program_group;
    int runs;
  } rows[] = {
      {0, 0, 0, 0}, {0, 12345, 0, 0}, {0, 777, 777, 1}, {0, 12345, 777, 1}, {12345, 0, 0, 1}, {0, 0, 777, 0},
  };
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    assert_int_equal(chown(inner, rows[i].owner, rows[i].directory_group), 0);
    assert_int_equal(chown(program, rows[i].owner, rows[i].program_group), 0);
    char *members = text_of(
        "\"args\":[\"%s\"],\"cwd\":\"/\","
        "\"user\":{\"uid\":12345,\"gid\":12345,\"additionalGids\":[777]}",
        link);
    char *config = process_config(members);
    const reaper_create_options options = options_of(scene, config);
    const struct expected denied = {REAPER_ERR_EXEC, EACCES, "find", "/process/args/0", "permission denied"};
    if (rows[i].runs) {
      assert_false(check_differs(scene, &options, NULL));
      reaper_container *container = must_create(scene, "runs", config);
      must_start(container);
      assert_int_equal(must_wait(container).exit_code, 0);
      must_delete(container);
    } else {
      warm_up(scene);
      assert_create_fails(scene, &options, &denied);
    }
    free(config);
    free(members);
  }
  free(program);
  free(link);
  free(inner);
}

/* root without CAP_DAC_OVERRIDE is a user like any other. */
static void test_root_without_override(void **state) {
  const struct scene *scene = *state;
  if (!is_root() || !holds_capability("CapEff:", CAP_SETPCAP)) SKIP("needs root");
  write_program(scene, "theirs", "#!/bin/sh\nexit 0\n", 0700);
  char *program = path_in(&scene->place, "theirs");
  assert_int_equal(chown(program, 12345, 12345), 0);
  char *members = text_of("\"args\":[\"%s\"],\"cwd\":\"/\",\"capabilities\":{}", program);
  char *config = process_config(members);
  const reaper_create_options options = options_of(scene, config);
  const struct expected denied = {REAPER_ERR_EXEC, EACCES, "execve", "/process/args", "permission denied"};
  assert_false(check_differs(scene, &options, &denied));
  reaper_container *container = must_create(scene, "root", config);
  reaper_error *error = NULL;
  assert_error(reaper_start(container, &error), &error, &denied);
  must_wait(container);
  must_delete(container);
  free(config);
  free(members);
  free(program);
}

static int check_in_a_place_that_is_closed(void *argument) {
  struct scene *scene = argument;
  CHECK(become_ordinary() == 0);
  const reaper_create_options options = options_of(scene, "{\"ociVersion\":\"1.0.0\"}");
  const struct expected refused = {REAPER_ERR_PERMISSION, 0, "state-directory", "", "EACCES"};
  return check_differs(scene, &options, &refused);
}

/* The directory that the state directory would be made in. */
static void test_state_directory_that_cannot_be_made(void **state) {
  struct scene *scene = *state;
  assert_int_equal(chmod(scene->place.directory, 0555), 0);
  assert_int_equal(in_child(check_in_a_place_that_is_closed, scene), 0);
  assert_int_equal(chmod(scene->place.directory, 0755), 0);
}

static void test_arguments(void **state) {
  const struct scene *scene = *state;
  const reaper_create_options options = options_of(scene, "{\"ociVersion\":\"1.0.0\"}");
  char *const untouched = (char *)scene;
  char *text = untouched;
  reaper_error *error = NULL;
  const struct expected null = {REAPER_ERR_INVALID, EINVAL, "arguments", "", "NULL"};
  const struct expected format = {REAPER_ERR_INVALID, EINVAL, "arguments", "", "format is not one of"};
  assert_error(reaper_check(NULL, &options, 0, &text, &error), &error, &null);
  assert_error(reaper_check(scene->runtime, &options, 0, NULL, &error), &error, &null);
  assert_error(reaper_check(scene->runtime, &options, 2, &text, &error), &error, &format);
  assert_error(reaper_plan(scene->runtime, &options, 2, &text, &error), &error, &format);
  assert_error(reaper_spec(NULL, &error), &error, &null);
  reaper_create_options unknown = options;
  unknown.flags = 1U << 31;
  assert_code(reaper_check(scene->runtime, &unknown, 0, &text, &error), &error, REAPER_ERR_UNSUPPORTED);
  assert_ptr_equal(text, untouched);
}

static void test_spec_runs_as_it_stands(void **state) {
  const struct scene *scene = *state;
  char *spec = NULL;
  assert_int_equal(reaper_spec(&spec, NULL), REAPER_OK);
  assert_contains(spec, "{\n  \"ociVersion\": \"1.");
  reaper_create_options options = options_of(scene, spec);
  options.flags = REAPER_CREATE_STRICT;
  assert_false(check_differs(scene, &options, NULL));
  char *output = output_of_config(scene, spec, options);
  assert_contains(output, "NoNewPrivs:\t1");
  char *uid = text_of("Uid:\t%u\t%u\t%u\t%u\n", geteuid(), geteuid(), geteuid(), geteuid());
  assert_contains(output, uid);
  free(uid);
  free(output);
  reaper_free(spec);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_nothing_to_say),
      TEST(test_everything_at_once),
      TEST(test_several_stages_at_once),
      TEST(test_strict),
      TEST(test_nothing_is_made),
      TEST(test_interpreters),
      TEST(test_dynamic_loader),
      TEST(test_notes),
      TEST(test_notes_of_privileges),
      TEST(test_looks_as_the_target_user),
      TEST(test_root_without_override),
      TEST(test_state_directory_that_cannot_be_made),
      TEST(test_arguments),
      TEST(test_spec_runs_as_it_stands),
  };
  return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
