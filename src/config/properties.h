// How the room looks properties up. The rows stand in properties_*.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace reaper {

// Some rows, sorted, and where the rows below each of them end: the next one on its level stands there.
struct PropertyPart {
  std::span<const Property> rows;
  std::span<const uint16_t> ends;
};
PropertyPart common_properties();
PropertyPart process_properties();
PropertyPart linux_properties();
PropertyPart resources_properties();

constexpr bool is_below(std::string_view pattern, std::string_view above) {
  return pattern.size() > above.size() && pattern.starts_with(above) && pattern[above.size()] == '/';
}

// '/' sorts before every character of a name, so what is below a row follows it at once.
template <size_t N>
consteval std::array<uint16_t, N> ends_of(const Property (&rows)[N]) {
  std::array<uint16_t, N> ends = {};
  for (size_t i = 0; i < N; ++i) {
    size_t end = i + 1;
    while (end < N && is_below(rows[end].pattern, rows[i].pattern)) ++end;
    ends[i] = static_cast<uint16_t>(end);
  }
  return ends;
}

// The row of exactly this pattern, or null.
const Property* find_property(std::string_view pattern);

// Rows are asked for by the row above; null stands for the whole document. Nothing is compared but the names of one
// level. The row of the member `name`, which may be the "*" of a map with free names; null if it is unknown.
const Property* find_member(const Property* parent, std::string_view name);
// The row "*": of a map with free names, or of an array's elements. Null: there is none.
const Property* find_free(const Property* parent);
// Whether the members have rows.
bool has_members(const Property* parent);

// The names that an object may have, without "*". Empty for a section whose members have no rows.
std::vector<std::string_view> member_names(std::string_view parent);

// The name that messages use: the last token that is no "*".
std::string_view property_name(std::string_view pattern);

}  // namespace reaper
