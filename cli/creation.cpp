#include "creation.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "pidfd_socket.h"
#include "report.h"

namespace reaper::cli {

namespace {

// The whole text as a number up to 2^31 - 1; -1: it is none.
int64_t number_in(const char* text) {
  int32_t number = 0;
  const char* const end = text + strlen(text);
  const auto [stop, error] = std::from_chars(text, end, number);
  return error == std::errc() && stop == end && number >= 0 ? number : -1;
}

// How many sockets a service manager has passed to us (sd_listen_fds(3)), from 3 on; -1: LISTEN_FDS is no number.
// LISTEN_PID tells for whom they are: LISTEN_FDS alone is what a wrapper leaves that executes us as another process.
int64_t listening(const Arguments& arguments) {
  if (arguments.command != Command::create && arguments.command != Command::run) return 0;
  const char* count = getenv("LISTEN_FDS");
  const char* pid = getenv("LISTEN_PID");
  if (count == nullptr || *count == '\0' || (pid != nullptr && number_in(pid) != getpid())) return 0;
  return number_in(count);
}

}  // namespace

int64_t preserved(const Arguments& arguments) {
  return arguments.has(Opt::preserve_fds) ? static_cast<int64_t>(arguments.number(Opt::preserve_fds)) : 0;
}

bool wants_console(int code, const reaper_error* error, const char* console_socket) {
  return code == REAPER_ERR_INVALID && console_socket == nullptr &&
         strcmp(reaper_error_pointer(error), "/process/terminal") == 0;
}

std::string descriptors_problem(const Arguments& arguments) {
  const int64_t sockets = listening(arguments);
  if (sockets < 0) return "LISTEN_FDS is not a number of descriptors";
  const int64_t count = sockets + preserved(arguments);
  for (int64_t i = 0; i < count; i++) {
    if (fcntl(static_cast<int>(3 + i), F_GETFD) < 0)
      return std::string(i < sockets ? "LISTEN_FDS" : "--preserve-fds") + ": descriptor " + std::to_string(3 + i) +
             " is not open";
  }
  return {};
}

void read_creation(const Arguments& arguments, Creation& out) {
  const int64_t sockets = listening(arguments);
  const int64_t count = sockets + preserved(arguments);
  for (int64_t i = 0; i < count; i++) out.extra_fds.push_back(static_cast<int32_t>(3 + i));
  out.options.listen_fd_count = static_cast<uint32_t>(sockets);
  if (sockets > 0) out.options.listen_names = getenv("LISTEN_FDNAMES");
  if (arguments.has(Opt::no_new_keyring)) out.options.flags |= REAPER_CREATE_NO_NEW_KEYRING;
  if (arguments.has(Opt::no_pivot)) out.options.flags |= REAPER_CREATE_NO_PIVOT;
  if (arguments.has(Opt::cgroup_manager) && strcmp(arguments.text(Opt::cgroup_manager), "disabled") == 0)
    out.options.flags |= REAPER_CREATE_NO_CGROUP;
  out.options.size = sizeof out.options;
  out.options.bundle = arguments.text(Opt::bundle);
  out.options.pid_file = arguments.text(Opt::pid_file);
  out.options.console_socket = arguments.text(Opt::console_socket);
  out.options.extra_fds = out.extra_fds.empty() ? nullptr : out.extra_fds.data();
  out.options.extra_fd_count = static_cast<uint32_t>(out.extra_fds.size());
  if (arguments.has(Opt::strict)) out.options.flags |= REAPER_CREATE_STRICT;
  // Nobody waits for what `run --detach` leaves behind: somebody should.
  const bool by_default = arguments.command == Command::run && arguments.has(Opt::detach);
  if (arguments.has(Opt::supervise) || (by_default && !arguments.denies(Opt::supervise)))
    out.options.flags |= REAPER_CREATE_SUPERVISE;
}

uint32_t read_format(const Arguments& arguments) {
  const bool json = arguments.has(Opt::format) && strcmp(arguments.text(Opt::format), "json") == 0;
  return json ? REAPER_FORMAT_JSON : REAPER_FORMAT_TEXT;
}

int create_container(const Arguments& arguments, const int32_t (&stdio)[3], Runtime& runtime, Container& out,
                     int32_t* console) {
  if (int code = open_runtime(arguments, runtime)) return code;
  PidfdSocket monitor;
  if (int code = monitor.connect(arguments)) return code;
  Creation creation;
  read_creation(arguments, creation);
  creation.options.flags |= REAPER_CREATE_STDIO;
  std::copy(std::begin(stdio), std::end(stdio), creation.options.stdio);
  reaper_container* container = nullptr;
  reaper_error* error = nullptr;
  int code = reaper_create(runtime.get(), arguments.id(), &creation.options, &container, &error);
  if (console != nullptr && wants_console(code, error, creation.options.console_socket)) {
    reaper_error_free(error);
    error = nullptr;
    creation.options.console = console;
    code = reaper_create(runtime.get(), arguments.id(), &creation.options, &container, &error);
  }
  if (code != REAPER_OK) return fail(error);
  out.reset(container);
  code = monitor.send(container);
  if (code != 0) (void)reaper_delete(container, REAPER_DELETE_FORCE, nullptr);
  return code;
}

}  // namespace reaper::cli
