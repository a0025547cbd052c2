// kill: a signal by number or name, TERM without one.
#include <csignal>
#include <string>

#include "commands.h"
#include "handles.h"
#include "report.h"
#include "signals.h"

namespace reaper::cli {

int command_kill(const Arguments& arguments) {
  int signal = SIGTERM;
  if (arguments.operand_count > 1) {
    signal = parse_signal(arguments.operands[1]);
    if (signal < 0) return fail(std::string("unknown signal \"") + arguments.operands[1] + "\"");
  }
  Runtime runtime;
  Container container;
  if (int code = open_container(arguments, runtime, container)) return code;
  reaper_error* error = nullptr;
  uint32_t flags = arguments.has(Opt::all) ? REAPER_KILL_ALL : 0;
  return reaper_kill(container.get(), signal, flags, &error) == REAPER_OK ? 0 : fail(error);
}

}  // namespace reaper::cli
