// What the tests of src/config share: documents made of fragments, and tables of refusals.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

#include "config/config.h"
#include "unit/cmocka_cpp.h"

namespace reaper_test {

// A document with these members besides ociVersion.
inline std::string document(std::string_view members) {
  std::string text = R"({"ociVersion":"1.3.0")";
  if (!members.empty()) text.append(",").append(members);
  return text + "}";
}

// A document whose process has these members besides args and cwd.
inline std::string process(std::string_view members) {
  std::string text = R"("process":{"args":["true"],"cwd":"/")";
  if (!members.empty()) text.append(",").append(members);
  return document(text + "}");
}

inline std::string user(std::string_view members) {
  return process(R"("user":{)" + std::string(members) + "}");
}

inline std::string capabilities(std::string_view members) {
  return process(R"("capabilities":{)" + std::string(members) + "}");
}

inline std::string linux_section(std::string_view members) {
  return document(R"("linux":{)" + std::string(members) + "}");
}

// What makes a document out of the text of a table's row.
using Wrap = std::string (*)(std::string_view);

inline std::string whole(std::string_view text) {
  return std::string(text);
}

struct Refusal {
  const char* text;
  int code;
  const char* pointer;
};

inline void assert_refused(const std::string& text, int code, std::string_view pointer) {
  auto config = reaper::parse_config(text);
  if (config.has_value()) {
    print_error("accepted: %s\n", text.c_str());
    fail();
    return;
  }
  const reaper::Error& error = config.error();
  if (error.code != code || error.pointer != pointer) {
    print_error("%s\n  expected %d at \"%.*s\"\n  got %d at \"%s\": %s\n", text.c_str(), code,
                static_cast<int>(pointer.size()), pointer.data(), error.code, error.pointer.c_str(),
                error.message.c_str());
    fail();
  }
  // Every message is one line that says something besides the pointer.
  assert_true(error.message.size() > pointer.size() + 2);
  assert_true(error.message.find('\n') == std::string::npos);
  assert_false(error.stage.empty());
  // The preflight finds the same first, whatever else it finds.
  const reaper::Diagnosis diagnosis = reaper::diagnose_config(text);
  assert_false(diagnosis.errors.empty());
  assert_string_equal(diagnosis.errors[0].message.c_str(), error.message.c_str());
  assert_int_equal(diagnosis.errors[0].code, error.code);
  assert_string_equal(diagnosis.errors[0].pointer.c_str(), error.pointer.c_str());
}

inline void assert_refusals(Wrap wrap, std::span<const Refusal> rows) {
  for (const Refusal& row : rows) assert_refused(wrap(row.text), row.code, row.pointer);
}

inline reaper::Config accepted(const std::string& text) {
  auto config = reaper::parse_config(text);
  if (!config.has_value()) {
    print_error("refused: %s\n  %s\n", text.c_str(), config.error().message.c_str());
    fail();
    return {};
  }
  const reaper::Diagnosis diagnosis = reaper::diagnose_config(text);
  assert_true(diagnosis.errors.empty());
  assert_int_equal(diagnosis.config.warnings.size(), config->warnings.size());
  return std::move(*config);
}

// The same, without a warning.
inline reaper::Config accepted_silently(const std::string& text) {
  reaper::Config config = accepted(text);
  for (const reaper::Warning& warning : config.warnings)
    print_error("warning for %s\n  %s: %s\n", text.c_str(), warning.pointer.c_str(), warning.message.c_str());
  assert_int_equal(config.warnings.size(), 0);
  return config;
}

inline reaper::Process accepted_process(std::string_view members) {
  reaper::Config config = accepted_silently(process(members));
  assert_true(config.process.has_value());
  return std::move(*config.process);
}

// Exactly one warning, at this pointer, that contains these words.
inline void assert_warning(const std::string& text, std::string_view pointer, std::string_view words) {
  reaper::Config config = accepted(text);
  for (const reaper::Warning& warning : config.warnings)
    if (warning.pointer != pointer || warning.message.find(words) == std::string::npos)
      print_error("%s\n  warning %s: %s\n", text.c_str(), warning.pointer.c_str(), warning.message.c_str());
  assert_int_equal(config.warnings.size(), 1);
  assert_true(config.warnings[0].pointer == pointer);
  assert_true(config.warnings[0].message.find(words) != std::string::npos);
}

// A file of tests/data/config.
inline std::string data(const std::string& name) {
  const char* directory = std::getenv("REAPER_TEST_DATA");
  assert_non_null(directory);
  std::ifstream file(std::string(directory != nullptr ? directory : "") + "/config/" + name);
  assert_true(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace reaper_test
