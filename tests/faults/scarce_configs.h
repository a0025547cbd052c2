/* What test_allocations.c has its containers made of. Each is free(3)d by whoever asks. */
#ifndef REAPER_TESTS_FAULTS_SCARCE_CONFIGS_H
#define REAPER_TESTS_FAULTS_SCARCE_CONFIGS_H

#include <stdlib.h>

#include "hooks.h"
#include "terminal.h"

static char* plain_config(const struct scene* scene) {
  (void)scene;
  return process_config("\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\",\"env\":[\"PATH=/usr/bin:/bin\",\"A=b\"]");
}

static char* short_config(const struct scene* scene) {
  (void)scene;
  return shell_config("exit 7", "");
}

static char* rich_config(const struct scene* scene) {
  (void)scene;
  return text_of(
      "{\"ociVersion\":\"1.2.0\",\"annotations\":{\"org.example.a\":\"b\",\"c\":\"d\"},\"unheard\":1,"
      "\"process\":{\"args\":[\"sleep\",\"1000\"],\"cwd\":\"/\",\"env\":[\"PATH=/usr/bin:/bin\"],"
      "\"noNewPrivileges\":true,\"oomScoreAdj\":900,"
      "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":100,\"hard\":100}],"
      "\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"permitted\":[],\"effective\":[],"
      "\"inheritable\":[],\"ambient\":[]}}}");
}

/* The bounding set is left alone: an ordinary user cannot lower it. */
static char* ordinary_config(const struct scene* scene) {
  (void)scene;
  return text_of(
      "{\"ociVersion\":\"1.2.0\",\"annotations\":{\"org.example.a\":\"b\",\"c\":\"d\"},\"unheard\":1,"
      "\"process\":{\"args\":[\"sleep\",\"1000\"],\"cwd\":\"/\",\"env\":[\"PATH=/usr/bin:/bin\"],"
      "\"noNewPrivileges\":true,\"oomScoreAdj\":900,"
      "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":100,\"hard\":100}]}}");
}

static char* tree_config(const struct scene* scene) {
  char* script = filled(scene, "sleep 1000 & echo $! >@/child.new; mv @/child.new @/child; wait");
  char* config = shell_config(script, "");
  free(script);
  return config;
}

/* The first and the last of them write into "log". */
static char* hooked_config(const struct scene* scene) {
  struct hook_list lists[] = {{"createRuntime", {shell_hook(scene, "printf + >>@/log", ""), NULL}},
                              {"startContainer", {text_of("{\"path\":\"/bin/true\"}"), NULL}},
                              {"poststart", {text_of("{\"path\":\"/bin/true\"}"), NULL}},
                              {"poststop", {shell_hook(scene, "printf - >>@/log", ""), NULL}}};
  return hooks_config(lists, COUNT_OF(lists));
}

static char* terminal_program(const struct scene* scene) {
  (void)scene;
  return terminal_config("sleep 1000", "");
}

/* The program gets no filter's answer: nobody makes that call. */
static char* filter_config(const struct scene* scene, const char* action) {
  char* text = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/"
      "\",\"noNewPrivileges\":true},"
      "\"linux\":{\"seccomp\":{\"listenerPath\":\"@/"
      "agent\",\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":["
      "\"sched_get_priority_max\",\"no_such_call\"],\"action\":\"%s\"}]}}}",
      action);
  char* config = filled(scene, text);
  free(text);
  return config;
}

static char* filtered_config(const struct scene* scene) {
  return filter_config(scene, "SCMP_ACT_ERRNO");
}

static char* notifying_config(const struct scene* scene) {
  return filter_config(scene, "SCMP_ACT_NOTIFY");
}

#endif
