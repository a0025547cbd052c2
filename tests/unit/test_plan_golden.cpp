// tests/data/plan: NAME.json (the config) and NAME.facts (who runs it) -> NAME.txt (the plan as text, or the error);
// one plan as JSON in everything.plan. REAPER_UPDATE_GOLDENS=1 writes the texts anew; the change is then for a person
// to read.
#include <dirent.h>

#include <algorithm>

#include "core/json.h"
#include "seccomp/seccomp.h"
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

// What stands for a compiled filter: the same with every libseccomp.
static void add_filter(const reaper::Config& config, Situation& situation) {
  if (!config.seccomp) return;
  reaper::SeccompFilter filter;
  filter.instructions = {0x0000000000000020, 0x7fff000000000006};
  filter.flags = config.seccomp->flags;
  filter.rules = config.seccomp->rules.size();
  filter.digest = reaper::seccomp_digest(*config.seccomp).substr(0, 8);
  filter.warnings = {{"/linux/seccomp/syscalls/0/names/0", "a warning of the filter"}};
  situation.options.filter = std::make_shared<const reaper::SeccompFilter>(std::move(filter));
}

static reaper::Result<reaper::Plan> plan_of(const std::string& base) {
  Situation situation = read_situation(base + ".facts");
  const auto config = reaper::parse_config(read_text(base + ".json"));
  if (!config.has_value()) stop(base + ".json: " + config.error().message);
  add_filter(*config, situation);
  return reaper::make_plan(*config, situation.facts, situation.options);
}

static std::string outcome_of(const std::string& base) {
  const auto plan = plan_of(base);
  if (plan.has_value()) return reaper::plan_to_text(*plan);
  const reaper::Error& error = plan.error();
  return "error " + code_name(error.code) + " at \"" + error.pointer + "\", stage " + error.stage + "\n" +
         error.message + "\n";
}

// The preflight finds what make_plan() fails with first, and plans the same.
static void preflight_agrees(void**) {
  for (const std::string& name : case_names()) {
    const std::string base = directory() + "/" + name;
    Situation situation = read_situation(base + ".facts");
    if (situation.options.strict) continue;  // its caller's to apply
    const auto config = reaper::parse_config(read_text(base + ".json"));
    add_filter(*config, situation);
    const auto plan = reaper::make_plan(*config, situation.facts, situation.options);
    const auto diagnosis = reaper::diagnose_plan(*config, situation.facts, situation.options);
    if (plan.has_value()) {
      assert_true(diagnosis.errors.empty());
      assert_string_equal(reaper::plan_to_text(diagnosis.plan).c_str(), reaper::plan_to_text(*plan).c_str());
    } else {
      assert_false(diagnosis.errors.empty());
      assert_string_equal(diagnosis.errors[0].message.c_str(), plan.error().message.c_str());
    }
  }
}

// Everything that is refused, not only the first.
static void preflight_finds_all(void**) {
  const auto config = reaper::parse_config(R"({"ociVersion":"1.0.0","linux":{"namespaces":[{"type":"pid"}]},
    "process":{"args":["a"],"cwd":"/","user":{"uid":0,"gid":0,"additionalGids":[5]},"capabilities":{},
               "rlimits":[{"type":"RLIMIT_NPROC","soft":1,"hard":18446744073709551614},
                          {"type":"RLIMIT_CORE","soft":1,"hard":18446744073709551614}]}})");
  assert_true(config.has_value());
  reaper::ProcessFacts facts = user_facts();
  for (reaper::ResourceLimit& limit : facts.rlimits) limit = {7, 7};
  std::string pointers;
  for (const reaper::Error& error : reaper::diagnose_plan(*config, facts, {}).errors) pointers += error.pointer + " ";
  assert_string_equal(pointers.c_str(),
                      "/linux/namespaces/0 /process/user/uid /process/user/gid /process/user/additionalGids "
                      "/process/capabilities/bounding /process/rlimits/0/hard /process/rlimits/1/hard ");
}

// What is asked for and has not been compiled is not passed over.
static void a_filter_that_nobody_has_compiled(void**) {
  const auto config = reaper::parse_config(R"({"ociVersion":"1.0.0","process":{"args":["a"],"cwd":"/"},
    "linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW"}}})");
  assert_true(config.has_value());
  const auto plan = reaper::make_plan(*config, root_facts(), {});
  assert_false(plan.has_value());
  assert_int_equal(plan.error().code, REAPER_ERR_INTERNAL);
  assert_string_equal(plan.error().pointer.c_str(), "/linux/seccomp");
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

