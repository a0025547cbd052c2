// The table of the specification's properties: one sorted list, and the look-ups that the walk needs.
#include "config/properties.h"

#include <algorithm>
#include <array>
#include <functional>

namespace reaper {
namespace {

// Sorted at compile time (a static_assert beside each), so that a start of the CLI sorts nothing.
std::array<PropertyPart, 4> parts() {
  return {common_properties(), process_properties(), linux_properties(), resources_properties()};
}

using PropertyRow = std::span<const Property>::iterator;

// The first row of a part that is not below `pattern`; most parts are passed over at a glance.
PropertyRow first_from(std::span<const Property> part, std::string_view pattern) {
  if (pattern <= part.front().pattern) return part.begin();
  if (pattern > part.back().pattern) return part.end();
  return std::ranges::lower_bound(part, pattern, {}, &Property::pattern);
}

// The first row below `parent` whose pattern goes on, after its '/', as `matches` wants it. What is below a row in
// another part is on that part's uppermost level.
template <class Matches>
const Property* first_child(const Property* parent, Matches&& matches) {
  const std::string_view above = parent != nullptr ? parent->pattern : "";
  for (const PropertyPart& part : parts()) {
    const Property* const rows = part.rows.data();
    size_t i = 0;
    size_t end = part.rows.size();
    if (std::greater_equal<>()(parent, rows) && std::less<>()(parent, rows + end)) {
      i = static_cast<size_t>(parent - rows) + 1;
      end = part.ends[i - 1];
    } else if (!is_below(rows->pattern, above)) {
      continue;
    }
    for (; i < end; i = part.ends[i])
      if (matches(rows[i].pattern.substr(above.size() + 1))) return &rows[i];
  }
  return nullptr;
}

}  // namespace

std::vector<Property> known_properties() {
  std::vector<Property> rows;
  for (const PropertyPart& part : parts()) rows.insert(rows.end(), part.rows.begin(), part.rows.end());
  std::ranges::sort(rows, {}, &Property::pattern);
  return rows;
}

const Property* find_property(std::string_view pattern) {
  for (const PropertyPart& part : parts()) {
    const PropertyRow row = first_from(part.rows, pattern);
    if (row != part.rows.end() && row->pattern == pattern) return &*row;
  }
  return nullptr;
}

const Property* find_free(const Property* parent) {
  return first_child(parent, [](std::string_view rest) { return rest == "*"; });
}

const Property* find_member(const Property* parent, std::string_view name) {
  if (const Property* row = find_free(parent)) return row;
  // No property has these in its name; without this, {"user/uid": 1} would be found as /process/user/uid.
  if (name.find_first_of("/*~") != std::string_view::npos) return nullptr;
  return first_child(parent, [&](std::string_view rest) { return rest == name; });
}

bool has_members(const Property* parent) {
  return first_child(parent, [](std::string_view) { return true; }) != nullptr;
}

std::vector<std::string_view> member_names(std::string_view parent) {
  std::string prefix = std::string(parent) + "/";
  std::vector<std::string_view> names;
  for (const PropertyPart& part : parts()) {
    PropertyRow row = first_from(part.rows, prefix);
    for (; row != part.rows.end() && row->pattern.starts_with(prefix); ++row) {
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
