// The table of properties, and every row of it tried: null and a wrong type are INVALID at its pointer, and a refused
// one that asks for something is UNSUPPORTED. (That the table is complete is tests/properties' business.)
#include "config/properties.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "unit/test_config_cases.h"

using namespace reaper_test;
using reaper::Disposition;
using reaper::JsonType;
using reaper::Property;

namespace {

std::vector<std::string> tokens(std::string_view pattern) {
  std::vector<std::string> result;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);
    size_t end = std::min(pattern.find('/'), pattern.size());
    result.emplace_back(pattern.substr(0, end));
    pattern.remove_prefix(end);
  }
  return result;
}

JsonType type_of(const std::string& pattern) {
  return pattern.empty() ? JsonType::object : reaper::find_property(pattern)->type;
}

// The pointer of the row's first value in text_of()'s document.
std::string pointer_of(std::string_view pattern) {
  std::string parent, pointer;
  for (const std::string& token : tokens(pattern)) {
    if (token != "*")
      pointer += "/" + token;
    else
      pointer += type_of(parent) == JsonType::array ? "/0" : "/free";
    parent += "/" + token;
  }
  return pointer;
}

// What the specification requires beside, so that only the row itself can be at fault.
std::string siblings(const std::string& parent, const std::string& name) {
  std::string members;
  if (parent.empty() && name != "ociVersion") members += R"("ociVersion":"1.3.0",)";
  if (parent == "/process" && name != "args") members += R"("args":["true"],)";
  if (parent == "/process" && name != "cwd") members += R"("cwd":"/",)";
  if (parent == "/root" && name != "path") members += R"("path":"/",)";
  if (parent == "/linux/personality" && name != "domain") members += R"("domain":"LINUX",)";
  if (parent == "/linux/memoryPolicy" && name != "mode") members += R"("mode":"MPOL_PREFERRED",)";
  if (parent == "/linux/seccomp" && name != "defaultAction") members += R"("defaultAction":"SCMP_ACT_ALLOW",)";
  if (parent == "/linux/seccomp/syscalls/*" && name != "names") members += R"("names":["read"],)";
  if (parent == "/linux/seccomp/syscalls/*" && name != "action") members += R"("action":"SCMP_ACT_ALLOW",)";
  if (parent == "/mounts/*" && name != "destination") members += R"("destination":"/a",)";
  if (parent == "/mounts/*" && name != "type") members += R"("type":"tmpfs",)";
  return members;
}

// A document with `value` in the row's place.
std::string text_of(std::string_view pattern, const std::string& value) {
  std::string before, after, parent;
  for (const std::string& token : tokens(pattern)) {
    if (token == "*" && type_of(parent) == JsonType::array) {
      before += "[";
      after.insert(0, "]");
    } else {
      before += "{" + siblings(parent, token) + "\"" + (token == "*" ? "free" : token) + "\":";
      after.insert(0, "}");
    }
    parent += "/" + token;
  }
  return before + value + after;
}

// A value of the row's type that asks for something.
std::string asking_value(const Property& row) {
  switch (row.type) {
    case JsonType::boolean:
      return "true";
    case JsonType::number:
      return "1";
    case JsonType::string:
      return "\"x\"";
    case JsonType::array:
      return "[" + asking_value(*reaper::find_property(std::string(row.pattern) + "/*")) + "]";
    default:
      break;
  }
  std::string pattern(row.pattern);
  if (const Property* any = reaper::find_property(pattern + "/*")) return "{\"free\":" + asking_value(*any) + "}";
  auto names = reaper::member_names(pattern);
  if (names.empty()) return R"({"x":1})";  // a section for another platform
  return "{\"" + std::string(names[0]) +
         "\":" + asking_value(*reaper::find_property(pattern + "/" + std::string(names[0]))) + "}";
}

// The pattern that is refused when `pattern` asks for something: its first refused ancestor, or itself.
std::string refused_at(std::string_view pattern) {
  std::string ancestor;
  for (const std::string& token : tokens(pattern)) {
    ancestor += "/" + token;
    if (reaper::find_property(ancestor)->disposition == Disposition::refused) return ancestor;
  }
  return ancestor;
}

constexpr struct {
  JsonType type;
  const char* text;
} samples[] = {
    {JsonType::null, "null"},   {JsonType::boolean, "true"}, {JsonType::boolean, "false"}, {JsonType::number, "1"},
    {JsonType::string, "\"\""}, {JsonType::string, "\"x\""}, {JsonType::array, "[]"},      {JsonType::object, "{}"},
};

}  // namespace

