#include "faults/tables.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace reaper::walk {

namespace {

[[noreturn]] void refuse(const std::string& line, const char* why) {
  fprintf(stderr, "%s: %s\n", why, line.c_str());
  exit(2);
}

std::vector<std::vector<std::string>> read_rows(const std::string& path, size_t columns) {
  std::ifstream file(path);
  if (!file) refuse(path, "cannot be read");
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> row = {""};
    for (const char character : line) {
      if (character == '\t')
        row.emplace_back();
      else
        row.back() += character;
    }
    if (row.size() != columns) refuse(line, "a row with another number of columns");
    rows.push_back(row);
  }
  return rows;
}

int number_of(const std::string& name) {
  for (int number = 1; number < 134; ++number) {
    const char* known = strerrorname_np(number);
    if (known != nullptr && name == known) return number;
  }
  refuse(name, "not the name of an errno");
}

bool fits(const std::string& pattern, const std::string& text) {
  return fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

}  // namespace

Tables::Tables(const std::string& directory) {
  for (const auto& row : read_rows(directory + "/errnos.tsv", 3)) {
    Errnos errnos;
    std::istringstream names(row[1] == "cannot fail" ? "" : row[1]);
    for (std::string name; names >> name;) errnos.numbers.push_back(number_of(name));
    if (row[1] == "cannot fail" && row[2].empty()) refuse(row[0], "a reason is wanted");
    if (row[1] != "cannot fail" && errnos.numbers.size() < 3) refuse(row[0], "three errnos are wanted");
    if (!errnos_.emplace(row[0], errnos).second) refuse(row[0], "twice in the table");
  }
  for (const auto& row : read_rows(directory + "/outcomes.tsv", 6)) {
    const bool known =
        row[4] == "success" || row[4] == "error" || row[4] == "other" || row[4] == "either" || row[4] == "unheard";
    if (!known || row[5].empty()) refuse(row[2], "no outcome, or no reason for it");
    outcomes_.push_back({row[0], row[1], row[2], row[3], row[4]});
  }
}

std::optional<Errnos> Tables::errnos_of(const std::string& call) const {
  const auto found = errnos_.find(call);
  return found != errnos_.end() ? std::optional(found->second) : std::nullopt;
}

std::string Tables::outcome_of(const Call& call, const char* operation, int number) const {
  const char* error = strerrorname_np(number);
  for (const Outcome& row : outcomes_)
    if (fits(row.who, name_of(call.who)) && fits(row.operation, operation) && fits(row.call, call.text) &&
        fits(row.error, error != nullptr ? error : ""))
      return row.what;
  return "error";
}

}  // namespace reaper::walk
