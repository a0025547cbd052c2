// The bundle's directory and its config.json, read once.
#pragma once

#include "runtime/runtime.h"

namespace reaper {

struct Bundle {
  std::string path;    // absolute
  std::string config;  // the text
};

// NOT_FOUND: no such directory, or no config.json in it. INVALID: config.json is no regular file, or over 16 MiB.
Result<Bundle> read_bundle(const CreateRequest& request);

}  // namespace reaper
