// From exec's command line to the process document that is laid over the container's own process.
#pragma once

#include <string>

#include "arguments.h"

namespace reaper::cli {

// False: `out` is the sentence that says what is wrong.
bool write_document(const Arguments& arguments, std::string& out);

// "UID" or "UID:GID", each decimal digits without leading zeros up to 4294967294, and nothing else: every other way to
// read such a text has made somebody root (CVE-2026-30892). `gid` is empty where there is none.
bool read_user(std::string_view text, std::string& uid, std::string& gid);

}  // namespace reaper::cli
