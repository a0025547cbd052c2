// The second way to find children, on its own so that it can be tested where the kernel has the first.
#pragma once

#include "host/facts.h"

namespace reaper {

// As read_children(), by a look at every process of /proc.
Result<std::vector<int32_t>> scan_children(int32_t pid);

}  // namespace reaper
