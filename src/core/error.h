// What a failing step says. Codes are those of the public header, so that nothing has to be translated at the edge.
#pragma once

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

#include "reaper.h"

namespace reaper {

// The empty initializers let designated initializers leave members out without a warning of gcc 12.
// NOLINTBEGIN(readability-redundant-member-init)
struct Error {
  int code = REAPER_ERR_INTERNAL;  // REAPER_ERR_*
  int sys_errno = 0;               // errno(3) or 0
  std::string message = {};        // one line that stands alone, without a "reaper: " prefix
  std::string pointer = {};        // JSON pointer of the field at fault, or empty
  std::string stage = {};          // the step that failed, see reaper_error_stage()
  bool by_init = false;            // told by reaper-init, which ends by itself then
};
// NOLINTEND(readability-redundant-member-init)

// "REAPER_ERR_BUSY" for REAPER_ERR_BUSY; "REAPER_ERR_?" for a number that is none. Static.
const char* code_name(int code);

// "ENOENT" for ENOENT; "errno 4095" for a number without a name.
std::string errno_name(int number);

// "SIGTERM" for SIGTERM, "signal 99" for a number without a name.
std::string signal_name(int number);

// The error of a failed system call: code PERMISSION for EPERM and EACCES, NO_MEMORY for ENOMEM, SYSTEM otherwise.
// `what` is the system call and its object in our own words ("mkdir /run/reaper/x"); the message becomes
// "<what>: <ERRNO NAME>". It never contains strerror(3)'s words: callers search messages for those (callers.md).
Error system_error(std::string_view stage, std::string_view what, int number = errno);

// The error of a config.json field, stage "config". The message becomes "<pointer>: <message>", so that it stands
// alone.
Error config_error(int code, std::string_view pointer, std::string_view message);

// `text` fit for one line of a message: control characters and bytes that are not UTF-8 as \xNN, cut after `limit`
// bytes of it with "..." in their place. Twice is as good as once. The functions above use it on the whole message.
std::string printable(std::string_view text, size_t limit = 4096);

}  // namespace reaper
