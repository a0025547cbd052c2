// LAUNCH -> READY -> GO, over the socket pair that init was born with.
#include <sys/wait.h>

#include "launch/frames.h"
#include "launch/launch.h"

namespace reaper {

Status await_ready(const LaunchRequest& request, const Launched& launched) {
  const FrameTalk talk(launched.handshake.get(), launched.pidfd.get(), "handshake", no_deadline);
  wire::LaunchHeader header = {};
  header.state_directory = request.state_directory;
  for (int i = 0; i < 3; ++i) header.stdio[i] = request.stdio[i];
  header.extra_count = static_cast<uint32_t>(request.extra_fds.size());
  header.plan_size = static_cast<uint32_t>(request.plan.size());
  const std::string_view extra(reinterpret_cast<const char*>(request.extra_fds.data()),
                               request.extra_fds.size_bytes());
  const std::string_view padding("\0\0\0\0\0\0\0", (8 - extra.size() % 8) % 8);
  // An init that dies while it is being told its plan has said why: its answer is worth more than our EPIPE.
  const Status sent = talk.send(wire::Frame::launch, {{reinterpret_cast<const char*>(&header), sizeof header},
                                                      extra, padding, request.plan});
  const auto answer = TRY(talk.receive());
  if (!answer) {
    if (!sent.has_value()) return sent;
    return fail({REAPER_ERR_SYSTEM, 0, "reaper-init ended before the container was created", "", "handshake"});
  }
  if (answer->type == wire::Frame::error) return fail(error_from_frame(answer->payload));
  if (answer->type != wire::Frame::ready)
    return fail({REAPER_ERR_INTERNAL, EPROTO, "reaper-init answered out of turn", "", "handshake"});
  return {};
}

Status send_go(const Launched& launched) {
  const FrameTalk talk(launched.handshake.get(), launched.pidfd.get(), "handshake", no_deadline);
  return talk.send(wire::Frame::go, {});
}

}  // namespace reaper
