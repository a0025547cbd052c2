// tests/data/plan: NAME.json (the config) and NAME.facts (who runs it) -> NAME.txt (the plan as text, or the error).
// REAPER_UPDATE_GOLDENS=1 writes the texts anew; the change is then for a person to read.
#include <dirent.h>

#include <algorithm>

#include "unit/test_plan_support.h"

using namespace reaper_test;

static std::string directory() {
  const char* data = getenv("REAPER_TEST_DATA");
  return std::string(data != nullptr ? data : "tests/data") + "/plan";
}

static std::vector<std::string> case_names() {
  std::vector<std::string> names;
  DIR* entries = opendir(directory().c_str());
  if (entries == nullptr) stop("no directory " + directory());
  while (const dirent* entry = readdir(entries)) {
    const std::string_view name = entry->d_name;
    if (name.ends_with(".json")) names.emplace_back(name.substr(0, name.size() - 5));
  }
  closedir(entries);
  std::sort(names.begin(), names.end());
  return names;
}

static std::string code_name(int code) {
  switch (code) {
    case REAPER_ERR_INVALID:
      return "INVALID";
    case REAPER_ERR_UNSUPPORTED:
      return "UNSUPPORTED";
    case REAPER_ERR_PERMISSION:
      return "PERMISSION";
    default:
      return std::to_string(code);
  }
}

static std::string outcome_of(const std::string& base) {
  const Situation situation = read_situation(base + ".facts");
  const auto config = reaper::parse_config(read_text(base + ".json"));
  if (!config.has_value()) stop(base + ".json: " + config.error().message);
  const auto plan = reaper::make_plan(*config, situation.facts, situation.options);
  if (plan.has_value()) return reaper::plan_to_text(*plan);
  const reaper::Error& error = plan.error();
  return "error " + code_name(error.code) + " at \"" + error.pointer + "\", stage " + error.stage + "\n" +
         error.message + "\n";
}

static void goldens(void**) {
  const bool update = getenv("REAPER_UPDATE_GOLDENS") != nullptr;
  const std::vector<std::string> names = case_names();
  assert_true(names.size() >= 30);
  int different = 0;
  for (const std::string& name : names) {
    const std::string base = directory() + "/" + name;
    const std::string found = outcome_of(base);
    if (update) std::ofstream(base + ".txt", std::ios::binary) << found;
    const std::string wanted = read_text(base + ".txt");
    if (found == wanted) continue;
    ++different;
    print_error("%s.txt differs.\n--- wanted\n%s--- found\n%s", name.c_str(), wanted.c_str(), found.c_str());
  }
  assert_int_equal(different, 0);
}

// A text without its config would test nothing.
static void no_orphans(void**) {
  const std::vector<std::string> names = case_names();
  DIR* entries = opendir(directory().c_str());
  assert_non_null(entries);
  while (const dirent* entry = readdir(entries)) {
    const std::string name = entry->d_name;
    if (name[0] == '.') continue;
    const std::string stem = name.substr(0, name.rfind('.'));
    if (std::find(names.begin(), names.end(), stem) == names.end())
      fail_msg("%s has no %s.json", name.c_str(), stem.c_str());
  }
  closedir(entries);
}

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(goldens), cmocka_unit_test(no_orphans)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
