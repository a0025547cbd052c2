/*
 * A container that prints a line as a user: hello_dlopen [UID GID], by default the caller's own. Nothing is linked: the
 * library is found when the program runs, and without it the program can say so and do something else.
 *
 *     cc hello_dlopen.c $(pkg-config --cflags reaper) -ldl -o hello_dlopen
 */
#include <dlfcn.h>
#include <reaper.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* What is used, under the names and with the types of the header. */
// clang-format off
#define FUNCTIONS(X)       \
  X(reaper_version)        \
  X(reaper_error_code)     \
  X(reaper_error_name)     \
  X(reaper_error_message)  \
  X(reaper_error_free)     \
  X(reaper_runtime_new)    \
  X(reaper_runtime_free)   \
  X(reaper_create)         \
  X(reaper_container_free) \
  X(reaper_start)          \
  X(reaper_wait)           \
  X(reaper_delete)
// clang-format on

static struct {
#define MEMBER(name) __typeof__(name) *(name);
  FUNCTIONS(MEMBER)
} lib;

/* 0 if the library is there, has every function, and is no older than the header and of the same major version. */
static int load(void) {
  void *handle = dlopen("libreaper.so.0", RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
  void *address = NULL;
#define LOOK_UP(name)                                                \
  address = dlsym(handle, #name);                                    \
  if (address == NULL) return fprintf(stderr, "%s\n", dlerror()), 1; \
  memcpy(&lib.name, &address, sizeof address);
  FUNCTIONS(LOOK_UP)
  char *rest = NULL;
  unsigned long major = strtoul(lib.reaper_version(), &rest, 10);
  unsigned long minor = *rest == '.' ? strtoul(rest + 1, NULL, 10) : 0;
  if (major == REAPER_VERSION_MAJOR && minor >= REAPER_VERSION_MINOR) return 0;
  fprintf(stderr, "libreaper is %s, and %d.%d is needed\n", lib.reaper_version(), REAPER_VERSION_MAJOR,
          REAPER_VERSION_MINOR);
  return 1;
}

static int complain(const char *operation, reaper_error *err) {
  fprintf(stderr, "%s: %s: %s\n", operation, lib.reaper_error_name(lib.reaper_error_code(err)),
          lib.reaper_error_message(err));
  lib.reaper_error_free(err);
  return 1;
}

/* Start, wait, and delete in any case: a container outlives its handle and this program. */
static int see_through(reaper_container *container) {
  reaper_exit_status status = {.size = sizeof status};
  reaper_error *err = NULL;
  int result = 0;
  if (lib.reaper_start(container, &err) != REAPER_OK)
    result = complain("start", err);
  else if (lib.reaper_wait(container, -1, &status, &err) != REAPER_OK)
    result = complain("wait", err);
  else
    result = status.exit_code == 0 ? 0 : 1;
  err = NULL;
  if (lib.reaper_delete(container, REAPER_DELETE_FORCE, &err) != REAPER_OK) result = complain("delete", err);
  return result;
}

int main(int argc, char **argv) {
  if (load() != 0) return 1;
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
  if (lib.reaper_runtime_new(NULL, &runtime, &err) != REAPER_OK)
    result = complain("runtime", err);
  else if (lib.reaper_create(runtime, "hello", &options, &container, &err) != REAPER_OK)
    result = complain("create", err);
  else
    result = see_through(container);
  lib.reaper_container_free(container);
  lib.reaper_runtime_free(runtime);
  return result;
}
