// Times as RFC 3339 has them: UTC, nanoseconds, "Z".
#pragma once

#include <cstdint>
#include <string>

namespace reaper {

int64_t realtime_ns();  // CLOCK_REALTIME
std::string rfc3339(int64_t nanoseconds);

}  // namespace reaper
