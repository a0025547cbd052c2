// What libcap-ng says of names that are newer than this build.
#pragma once

#include <string>

namespace reaper {

// The number of a capability by libcap-ng's tables; -1: it does not know the name ("CHOWN", without the prefix), or is
// not installed.
int capability_number_in_library(const std::string& name);

}  // namespace reaper
