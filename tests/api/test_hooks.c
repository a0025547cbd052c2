/* Hooks: their order, what each of them sees, and what is left when one fails. */
#include "hooks.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const kinds[] = {"prestart",       "createRuntime", "createContainer",
                                    "startContainer", "poststart",     "poststop"};

#define IN_CREATE 3 /* of them */
#define POSTSTART 4

/* ---- order, moment and state ---- */

/* What a hook of this kind must read on its standard input. */
static char *expected_state(const struct scene *scene, const char *status, pid_t pid) {
  char *number = pid != 0 ? text_of(",\"pid\":%d", (int)pid) : text_of("%s", "");
  char *text = text_of(
      "{\"ociVersion\":\"1.3.0\",\"id\":\"hooked\",\"status\":\"%s\"%s,\"bundle\":\"%s\",\"annotations\":{\"a\":\"b\"}"
      "}",
      status, number, scene->place.bundle);
  free(number);
  return text;
}

static char *two_hooks_of_each_kind(const struct scene *scene) {
  struct hook_list lists[COUNT_OF(kinds)];
  memset(lists, 0, sizeof lists);
  for (size_t i = 0; i < COUNT_OF(kinds); ++i) {
    lists[i].kind = kinds[i];
    for (int j = 0; j < 2; ++j) {
      char *script = text_of("echo \"%s %d $(cat)\" >> @/log; pwd >> @/places; [ ! -e @/ran ] || echo %s >> @/after",
                             kinds[i], j, kinds[i]);
      lists[i].hooks[j] = shell_hook(scene, script, "");
      free(script);
    }
  }
  char *config = hooks_config(lists, COUNT_OF(lists));
  /* The program says that it ran. */
  char *sleeper = strstr(config, "\"/bin/sleep\",\"1000\"");
  char *marker = path_in(&scene->place, "ran");
  char *whole = text_of("%.*s\"/bin/sh\",\"-c\",\"echo > %s; exec sleep 1000\"%s", (int)(sleeper - config), config,
                        marker, sleeper + strlen("\"/bin/sleep\",\"1000\""));
  char *annotated = text_of("{\"annotations\":{\"a\":\"b\"},%s", whole + 1);
  free(marker);
  free(whole);
  free(config);
  return annotated;
}

static int program_ran(void *scene) {
  char *text = text_in(scene, "ran");
  const int ran = *text != '\0';
  free(text);
  return ran;
}

static void test_order_and_state(void **state) {
  struct scene *scene = *state;
  char *config = two_hooks_of_each_kind(scene);
  reaper_container *container = must_create(scene, "hooked", config);
  const pid_t pid = must_pid(container);
  must_start(container);
  assert_true(wait_until(program_ran, scene));
  assert_int_equal(reaper_kill(container, SIGKILL, 0, NULL), REAPER_OK);
  must_wait(container);
  must_delete(container);
  static const char *const statuses[] = {"creating", "creating", "creating", "created", "running", "stopped"};
  char *wanted = text_of("%s", "");
  char *places = text_of("%s", "");
  for (size_t i = 0; i < COUNT_OF(kinds); ++i) {
    char *seen = expected_state(scene, statuses[i], i + 1 < COUNT_OF(kinds) ? pid : 0);
    char *longer = text_of("%s%s 0 %s\n%s 1 %s\n", wanted, kinds[i], seen, kinds[i], seen);
    free(wanted);
    free(seen);
    wanted = longer;
    longer = text_of("%s%s\n%s\n", places, scene->place.bundle, scene->place.bundle);
    free(places);
    places = longer;
  }
  assert_text_in(scene, "log", wanted);
  assert_text_in(scene, "places", places); /* the working directory is the bundle */
  /* None of those before the start has seen a trace of the program. */
  char *after = text_in(scene, "after");
  for (size_t i = 0; i <= IN_CREATE; ++i) assert_null(strstr(after, kinds[i]));
  assert_contains(after, "poststop");
  free(after);
  free(places);
  free(wanted);
  free(config);
}

