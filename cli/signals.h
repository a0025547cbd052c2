// Signals by number or name, as people and callers write them.
#pragma once

#include <string_view>

namespace reaper::cli {

// "15", "TERM", "SIGTERM", "RTMIN+3", "SIGRTMAX-1", in any case; -1 for anything else.
int parse_signal(std::string_view word);

}  // namespace reaper::cli
