// How the room looks properties up. The rows stand in properties_*.cpp.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace reaper {

std::span<const Property> common_properties();
std::span<const Property> process_properties();
std::span<const Property> linux_properties();
std::span<const Property> resources_properties();

// The row of exactly this pattern, or null.
const Property* find_property(std::string_view pattern);

// The row of the member `name` of `parent`, which may be the "*" of a map with free names; null if it is unknown.
const Property* find_member(std::string_view parent, std::string_view name);

// Whether the members of `parent` have rows.
bool has_members(std::string_view parent);

// The names that an object may have, without "*". Empty for a section whose members have no rows.
std::vector<std::string_view> member_names(std::string_view parent);

// The name that messages use: the last token that is no "*".
std::string_view property_name(std::string_view pattern);

}  // namespace reaper
