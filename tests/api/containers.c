/* See containers.h. */
#include "containers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int complain(const char *what, reaper_error *error) {
  dprintf(2, "%s: %s: %s [%s] [%s]\n", what, reaper_error_name(reaper_error_code(error)), reaper_error_message(error),
          reaper_error_stage(error), reaper_error_pointer(error));
  reaper_error_free(error);
  return 1;
}

static void assert_ok(int result, reaper_error **error, const char *what) {
  if (result == REAPER_OK) return;
  complain(what, *error);
  REQUIRE(result == REAPER_OK);
}

void scene_open(struct scene *scene) {
  place_make(&scene->place);
  const reaper_runtime_options options = {.size = sizeof options, .root = scene->place.root};
  reaper_error *error = NULL;
  scene->runtime = NULL;
  if (reaper_runtime_new(&options, &scene->runtime, &error) != REAPER_OK) {
    complain("reaper_runtime_new", error);
    abort();
  }
}

/* Every id in the list, by the library's own form: compact JSON, "id" first. */
static void delete_all(struct scene *scene) {
  char *list = NULL;
  if (reaper_list(scene->runtime, &list, NULL) != REAPER_OK) return;
  static const char key[] = "{\"id\":\"";
  for (char *at = list; (at = strstr(at, key)) != NULL;) {
    at += sizeof key - 1;
    char *id = text_of("%.*s", (int)strcspn(at, "\""), at);
    reaper_delete_id(scene->runtime, id, REAPER_DELETE_FORCE, NULL);
    free(id);
  }
  reaper_free(list);
}

void scene_close(struct scene *scene) {
  delete_all(scene);
  reaper_runtime_free(scene->runtime);
  place_remove(&scene->place);
}

struct in_scene {
  int (*body)(const struct scene *scene);
};

static int with_scene(void *argument) {
  const struct in_scene *in_scene = argument;
  struct scene scene;
  scene_open(&scene);
  const int result = in_scene->body(&scene);
  scene_close(&scene);
  return result;
}

int in_child_with_scene(int (*body)(const struct scene *scene)) {
  struct in_scene in_scene = {body};
  return in_child(with_scene, &in_scene);
}

int scene_setup(void **state) {
  struct scene *scene = calloc(1, sizeof *scene);
  if (scene == NULL) return -1;
  scene_open(scene);
  *state = scene;
  return 0;
}

int scene_teardown(void **state) {
  struct scene *scene = *state;
  scene_close(scene);
  free(scene);
  if (count_children() == 0) return 0;
  print_error("a child process was left behind\n");
  return -1;
}

void warm_up(const struct scene *scene) {
  reaper_container *container = must_create(scene, "warm-up", "{\"ociVersion\":\"1.0.0\"}");
  reaper_error *error = NULL;
  assert_ok(reaper_delete(container, REAPER_DELETE_FORCE, &error), &error, "reaper_delete");
  reaper_container_free(container);
}

char *process_config(const char *members) {
  return text_of("{\"ociVersion\":\"1.2.0\",\"process\":{%s}}", members);
}

int has_filters(void) {
  char *features = NULL;
  assert_int_equal(reaper_features(&features, NULL), REAPER_OK);
  const int enabled = strstr(features, "\"seccomp\":{\"enabled\":true") != NULL;
  reaper_free(features);
  return enabled;
}

char *shell_config(const char *script, const char *more) {
  char *quoted = json_string(script);
  char *members =
      text_of("\"args\":[\"/bin/sh\",\"-c\",%s],\"cwd\":\"/\",\"env\":[\"PATH=/usr/bin:/bin\"]%s", quoted, more);
  char *config = process_config(members);
  free(members);
  free(quoted);
  return config;
}

char *isolated_config(const struct scene *scene, const char *arguments, const char *more) {
  static const char *const programs[] = {"/bin", "/lib", "/lib64", "/usr"};
  char *root = text_of("%s/rootfs", scene->place.bundle);
  assert_true(mkdir(root, 0755) == 0 || errno == EEXIST);
  char *mounts = text_of(
      "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
      "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"mode=755\"]}");
  for (size_t i = 0; i < COUNT_OF(programs); ++i) {
    if (access(programs[i], F_OK) != 0) continue;
    char *next = text_of("%s,{\"destination\":\"%s\",\"source\":\"%s\",\"options\":[\"rbind\",\"ro\"]}", mounts,
                         programs[i], programs[i]);
    free(mounts);
    mounts = next;
  }
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[%s],\"cwd\":\"/"
      "\"},\"hostname\":\"isolated\",\"root\":{\"path\":"
      "\"%s\",\"readonly\":true},\"mounts\":[%s%s],\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"},"
      "{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"network\"}],\"maskedPaths\":[\"/proc/kcore\"],"
      "\"readonlyPaths\":[\"/proc/sys\"]}}",
      arguments, root, mounts, more);
  free(mounts);
  free(root);
  return config;
}

