// Words of the specification that stand for a number of the kernel.
#include <algorithm>

#include "config/parse.h"

namespace reaper {

Result<uint32_t> read_name(const JsonCursor& value, std::string_view what, std::span<const NamedNumber> known) {
  const std::string name = TRY(value.string());
  const auto found = std::ranges::find(known, name, &NamedNumber::name);
  if (found != known.end()) return found->number;
  std::vector<std::string_view> names(known.size());
  std::ranges::transform(known, names.begin(), &NamedNumber::name);
  return fail(
      config_error(REAPER_ERR_INVALID, value.pointer(),
                   "unknown " + std::string(what) + " " + quoted(name) + did_you_mean(nearest_word(name, names))));
}

}  // namespace reaper
