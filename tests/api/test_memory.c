/* What a container costs in memory while it only waits: reaper-init lets go of what its making needed. */
#include "containers.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char sleeper[] =
    "{\"ociVersion\":\"1.3.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"}}";

struct memory {
  long all;   /* KiB of the whole process, shared pages by their share (proc(5), Pss) */
  long image; /* KiB of reaper-init's own code */
};

/* The image is the first mapping: it is linked to the lowest address. False: nobody but root may look. */
static int look_at(long pid, struct memory *memory) {
  char *path = text_of("/proc/%ld/smaps", pid);
  FILE *file = fopen(path, "re");
  free(path);
  if (file == NULL) return 0;
  *memory = (struct memory){0, -1};
  char line[512];
  int lines = 0;
  while (fgets(line, sizeof line, file) != NULL) {
    long size;
    ++lines;
    if (sscanf(line, "Pss: %ld kB", &size) != 1) continue;
    memory->all += size;
    if (memory->image < 0) memory->image = size;
  }
  fclose(file);
  return lines > 0;
}

/* What is looked at happens after the creator was answered. */
static struct memory settled(long pid) {
  struct memory memory = {0, 0};
  for (int i = 0; i < 1000; ++i) {
    if (!look_at(pid, &memory)) {
      print_message("SKIP: the memory of a process that is not dumpable is shown to root alone\n");
      skip();
    }
    if (memory.image <= 32) break;
    usleep(10000);
  }
  return memory;
}

static long supervisor_of(const reaper_container *container) {
  char *state = NULL;
  assert_int_equal(reaper_state(container, &state, NULL), REAPER_OK);
  const char *found = strstr(state, "\"supervisorPid\"");
  assert_non_null(found);
  const long pid = strtol(found + strcspn(found, "0123456789"), NULL, 10);
  reaper_free(state);
  return pid;
}

static void test_waiting_and_supervising(void **state) {
  const struct scene *scene = *state;
  reaper_create_options options = options_of(scene, sleeper);
  options.flags = REAPER_CREATE_SUPERVISE;
  reaper_container *container = must_create_with(scene, "small", &options);
  const struct memory waiting = settled(must_pid(container));
  const struct memory supervising = settled(supervisor_of(container));
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  assert_in_range(waiting.image, 4, 32);
  assert_in_range(supervising.image, 4, 32);
  assert_in_range(waiting.all, 4, 64);
  assert_in_range(supervising.all, 4, 64);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_waiting_and_supervising, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
