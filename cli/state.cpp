// state: the specification's object on stdout.
#include "commands.h"
#include "handles.h"
#include "report.h"

namespace reaper::cli {

int command_state(const Arguments& arguments) {
  Runtime runtime;
  Container container;
  if (int code = open_container(arguments, runtime, container)) return code;
  char* json = nullptr;
  reaper_error* error = nullptr;
  if (reaper_state(container.get(), &json, &error) != REAPER_OK) return fail(error);
  return print_line(Text(json).get());
}

}  // namespace reaper::cli
