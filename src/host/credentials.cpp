// The identity of any process, from /proc/<pid>/status (proc(5)).
#include <algorithm>

#include "host/facts.h"
#include "host/numbers.h"
#include "host/proc_file.h"

namespace reaper {

namespace {

bool read_ids(std::string_view value, uint32_t (&ids)[4]) {
  for (uint32_t& id : ids) {
    const auto number = parse_number<uint32_t>(next_word(value));
    if (!number.has_value()) return false;
    id = *number;
  }
  return true;
}

bool read_groups(std::string_view value, std::vector<uint32_t>& groups) {
  for (std::string_view word = next_word(value); !word.empty(); word = next_word(value)) {
    const auto number = parse_number<uint32_t>(word);
    if (!number.has_value()) return false;
    groups.push_back(*number);
  }
  std::sort(groups.begin(), groups.end());
  return true;
}

bool read_set(std::string_view value, uint64_t& set) {
  const auto number = parse_number<uint64_t>(next_word(value), 16);
  if (number.has_value()) set = *number;
  return number.has_value();
}

bool read_flag(std::string_view value, bool& flag) {
  const auto number = parse_number<uint32_t>(next_word(value));
  if (number.has_value()) flag = *number != 0;
  return number.has_value();
}

// One "Name:<tab>value" line. Counts the lines that were wanted; false if one of those cannot be read.
bool read_line(std::string_view name, std::string_view value, Credentials& credentials, int& found) {
  CapabilitySets& sets = credentials.capabilities;
  ++found;
  if (name == "Uid") return read_ids(value, credentials.uid);
  if (name == "Gid") return read_ids(value, credentials.gid);
  if (name == "Groups") return read_groups(value, credentials.groups);
  if (name == "CapInh") return read_set(value, sets.inheritable);
  if (name == "CapPrm") return read_set(value, sets.permitted);
  if (name == "CapEff") return read_set(value, sets.effective);
  if (name == "CapBnd") return read_set(value, sets.bounding);
  if (name == "CapAmb") return read_set(value, sets.ambient);
  if (name == "NoNewPrivs") return read_flag(value, credentials.no_new_privs);
  --found;
  return true;
}
constexpr int wanted_lines = 9;

// "Name:<tab>value" is cut off the front of `rest`. "Name" comes first and is the program's to choose, but the kernel
// escapes a newline in it.
bool next_line(std::string_view& rest, std::string_view& name, std::string_view& value) {
  if (rest.empty()) return false;
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  const size_t colon = std::min(line.find(':'), line.size());
  name = line.substr(0, colon);
  value = line.substr(std::min(colon + 1, line.size()));
  return true;
}

Error bad_form(int32_t pid) {
  Error error;
  error.code = REAPER_ERR_SYSTEM;
  error.message = "/proc/" + std::to_string(pid) + "/status has not the form of proc(5)";
  error.stage = "facts";
  return error;
}

}  // namespace

Result<int32_t> innermost_pid(int32_t pid) {
  const std::string text = TRY(read_process_file(pid, "status"));
  std::string_view name, value;
  for (std::string_view rest = text; next_line(rest, name, value);) {
    if (name != "NSpid") continue;
    std::optional<int32_t> last;
    for (std::string_view word = next_word(value); !word.empty(); word = next_word(value))
      last = parse_number<int32_t>(word);
    if (last) return *last;
  }
  return fail(bad_form(pid));
}

Result<Credentials> read_credentials(int32_t pid) {
  const std::string text = TRY(read_process_file(pid, "status"));
  Credentials credentials;
  int found = 0;
  bool good = true;
  std::string_view name, value;
  for (std::string_view rest = text; good && next_line(rest, name, value);)
    good = read_line(name, value, credentials, found);
  if (good && found == wanted_lines) return credentials;
  return fail(bad_form(pid));
}

}  // namespace reaper
