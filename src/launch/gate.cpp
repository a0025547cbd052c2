// The client of a created container's gate.
#include <fcntl.h>

#include "launch/connect.h"
#include "launch/frames.h"
#include "launch/launch.h"

namespace reaper {

namespace {

Error gone() {
  return {REAPER_ERR_STATUS, ECONNREFUSED, "the container is not waiting to be started", "", "gate"};
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

Result<Fd> connect_gate(int state_directory, StartDeadline deadline) {
  Fd socket = unix_socket();
  if (!socket) return fail(system_error("gate", "socket"));
  // Opened first: connect(2) would follow a link, to the gate of another container.
  const Fd gate(openat(state_directory, "gate", O_PATH | O_NOFOLLOW | O_CLOEXEC));
  const int error = gate ? connect_at(socket, gate.get(), "", deadline) : errno;
  if (error == 0) return socket;
  if (error == ECONNREFUSED || error == ENOENT) return fail(gone());
  if (error == ETIMEDOUT)
    return fail({REAPER_ERR_TIMEOUT, ETIMEDOUT, "the container's gate does not answer", "", "gate"});
  return fail(system_error("gate", "connect to the container's gate", error));
}

Status start_through_gate(const Fd& gate, int pidfd, StartDeadline deadline) {
  const FrameTalk talk(gate.get(), pidfd, "start", deadline);
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
