// reaper_list()'s array as rows for a table. Not a general JSON reader: it knows the flat shape that the library
// writes, and says so when it meets another.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reaper::cli {

struct ListRow {
  std::string id;
  std::string pid;  // its digits, or empty
  std::string status;
  std::string bundle;
  std::string created;
  std::string owner;
};

// False when `json` is not an array of objects whose members are strings, numbers, true, false or null. Members of
// other names are passed over.
bool read_listing(std::string_view json, std::vector<ListRow>& out);

// Columns as wide as their widest cell. Control characters in a cell become '?': a path may hold anything.
std::string format_table(const std::vector<ListRow>& rows);

}  // namespace reaper::cli
