// What a preflight has found.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"

namespace reaper {

enum class Level {
  error,    // create fails, or start
  warning,  // something that was asked for is not done: an error in strict mode
  note,     // worth knowing, or cannot be known beforehand
};

struct Finding {
  Level level = Level::error;
  Error error;  // a note has the code 0
};

class Findings {
 public:
  void add(Error error) { list_.push_back({Level::error, std::move(error)}); }
  void warn(Error error) { list_.push_back({Level::warning, std::move(error)}); }
  // The message gets the pointer before it, as errors have it.
  void note(std::string_view pointer, std::string_view message);

  bool has_errors() const;
  // The error that says so, if there was no memory to look: that is no finding.
  const Error* without_memory() const;
  // "error: ...", "warning: ..." or "note: ...", one a line.
  std::string text() const;
  // {"ok": no errors, "findings": [{"level", "code", "pointer", "stage", "message"}...]}
  std::string json() const;

 private:
  std::vector<Finding> list_;
};

}  // namespace reaper
