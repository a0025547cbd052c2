// linux.personality (config-linux.md, Personality; personality(2)). The specification has no flag, so that any is
// refused by the table of properties.
#include <linux/personality.h>

#include "config/parse.h"

namespace reaper {

Result<uint32_t> read_personality(const JsonCursor& object) {
  constexpr NamedNumber domains[] = {{"LINUX", PER_LINUX}, {"LINUX32", PER_LINUX32}};
  const auto domain = TRY(required_member(object, "domain"));
  return read_name(domain, "execution domain", domains);
}

}  // namespace reaper
