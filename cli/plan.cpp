// plan: what create would do with this bundle, and why.
#include "commands.h"
#include "creation.h"
#include "handles.h"
#include "report.h"

namespace reaper::cli {

int command_plan(const Arguments& arguments) {
  Runtime runtime;
  if (int code = open_runtime(arguments, runtime)) return code;
  Creation creation;
  read_creation(arguments, creation);
  char* text = nullptr;
  reaper_error* error = nullptr;
  if (reaper_plan(runtime.get(), &creation.options, read_format(arguments), &text, &error) != REAPER_OK)
    return fail(error);
  return print_line(Text(text).get());
}

}  // namespace reaper::cli
