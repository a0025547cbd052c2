// hostname and domainname (config.md, Hostname, Domainname). Whether there is a namespace for them is the plan's
// question.
#include "config/parse.h"

namespace reaper {

Result<std::string> read_uts_name(const JsonCursor& name) {
  constexpr size_t longest = 64;  // __NEW_UTS_LEN, sethostname(2)
  std::string text = TRY(name.string());
  if (text.size() > longest)
    return fail(config_error(REAPER_ERR_INVALID, name.pointer(),
                             "has " + std::to_string(text.size()) + " bytes; the kernel keeps 64"));
  return text;
}

}  // namespace reaper
