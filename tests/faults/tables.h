// The reviewed tables of the errno walk, errnos.tsv and outcomes.tsv, as they lie in this directory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "faults/tracer.h"

namespace reaper::walk {

struct Errnos {
  std::vector<int> numbers;  // none: it cannot fail
};

// What a failed call comes to, where that is not an error with its errno. Patterns as in fnmatch(3).
struct Outcome {
  std::string who, operation, call, error;
  std::string what;  // "success", "other": an error with another errno, "either", "unheard": see outcomes.tsv
};

class Tables {
 public:
  // What is wrong with them ends the program.
  explicit Tables(const std::string& directory);
  std::optional<Errnos> errnos_of(const std::string& call) const;
  // "error" where no row says otherwise.
  std::string outcome_of(const Call& call, const char* operation, int number) const;

 private:
  std::map<std::string, Errnos> errnos_;
  std::vector<Outcome> outcomes_;
};

}  // namespace reaper::walk
