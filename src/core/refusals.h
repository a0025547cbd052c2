// Where the errors of a judgement go: the first one ends it, or, for a preflight, all are noted and it goes on.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/result.h"

namespace reaper {

class Refusals {
 public:
  // A hostile document must not be able to make any number of them.
  static constexpr size_t most = 100;

  void collect() { collecting_ = true; }
  bool collecting() const { return collecting_; }

  // The error; or success while collecting, and then it stands in noted(). One is enough for a pointer.
  Status refuse(Error error) {
    if (!collecting_) return fail(std::move(error));
    for (const Error& earlier : noted_)
      if (!error.pointer.empty() && earlier.pointer == error.pointer) return {};
    if (noted_.size() < most)
      noted_.push_back(std::move(error));
    else
      ++left_out_;
    return {};
  }
  Status take(Status status) { return status.has_value() ? Status() : refuse(std::move(status).error()); }

  const std::vector<Error>& noted() const { return noted_; }
  size_t left_out() const { return left_out_; }

 private:
  bool collecting_ = false;
  std::vector<Error> noted_;
  size_t left_out_ = 0;
};

}  // namespace reaper

// Usage: `KEEP(refusals, process.cwd, read_cwd(*cwd));`. The value goes to the target. An error goes to the refusals,
// and ends the enclosing function unless they are collected: then the target stays as it is.
#define KEEP(refusals, target, ...)                           \
  do {                                                        \
    auto keep_result = (__VA_ARGS__);                         \
    if (keep_result.has_value())                              \
      target = std::move(*keep_result);                       \
    else                                                      \
      TRY((refusals).refuse(std::move(keep_result).error())); \
  } while (false)
