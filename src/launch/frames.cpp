#include "launch/frames.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <climits>
#include <cstring>

#include "launch/connect.h"

namespace reaper {

namespace {

int milliseconds_until(Deadline deadline) {
  if (deadline == no_deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  if (left <= 0) return 0;
  return left > INT_MAX ? INT_MAX : static_cast<int>(left);
}

Error protocol_error(std::string_view stage, std::string_view what) {
  return {REAPER_ERR_INTERNAL, EPROTO, "reaper-init answered with " + std::string(what), "", std::string(stage)};
}

}  // namespace

Result<FrameTalk::Ready> FrameTalk::wait(short events) const {
  for (;;) {
    pollfd fds[2] = {{socket_, events, 0}, {pidfd_, POLLIN, 0}};
    const int limit = milliseconds_until(deadline_);
    const int ready = poll(fds, 2, limit);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return fail(system_error(stage_, "poll"));
    // What the process wrote before it ended is still to be read.
    if (fds[0].revents != 0) return Ready::socket;
    if (fds[1].revents != 0) return Ready::ended;
    if (limit == 0)
      return fail({REAPER_ERR_TIMEOUT, ETIMEDOUT, "reaper-init did not answer in time", "", std::string(stage_)});
  }
}

Status FrameTalk::send(wire::Frame type, std::string_view payload) const {
  const wire::FrameHeader header = {wire::frame_magic, wire::version, static_cast<uint16_t>(type),
                                    static_cast<uint32_t>(payload.size()), 0};
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  return send_bytes(bytes.append(payload));
}

// The descriptor goes with the first byte, and a header is little enough to go whole.
Status FrameTalk::send_with(wire::Frame type, int descriptor) const {
  const wire::FrameHeader header = {wire::frame_magic, wire::version, static_cast<uint16_t>(type), 0, 0};
  const std::string_view bytes(reinterpret_cast<const char*>(&header), sizeof header);
  for (;;) {
    const ssize_t sent = send_with_rights(socket_, bytes, descriptor);
    if (sent >= 0) return send_bytes(bytes.substr(static_cast<size_t>(sent)));
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return fail(system_error(stage_, "send a descriptor to reaper-init"));
    if (TRY(wait(POLLOUT)) == Ready::ended) return fail(system_error(stage_, "send to reaper-init", EPIPE));
  }
}

Status FrameTalk::send_bytes(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      if (TRY(wait(POLLOUT)) == Ready::ended) return fail(system_error(stage_, "send to reaper-init", EPIPE));
    } else if (errno != EINTR) {
      return fail(system_error(stage_, "send to reaper-init"));
    }
  }
  return {};
}

// recv(2) without waiting; -1 and errno where that fails.
Result<ssize_t> FrameTalk::receive_some(char* out, size_t size, Fd& descriptor) const {
  iovec part = {out, size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = recvmsg(socket_, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0) return got;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    int number;
    memcpy(&number, CMSG_DATA(header), sizeof number);
    descriptor = Fd(number);
  } else if ((message.msg_flags & MSG_CTRUNC) != 0) {
    // The kernel could not give us what came with it: our table of descriptors is full (unix(7)).
    return fail(system_error(stage_, "recvmsg of a descriptor from reaper-init", EMFILE));
  }
  return got;
}

Result<bool> FrameTalk::read_exactly(char* out, size_t size, Fd& descriptor) const {
  for (size_t used = 0; used < size;) {
    const ssize_t got = TRY(receive_some(out + used, size - used, descriptor));
    if (got > 0) {
      used += static_cast<size_t>(got);
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    // A process that dies with bytes of ours unread makes ECONNRESET of the end of file.
    if (got == 0 || errno == ECONNRESET) {
      if (used == 0) return false;
      return fail(protocol_error(stage_, "half a frame"));
    }
    if (errno != EAGAIN) return fail(system_error(stage_, "recvmsg from reaper-init"));
    if (TRY(wait(POLLIN)) == Ready::ended) {
      if (used == 0) return false;
      return fail(protocol_error(stage_, "half a frame"));
    }
  }
  return true;
}

Result<std::optional<ReceivedFrame>> FrameTalk::receive() const {
  wire::FrameHeader header;
  Fd descriptor;
  if (!TRY(read_exactly(reinterpret_cast<char*>(&header), sizeof header, descriptor))) return std::nullopt;
  if (header.magic != wire::frame_magic || header.size > wire::max_frame_bytes)
    return fail(protocol_error(stage_, "bytes that are no frame"));
  if (header.version != wire::version)
    return fail({REAPER_ERR_UNSUPPORTED, EPROTO,
                 "reaper-init speaks version " + std::to_string(header.version) + " of the protocol, this library " +
                     std::to_string(wire::version),
                 "", std::string(stage_)});
  ReceivedFrame frame = {static_cast<wire::Frame>(header.type), std::string(header.size, '\0'), std::move(descriptor)};
  if (header.size != 0 && !TRY(read_exactly(frame.payload.data(), header.size, frame.descriptor)))
    return fail(protocol_error(stage_, "half a frame"));
  return frame;
}

}  // namespace reaper
