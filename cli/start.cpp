// start: the program of a created container runs.
#include "commands.h"
#include "handles.h"
#include "report.h"

namespace reaper::cli {

int command_start(const Arguments& arguments) {
  Runtime runtime;
  Container container;
  if (int code = open_container(arguments, runtime, container)) return code;
  reaper_error* error = nullptr;
  return reaper_start(container.get(), &error) == REAPER_OK ? 0 : fail(error);
}

}  // namespace reaper::cli