reaper_create_options options_of(const struct scene *scene, const char *config) {
  reaper_create_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.bundle = scene->place.bundle;
  options.config = config;
  options.config_length = config != NULL ? strlen(config) : 0;
  return options;
}

reaper_container *must_create_with(const struct scene *scene, const char *id, const reaper_create_options *options) {
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  assert_ok(reaper_create(scene->runtime, id, options, &container, &error), &error, "reaper_create");
  REQUIRE(NULL != container);
  return container;
}

reaper_container *must_create(const struct scene *scene, const char *id, const char *config) {
  const reaper_create_options options = options_of(scene, config);
  return must_create_with(scene, id, &options);
}

reaper_container *must_open(const struct scene *scene, const char *id) {
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  assert_ok(reaper_open(scene->runtime, id, &container, &error), &error, "reaper_open");
  return container;
}

void must_start(reaper_container *container) {
  reaper_error *error = NULL;
  assert_ok(reaper_start(container, &error), &error, "reaper_start");
}

reaper_exit_status must_wait(const reaper_container *container) {
  reaper_exit_status status;
  memset(&status, 0, sizeof status);
  status.size = sizeof status;
  reaper_error *error = NULL;
  assert_ok(reaper_wait(container, LIMIT_MS, &status, &error), &error, "reaper_wait");
  return status;
}

void must_delete(reaper_container *container) {
  reaper_error *error = NULL;
  assert_ok(reaper_delete(container, 0, &error), &error, "reaper_delete");
  reaper_container_free(container);
}

char *must_state(const reaper_container *container) {
  char *text = NULL;
  reaper_error *error = NULL;
  assert_ok(reaper_state(container, &text, &error), &error, "reaper_state");
  return text;
}

int must_status(const reaper_container *container) {
  int32_t status = 0;
  reaper_error *error = NULL;
  assert_ok(reaper_status(container, &status, &error), &error, "reaper_status");
  return status;
}

pid_t must_pid(const reaper_container *container) {
  int32_t pid = 0;
  reaper_error *error = NULL;
  assert_ok(reaper_pid(container, &pid, &error), &error, "reaper_pid");
  return pid;
}

char *output_of_config(const struct scene *scene, const char *config, reaper_create_options options) {
  const int output = memfd_create("output", MFD_CLOEXEC);
  REQUIRE(output >= 0);
  options.config = config;
  options.config_length = strlen(config);
  options.flags |= REAPER_CREATE_STDIO;
  options.stdio[0] = -1;
  options.stdio[1] = output;
  options.stdio[2] = 2;
  REQUIRE(!check_differs(scene, &options, NULL));
  reaper_container *container = must_create_with(scene, "output", &options);
  must_start(container);
  const reaper_exit_status status = must_wait(container);
  must_delete(container);
  char *path = text_of("/proc/self/fd/%d", output);
  char *text = read_whole(path);
  free(path);
  close(output);
  if (status.exit_code != 0) dprintf(2, "exit code %d, signal %d, output: %s\n", status.exit_code, status.signal, text);
  REQUIRE(status.exit_code == 0);
  return text;
}

char *output_of(const struct scene *scene, const char *script, const char *more) {
  char *config = shell_config(script, more);
  char *text = output_of_config(scene, config, options_of(scene, config));
  free(config);
  return text;
}

static int text_differs(const char *what, const char *have, const char *want) {
  if (strcmp(have, want) == 0) return 0;
  dprintf(2, "%s is \"%s\" and should be \"%s\"\n", what, have, want);
  return 1;
}

int error_differs(int result, reaper_error **error, const struct expected *expected) {
  if (result != REAPER_OK && *error == NULL) {
    dprintf(2, "no error object came with %s\n", reaper_error_name(result));
    return 1;
  }
  const char *message = reaper_error_message(*error);
  int bad = text_differs("the code", reaper_error_name(result), reaper_error_name(expected->code));
  bad += text_differs("the error's code", reaper_error_name(reaper_error_code(*error)), reaper_error_name(result));
  bad += text_differs("the stage", reaper_error_stage(*error), expected->stage);
  bad += text_differs("the pointer", reaper_error_pointer(*error), expected->pointer);
  if (reaper_error_errno(*error) != expected->number) {
    dprintf(2, "errno is %d and should be %d\n", reaper_error_errno(*error), expected->number);
    ++bad;
  }
  if (strstr(message, expected->part) == NULL) {
    dprintf(2, "the message lacks \"%s\"\n", expected->part);
    ++bad;
  }
  if (strchr(message, '\n') != NULL) {
    dprintf(2, "the message is not one line\n");
    ++bad;
  }
  if (bad != 0) dprintf(2, "the message: %s\n", message);
  reaper_error_free(*error);
  *error = NULL;
  return bad != 0;
}

