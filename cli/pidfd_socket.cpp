#include "pidfd_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "report.h"

namespace reaper::cli {

namespace {

constexpr char label[] = "pidfd";  // a message needs a byte to carry a descriptor (unix(7)); this one says what it is

}  // namespace

PidfdSocket::~PidfdSocket() {
  if (socket_ >= 0) close(socket_);
}

int PidfdSocket::connect(const Arguments& arguments) {
  if (!arguments.has(Opt::pidfd_socket)) return 0;
  const char* path = arguments.text(Opt::pidfd_socket);
  const std::string what = std::string("--pidfd-socket \"") + path + '"';
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return fail_errno(what);
  }
  memcpy(address.sun_path, path, strlen(path));  // and a NUL, which stands there already
  socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return fail_errno(what + ": socket");
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_errno(what + ": connect");
  }
  return 0;
}

int PidfdSocket::send(const reaper_container* container) const {
  if (socket_ < 0) return 0;
  reaper_error* error = nullptr;
  int32_t pidfd = -1;
  return reaper_pidfd(container, &pidfd, &error) == REAPER_OK ? pass(pidfd) : fail(error);
}

int PidfdSocket::send(const reaper_process* process) const {
  if (socket_ < 0) return 0;
  reaper_error* error = nullptr;
  int32_t pidfd = -1;
  return reaper_process_pidfd(process, &pidfd, &error) == REAPER_OK ? pass(pidfd) : fail(error);
}

int PidfdSocket::pass(int32_t pidfd) const {
  char text[sizeof label];
  memcpy(text, label, sizeof label);
  iovec data = {text, sizeof label - 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof pidfd)] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof pidfd);
  memcpy(CMSG_DATA(header), &pidfd, sizeof pidfd);
  ssize_t sent;
  do sent = sendmsg(socket_, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  int code = sent == static_cast<ssize_t>(data.iov_len) ? 0 : fail_errno("--pidfd-socket: sendmsg");
  close(pidfd);
  return code;
}

}  // namespace reaper::cli
