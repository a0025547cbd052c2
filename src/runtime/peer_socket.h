// A unix socket that config.json or the caller names, whose listener takes a descriptor over.
#pragma once

#include <string>
#include <string_view>

#include "core/fd.h"
#include "core/result.h"
#include "launch/frames.h"

namespace reaper {

struct PeerSocket {
  std::string_view what;  // "console socket"
  std::string_view stage;
  std::string_view pointer;
};

// The name, whatever stands there, opened as O_PATH. INVALID: nothing, or no socket.
Result<Fd> find_socket(const PeerSocket& kind, const std::string& path);

// A stream socket that does not block. TIMEOUT: its queue was full up to the deadline.
Result<Fd> connect_to(const PeerSocket& kind, const std::string& path, Deadline deadline);

// `text`, which is not empty, with the descriptor at its first byte.
Status send_with_descriptor(const PeerSocket& kind, const Fd& socket, std::string_view text, const Fd& descriptor,
                            Deadline deadline);

}  // namespace reaper
