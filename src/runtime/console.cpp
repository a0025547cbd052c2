// The console socket: how engines take a container's terminal over.
#include "runtime/console.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstring>

#include "launch/connect.h"

namespace reaper {

namespace {

Error console_error(const std::string& path, const std::string& what, int number) {
  return system_error("console", "console socket \"" + printable(path) + "\": " + what, number);
}

Error no_socket(const std::string& path, const std::string& what, int number) {
  Error error = console_error(path, what, number);
  error.code = REAPER_ERR_INVALID;
  return error;
}

// O_PATH: nothing is opened but the name, whatever it leads to.
Result<Fd> find_socket(const std::string& path) {
  Fd place(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!place) {
    const int number = errno;
    const bool is_missing = number == ENOENT || number == ENOTDIR;
    return fail(is_missing ? no_socket(path, "nothing is there", number) : console_error(path, "open", number));
  }
  struct stat status = {};
  if (fstat(place.get(), &status) != 0) return fail(console_error(path, "fstat", errno));
  if (!S_ISSOCK(status.st_mode)) return fail(no_socket(path, "it is something else", ENOTSOCK));
  return place;
}

}  // namespace

Status check_console(const CreateRequest& request, const Config& config) {
  const bool has_terminal = config.process.has_value() && config.process->terminal.has_value();
  const bool has_taker = request.console_socket.has_value() || request.console != nullptr;
  if (has_terminal && !has_taker)
    return fail(config_error(REAPER_ERR_INVALID, "/process/terminal",
                             "nobody takes the terminal: name a console socket (--console-socket), or use a run in the "
                             "foreground; in the API, console_socket or console"));
  if (!has_terminal && has_taker)
    return fail(config_error(REAPER_ERR_INVALID, "/process/terminal",
                             "a console socket (or console, in the API) is of no use: this is not true"));
  return {};
}

Status check_console_socket(const CreateRequest& request) {
  if (request.console_socket) TRY(find_socket(*request.console_socket));
  return {};
}

Result<Fd> connect_console(const CreateRequest& request, Deadline deadline) {
  if (!request.console_socket) return Fd();
  const std::string& path = *request.console_socket;
  const Fd place = TRY(find_socket(path));
  Fd socket = unix_socket();
  if (!socket) return fail(console_error(path, "socket", errno));
  const int error = connect_at(socket, place.get(), "", deadline);
  if (error == 0) return socket;
  if (error == ETIMEDOUT)
    return fail({REAPER_ERR_TIMEOUT, ETIMEDOUT,
                 "console socket \"" + printable(path) + "\": ETIMEDOUT: its queue is full, and nobody accepts", "",
                 "console"});
  return fail(console_error(path, "connect", error));
}

Status send_terminal(const Fd& console, const Launched& launched) {
  std::string path = launched.terminal_path;
  iovec data = {path.data(), path.size()};
  const int master = launched.terminal.get();
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof master)] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof master);
  memcpy(CMSG_DATA(header), &master, sizeof master);
  for (;;) {
    // Not blocking: the queue of a new connection has room for a path.
    const ssize_t sent = sendmsg(console.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent == static_cast<ssize_t>(path.size())) return {};
    if (sent < 0 && errno == EINTR) continue;
    return fail(system_error("console", "sendmsg of the terminal to the console socket", sent < 0 ? errno : EMSGSIZE));
  }
}

}  // namespace reaper