void assert_error(int result, reaper_error **error, const struct expected *expected) {
  REQUIRE(!error_differs(result, error, expected));
}

void assert_code(int result, reaper_error **given, int code) {
  reaper_error *error = *given;
  REQUIRE(!text_differs("the code", reaper_error_name(result), reaper_error_name(code)));
  REQUIRE(reaper_error_code(error) == code);
  REQUIRE(reaper_error_message(error)[0] != '\0');
  REQUIRE(reaper_error_stage(error)[0] != '\0');
  reaper_error_free(error);
  *given = NULL;
}

int quiet_life(reaper_runtime *runtime, const char *id, const char *config, int expected_exit) {
  reaper_create_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.bundle = "/";
  options.config = config;
  options.config_length = strlen(config);
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  if (reaper_create(runtime, id, &options, &container, &error) != REAPER_OK) return complain("create", error);
  int bad = 0;
  reaper_exit_status status;
  memset(&status, 0, sizeof status);
  status.size = sizeof status;
  if (reaper_start(container, &error) != REAPER_OK) {
    bad = complain("start", error);
  } else if (reaper_wait(container, LIMIT_MS, &status, &error) != REAPER_OK) {
    bad = complain("wait", error);
  } else if (status.exit_code != expected_exit) {
    dprintf(2, "exit code %d, signal %d\n", status.exit_code, status.signal);
    bad = 1;
  }
  error = NULL;
  if (reaper_delete(container, bad ? REAPER_DELETE_FORCE : 0, &error) != REAPER_OK) bad = complain("delete", error);
  reaper_container_free(container);
  return bad;
}

char *filled(const struct scene *scene, const char *text) {
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

/* The first error of reaper_check()'s JSON, "" for none. */
static const char *first_error(const char *findings) {
  const char *error = strstr(findings, "{\"level\":\"error\"");
  return error != NULL ? error : "";
}

int check_differs(const struct scene *scene, const reaper_create_options *options, const struct expected *expected) {
  char *findings = NULL;
  reaper_error *error = NULL;
  if (reaper_check(scene->runtime, options, REAPER_FORMAT_JSON, &findings, &error) != REAPER_OK)
    return complain("check", error);
  char *wanted = json_string("");
  char *part = json_string("");
  *wanted = '\0';
  if (expected != NULL) {
    char *pointer = json_string(expected->pointer);
    free(wanted);
    free(part);
    wanted = text_of("{\"level\":\"error\",\"code\":\"%s\",\"pointer\":%s,\"stage\":\"%s\",\"message\":",
                     reaper_error_name(expected->code), pointer, expected->stage);
    part = json_string(expected->part);
    free(pointer);
  }
  part[strlen(part) - 1] = '\0'; /* without its quotes */
  const char *found = first_error(findings);
  const int bad = strncmp(found, wanted, strlen(wanted)) != 0 || strstr(found, part + 1) == NULL ||
                  (expected == NULL && *found != '\0') ||
                  (strncmp(findings, "{\"ok\":true,", 11) == 0) != (expected == NULL);
  if (bad) dprintf(2, "check says:\n%s\nwanted: %s... %s\n", findings, wanted, part + 1);
  free(part);
  free(wanted);
  reaper_free(findings);
  return bad;
}

int create_differs(const struct scene *scene, const reaper_create_options *options, const struct expected *expected) {
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  const int result = reaper_create(scene->runtime, "failing", options, &container, &error);
  return error_differs(result, &error, expected) || container != NULL;
}

void assert_create_fails(const struct scene *scene, const reaper_create_options *options,
                         const struct expected *expected) {
  assert_create_fails_unforeseen(scene, options, expected);
  const struct census before = take_census(scene->place.directory);
  if (check_differs(scene, options, expected)) fail_msg("config: %s", options->config != NULL ? options->config : "-");
  assert_same_census(before, take_census(scene->place.directory));
}

void assert_create_fails_unforeseen(const struct scene *scene, const reaper_create_options *options,
                                    const struct expected *expected) {
  const struct census before = take_census(scene->place.root);
  if (create_differs(scene, options, expected)) fail_msg("config: %s", options->config != NULL ? options->config : "-");
  assert_same_census(before, take_census(scene->place.root));
}
