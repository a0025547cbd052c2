// What this build is of, and the specification that it follows.
#pragma once

#include <string_view>

namespace reaper {

inline constexpr std::string_view spec_version = "1.3.0";
inline constexpr std::string_view spec_version_min = "1.0.0";

// Of CMakeLists.txt, and the revision that was configured, else "unknown".
extern const char* const build_version;
extern const char* const build_commit;

}  // namespace reaper
