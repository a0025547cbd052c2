// The user namespace of another process: its maps.
#include "host/facts.h"
#include "host/numbers.h"
#include "host/proc_file.h"

namespace reaper {

namespace {

Result<std::vector<IdRange>> read_ranges(int32_t pid, const char* name) {
  const std::string text = TRY(read_process_file(pid, name));
  std::vector<IdRange> ranges;
  std::string_view left = text;
  for (std::string_view word = next_word(left); !word.empty(); word = next_word(left)) {
    const auto inside = parse_number<uint32_t>(word);
    const auto outside = parse_number<uint32_t>(next_word(left));
    const auto size = parse_number<uint32_t>(next_word(left));
    if (!inside || !outside || !size)
      return fail(
          {REAPER_ERR_SYSTEM, 0, std::string(name) + " of process " + std::to_string(pid) + " is no map", "", "facts"});
    ranges.push_back({*inside, *outside, *size});
  }
  return ranges;
}

}  // namespace

Result<UserNamespaceFacts> read_user_namespace(int32_t pid) {
  UserNamespaceFacts facts;
  facts.uids = TRY(read_ranges(pid, "uid_map"));
  facts.gids = TRY(read_ranges(pid, "gid_map"));
  const std::string word = TRY(read_process_file(pid, "setgroups"));
  facts.setgroups_denied = !word.starts_with("allow");
  return facts;
}

}  // namespace reaper
