// The client of a created container's gate.
#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <cstring>
#include <thread>

#include "launch/frames.h"
#include "launch/launch.h"

namespace reaper {

namespace {

Error gone() {
  return {REAPER_ERR_STATUS, ECONNREFUSED, "the container is not waiting to be started", "", "gate"};
}

Result<Fd> connect_gate(int state_directory, Deadline deadline) {
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail(system_error("gate", "socket"));
  // By way of /proc, because the state directory's own path may be longer than sun_path's 108 bytes.
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  constexpr std::string_view prefix = "/proc/self/fd/";
  memcpy(address.sun_path, prefix.data(), prefix.size());
  char* end =
      std::to_chars(address.sun_path + prefix.size(), address.sun_path + sizeof address.sun_path - 8, state_directory)
          .ptr;
  memcpy(end, "/gate", 6);
  for (;;) {
    if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return socket;
    if (errno == ECONNREFUSED || errno == ENOENT) return fail(gone());
    // EAGAIN: the listener's queue is full (connect(2), AF_UNIX).
    if (errno != EAGAIN && errno != EINTR) return fail(system_error("gate", "connect to the container's gate"));
    if (std::chrono::steady_clock::now() >= deadline)
      return fail({REAPER_ERR_TIMEOUT, ETIMEDOUT, "the container's gate does not answer", "", "gate"});
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Error unexpected(const ReceivedFrame& frame) {
  if (frame.type == wire::Frame::error) return error_from_frame(frame.payload);
  return {REAPER_ERR_INTERNAL, EPROTO, "reaper-init answered out of turn", "", "start"};
}

// True: the wanted frame came; false: end of file.
Result<bool> expect(const FrameTalk& talk, wire::Frame wanted) {
  const auto frame = TRY(talk.receive());
  if (!frame) return false;
  if (frame->type != wanted) return fail(unexpected(*frame));
  return true;
}

}  // namespace

Status start_through_gate(int state_directory, int pidfd, std::chrono::milliseconds limit) {
  const Deadline deadline = std::chrono::steady_clock::now() + limit;
  const Fd socket = TRY(connect_gate(state_directory, deadline));
  const FrameTalk talk(socket.get(), pidfd, "start", deadline);
  TRY(talk.send(wire::Frame::start));
  // ACCEPTED, EXEC, end of file: only all three in this order are success. End of file alone is what a killed init
  // looks like.
  if (!TRY(expect(talk, wire::Frame::accepted))) return fail(gone());
  if (!TRY(expect(talk, wire::Frame::exec)))
    return fail({REAPER_ERR_SYSTEM, 0, "the container's process ended before its program ran", "", "start"});
  if (const auto after = TRY(talk.receive())) return fail(unexpected(*after));
  return {};
}

}  // namespace reaper
