// The console socket: how engines take a container's terminal over.
#include "runtime/console.h"

#include "runtime/peer_socket.h"

namespace reaper {

namespace {

constexpr PeerSocket console = {"console socket", "console", ""};

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
  if (request.console_socket) TRY(find_socket(console, *request.console_socket));
  return {};
}

Result<Fd> connect_console(const CreateRequest& request, Deadline deadline) {
  if (!request.console_socket) return Fd();
  return connect_to(console, *request.console_socket, deadline);
}

Status send_terminal(const Fd& socket, const Launched& launched) {
  return send_with_descriptor(console, socket, launched.terminal_path, launched.terminal, no_deadline);
}

}  // namespace reaper
