/* The filter in a container's record, damaged and forged: an error each time, and nothing runs without a filter. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "denial.h"
#include "processes.h"
#include "tamper.h"

static const char config[] =
    "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\",\"noNewPrivileges\":true},"
    "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"chdir\"],"
    "\"action\":\"SCMP_ACT_ERRNO\"}]}}}";
static const char process[] = "{\"args\":[\"/bin/true\"],\"cwd\":\"/\",\"noNewPrivileges\":true}";

/* `record` with what begins at `from` and ends before `end` replaced. free(3) it. */
static char* spliced(const char* record, const char* from, const char* end, const char* with) {
  const char* const start = strstr(record, from);
  assert_non_null(start);
  const char* const rest = strstr(start + strlen(from), end);
  assert_non_null(rest);
  return text_of("%.*s%s%s", (int)(start - record), record, with, rest);
}

/* Frames that are right around records that are not. */
static void test_forged(void** state) {
  if (!has_filters() || !can_deny()) SKIP("no seccomp filters here");
  static const struct {
    const char *from, *end, *with;
    int code;
    const char *stage, *pointer, *part;
  } rows[] = {
      {"\"filter\":{", "}", "\"nothing\":{", REAPER_ERR_UNSUPPORTED, "exec", "/linux/seccomp", "does not hold"},
      {"\"seccomp\":true", ",", "\"seccomp\":false", REAPER_ERR_CORRUPT, "record", "", "has a filter, and has none"},
      {"\"seccomp\":true", ",", "\"seccomp\":1", REAPER_ERR_CORRUPT, "record", "", "true or false"},
      {"\"instructions\":\"", "\"", "\"instructions\":\"", REAPER_ERR_CORRUPT, "record", "", "no whole instructions"},
      {"\"instructions\":\"", "0", "\"instructions\":\"0", REAPER_ERR_CORRUPT, "record", "", "no whole instructions"},
      {"\"instructions\":\"", "0", "\"instructions\":\"zzzzzzzzzzzzzzzz", REAPER_ERR_CORRUPT, "record", "", ""},
      {"\"instructions\":\"", "}", "\"instructions\":7", REAPER_ERR_CORRUPT, "record", "", "string"},
      {"\"flags\":", ",", "\"flags\":64", REAPER_ERR_UNSUPPORTED, "exec", "/linux/seccomp/flags", "does not load"},
      {"\"flags\":", ",", "\"flags\":8", REAPER_ERR_CORRUPT, "record", "", "nobody who is notified"},
      {"\"flags\":", ",", "\"flagz\":0", REAPER_ERR_CORRUPT, "record", "", "no flags"},
      {"\"digest\":\"", "\"", "\"digest\":\"", REAPER_ERR_CORRUPT, "record", "", "no digest"},
  };
  const struct scene* scene = *state;
  reaper_container* container = must_run(scene, "c", config);
  char* const record = read_record(scene, "c");
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char* forged = spliced(record, rows[i].from, rows[i].end, rows[i].with);
    write_record(scene, "c", "1", forged);
    reaper_container* other = NULL;
    assert_int_equal(reaper_open(scene->runtime, "c", &other, NULL), REAPER_OK);
    refused_exec(other, process, (struct expected){rows[i].code, 0, rows[i].stage, rows[i].pointer, rows[i].part});
    reaper_container_free(other);
    free(forged);
  }
  write_record(scene, "c", "1", record);
  free(record);
  end(container);
}

/* What the kernel takes for no filter is not one. The first instruction, of no kind that there is. */
static void test_not_a_filter(void** state) {
  if (!has_filters() || !can_deny()) SKIP("no seccomp filters here");
  const struct scene* scene = *state;
  reaper_container* container = must_run(scene, "c", config);
  char* const record = read_record(scene, "c");
  char* forged = strstr(record, "\"instructions\":\"");
  assert_non_null(forged);
  memset(forged + strlen("\"instructions\":\""), 'f', 16);
  write_record(scene, "c", "1", record);
  reaper_container* other = NULL;
  assert_int_equal(reaper_open(scene->runtime, "c", &other, NULL), REAPER_OK);
  refused_exec(other, process, (struct expected){REAPER_ERR_SYSTEM, 22, "seccomp", "/linux/seccomp", "EINVAL"});
  reaper_container_free(other);
  free(record);
  end(container);
}

/* Every byte of the record counts in its checksum. */
static void test_damaged(void** state) {
  if (!has_filters() || !can_deny()) SKIP("no seccomp filters here");
  const struct scene* scene = *state;
  reaper_container* container = must_run(scene, "c", config);
  char* path = file_of(scene, "c", "state.json");
  char* text = read_whole(path);
  char* digit = strstr(text, "\"instructions\":\"") + strlen("\"instructions\":\"") + 20;
  *digit = *digit == '0' ? '1' : '0';
  write_whole(path, text);
  reaper_container* other = NULL;
  reaper_error* error = NULL;
  const struct expected corrupt = {REAPER_ERR_CORRUPT, 0, "record", "", "wrong checksum"};
  assert_error(reaper_open(scene->runtime, "c", &other, &error), &error, &corrupt);
  *digit = *digit == '0' ? '1' : '0';
  free(path);
  free(text);
  end(container);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_forged, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_not_a_filter, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_damaged, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
