#include "launch/connect.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <cstring>
#include <thread>

namespace reaper {

Fd unix_socket() {
  return Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

int connect_at(const Fd& socket, int place, std::string_view below, Deadline deadline) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  constexpr std::string_view prefix = "/proc/self/fd/";
  constexpr size_t most_digits = 11;
  if (prefix.size() + most_digits + below.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  memcpy(address.sun_path, prefix.data(), prefix.size());
  char* const number = address.sun_path + prefix.size();
  memcpy(std::to_chars(number, number + most_digits, place).ptr, below.data(), below.size());
  for (;;) {
    if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return 0;
    // EAGAIN: the listener's queue is full (connect(2), AF_UNIX).
    if (errno != EAGAIN && errno != EINTR) return errno;
    if (std::chrono::steady_clock::now() >= deadline) return ETIMEDOUT;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

ssize_t send_with_rights(int socket, std::string_view bytes, int descriptor) {
  iovec part = {const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* const rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof descriptor);
  memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
  return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace reaper
