#include "handles.h"

#include <algorithm>
#include <cstring>

#include "report.h"

namespace reaper::cli {

namespace {

// Warnings reach a person only from the commands that a person runs; callers of the others parse stderr. plan has them
// in its text.
bool shows_warnings(Command command) {
  return command == Command::run || command == Command::remove;
}

}  // namespace

int open_runtime(const Arguments& arguments, Runtime& out) {
  bool debug = arguments.has(Opt::debug) ||
               (arguments.has(Opt::log_level) && strcmp(arguments.text(Opt::log_level), "debug") == 0);
  reaper_runtime_options options = {};
  options.size = sizeof options;
  options.root = arguments.has(Opt::root) ? arguments.text(Opt::root) : nullptr;
  options.log = debug || shows_warnings(arguments.command) ? log_message : nullptr;
  options.log_level = debug ? REAPER_LOG_DEBUG : REAPER_LOG_WARNING;
  // 0 would be the default: whoever says 0 does not want to wait.
  if (arguments.command == Command::remove && arguments.has(Opt::timeout))
    options.kill_timeout_ms = std::max<uint64_t>(1, arguments.number(Opt::timeout));
  reaper_runtime* runtime = nullptr;
  reaper_error* error = nullptr;
  if (reaper_runtime_new(&options, &runtime, &error) != REAPER_OK) return fail(error);
  out.reset(runtime);
  return 0;
}

int open_container(const Arguments& arguments, Runtime& runtime, Container& out) {
  if (int code = open_runtime(arguments, runtime)) return code;
  reaper_container* container = nullptr;
  reaper_error* error = nullptr;
  if (reaper_open(runtime.get(), arguments.id(), &container, &error) != REAPER_OK) return fail(error);
  out.reset(container);
  return 0;
}

}  // namespace reaper::cli
