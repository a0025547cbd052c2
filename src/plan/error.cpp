// How the planner refuses.
#include "plan/concerns.h"

namespace reaper::planning {

Error plan_error(int code, std::string_view pointer, std::string_view message) {
  Error error = config_error(code, pointer, message);
  error.stage = "plan";
  return error;
}

Error lacks_capability(int capability, std::string_view pointer, std::string_view hint) {
  std::string message = "needs " + capability_name(capability) + ", which this process lacks; ";
  message += hint;
  return plan_error(REAPER_ERR_PERMISSION, pointer, message);
}

}  // namespace reaper::planning
