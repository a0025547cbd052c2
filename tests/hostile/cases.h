// The cases of configs/*.cases, as their README has them.
#pragma once

#include <string>
#include <vector>

namespace reaper_test {

struct Case {
  std::string where;  // FILE:LINE
  std::string name;
  std::string code;        // "OK", "INVALID"...
  std::string other_code;  // "PERMISSION" of "OK/PERMISSION", or ""
  std::string pointer;
  std::string text;     // config.json
  std::string part;     // of the error's message
  std::string warning;  // "POINTER PART" of a warning, or ""
  bool strict = false, no_cgroup = false, console = false, at_start = false, unforeseen = false;
};

// All files of the directory in the order of their names. What cannot be read ends the program.
std::vector<Case> read_cases(const std::string& directory);

}  // namespace reaper_test
