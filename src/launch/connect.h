// Unix sockets by descriptor: their paths may be longer than sun_path's 108 bytes, and lead elsewhere by now.
#pragma once

#include <string_view>

#include "core/fd.h"
#include "launch/frames.h"

namespace reaper {

// A stream socket that does not block, and close-on-exec; empty, and errno.
Fd unix_socket();

// connect(2) to what stands at `below` ("" or "/name") of the place that is open as `place`. 0, or an errno; ETIMEDOUT:
// the listener's queue was full up to the deadline.
int connect_at(const Fd& socket, int place, std::string_view below, Deadline deadline);

}  // namespace reaper
