// features: callers read stdout and stderr together as one JSON text, so nothing else is written.
#include "commands.h"
#include "handles.h"
#include "report.h"

namespace reaper::cli {

int command_features(const Arguments&) {
  char* json = nullptr;
  reaper_error* error = nullptr;
  if (reaper_features(&json, &error) != REAPER_OK) return fail(error);
  return print_line(Text(json).get());
}

}  // namespace reaper::cli
