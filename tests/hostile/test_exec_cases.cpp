// Every case of processes/*.cases, given to reaper_exec() as a caller gives it: what is said of it, and that nothing is
// left of what was refused.
#include <unistd.h>

#include <cstring>
#include <set>

#include "cases.h"

extern "C" {
#include "containers.h"
}

using namespace reaper_test;

namespace {

constexpr size_t cases_wanted = 80;

std::string directory() {
  const char* data = getenv("REAPER_TEST_DATA");
  return std::string(data != nullptr ? data : ".") + "/../hostile/processes";
}

bool is_one_printable_line(const std::string& text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  return text.find("\xc2\x9b") == std::string::npos;
}

bool is_right(const Case& judged, const reaper_container* container) {
  reaper_exec_options options = {};
  options.size = sizeof options;
  options.process = judged.text.data();
  options.process_length = judged.text.size();
  if (judged.strict) options.flags |= REAPER_EXEC_STRICT;
  if (judged.where.find("lay_over") != std::string::npos) options.flags |= REAPER_EXEC_LAY_OVER;
  reaper_process* process = nullptr;
  reaper_error* error = nullptr;
  const int result = reaper_exec(container, &options, &process, &error);
  const std::string code = result == REAPER_OK ? "OK" : reaper_error_name(result) + strlen("REAPER_ERR_");
  const std::string pointer = reaper_error_pointer(error), message = reaper_error_message(error);
  reaper_error_free(error);
  // "OK/PERMISSION": the second is an ordinary user's.
  const bool others = !is_root() && code == judged.other_code;
  const std::string wanted = code == "OK" ? "" : judged.pointer;
  bool right = others || (code == judged.code && pointer == wanted && message.find(judged.part) != std::string::npos);
  right = right && is_one_printable_line(message);
  right = right && (process != nullptr) == (result == REAPER_OK);
  if (!right)
    fprintf(stderr, "%s %s: %.300s\n  %s at \"%s\": %s\n", judged.where.c_str(), judged.name.c_str(),
            judged.text.c_str(), code.c_str(), pointer.c_str(), message.c_str());
  reaper_exit_status status = {};
  status.size = sizeof status;
  if (process != nullptr)
    right = reaper_process_wait(process, LIMIT_MS, &status, nullptr) == REAPER_OK && status.exit_code == 0 && right;
  reaper_process_free(process);
  return right;
}

void every_case(void** state) {
  const auto& scene = *static_cast<const struct scene*>(*state);
  const auto cases = read_cases(directory());
  std::set<std::string> names;
  char config[256];
  snprintf(config, sizeof config,
           R"({"ociVersion":"1.2.0","process":{"args":["/bin/sleep","1000"],"cwd":"/","env":["PATH=/bin"],)"
           R"("user":{"uid":%u,"gid":%u}}})",
           geteuid(), getegid());
  reaper_container* container = must_create(&scene, "judge", config);
  must_start(container);
  const census before = take_census(scene.place.root);
  size_t wrong = 0;
  for (const Case& one : cases) {
    if (!names.insert(one.name).second) fail_msg("%s: %s stands twice", one.where.c_str(), one.name.c_str());
    if (!is_right(one, container)) ++wrong;
    assert_same_census(before, take_census(scene.place.root));
  }
  assert_int_equal(must_status(container), REAPER_STATUS_RUNNING);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, nullptr), REAPER_OK);
  reaper_container_free(container);
  printf("%zu documents\n", cases.size());
  assert_true(cases.size() >= cases_wanted);
  if (wrong != 0) fail_msg("%zu of %zu cases are wrong", wrong, cases.size());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(every_case, scene_setup, scene_teardown)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
