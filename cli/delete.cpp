// delete: by id, so that it also reaches containers whose record cannot be read.
#include "commands.h"
#include "handles.h"
#include "report.h"

namespace reaper::cli {

int command_delete(const Arguments& arguments) {
  Runtime runtime;
  if (int code = open_runtime(arguments, runtime)) return code;
  bool force = arguments.has(Opt::force);
  reaper_error* error = nullptr;
  int code = reaper_delete_id(runtime.get(), arguments.id(), force ? REAPER_DELETE_FORCE : 0, &error);
  if (code == REAPER_OK) return 0;
  if (force && code == REAPER_ERR_NOT_FOUND) {  // what was asked for is the case
    reaper_error_free(error);
    return 0;
  }
  return fail(error);
}

}  // namespace reaper::cli