static void the_table(void**) {
  const auto rows = reaper::known_properties();
  assert_true(rows.size() > 280);
  assert_true(std::ranges::is_sorted(rows, {}, &Property::pattern));
  for (size_t i = 0; i < rows.size(); ++i) {
    const Property& row = rows[i];
    if (i > 0) assert_true(rows[i - 1].pattern != row.pattern);
    const Property* found = reaper::find_property(row.pattern);
    assert_true(found != nullptr && found->pattern == row.pattern);
    assert_true(row.pattern.starts_with('/') && !row.pattern.ends_with('/'));
    assert_true(row.type != JsonType::null);
    // Every parent has a row, and every array one for its elements.
    std::string_view parent = row.pattern.substr(0, row.pattern.rfind('/'));
    assert_true(parent.empty() || reaper::find_property(parent) != nullptr);
    if (row.type == JsonType::array) assert_non_null(reaper::find_property(std::string(row.pattern) + "/*"));
    if (row.disposition == Disposition::container)
      assert_true(row.type == JsonType::object || row.type == JsonType::array);
    if (row.disposition == Disposition::applied || row.disposition == Disposition::ignored)
      assert_false(row.note.empty());
    // Below a refused or ignored row, everything is.
    const Property* above = parent.empty() ? nullptr : reaper::find_property(parent);
    if (above != nullptr && above->disposition == Disposition::refused)
      assert_true(row.disposition == Disposition::refused);
    if (above != nullptr && above->disposition == Disposition::ignored)
      assert_true(row.disposition == Disposition::ignored);
  }
}

static void look_ups(void**) {
  assert_null(reaper::find_property(""));
  assert_null(reaper::find_property("/"));
  assert_null(reaper::find_property("/proces"));
  assert_null(reaper::find_property("/process/"));
  assert_null(reaper::find_property("/process/args/0"));
  assert_non_null(reaper::find_member(reaper::find_property("/process"), "args"));
  assert_null(reaper::find_member(reaper::find_property("/process"), "user/uid"));
  assert_null(reaper::find_member(reaper::find_property("/process"), "*"));
  assert_null(reaper::find_member(nullptr, "process/args"));
  assert_true(reaper::find_member(reaper::find_property("/annotations"), "a/b")->pattern == "/annotations/*");
  assert_true(reaper::find_member(reaper::find_property("/annotations"), "*")->pattern == "/annotations/*");
  assert_int_equal(reaper::member_names("/process/user").size(), 5);
  assert_int_equal(reaper::member_names("/annotations").size(), 0);
  assert_true(reaper::property_name("/process/rlimits/*") == "rlimits");
  assert_true(reaper::property_name("/hostname") == "hostname");
}

static void every_row_has_a_type(void**) {
  size_t tried = 0;
  for (const Property& row : reaper::known_properties()) {
    for (const auto& sample : samples) {
      if (sample.type == row.type) continue;
      assert_refused(text_of(row.pattern, sample.text), REAPER_ERR_INVALID, pointer_of(row.pattern));
      ++tried;
    }
  }
  assert_true(tried > 1500);
}

static void every_refused_row_is_refused(void**) {
  size_t tried = 0;
  for (const Property& row : reaper::known_properties()) {
    if (row.disposition != Disposition::refused) continue;
    assert_refused(text_of(row.pattern, asking_value(row)), REAPER_ERR_UNSUPPORTED,
                   pointer_of(refused_at(row.pattern)));
    ++tried;
  }
  assert_true(tried > 80);
}

// callers.md: phrases that callers search for in our text, so they stand nowhere else.
static void no_reserved_phrases(void**) {
  for (const Property& row : reaper::known_properties()) {
    for (const char* value : {"null", "{}", "[]", "1", "\"\"", "\"x\"", "true", "-1"}) {
      auto config = reaper::parse_config(text_of(row.pattern, value));
      if (config.has_value()) continue;
      std::string text = config.error().message;
      for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      for (const char* phrase :
           {"no such file or directory", "permission denied", "executable file not found", "does not exist",
            "container not running", "no such process", "already finished", "already exists", "invalid process"}) {
        if (text.find(phrase) != std::string::npos) print_error("%s\n", text.c_str());
        assert_true(text.find(phrase) == std::string::npos);
      }
    }
  }
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_table),
      cmocka_unit_test(look_ups),
      cmocka_unit_test(every_row_has_a_type),
      cmocka_unit_test(every_refused_row_is_refused),
      cmocka_unit_test(no_reserved_phrases),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
