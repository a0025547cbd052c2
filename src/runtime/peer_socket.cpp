#include "runtime/peer_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "launch/connect.h"

namespace reaper {

namespace {

Error socket_error(const PeerSocket& kind, const std::string& path, std::string_view what, int number) {
  Error error =
      system_error(kind.stage, std::string(kind.what) + " \"" + printable(path) + "\": " + std::string(what), number);
  error.pointer = kind.pointer;
  return error;
}

Error no_socket(const PeerSocket& kind, const std::string& path, std::string_view what, int number) {
  Error error = socket_error(kind, path, what, number);
  error.code = REAPER_ERR_INVALID;
  return error;
}

Error not_sent(const PeerSocket& kind, int number) {
  Error error = system_error(kind.stage, "sendmsg to the " + std::string(kind.what), number);
  error.pointer = kind.pointer;
  return error;
}

Error not_taken(const PeerSocket& kind, std::string_view why) {
  return {REAPER_ERR_TIMEOUT, ETIMEDOUT, std::string(kind.what) + ": ETIMEDOUT: " + std::string(why),
          std::string(kind.pointer), std::string(kind.stage)};
}

// Until there is room for more.
Status await_room(const PeerSocket& kind, const Fd& socket, Deadline deadline) {
  constexpr int step_ms = 10;
  pollfd room = {socket.get(), POLLOUT, 0};
  (void)poll(&room, 1, step_ms);
  if (std::chrono::steady_clock::now() >= deadline) return fail(not_taken(kind, "nobody reads"));
  return {};
}

Status send_rest(const PeerSocket& kind, const Fd& socket, std::string_view text, Deadline deadline) {
  while (!text.empty()) {
    const ssize_t sent = send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0)
      text.remove_prefix(static_cast<size_t>(sent));
    else if (errno == EAGAIN)
      TRY(await_room(kind, socket, deadline));
    else if (errno != EINTR)
      return fail(not_sent(kind, errno));
  }
  return {};
}

}  // namespace

Result<Fd> find_socket(const PeerSocket& kind, const std::string& path) {
  Fd place(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!place) {
    const int number = errno;
    const bool is_missing = number == ENOENT || number == ENOTDIR;
    return fail(is_missing ? no_socket(kind, path, "nothing is there", number)
                           : socket_error(kind, path, "open", number));
  }
  struct stat status = {};
  if (fstat(place.get(), &status) != 0) return fail(socket_error(kind, path, "fstat", errno));
  if (!S_ISSOCK(status.st_mode)) return fail(no_socket(kind, path, "it is something else", ENOTSOCK));
  return place;
}

Result<Fd> connect_to(const PeerSocket& kind, const std::string& path, Deadline deadline) {
  const Fd place = TRY(find_socket(kind, path));
  Fd socket = unix_socket();
  if (!socket) return fail(socket_error(kind, path, "socket", errno));
  const int error = connect_at(socket, place.get(), "", deadline);
  if (error == 0) return socket;
  if (error == ETIMEDOUT) {
    Error late = not_taken(kind, "its queue is full, and nobody accepts");
    late.message =
        std::string(kind.what) + " \"" + printable(path) + "\": ETIMEDOUT: its queue is full, and nobody accepts";
    return fail(std::move(late));
  }
  return fail(socket_error(kind, path, "connect", error));
}

Status send_with_descriptor(const PeerSocket& kind, const Fd& socket, std::string_view text, const Fd& descriptor,
                            Deadline deadline) {
  for (;;) {
    const ssize_t sent = send_with_rights(socket.get(), text, descriptor.get());
    if (sent > 0) return send_rest(kind, socket, text.substr(static_cast<size_t>(sent)), deadline);
    if (sent == 0 || (errno != EINTR && errno != EAGAIN)) return fail(not_sent(kind, sent == 0 ? EMSGSIZE : errno));
    if (errno == EAGAIN) TRY(await_room(kind, socket, deadline));
  }
}

}  // namespace reaper
