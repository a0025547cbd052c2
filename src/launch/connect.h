// Unix sockets by descriptor: their paths may be longer than sun_path's 108 bytes, and lead elsewhere by now.
#pragma once

#include <sys/types.h>

#include <string_view>

#include "core/fd.h"
#include "launch/frames.h"

namespace reaper {

// A stream socket that does not block, and close-on-exec; empty, and errno.
Fd unix_socket();

// connect(2) to what stands at `below` ("" or "/name") of the place that is open as `place`. 0, or an errno; ETIMEDOUT:
// the listener's queue was full up to the deadline.
int connect_at(const Fd& socket, int place, std::string_view below, Deadline deadline);

// One sendmsg(2) that does not block: as many of the bytes as there is room for, with the descriptor at the first of
// them (SCM_RIGHTS, unix(7)). Its result, and errno.
ssize_t send_with_rights(int socket, std::string_view bytes, int descriptor);

}  // namespace reaper
