/*
 * A container that prints a line as a user: hello [UID GID], by default the caller's own.
 *
 *     cc hello.c $(pkg-config --cflags --libs reaper) -o hello
 */
#include <reaper.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static int complain(const char *operation, reaper_error *err) {
  fprintf(stderr, "%s: %s: %s\n", operation, reaper_error_name(reaper_error_code(err)), reaper_error_message(err));
  reaper_error_free(err);
  return 1;
}

/* Start, wait, and delete in any case: a container outlives its handle and this program. */
static int see_through(reaper_container *container) {
  reaper_exit_status status = {.size = sizeof status};
  reaper_error *err = NULL;
  int result = 0;
  if (reaper_start(container, &err) != REAPER_OK)
    result = complain("start", err);
  else if (reaper_wait(container, -1, &status, &err) != REAPER_OK)
    result = complain("wait", err);
  else
    result = status.exit_code == 0 ? 0 : 1;
  err = NULL;
  if (reaper_delete(container, REAPER_DELETE_FORCE, &err) != REAPER_OK) result = complain("delete", err);
  return result;
}

int main(int argc, char **argv) {
  unsigned long uid = argc == 3 ? strtoul(argv[1], NULL, 10) : getuid();
  unsigned long gid = argc == 3 ? strtoul(argv[2], NULL, 10) : getgid();
  char config[512];
  int length = snprintf(config, sizeof config,
                        "{\"ociVersion\": \"1.2.0\", \"process\": {\"cwd\": \"/\", \"noNewPrivileges\": true,"
                        " \"args\": [\"/bin/sh\", \"-c\", \"echo hello from user $(id -u)\"],"
                        " \"env\": [\"PATH=/usr/bin:/bin\"], \"user\": {\"uid\": %lu, \"gid\": %lu}}}",
                        uid, gid);
  reaper_create_options options = {
      .size = sizeof options, .config = config, .config_length = (uint64_t)length, .flags = REAPER_CREATE_STDIO};
  for (int i = 0; i < 3; ++i) options.stdio[i] = i;

  reaper_runtime *runtime = NULL;
  reaper_container *container = NULL;
  reaper_error *err = NULL;
  int result = 0;
  if (reaper_runtime_new(NULL, &runtime, &err) != REAPER_OK)
    result = complain("runtime", err);
  else if (reaper_create(runtime, "hello", &options, &container, &err) != REAPER_OK)
    result = complain("create", err);
  else
    result = see_through(container);
  reaper_container_free(container);
  reaper_runtime_free(runtime);
  return result;
}
