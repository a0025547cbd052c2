/*
 * No memory: the N-th allocation of an operation fails, and the N-th with all that follow, for every N until the
 * operation has no N-th one. Each time: an error that says so or a success that is one; no process, descriptor,
 * directory or block of memory is left over; and the same operation works afterwards. Of the second kind every fourth,
 * with REAPER_SOAK in the environment every one.
 *
 * This program's malloc(3) and its kin are the library's too, also below operator new and in cJSON, libcap-ng and
 * libseccomp.
 */
#include "agent.h"
#include "allocator.h"
#include "denial.h"
#include "scarce_operations.h"
#include "supervised.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Neither alive nor a zombie; without a look at all of /proc, since it is asked thousands of times. */
static int have_children(void) {
  siginfo_t info;
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

/* What was compiled stays in the state directory, for other containers. */
static void forget_kept(const struct scene* scene) {
  char* path = text_of("%s/.kept", scene->place.root);
  remove_tree(path);
  free(path);
}

static void nothing_stands(struct bench* bench) {
  forget_kept(&bench->scene);
  assert_int_equal(count_entries(bench->scene.place.root), 0);
  assert_false(have_children());
}

/* And the same as without any failure, where nothing in it differs from one container to the next. */
static void text_is_whole(struct bench* bench) {
  assert_non_null(bench->text);
  if (bench->operation->before == nothing && undisturbed == NULL) undisturbed = text_of("%s", bench->text);
  if (bench->operation->before == nothing) assert_string_equal(bench->text, undisturbed);
  const char end = bench->text[strlen(bench->text) - 1];
  assert_true(end == '}' || end == ']' || end == '\n');
}

static void list_names_it(struct bench* bench) {
  text_is_whole(bench);
  assert_contains(bench->text, "{\"id\":\"scarce\"");
  assert_null(strstr(bench->text, "corrupt"));
}

static void is_running(struct bench* bench) {
  assert_int_equal(must_status(bench->container), REAPER_STATUS_RUNNING);
}

/* It may have come to the program or not; but it does not run behind the caller's back. */
static void has_not_started(struct bench* bench) {
  forget_kept(&bench->scene);
  if (count_entries(bench->scene.place.root) == 0) return; /* a hook of it failed for want of memory */
  const int status = must_status(bench->container);
  assert_true(status == REAPER_STATUS_CREATED || status == REAPER_STATUS_STOPPED);
  if (status == REAPER_STATUS_CREATED) must_start(bench->container);
}

static void number_is_running(struct bench* bench) {
  assert_int_equal(bench->number, REAPER_STATUS_RUNNING);
}

static void dies(struct bench* bench) {
  assert_int_equal(must_wait(bench->container).signal, SIGKILL);
}

static void tree_dies(struct bench* bench) {
  dies(bench);
  assert_gone(&bench->scene, "child", 1);
}

/* Who was stopped for a search that failed goes on, unless there is no memory even to find them again. */
static void nobody_stays_stopped(struct bench* bench) {
  pid_t pids[2] = {must_pid(bench->container), 0};
  assert_int_equal(numbers_in(&bench->scene, "child", &pids[1], 1), 1);
  for (size_t i = 0; i < 2 && !fault.persistent; ++i) {
    char* path = text_of("/proc/%d/status", (int)pids[i]);
    char* status = read_whole(path);
    char* now = line_value(status, "State:");
    assert_false(now != NULL && *now == 'T');
    free(now);
    free(status);
    free(path);
  }
}

static void can_be_waited_for(struct bench* bench) {
  assert_int_equal(must_wait(bench->container).exit_code, 7);
}

static void can_be_deleted(struct bench* bench) {
  assert_int_equal(reaper_delete_id(bench->scene.runtime, id, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  nothing_stands(bench);
}

static void nothing_was_made(struct bench* bench) {
  nothing_stands(bench);
  assert_null(bench->made);
  assert_int_equal(bench->number, -1);
  const reaper_create_options options = create_options(bench);
  bench->made = must_create_with(&bench->scene, id, &options); /* the id is free */
}

/* Once hooks have begun, those of poststop run, if there is any memory by then. */
static void nothing_was_made_with_hooks(struct bench* bench) {
  char* log = text_in(&bench->scene, "log");
  if (strchr(log, '+') != NULL && !fault.persistent) assert_string_equal(log, "+-");
  free(log);
  nothing_was_made(bench);
}

#define SUPERVISED REAPER_CREATE_SUPERVISE
static const struct operation operations[] = {
    {"runtime_new", nothing, plain_config, 0, 0, act_runtime, NULL, NULL},
    {"features", nothing, plain_config, 0, 0, act_features, text_is_whole, NULL},
    {"spec", nothing, plain_config, 0, 0, act_spec, text_is_whole, NULL},
    {"plan as JSON", nothing, ordinary_config, 0, 0, act_plan, text_is_whole, NULL},
    {"plan as text", nothing, hooked_config, SUPERVISED, 0, act_plan_text, text_is_whole, NULL},
    {"check", nothing, ordinary_config, 0, 0, act_check, text_is_whole, NULL},
    {"create", nothing, plain_config, 0, 0, act_create, is_created, nothing_was_made},
    {"create, more of a config", nothing, ordinary_config, 0, 0, act_create, is_created, nothing_was_made},
    {"create supervised", nothing, plain_config, SUPERVISED, 0, act_create, is_created, nothing_was_made},
    {"create with hooks", nothing, hooked_config, 0, 0, act_create, is_created, nothing_was_made_with_hooks},
    {"open", created, plain_config, SUPERVISED, 0, act_open, is_created, NULL},
    {"list", created, plain_config, 0, 0, act_list, list_names_it, NULL},
    {"state", created, ordinary_config, SUPERVISED, 0, act_state, text_is_whole, NULL},
    {"state of a stopped one", stopped, short_config, 0, 0, act_state, text_is_whole, can_be_waited_for},
    {"status", running, plain_config, 0, 0, act_status, number_is_running, NULL},
    {"pidfd", running, plain_config, 0, 0, act_pidfd, NULL, NULL},
    {"start", created, plain_config, 0, 0, act_start, is_running, has_not_started},
    {"start supervised", created, plain_config, SUPERVISED, 0, act_start, is_running, has_not_started},
    {"start with hooks", created, hooked_config, 0, 0, act_start, is_running, has_not_started},
    {"exec", running, plain_config, 0, 0, act_exec, NULL, is_running},
    {"kill", running, plain_config, 0, 0, act_kill, dies, is_running},
    {"kill all", running, plain_config, 0, 0, act_kill_all, dies, NULL},
    {"kill all of a tree", running, tree_config, 0, 0, act_kill_all, tree_dies, nobody_stays_stopped},
    {"kill all, supervised", running, plain_config, SUPERVISED, 0, act_kill_all, dies, NULL},
    {"wait", stopped, short_config, 0, 0, act_wait, NULL, can_be_waited_for},
    {"wait, supervised", stopped, short_config, SUPERVISED, 0, act_wait, NULL, can_be_waited_for},
    {"delete", stopped, short_config, 0, 0, act_delete, nothing_stands, can_be_deleted},
    {"delete --force", running, plain_config, 0, 0, act_delete_force, nothing_stands, can_be_deleted},
    {"delete --force, supervised", running, plain_config, SUPERVISED, 0, act_delete_force, nothing_stands,
     can_be_deleted},
    {"delete --force by id", created, plain_config, 0, 0, act_delete_id, nothing_stands, can_be_deleted},
    {"delete --force with hooks", running, hooked_config, 0, 0, act_delete_force, nothing_stands, can_be_deleted},
};

static const struct operation rich_create = {
    "create with capabilities", nothing, rich_config, 0, 0, act_create, is_created, nothing_was_made};
static char* sleeping_isolated(const struct scene* scene) {
  return isolated_config(scene, "\"/bin/sleep\",\"1000\"", "");
}

static const struct operation isolated_create = {
    "create in namespaces and a root", nothing, sleeping_isolated, 0, 0, act_create, is_created, nothing_was_made};
static const struct operation terminal_create = {
    "create with a terminal", nothing, terminal_program, 0, 1, act_create, is_created, nothing_was_made};

static const struct operation filter_operations[] = {
    {"plan with a filter", nothing, filtered_config, 0, 0, act_plan, text_is_whole, NULL},
    {"create with a filter", nothing, filtered_config, 0, 0, act_create, is_created, nothing_was_made},
    {"start with a filter", created, filtered_config, 0, 0, act_start, is_running, has_not_started},
    {"exec with a filter", running, filtered_config, 0, 0, act_exec, NULL, is_running},
    {"create with a listener", nothing, notifying_config, 0, 0, act_create, is_created, nothing_was_made},
    {"start with a listener", created, notifying_config, 0, 0, act_start, is_running, has_not_started},
    {"exec with a listener", running, notifying_config, 0, 0, act_exec, NULL, is_running},
};

/* ---- Round and round ---- */

static int has_stopped(void* container) {
  return must_status(container) == REAPER_STATUS_STOPPED;
}

static void hear(void* data, int32_t level, const char* message) {
  (void)data;
  (void)level;
  (void)message;
}

static void prepare(struct bench* bench) {
  const reaper_runtime_options options = {.size = sizeof options, .root = bench->scene.place.root, .log = hear};
  bench->scene.runtime = NULL;
  assert_int_equal(reaper_runtime_new(&options, &bench->scene.runtime, NULL), REAPER_OK);
  bench->config = bench->operation->config(&bench->scene);
  bench->container = bench->made = NULL;
  bench->text = NULL;
  bench->number = -1;
  /* Whoever connects waits in its queue. */
  bench->agent = bench->operation->config == notifying_config ? agent_of(&bench->scene) : -1;
  forget_kept(&bench->scene);
  if (bench->compiled) {
    char* plan = NULL;
    const reaper_create_options wanted = create_options(bench);
    assert_int_equal(reaper_plan(bench->scene.runtime, &wanted, REAPER_FORMAT_TEXT, &plan, NULL), REAPER_OK);
    reaper_free(plan);
  }
  if (bench->operation->before == nothing) return;
  const reaper_create_options with = create_options(bench);
  bench->container = must_create_with(&bench->scene, id, &with);
  if (bench->operation->before == created) return;
  must_start(bench->container);
  if (bench->operation->config == tree_config) await_numbers(&bench->scene, "child", 1);
  if (bench->operation->before == stopped) assert_true(wait_until(has_stopped, bench->container));
}

static void tidy(struct bench* bench) {
  const int result = reaper_delete_id(bench->scene.runtime, id, REAPER_DELETE_FORCE, NULL);
  assert_true(result == REAPER_OK || result == REAPER_ERR_NOT_FOUND);
  nothing_stands(bench);
  if (bench->operation->terminal && bench->number >= 0) close(bench->number);
  if (bench->agent >= 0) close(bench->agent);
  forget(&bench->scene, "agent");
  forget_kept(&bench->scene);
  reaper_free(bench->text);
  reaper_container_free(bench->made);
  reaper_container_free(bench->container);
  reaper_runtime_free(bench->scene.runtime);
  forget(&bench->scene, "log");
  forget(&bench->scene, "child");
  free(bench->config);
}

struct tally {
  long failed, succeeded;
};

/* One round. Whether an allocation failed in it. */
static int round_of(struct bench* bench, long first, int persistent, struct tally* tally) {
  prepare(bench);
  reaper_error* error = NULL;
  arm(first, persistent);
  const int result = bench->operation->act(bench, &error);
  disarm();
  const int hit = fault.failed != 0;
  if (result == REAPER_OK) {
    assert_null(error);
    if (bench->operation->succeeded != NULL) bench->operation->succeeded(bench);
    tally->succeeded += hit;
  } else {
    if (!hit || result != REAPER_ERR_NO_MEMORY) complain(bench->operation->name, error);
    assert_true(hit);
    assert_int_equal(result, REAPER_ERR_NO_MEMORY);
    assert_int_equal(reaper_error_code(error), REAPER_ERR_NO_MEMORY);
    assert_int_equal(reaper_error_errno(error), ENOMEM);
    assert_true(*reaper_error_message(error) != '\0' && *reaper_error_stage(error) != '\0');
    reaper_error_free(error);
    ++tally->failed;
    if (bench->operation->failed != NULL) bench->operation->failed(bench);
  }
  tidy(bench);
  return hit;
}

static char where[100]; /* told when a test fails */

static long total;

static void walk(const struct place* place, const struct operation* operation) {
  struct bench bench = {.scene = {.place = *place}, .operation = operation};
  bench.compiled = operation->config == filtered_config || operation->config == notifying_config;
  for (int persistent = 0; persistent < 2; ++persistent) {
    struct tally tally = {0, 0};
    round_of(&bench, 0, 0, &tally); /* what is allocated once and for all, has been */
    const long step = persistent && getenv("REAPER_SOAK") == NULL ? 4 : 1;
    for (long first = 1;; first += step) {
      const long blocks = atomic_load(&live);
      const int descriptors = count_entries("/proc/self/fd");
      snprintf(where, sizeof where, "%s, allocation %ld%s", operation->name, first,
               persistent ? " and all after it" : "");
      const int hit = round_of(&bench, first, persistent, &tally);
      assert_int_equal(atomic_load(&live), blocks);
      assert_int_equal(count_entries("/proc/self/fd"), descriptors);
      if (!hit) break;
    }
    total += tally.failed; /* some operations want no memory */
    printf("%s: %ld times %s failed, %ld of them without harm\n", operation->name, tally.failed + tally.succeeded,
           persistent ? "every allocation from one on" : "one allocation", tally.succeeded);
    fflush(stdout);
    *where = '\0';
  }
  free(undisturbed);
  undisturbed = NULL;
}

static void test_every_allocation(void** state) {
  if (!WATCHED) SKIP("a sanitizer has an allocator of its own");
  const struct scene* scene = *state;
  for (size_t i = 0; i < COUNT_OF(operations); ++i) walk(&scene->place, &operations[i]);
  assert_true(total > 1000);
}

static void test_capabilities(void** state) {
  if (!WATCHED) SKIP("a sanitizer has an allocator of its own");
  if (!is_root() || !holds_capability("CapEff:", 8)) SKIP("needs root");
  const struct scene* scene = *state;
  walk(&scene->place, &rich_create);
}

/* Namespaces, a root and mounts. */
static void test_isolated(void** state) {
  if (!WATCHED) SKIP("a sanitizer has an allocator of its own");
  if (!(is_root() && holds_capability("CapEff:", CAP_SYS_ADMIN))) SKIP("making namespaces needs CAP_SYS_ADMIN");
  const struct scene* scene = *state;
  walk(&scene->place, &isolated_create);
}

static void test_terminal(void** state) {
  if (!WATCHED) SKIP("a sanitizer has an allocator of its own");
  need_terminals();
  walk(&((const struct scene*)*state)->place, &terminal_create);
}

static void test_filters(void** state) {
  if (!WATCHED) SKIP("a sanitizer has an allocator of its own");
  NEED_FILTERS();
  const struct scene* scene = *state;
  for (size_t i = 0; i < COUNT_OF(filter_operations); ++i) walk(&scene->place, &filter_operations[i]);
}

struct compilation {
  const struct scene* scene;
  long first;
  const char* wanted;
};

static int compile(void* argument) {
  const struct compilation* compilation = argument;
  struct bench bench = {.scene = {.place = compilation->scene->place}, .operation = &filter_operations[0]};
  reaper_error* error = NULL;
  signal(SIGSEGV, SIG_DFL); /* cmocka has a handler */
  prepare(&bench);
  arm(compilation->first, 0);
  const int result = act_plan(&bench, &error);
  disarm();
  if (fault.failed == 0) return 2;
  if (result == REAPER_OK) return strcmp(bench.text, compilation->wanted) != 0 ? 3 : 0;
  return result == REAPER_ERR_NO_MEMORY ? 0 : 4;
}

/* libseccomp 2.5.4 follows null pointers and frees twice where some allocations of seccomp_export_bpf(3) fail, which is
 * its host's end; where others do, it reports a success and leaves instructions out. The latter is never taken for a
 * filter. */
static void test_compilation(void** state) {
  if (!WATCHED) SKIP("a sanitizer has an allocator of its own");
  NEED_FILTERS();
  const struct scene* scene = *state;
  char* config = filtered_config(scene);
  const reaper_create_options options = options_of(scene, config);
  char* wanted = NULL;
  assert_int_equal(reaper_plan(scene->runtime, &options, REAPER_FORMAT_JSON, &wanted, NULL), REAPER_OK);
  long ended = 0;
  for (struct compilation compilation = {scene, 1, wanted};; ++compilation.first) {
    const int status = in_child(compile, &compilation);
    if (status == 2) {
      printf("a filter is compiled: %ld allocations failed, %ld of them are libseccomp's end\n", compilation.first - 1,
             ended);
      break;
    }
    if (status != 0 && status != 128 + SIGSEGV && status != 128 + SIGABRT)
      fail_msg("allocation %ld: %d", compilation.first, status);
    ended += status != 0;
  }
  reaper_free(wanted);
  free(config);
}

static int teardown(void** state) {
  if (*where != '\0') print_error("the failure was met here: %s\n", where);
  return scene_teardown(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, teardown)

int main(void) {
  work_in_memory();
  const struct CMUnitTest tests[] = {TEST(test_every_allocation), TEST(test_capabilities), TEST(test_isolated),
                                     TEST(test_filters),          TEST(test_compilation),  TEST(test_terminal)};
  return cmocka_run_group_tests_name("allocations", tests, NULL, NULL);
}
