#include "creation.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>

#include "report.h"

namespace reaper::cli {

namespace {

int preserved(const Arguments& arguments) {
  return arguments.has(Opt::preserve_fds) ? static_cast<int>(arguments.number(Opt::preserve_fds)) : 0;
}

}  // namespace

int first_closed_descriptor(const Arguments& arguments) {
  for (int i = 0; i < preserved(arguments); i++) {
    if (fcntl(3 + i, F_GETFD) < 0) return 3 + i;
  }
  return -1;
}

void read_creation(const Arguments& arguments, Creation& out) {
  for (int i = 0; i < preserved(arguments); i++) out.extra_fds.push_back(3 + i);
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

int create_container(const Arguments& arguments, const int32_t (&stdio)[3], Runtime& runtime, Container& out) {
  if (int code = open_runtime(arguments, runtime)) return code;
  Creation creation;
  read_creation(arguments, creation);
  creation.options.flags |= REAPER_CREATE_STDIO;
  std::copy(std::begin(stdio), std::end(stdio), creation.options.stdio);
  reaper_container* container = nullptr;
  reaper_error* error = nullptr;
  if (reaper_create(runtime.get(), arguments.id(), &creation.options, &container, &error) != REAPER_OK) {
    return fail(error);
  }
  out.reset(container);
  return 0;
}

}  // namespace reaper::cli
