// annotations (config.md, Annotations). They are handed on to state and never change what is done.
#include "config/parse.h"

namespace reaper {

Result<std::map<std::string, std::string>> read_annotations(const JsonCursor& annotations, Notes& notes) {
  std::map<std::string, std::string> result;
  for (const auto& [key, value] : TRY(annotations.members())) {
    // config.md, Annotations: keys MUST NOT be empty, values may be.
    if (key.empty())
      TRY(notes.refusals.refuse(
          config_error(REAPER_ERR_INVALID, value.pointer(), "the key of an annotation must not be empty")));
    KEEP(notes.refusals, result[key], value.string());
  }
  return result;
}

}  // namespace reaper
