/* The operations that test_allocations.c leaves without memory, and what they work with. */
#ifndef REAPER_TESTS_FAULTS_SCARCE_OPERATIONS_H
#define REAPER_TESTS_FAULTS_SCARCE_OPERATIONS_H

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scarce_configs.h"

enum before { nothing, created, running, stopped };

struct bench {
  struct scene scene;
  const struct operation* operation;
  char* config;
  reaper_container* container; /* what stands before the operation */
  reaper_container* made;      /* what it has made */
  char* text;
  int32_t number;
  int agent;    /* -1: none is needed */
  int compiled; /* the runtime has the filter already: libseccomp is not asked again */
};

struct operation {
  const char* name;
  enum before before;
  char* (*config)(const struct scene* scene);
  uint32_t flags; /* of create */
  int terminal;
  int (*act)(struct bench* bench, reaper_error** error);
  /* After a success, and after a failure: what must hold. May be NULL. */
  void (*succeeded)(struct bench* bench);
  void (*failed)(struct bench* bench);
};

static const char id[] = "scarce";

static reaper_create_options create_options(struct bench* bench) {
  reaper_create_options options = options_of(&bench->scene, bench->config);
  options.flags = bench->operation->flags;
  if (bench->operation->terminal) options.console = &bench->number;
  return options;
}

/* ---- The operations ---- */

static int act_runtime(struct bench* bench, reaper_error** error) {
  const reaper_runtime_options options = {.size = sizeof options, .root = bench->scene.place.root};
  reaper_runtime* runtime = NULL;
  const int result = reaper_runtime_new(&options, &runtime, error);
  if (result == REAPER_OK) reaper_runtime_free(runtime);
  return result;
}

static int act_create(struct bench* bench, reaper_error** error) {
  const reaper_create_options options = create_options(bench);
  return reaper_create(bench->scene.runtime, id, &options, &bench->made, error);
}

static int act_plan(struct bench* bench, reaper_error** error) {
  const reaper_create_options options = create_options(bench);
  return reaper_plan(bench->scene.runtime, &options, REAPER_FORMAT_JSON, &bench->text, error);
}

static int act_plan_text(struct bench* bench, reaper_error** error) {
  const reaper_create_options options = create_options(bench);
  return reaper_plan(bench->scene.runtime, &options, REAPER_FORMAT_TEXT, &bench->text, error);
}

static int act_check(struct bench* bench, reaper_error** error) {
  const reaper_create_options options = create_options(bench);
  return reaper_check(bench->scene.runtime, &options, REAPER_FORMAT_JSON, &bench->text, error);
}

static int act_features(struct bench* bench, reaper_error** error) {
  return reaper_features(&bench->text, error);
}

static int act_spec(struct bench* bench, reaper_error** error) {
  return reaper_spec(&bench->text, error);
}

static int act_open(struct bench* bench, reaper_error** error) {
  return reaper_open(bench->scene.runtime, id, &bench->made, error);
}

static int act_list(struct bench* bench, reaper_error** error) {
  return reaper_list(bench->scene.runtime, &bench->text, error);
}

static int act_state(struct bench* bench, reaper_error** error) {
  return reaper_state(bench->container, &bench->text, error);
}

static int act_status(struct bench* bench, reaper_error** error) {
  return reaper_status(bench->container, &bench->number, error);
}

static int act_pidfd(struct bench* bench, reaper_error** error) {
  const int result = reaper_pidfd(bench->container, &bench->number, error);
  if (result == REAPER_OK) close(bench->number);
  return result;
}

static int act_start(struct bench* bench, reaper_error** error) {
  return reaper_start(bench->container, error);
}

static int act_exec(struct bench* bench, reaper_error** error) {
  static const char process[] = "{\"args\":[\"/bin/true\"],\"env\":[\"A=c\"],\"oomScoreAdj\":1000,\"unknown\":1}";
  const reaper_exec_options options = {sizeof options, process, sizeof process - 1, .flags = REAPER_EXEC_LAY_OVER};
  reaper_process* made = NULL;
  const int result = reaper_exec(bench->container, &options, &made, error);
  if (made != NULL) assert_int_equal(waitpid(reaper_process_pid(made), NULL, 0), reaper_process_pid(made));
  reaper_process_free(made);
  return result;
}

static int act_kill(struct bench* bench, reaper_error** error) {
  return reaper_kill(bench->container, SIGKILL, 0, error);
}

static int act_kill_all(struct bench* bench, reaper_error** error) {
  return reaper_kill(bench->container, SIGKILL, REAPER_KILL_ALL, error);
}

static int act_wait(struct bench* bench, reaper_error** error) {
  reaper_exit_status status = {.size = sizeof status};
  const int result = reaper_wait(bench->container, LIMIT_MS, &status, error);
  if (result == REAPER_OK) assert_int_equal(status.exit_code, 7);
  return result;
}

static int act_delete(struct bench* bench, reaper_error** error) {
  return reaper_delete(bench->container, 0, error);
}

static int act_delete_force(struct bench* bench, reaper_error** error) {
  return reaper_delete(bench->container, REAPER_DELETE_FORCE, error);
}

static int act_delete_id(struct bench* bench, reaper_error** error) {
  return reaper_delete_id(bench->scene.runtime, id, REAPER_DELETE_FORCE, error);
}

/* ---- What must hold afterwards ---- */

static char* undisturbed;

static void is_created(struct bench* bench) {
  assert_int_equal(must_status(bench->made), REAPER_STATUS_CREATED);
}

#endif