// Whether a line of the text says what a member of `arguments` says: a name or a number as it stands, a set by its
// names or as "all", a string in quotes.
static bool is_said(const std::string& line, const std::string& name, const reaper::JsonCursor& value) {
  const auto has = [&](const std::string& words) { return line.find(words) != std::string::npos; };
  char octal[24] = "", hexadecimal[24] = "";
  switch (value.type()) {
    case reaper::JsonType::string:
      return has(*value.string()) || has(reaper::JsonWriter().string(*value.string()).take());
    case reaper::JsonType::boolean:
      if (name == "noNewPrivileges") return has(*value.boolean() ? "no_new_privs=1" : "no_new_privs=0");
      return *value.boolean() == has(name == "noWayToUid0"          ? "no-way-to-uid-0"
                                     : name == "noWayToGid0"        ? "no-way-to-gid-0"
                                     : name == "noWayToOtherGroups" ? "no-way-to-other-groups"
                                                                    : " " + name);
    case reaper::JsonType::array:
      if (value.elements()->empty()) return has("none");
      for (const auto elements = value.elements(); const reaper::JsonCursor& element : *elements)
        if (!is_said(line, name, element) && !has("all")) return false;
      return true;
    default:
      break;
  }
  const int64_t number = value.signed_integer(INT64_MIN, INT64_MAX).value_or(-1);  // or RLIM_INFINITY
  snprintf(octal, sizeof octal, "%04llo", static_cast<unsigned long long>(number));
  snprintf(hexadecimal, sizeof hexadecimal, "0x%llx", static_cast<unsigned long long>(number));
  return has(std::to_string(number)) || has(octal) || has(hexadecimal) || (number == -1 && has("unlimited"));
}

static size_t count_of(const std::string& line, const std::string& words) {
  size_t count = 0;
  for (size_t at = line.find(words); at != std::string::npos; at = line.find(words, at + 1)) ++count;
  return count;
}

static std::string text_of(const reaper::JsonCursor& object, const char* name) {
  const auto member = object.member(name);
  assert_true(member.has_value() && member->has_value());
  return *(*member)->string();
}

// Text and JSON are two forms of one description: each operation in order, its pointer, and every argument.
static void json_says_what_the_text_says(void**) {
  int seen = 0;
  for (const std::string& name : case_names()) {
    const auto plan = plan_of(directory() + "/" + name);
    if (!plan.has_value()) continue;
    const auto document = reaper::parse_json(reaper::plan_to_json(*plan), "plan");
    assert_true(document.has_value());
    std::istringstream lines(reaper::plan_to_text(*plan));
    const auto operations = (*document->member("operations"))->elements();
    for (const reaper::JsonCursor& operation : *operations) {
      std::string line, number, word;
      assert_true(!!std::getline(lines, line));
      std::istringstream(line) >> number >> word;
      const std::string pointer = text_of(operation, "pointer");
      assert_string_equal(word.c_str(), text_of(operation, "op").c_str());
      assert_string_not_equal(word.c_str(), "init");  // the name of what fields.cpp does not describe
      if (!line.ends_with(pointer)) fail_msg("%s: no %s in: %s", name.c_str(), pointer.c_str(), line.c_str());
      const auto arguments = (*operation.member("arguments"))->members();
      for (const auto& [key, value] : *arguments)
        if (!is_said(line, key, value)) fail_msg("%s: the text lacks %s: %s", name.c_str(), key.c_str(), line.c_str());
      // Text that says "x=" has a member for it.
      assert_true(word == "execve" || word == "find" || count_of(line, "=") <= arguments->size());
      ++seen;
    }
    std::string line;
    const auto warnings = (*document->member("warnings"))->elements();
    assert_int_equal(warnings->size(), plan->warnings.size());
    for (const reaper::JsonCursor& warning : *warnings) {
      do assert_true(!!std::getline(lines, line));
      while (!line.starts_with("warning: "));
      assert_true(line.find(text_of(warning, "message")) != std::string::npos);
    }
  }
  assert_true(seen > 300);
}

static void json_golden(void**) {
  const auto plan = plan_of(directory() + "/everything");
  assert_true(plan.has_value());
  const std::string path = directory() + "/everything.plan";
  const std::string found = reaper::plan_to_json(*plan) + "\n";
  if (getenv("REAPER_UPDATE_GOLDENS") != nullptr) std::ofstream(path, std::ios::binary) << found;
  assert_string_equal(found.c_str(), read_text(path).c_str());
}

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(goldens),
                              cmocka_unit_test(preflight_agrees),
                              cmocka_unit_test(preflight_finds_all),
                              cmocka_unit_test(a_filter_that_nobody_has_compiled),
                              cmocka_unit_test(json_says_what_the_text_says),
                              cmocka_unit_test(json_golden),
                              cmocka_unit_test(no_orphans)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
