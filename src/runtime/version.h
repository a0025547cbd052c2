// The specification that this build follows.
#pragma once

#include <string_view>

namespace reaper {

inline constexpr std::string_view spec_version = "1.3.0";
inline constexpr std::string_view spec_version_min = "1.0.0";

}  // namespace reaper
