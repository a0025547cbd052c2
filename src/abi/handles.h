// The opaque handles of reaper.h, and the one way in and out: options are read, results and exceptions become errors.
#pragma once

#include <cstring>
#include <memory>
#include <new>
#include <string>

#include "core/result.h"
#include "reaper.h"
#include "runtime/runtime.h"

struct reaper_runtime {
  std::shared_ptr<reaper::Runtime> runtime;
};

struct reaper_container {
  reaper::ContainerPtr container;
};

struct reaper_process {
  reaper::ExecHandlePtr process;
};

struct reaper_error {
  reaper::Error error;
};

namespace reaper::abi {

// Hands `error` out through `err` (may be null) and returns its code.
int report(reaper_error** err, Error&& error) noexcept;
// The same without an allocation, for when there is no memory.
int report_no_memory(reaper_error** err) noexcept;

Error invalid_argument(std::string message);

inline constexpr size_t longest_message = 64U << 10;

// The one try/catch: nothing is thrown over the edge, whatever the standard library throws inside.
template <class Body>
int guarded(reaper_error** err, Body&& body) noexcept {
  try {
    Status status = body();
    if (status.has_value()) return REAPER_OK;
    Error error = std::move(status).error();
    // What stands in config.json or in a path stands in messages: no byte of it may move a terminal's cursor.
    error.message = printable(error.message, longest_message);
    return report(err, std::move(error));
  } catch (const std::bad_alloc&) {
    return report_no_memory(err);
  } catch (...) {
    return report(err, Error{REAPER_ERR_INTERNAL, 0, "an exception that nobody expected", "", "abi"});
  }
}

// A copy of the caller's struct as this version knows it: what is missing is zero, what is too much must be.
template <class Options>
Result<Options> read_options(const Options* given, size_t smallest) {
  Options options = {};
  options.size = sizeof options;
  if (given == nullptr) return options;
  if (given->size < smallest || given->size > 65536)
    return fail(invalid_argument("options: size is " + std::to_string(given->size) + ", not that of the struct"));
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  for (size_t i = sizeof options; i < given->size; ++i)
    if (bytes[i] != 0)
      return fail({REAPER_ERR_UNSUPPORTED, 0,
                   "options: byte " + std::to_string(i) + " is set, which this version of the library does not know",
                   "", "arguments"});
  memcpy(&options, given, given->size < sizeof options ? given->size : sizeof options);
  options.size = sizeof options;
  return options;
}

// Writes as much of it as `out` has room for, by its size. INVALID when that is no size of the struct.
Status check_exit_status(const reaper_exit_status* out);
void give_exit_status(const ExitStatus& exit, reaper_exit_status* out);

// A malloc'ed copy for reaper_free().
Status give_string(const std::string& text, char** out);

}  // namespace reaper::abi
