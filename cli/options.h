// The tables that the parser and --help read.
#pragma once

#include <span>

#include "arguments.h"

namespace reaper::cli {

std::span<const CommandRow> command_rows();  // in the order of --help
std::span<const OptionRow> global_options();

}  // namespace reaper::cli
