// What an errno is called. Its name, not the words of strerror(3): callers search messages for some of those.
#pragma once

#include <string>

namespace reaper::cli {

std::string errno_name(int number);

}  // namespace reaper::cli
