// The table of the specification's properties: one sorted list, and the look-ups that the walk needs.
#include "config/properties.h"

#include <algorithm>
#include <array>

namespace reaper {
namespace {

// Sorted at compile time (a static_assert beside each), so that a start of the CLI sorts nothing.
std::array<std::span<const Property>, 4> parts() {
  return {common_properties(), process_properties(), linux_properties(), resources_properties()};
}

using Row = std::span<const Property>::iterator;

// The first row of a part that is not below `pattern`; most parts are passed over at a glance.
Row first_from(std::span<const Property> part, std::string_view pattern) {
  if (pattern <= part.front().pattern) return part.begin();
  if (pattern > part.back().pattern) return part.end();
  return std::ranges::lower_bound(part, pattern, {}, &Property::pattern);
}

}  // namespace

std::vector<Property> known_properties() {
  std::vector<Property> rows;
  for (auto part : parts()) rows.insert(rows.end(), part.begin(), part.end());
  std::ranges::sort(rows, {}, &Property::pattern);
  return rows;
}

const Property* find_property(std::string_view pattern) {
  for (auto part : parts()) {
    const Row row = first_from(part, pattern);
    if (row != part.end() && row->pattern == pattern) return &*row;
  }
  return nullptr;
}

const Property* find_member(std::string_view parent, std::string_view name) {
  std::string pattern(parent);
  pattern += "/*";
  if (const Property* row = find_property(pattern)) return row;
  // No property has these in its name; without this, {"user/uid": 1} would be found as /process/user/uid.
  if (name.find_first_of("/*~") != std::string_view::npos) return nullptr;
  pattern.replace(parent.size() + 1, 1, name);
  return find_property(pattern);
}

bool has_members(std::string_view parent) {
  // '/' sorts before every character of a name, so a member's row follows its parent's, or its parent's namesakes'.
  const std::string prefix = std::string(parent) + "/";
  return std::ranges::any_of(parts(), [&](std::span<const Property> part) {
    const Row row = first_from(part, prefix);
    return row != part.end() && row->pattern.starts_with(prefix);
  });
}

std::vector<std::string_view> member_names(std::string_view parent) {
  std::string prefix = std::string(parent) + "/";
  std::vector<std::string_view> names;
  for (auto part : parts()) {
    Row row = first_from(part, prefix);
    for (; row != part.end() && row->pattern.starts_with(prefix); ++row) {
      std::string_view name = row->pattern.substr(prefix.size());
      if (name != "*" && name.find('/') == std::string_view::npos) names.push_back(name);
    }
  }
  return names;
}

std::string_view property_name(std::string_view pattern) {
  while (pattern.ends_with("/*")) pattern.remove_suffix(2);
  return pattern.substr(pattern.rfind('/') + 1);
}

}  // namespace reaper
