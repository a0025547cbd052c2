// What the CLI says, and where. An error is one line on stderr and, with --log, one entry in that file: callers read
// either (docs/cli.md). On success nothing is written but what was asked for.
#pragma once

#include <string>
#include <string_view>

#include "arguments.h"
#include "reaper.h"

namespace reaper::cli {

// Opens --log for appending and makes it, even if nothing is ever written: callers open it without looking. False:
// reported on stderr.
bool open_report(const Arguments& arguments);

// Each reports an error and returns the exit code for it, 1.
int fail(std::string_view message);
int fail(reaper_error* error);  // frees it
// "<what>: ENOENT", by the name of the errno: strerror's words are reserved (docs/cli.md).
int fail_errno(std::string_view what);
// On stderr alone, and without an allocation.
int fail_out_of_memory();

// On stderr alone: "reaper-runtime: run: warning: ...".
void warn(std::string_view message);
// "<what>: ENOENT", as fail_errno().
void warn_errno(std::string_view what);

// The library's log callback. Warnings go to stderr; with --debug everything also goes to the log.
void log_message(void* data, int32_t level, const char* message);

// Writes text to stdout and returns the exit code.
int print(std::string_view text);
// The same with a newline at its end, for JSON.
int print_line(std::string_view text);

// `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

// RFC 3339 in UTC with nanoseconds and "Z". Not by gmtime_r: that reads the file which $TZ names.
std::string rfc3339(int64_t nanoseconds_since_1970);

}  // namespace reaper::cli
