#include "launch/frames.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <climits>

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

Status FrameTalk::send(wire::Frame type, const std::vector<std::string_view>& parts) const {
  size_t size = 0;
  for (const auto part : parts) size += part.size();
  const wire::FrameHeader header = {wire::frame_magic, wire::version, static_cast<uint16_t>(type),
                                    static_cast<uint32_t>(size), 0};
  std::vector<iovec> pieces;
  pieces.push_back({const_cast<wire::FrameHeader*>(&header), sizeof header});
  for (const auto part : parts)
    if (!part.empty()) pieces.push_back({const_cast<char*>(part.data()), part.size()});
  for (size_t first = 0; first < pieces.size();) {
    msghdr message = {};
    message.msg_iov = &pieces[first];
    message.msg_iovlen = pieces.size() - first;
    ssize_t sent = sendmsg(socket_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) {
      if (TRY(wait(POLLOUT)) == Ready::ended) return fail(system_error(stage_, "send to reaper-init", EPIPE));
      continue;
    }
    if (sent < 0) return fail(system_error(stage_, "send to reaper-init"));
    for (; first < pieces.size() && static_cast<size_t>(sent) >= pieces[first].iov_len; ++first)
      sent -= static_cast<ssize_t>(pieces[first].iov_len);
    if (first < pieces.size()) {
      pieces[first].iov_base = static_cast<char*>(pieces[first].iov_base) + sent;
      pieces[first].iov_len -= static_cast<size_t>(sent);
    }
  }
  return {};
}

Result<bool> FrameTalk::read_exactly(char* out, size_t size) const {
  for (size_t used = 0; used < size;) {
    const ssize_t got = recv(socket_, out + used, size - used, MSG_DONTWAIT);
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
    if (errno != EAGAIN) return fail(system_error(stage_, "recv from reaper-init"));
    if (TRY(wait(POLLIN)) == Ready::ended) {
      if (used == 0) return false;
      return fail(protocol_error(stage_, "half a frame"));
    }
  }
  return true;
}

Result<std::optional<ReceivedFrame>> FrameTalk::receive() const {
  wire::FrameHeader header;
  if (!TRY(read_exactly(reinterpret_cast<char*>(&header), sizeof header))) return std::nullopt;
  if (header.magic != wire::frame_magic || header.size > wire::max_frame_bytes)
    return fail(protocol_error(stage_, "bytes that are no frame"));
  if (header.version != wire::version)
    return fail({REAPER_ERR_UNSUPPORTED, EPROTO,
                 "reaper-init speaks version " + std::to_string(header.version) + " of the protocol, this library " +
                     std::to_string(wire::version),
                 "", std::string(stage_)});
  ReceivedFrame frame = {static_cast<wire::Frame>(header.type), std::string(header.size, '\0')};
  if (header.size != 0 && !TRY(read_exactly(frame.payload.data(), header.size)))
    return fail(protocol_error(stage_, "half a frame"));
  return frame;
}

}  // namespace reaper