/* Poststart hooks come after execve: the process is no reaper-init any more. */
static void test_poststart_sees_the_program(void **state) {
  const struct scene *scene = *state;
  char *config = hook_config(scene, "poststart",
                             "state=$(cat); pid=${state#*\\\"pid\\\":}; cat /proc/${pid%%,*}/comm > @/comm", "");
  reaper_container *container = must_create(scene, "post", config);
  must_start(container);
  assert_text_in(scene, "comm", "sleep\n");
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  free(config);
}

/* Larger than any pipe, and read by a second one, or by none. */
static void test_large_state(void **state) {
  const struct scene *scene = *state;
  const size_t size = 300000;
  char *value = malloc(size + 1);
  memset(value, 'x', size);
  value[size] = '\0';
  struct hook_list lists[] = {{"createRuntime",
                               {shell_hook(scene, "exit 0", ""), shell_hook(scene, "wc -c > @/size", ""),
                                shell_hook(scene, "echo x >&0 || echo refused > @/written", "")}}};
  char *plain = hooks_config(lists, COUNT_OF(lists));
  char *config = text_of("{\"annotations\":{\"large\":\"%s\"},%s", value, plain + 1);
  reaper_container *container = must_create(scene, "large", config);
  char *text = text_in(scene, "size");
  assert_true(atol(text) > (long)size);
  free(text);
  assert_text_in(scene, "written", "refused\n"); /* nobody can change what the next one reads */
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  free(config);
  free(plain);
  free(value);
}

/* ---- failures ---- */

static char *failing_config(const struct scene *scene, const char *kind, const char *script) {
  struct hook_list lists[] = {{kind,
                               {shell_hook(scene, "echo first >> @/log", ""), shell_hook(scene, script, ""),
                                shell_hook(scene, "echo never >> @/log", "")}},
                              {"poststop", {shell_hook(scene, "echo poststop >> @/log; cat > @/state", "")}}};
  return hooks_config(lists, COUNT_OF(lists));
}

static void assert_destroyed(const struct scene *scene, struct census before) {
  assert_same_census(before, take_census(scene->place.root));
  assert_int_equal(count_entries(scene->place.root), 0);
  assert_text_in(scene, "log", "first\npoststop\n");
  char *seen = text_in(scene, "state");
  assert_contains(seen, "\"status\":\"stopped\",\"bundle\"");
  free(seen);
  forget(scene, "log");
}

static void test_failure_in_create(void **state) {
  const struct scene *scene = *state;
  warm_up(scene);
  const struct census before = take_census(scene->place.root);
  for (size_t i = 0; i < 2 * IN_CREATE; ++i) {
    const char *kind = kinds[i / 2];
    char *config = failing_config(scene, kind, "exit 3");
    char *pointer = text_of("/hooks/%s/1", kind);
    reaper_create_options options = options_of(scene, config);
    if (i % 2 != 0) options.flags |= REAPER_CREATE_SUPERVISE;
    const struct expected expected = {REAPER_ERR_HOOK, 0, "hook", pointer,
                                      "hook \"/bin/sh\" failed with exit status 3"};
    reaper_container *container = NULL;
    reaper_error *error = NULL;
    assert_error(reaper_create(scene->runtime, "fails", &options, &container, &error), &error, &expected);
    assert_null(container);
    assert_destroyed(scene, before);
    free(pointer);
    free(config);
  }
}

static void test_failure_in_start(void **state) {
  const struct scene *scene = *state;
  warm_up(scene);
  const struct census before = take_census(scene->place.root);
  for (size_t i = 2 * IN_CREATE; i < 2 * POSTSTART + 2; ++i) {
    const char *kind = kinds[i / 2];
    char *config = failing_config(scene, kind, "kill -TERM $$; sleep 10");
    char *pointer = text_of("/hooks/%s/1", kind);
    reaper_create_options options = options_of(scene, config);
    if (i % 2 != 0) options.flags |= REAPER_CREATE_SUPERVISE;
    reaper_container *container = must_create_with(scene, "fails", &options);
    const pid_t pid = must_pid(container);
    const struct expected expected = {REAPER_ERR_HOOK, 0, "hook", pointer, "hook \"/bin/sh\" was ended by SIGTERM"};
    reaper_error *error = NULL;
    assert_error(reaper_start(container, &error), &error, &expected);
    assert_true(is_gone(pid));
    assert_code(reaper_start(container, &error), &error, REAPER_ERR_NOT_FOUND);
    assert_int_equal(must_wait(container).signal, SIGKILL); /* the handle still knows how it ended */
    reaper_container_free(container);
    assert_destroyed(scene, before);
    free(pointer);
    free(config);
  }
}

