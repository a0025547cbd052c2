/* A host program: it runs /bin/true in the three ways that are compared. */
#include "host.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char* const true_argv[] = {"/bin/true", NULL};
static char* const no_environment[] = {NULL};

static void must(int result, const char* operation, reaper_error* err) {
  if (result == REAPER_OK) return;
  die(0, "%s: %s: %s", operation, reaper_error_name(reaper_error_code(err)), reaper_error_message(err));
}

void host_open(struct host* host, const char* root, const char* bundle) {
  reaper_runtime_options options = {.size = sizeof options, .root = root};
  reaper_error* err = NULL;
  host->bundle = bundle;
  host->id = "bench";
  must(reaper_runtime_new(&options, &host->runtime, &err), "runtime", err);
}

void host_close(struct host* host) {
  reaper_runtime_free(host->runtime);
  host->runtime = NULL;
}

int64_t by_reaper(void* context) {
  struct host* host = context;
  const reaper_create_options options = {.size = sizeof options, .bundle = host->bundle};
  reaper_exit_status status = {.size = sizeof status};
  reaper_container* container = NULL;
  reaper_error* err = NULL;
  const int64_t begin = now_ns();
  must(reaper_create(host->runtime, host->id, &options, &container, &err), "create", err);
  must(reaper_start(container, &err), "start", err);
  must(reaper_wait(container, -1, &status, &err), "wait", err);
  must(reaper_delete(container, 0, &err), "delete", err);
  reaper_container_free(container);
  const int64_t end = now_ns();
  if (status.exit_code != 0) die(0, "the container's program exited with %d", (int)status.exit_code);
  return end - begin;
}

void leave_stopped(struct host* host, const char* id) {
  const reaper_create_options options = {.size = sizeof options, .bundle = host->bundle};
  reaper_exit_status status = {.size = sizeof status};
  reaper_container* container = NULL;
  reaper_error* err = NULL;
  must(reaper_create(host->runtime, id, &options, &container, &err), "create", err);
  must(reaper_start(container, &err), "start", err);
  must(reaper_wait(container, -1, &status, &err), "wait", err);
  reaper_container_free(container);
}

void sweep_up(struct host* host, const char* id) {
  reaper_container* container = NULL;
  reaper_error* err = NULL;
  must(reaper_open(host->runtime, id, &container, &err), "open", err);
  must(reaper_delete(container, 0, &err), "delete", err);
  reaper_container_free(container);
}

static void await_true(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child) die(errno, "waitpid");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) die(0, "/bin/true failed");
}

int64_t by_spawn(void* context) {
  (void)context;
  pid_t child = 0;
  const int64_t begin = now_ns();
  const int error = posix_spawn(&child, true_argv[0], NULL, NULL, true_argv, no_environment);
  if (error != 0) die(error, "posix_spawn");
  await_true(child);
  return now_ns() - begin;
}

int64_t by_fork(void* context) {
  (void)context;
  const int64_t begin = now_ns();
  const pid_t child = fork();
  if (child < 0) die(errno, "fork");
  if (child == 0) {
    execve(true_argv[0], true_argv, no_environment);
    _exit(127);
  }
  await_true(child);
  return now_ns() - begin;
}
