// The table of the specification's properties: one sorted list, and the look-ups that the walk needs.
#include "config/properties.h"

#include <algorithm>

namespace reaper {
namespace {

std::vector<Property> sorted_rows() {
  std::vector<Property> rows;
  for (auto part : {common_properties(), process_properties(), linux_properties(), resources_properties()})
    rows.insert(rows.end(), part.begin(), part.end());
  std::ranges::sort(rows, {}, &Property::pattern);
  return rows;
}

}  // namespace

const std::vector<Property>& known_properties() {
  // Never destroyed: when the host exits, another of its threads may still be in here.
  static const auto& rows = *new const std::vector<Property>(sorted_rows());
  return rows;
}

const Property* find_property(std::string_view pattern) {
  const auto& rows = known_properties();
  auto row = std::ranges::lower_bound(rows, pattern, {}, &Property::pattern);
  return row != rows.end() && row->pattern == pattern ? &*row : nullptr;
}

const Property* find_member(std::string_view parent, std::string_view name) {
  std::string free_name = std::string(parent) + "/*";
  if (const Property* row = find_property(free_name)) return row;
  // No property has these in its name; without this, {"user/uid": 1} would be found as /process/user/uid.
  if (name.find_first_of("/*~") != std::string_view::npos) return nullptr;
  return find_property(std::string(parent) + "/" + std::string(name));
}

std::vector<std::string_view> member_names(std::string_view parent) {
  const auto& rows = known_properties();
  std::string prefix = std::string(parent) + "/";
  std::vector<std::string_view> names;
  auto row = std::ranges::lower_bound(rows, std::string_view(prefix), {}, &Property::pattern);
  for (; row != rows.end() && row->pattern.starts_with(prefix); ++row) {
    std::string_view name = row->pattern.substr(prefix.size());
    if (name != "*" && name.find('/') == std::string_view::npos) names.push_back(name);
  }
  return names;
}

std::string_view property_name(std::string_view pattern) {
  while (pattern.ends_with("/*")) pattern.remove_suffix(2);
  return pattern.substr(pattern.rfind('/') + 1);
}

}  // namespace reaper