/* A create that fails for another reason after hooks have run. */
static void test_failure_after_hooks(void **state) {
  const struct scene *scene = *state;
  warm_up(scene);
  const struct census before = take_census(scene->place.root);
  char *config = hook_config(scene, "createContainer", "echo first >> @/log", "");
  reaper_create_options options = options_of(scene, config);
  options.pid_file = "/proc/no/such/place";
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  const struct expected expected = {REAPER_ERR_SYSTEM, 2, "pid-file", "", "open its directory"};
  assert_error(reaper_create(scene->runtime, "fails", &options, &container, &error), &error, &expected);
  assert_same_census(before, take_census(scene->place.root));
  assert_text_in(scene, "log", "first\npoststop\n");
  free(config);
}

struct warnings {
  int count;
  char text[4][512];
};

static void keep_warning(void *data, int32_t level, const char *message) {
  struct warnings *warnings = data;
  if (level == REAPER_LOG_WARNING && warnings->count < 4)
    snprintf(warnings->text[warnings->count++], sizeof warnings->text[0], "%s", message);
}

static void test_poststop_failure_is_a_warning(void **state) {
  struct scene *scene = *state;
  struct warnings warnings = {0};
  const reaper_runtime_options options = {
      .size = sizeof options, .root = scene->place.root, .log = keep_warning, .log_data = &warnings};
  reaper_runtime_free(scene->runtime);
  assert_int_equal(reaper_runtime_new(&options, &scene->runtime, NULL), REAPER_OK);
  struct hook_list lists[] = {
      {"poststop",
       {shell_hook(scene, "echo 0 >> @/log; exit 7", ""), text_of("{\"path\":\"/no/such/hook\"}"),
        shell_hook(scene, "echo 2 >> @/log; sleep 1000", ",\"timeout\":1"), shell_hook(scene, "echo 3 >> @/log", "")}}};
  char *config = hooks_config(lists, COUNT_OF(lists));
  reaper_container *container = must_create(scene, "stopped", config);
  assert_int_equal(reaper_kill(container, SIGKILL, 0, NULL), REAPER_OK);
  must_wait(container);
  must_delete(container);
  assert_text_in(scene, "log", "0\n2\n3\n");
  assert_int_equal(warnings.count, 3);
  assert_contains(warnings.text[0], "/hooks/poststop/0: hook \"/bin/sh\" failed with exit status 7");
  assert_contains(warnings.text[1], "/hooks/poststop/1/path: hook \"/no/such/hook\" cannot be executed: ENOENT");
  assert_contains(warnings.text[2], "/hooks/poststop/2: hook \"/bin/sh\" did not end within 1 s and was killed");
  assert_int_equal(count_entries(scene->place.root), 0);
  free(config);
}

/* A bundle that was removed before delete: the hooks run all the same. */
static void test_poststop_without_bundle(void **state) {
  const struct scene *scene = *state;
  char *bundle = path_in(&scene->place, "bundle-for-a-while");
  assert_int_equal(mkdir(bundle, 0755), 0);
  struct hook_list lists[] = {{"poststop", {shell_hook(scene, "pwd > @/log", "")}}};
  char *config = hooks_config(lists, COUNT_OF(lists));
  reaper_create_options options = options_of(scene, config);
  options.bundle = bundle;
  reaper_container *container = must_create_with(scene, "bundle", &options);
  assert_int_equal(rmdir(bundle), 0);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  assert_text_in(scene, "log", "/\n");
  free(config);
  free(bundle);
}

/* ---- hooks that cannot be executed ---- */

