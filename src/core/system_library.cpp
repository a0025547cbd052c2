#include "core/system_library.h"

#include <unistd.h>

namespace reaper {

constinit const std::string_view system_library_directories = REAPER_SYSTEM_LIBDIRS;

std::string library_in(std::string_view directories, std::string_view name) {
  for (;;) {
    const size_t colon = directories.find(':');
    std::string path(directories.substr(0, colon));
    path.append("/").append(name);
    // A single directory is not asked: whoever opens the file will see.
    if (colon == std::string_view::npos || access(path.c_str(), F_OK) == 0) return path;
    directories.remove_prefix(colon + 1);
  }
}

std::string system_library(std::string_view name) {
  return library_in(system_library_directories, name);
}

}  // namespace reaper
