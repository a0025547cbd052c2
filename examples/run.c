/* Runs a bundle as a container with the caller's standard descriptors and exits as its program did: run ID BUNDLE */
#include <reaper.h>
#include <stdio.h>

/* What an error object tells: a code, a message, and where there are some the field of config.json and the step. */
static int complain(const char *operation, reaper_error *err) {
  const char *pointer = reaper_error_pointer(err);
  fprintf(stderr, "%s: %s: %s", operation, reaper_error_name(reaper_error_code(err)), reaper_error_message(err));
  if (pointer[0] != '\0') fprintf(stderr, " (field %s)", pointer);
  fprintf(stderr, " (stage %s)\n", reaper_error_stage(err));
  reaper_error_free(err);
  return 1;
}

static void log_line(void *data, int32_t level, const char *message) {
  fprintf(data, "%s%s\n", level <= REAPER_LOG_WARNING ? "warning: " : "", message);
}

/* Start, wait, and delete in any case: a container outlives its handle. */
static int see_through(reaper_container *container) {
  reaper_exit_status status = {.size = sizeof status};
  reaper_error *err = NULL;
  int result = 0;
  if (reaper_start(container, &err) != REAPER_OK)
    result = complain("start", err);
  else if (reaper_wait(container, -1, &status, &err) != REAPER_OK)
    result = complain("wait", err);
  else
    result = status.signal != 0 ? 128 + status.signal : status.exit_code;
  err = NULL;
  if (reaper_delete(container, REAPER_DELETE_FORCE, &err) != REAPER_OK) complain("delete", err);
  return result;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s ID BUNDLE\n", argv[0]);
    return 2;
  }
  reaper_runtime_options runtime_options = {.size = sizeof runtime_options, .log = log_line, .log_data = stderr};
  reaper_create_options options = {.size = sizeof options, .bundle = argv[2], .flags = REAPER_CREATE_STDIO};
  for (int i = 0; i < 3; ++i) options.stdio[i] = i;

  reaper_runtime *runtime = NULL;
  reaper_container *container = NULL;
  reaper_error *err = NULL;
  int result = 0;
  if (reaper_runtime_new(&runtime_options, &runtime, &err) != REAPER_OK)
    result = complain("runtime", err);
  else if (reaper_create(runtime, argv[1], &options, &container, &err) != REAPER_OK)
    result = complain("create", err);
  else
    result = see_through(container);
  reaper_container_free(container);
  reaper_runtime_free(runtime);
  return result;
}