static void test_not_executable(void **state) {
  const struct scene *scene = *state;
  warm_up(scene);
  const struct census before = take_census(scene->place.root);
  static const struct {
    const char *name, *text;
    int mode, number;
    const char *part;
  } cases[] = {
      {"missing", NULL, 0, 2, "ENOENT: it is missing"},
      {"missing/below", NULL, 0, 2, "ENOENT: it is missing"},
      {"bundle", NULL, 0, 13, "EACCES: it is no regular file, or this user may not execute it"},
      {"plain", "#!/bin/sh\n", 0644, 13, "EACCES"},
      {"plain/below", NULL, 0, 20, "ENOTDIR"},
      {"interpreter", "#!/no/such/interpreter\n", 0755, 2, "ENOENT: the interpreter that it names is missing"},
      {"text", "neither", 0755, 8, "ENOEXEC: not a program that this machine runs"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); ++i) {
    char *path = path_in(&scene->place, cases[i].name);
    if (cases[i].text != NULL) {
      write_whole(path, cases[i].text);
      assert_int_equal(chmod(path, (mode_t)cases[i].mode), 0);
    }
    struct hook_list lists[] = {{"prestart", {text_of("{\"path\":\"%s\"}", path)}}};
    char *config = hooks_config(lists, COUNT_OF(lists));
    const reaper_create_options options = options_of(scene, config);
    const struct expected expected = {REAPER_ERR_HOOK, cases[i].number, "hook", "/hooks/prestart/0/path",
                                      cases[i].part};
    reaper_container *container = NULL;
    reaper_error *error = NULL;
    assert_int_equal(reaper_create(scene->runtime, "x", &options, &container, &error), REAPER_ERR_HOOK);
    /* These words would make callers think of the container's own program (callers.md). */
    assert_null(strstr(reaper_error_message(error), "no such file or directory"));
    assert_null(strstr(reaper_error_message(error), "permission denied"));
    assert_contains(reaper_error_message(error), path);
    assert_error(REAPER_ERR_HOOK, &error, &expected);
    assert_same_census(before, take_census(scene->place.root));
    free(config);
    free(path);
  }
}

/* ---- the time limit ---- */

static void test_timeout(void **state) {
  const struct scene *scene = *state;
  /* Each writes the pids of what it starts, and never ends. */
  static const char *const scripts[] = {
      "echo $$ >> @/pids; exec sleep 1000",
      "trap '' TERM INT HUP; echo $$ >> @/pids; while :; do sleep 1000; done",
      "echo $$ >> @/pids; sleep 1000 & echo $! >> @/pids; (setsid sleep 1000 & echo $! >> @/pids) & wait; sleep 1000",
      /* double-forked, in sessions of their own, holding on to everything */
      "echo $$ >> @/pids; setsid sh -c 'setsid sh -c \"echo \\$\\$ >> @/pids; exec sleep 1000\" & exit' & wait; sleep "
      "1000",
      /* a storm: each forks another before it ends */
      "echo $$ >> @/pids; storm() { (sleep 0.01; storm) & }; storm; storm; storm; sleep 1000",
      /* stops the one above it, which is to end it */
      "echo $$ >> @/pids; kill -STOP $PPID; sleep 1000",
  };
  const struct expected expected = {REAPER_ERR_HOOK, 110, "hook", "/hooks/createRuntime/0",
                                    "did not end within 1 s and was killed"};
  for (size_t i = 0; i < COUNT_OF(scripts); ++i) assert_hook_is_ended(scene, scripts[i], ",\"timeout\":1", &expected);
}

/* A daemon that a hook leaves behind is the hook's own business, and a time limit beyond every clock is none. */
static void test_daemon_may_stay(void **state) {
  const struct scene *scene = *state;
  char *config = hook_config(scene, "createRuntime", "setsid sleep 1000 > /dev/null 2>&1 & echo $! >> @/pids; exit 0",
                             ",\"timeout\":9223372036854775807");
  reaper_container *container = must_create(scene, "daemon", config);
  pid_t pid = 0;
  assert_int_equal(numbers_in(scene, "pids", &pid, 1), 1);
  assert_false(is_gone(pid));
  assert_int_equal(kill(pid, SIGKILL), 0);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  free(config);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_order_and_state, scene_setup, scene_teardown),
      TEST(test_poststart_sees_the_program),
      TEST(test_large_state),
      TEST(test_failure_in_create),
      TEST(test_failure_in_start),
      TEST(test_failure_after_hooks),
      TEST(test_poststop_failure_is_a_warning),
      TEST(test_poststop_without_bundle),
      TEST(test_not_executable),
      cmocka_unit_test_setup_teardown(test_timeout, scene_setup, scene_teardown),
      TEST(test_daemon_may_stay),
  };
  return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
