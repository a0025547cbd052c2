// Parts of a text, one after the other.
#pragma once

#include <string_view>

namespace reaper {

// Cuts the text up to `end` off the front, and `end` itself; the whole rest where it does not occur.
inline std::string_view take_until(std::string_view& text, char end) {
  const size_t at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

}  // namespace reaper
