// The framed talk with reaper-init, from the library's side.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/fd.h"
#include "core/result.h"
#include "launch/launch.h"
#include "plan/wire.h"

namespace reaper {

using Deadline = std::chrono::steady_clock::time_point;
inline constexpr Deadline no_deadline = Deadline::max();

struct ReceivedFrame {
  wire::Frame type;
  std::string payload;
  // NOLINTNEXTLINE(readability-redundant-member-init): so that designated initializers may leave it out
  Fd descriptor = {};  // that came with it (SCM_RIGHTS), close-on-exec; most frames have none
};

// Whose program it is, and what becomes of the listener of its filter.
struct Program {
  int pidfd;
  pid_t pid;
  Deadline deadline;
  const ListenerTaker& taker;
};

// Whole frames over `socket`, giving up when the process behind `pidfd` has ended (the socket alone cannot tell: a
// forked child of the host may hold its other end) or at the deadline.
class FrameTalk {
 public:
  FrameTalk(int socket, int pidfd, std::string_view stage, Deadline deadline)
      : socket_(socket), pidfd_(pidfd), stage_(stage), deadline_(deadline) {}
  Status send(wire::Frame type, std::string_view payload = {}) const;
  Status send_with(wire::Frame type, int descriptor) const;
  Status send_bytes(std::string_view bytes) const;  // frames, or the rest of one
  // nullopt: end of file between two frames, or the process has ended without another.
  Result<std::optional<ReceivedFrame>> receive() const;

 private:
  enum class Ready { socket, ended };
  Result<Ready> wait(short events) const;
  // False: end of file before the first byte. A descriptor that comes with the bytes goes to `descriptor`.
  Result<bool> read_exactly(char* out, size_t size, Fd& descriptor) const;
  Result<ssize_t> receive_some(char* out, size_t size, Fd& descriptor) const;

  int socket_;
  int pidfd_;
  std::string_view stage_;
  Deadline deadline_;
};

// After EXEC: the listener, if there is one, and end of file. With a filter they are not all (wire::ErrorPage): what
// went wrong behind it, or nothing.
Status see_program(const FrameTalk& talk, const ReceivedFrame& exec, const Program& program);

// The sentence behind an error frame.
Error error_from_frame(std::string_view payload);

}  // namespace reaper
