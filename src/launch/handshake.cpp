// LAUNCH -> READY -> GO, over the socket pair that init was born with.
#include <cerrno>
#include <cstring>

#include "launch/ended.h"
#include "launch/frames.h"
#include "launch/launch.h"

namespace reaper {

std::string launch_frame(const LaunchRequest& request) {
  wire::LaunchHeader header = {};
  header.state_directory = request.state_directory;
  for (int i = 0; i < 3; ++i) header.stdio[i] = request.stdio[i];
  header.extra_count = static_cast<uint32_t>(request.extra_fds.size());
  header.plan_size = static_cast<uint32_t>(request.plan.size());
  const size_t extra_size = (request.extra_fds.size_bytes() + 7) / 8 * 8;
  const wire::FrameHeader frame = {wire::frame_magic, wire::version, static_cast<uint16_t>(wire::Frame::launch),
                                   static_cast<uint32_t>(sizeof header + extra_size + request.plan.size()), 0};
  std::string bytes;
  bytes.reserve(sizeof frame + frame.size);
  bytes.append(reinterpret_cast<const char*>(&frame), sizeof frame);
  bytes.append(reinterpret_cast<const char*>(&header), sizeof header);
  bytes.append(reinterpret_cast<const char*>(request.extra_fds.data()), request.extra_fds.size_bytes());
  bytes.resize(sizeof frame + sizeof header + extra_size);
  bytes.append(request.plan);
  return bytes;
}

namespace {

bool is_gone(const Status& sent) {
  return !sent.has_value() && (sent.error().sys_errno == EPIPE || sent.error().sys_errno == ECONNRESET);
}

// Who lives without having been told would wait for ever, and so would we. Its end of the socket is closed a moment
// before it has ended, and whoever ends has said why before: that is read next.
Status told(const Launched& launched, const Status& sent) {
  return is_gone(sent) && ends_within(launched.pidfd, end_limit_ms) ? Status{} : sent;
}

Error out_of_turn() {
  return {REAPER_ERR_INTERNAL, EPROTO, "reaper-init answered out of turn", "", "handshake"};
}

}  // namespace

Status await_exec(const Launched& launched, Deadline deadline, const ListenerTaker& taker) {
  const FrameTalk talk(launched.handshake.get(), launched.pidfd.get(), "exec", deadline);
  const auto exec = TRY(talk.receive());
  if (!exec) return fail({REAPER_ERR_SYSTEM, 0, "the process ended before its program ran", "", "exec"});
  if (exec->type == wire::Frame::error) return fail(error_from_frame(exec->payload));
  if (exec->type != wire::Frame::exec) return fail(out_of_turn());
  return see_program(talk, *exec, {launched.pidfd.get(), launched.pid, deadline, taker});
}

Status await_cloned(Launched& launched) {
  const FrameTalk talk(launched.handshake.get(), launched.pidfd.get(), "handshake", no_deadline);
  TRY(talk.send_bytes(launched.unsent));
  launched.unsent.clear();
  auto answer = TRY(talk.receive());
  if (!answer) return fail({REAPER_ERR_SYSTEM, 0, "reaper-init ended before it had cloned a process", "", "handshake"});
  if (answer->type == wire::Frame::error) return fail(error_from_frame(answer->payload));
  wire::Cloned cloned;
  if (answer->type != wire::Frame::cloned || answer->payload.size() != sizeof cloned || !answer->descriptor)
    return fail(out_of_turn());
  memcpy(&cloned, answer->payload.data(), sizeof cloned);
  launched.keeper = launched.pid;
  launched.keeper_pidfd = std::move(launched.pidfd);
  launched.pid = cloned.pid;
  launched.pidfd = std::move(answer->descriptor);
  return {};
}

// A process that has ended has said why: await_ready() reads it.
Status send_unsent(Launched& launched) {
  const FrameTalk talk(launched.handshake.get(), launched.pidfd.get(), "handshake", no_deadline);
  const Status sent = talk.send_bytes(launched.unsent);
  if (sent.has_value()) launched.unsent.clear();
  return is_gone(sent) ? Status{} : sent;
}

Status send_frame(const Launched& launched, wire::Frame type) {
  const FrameTalk talk(launched.handshake.get(), launched.pidfd.get(), "handshake", no_deadline);
  return told(launched, talk.send(type));
}

Status send_descriptor(const Launched& launched, wire::Frame type, const Fd& descriptor) {
  const FrameTalk talk(launched.handshake.get(), launched.pidfd.get(), "handshake", no_deadline);
  return told(launched, talk.send_with(type, descriptor.get()));
}

Result<Fd> await_descriptor(Launched& launched, wire::Frame type) {
  TRY(send_unsent(launched));
  const FrameTalk talk(launched.handshake.get(), launched.pidfd.get(), "handshake", no_deadline);
  auto answer = TRY(talk.receive());
  if (!answer) return fail({REAPER_ERR_SYSTEM, 0, "reaper-init ended before it had its namespaces", "", "handshake"});
  if (answer->type == wire::Frame::error) return fail(error_from_frame(answer->payload));
  if (answer->type != type || !answer->descriptor) return fail(out_of_turn());
  return std::move(answer->descriptor);
}

static Status await_frame(Launched& launched, wire::Frame wanted) {
  const FrameTalk talk(launched.handshake.get(), launched.pidfd.get(), "handshake", no_deadline);
  // An init that dies while it is being told its plan has said why: its answer is worth more than our EPIPE. After any
  // other failure it still waits for the rest, and would not answer.
  const Status sent = talk.send_bytes(launched.unsent);
  launched.unsent.clear();
  if (!sent.has_value() && !is_gone(sent)) return sent;
  auto answer = TRY(talk.receive());
  if (answer && answer->type == wire::Frame::terminal && answer->descriptor && !launched.terminal) {
    launched.terminal = std::move(answer->descriptor);
    launched.terminal_path = std::move(answer->payload);
    answer = TRY(talk.receive());
  }
  if (!answer) {
    if (!sent.has_value()) return sent;
    return fail({REAPER_ERR_SYSTEM, 0, "reaper-init ended before it was ready", "", "handshake"});
  }
  if (answer->type == wire::Frame::error) return fail(error_from_frame(answer->payload));
  if (answer->type != wanted) return fail(out_of_turn());
  return {};
}

Status await_mounted(Launched& launched) {
  return await_frame(launched, wire::Frame::mounted);
}

Status await_ready(Launched& launched) {
  return await_frame(launched, wire::Frame::ready);
}

Result<ProcessEnd> await_ended(const Launched& launched, Deadline deadline) {
  const FrameTalk talk(launched.handshake.get(), launched.keeper_pidfd.get(), "hook", deadline);
  for (;;) {
    const auto frame = TRY(talk.receive());
    if (!frame)
      return fail(
          {REAPER_ERR_SYSTEM, 0, "the reaper-init above it was ended, which was to say how it ends", "", "hook"});
    if (frame->type == wire::Frame::exec) continue;
    if (frame->type == wire::Frame::error) return fail(error_from_frame(frame->payload));
    wire::Ended ended;
    if (frame->type != wire::Frame::ended || frame->payload.size() != sizeof ended) return fail(out_of_turn());
    memcpy(&ended, frame->payload.data(), sizeof ended);
    return ProcessEnd{ended.code, ended.status};
  }
}

Status send_go(const Launched& launched) {
  const FrameTalk talk(launched.handshake.get(), launched.pidfd.get(), "handshake", no_deadline);
  return talk.send(wire::Frame::go);
}

}  // namespace reaper
