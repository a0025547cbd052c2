// Alone, so that a new commit compiles nothing else (cmake/Library.cmake).
#include "runtime/version.h"

namespace reaper {

const char* const build_version = REAPER_VERSION;
const char* const build_commit = REAPER_COMMIT;

}  // namespace reaper
