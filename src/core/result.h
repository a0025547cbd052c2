// Result<T>: a value or an Error; TRY takes the value or returns the error from the enclosing function.
#pragma once

#include <expected>
#include <utility>

#include "core/error.h"

namespace reaper {

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}

namespace detail {
template <class T>
T take(Result<T>& result) {
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}
}  // namespace detail

}  // namespace reaper

// Usage: `auto fd = TRY(open_root(path));` or `TRY(check(id));`. It does not call fail(): cmocka has a macro of that
// name.
#define TRY(...)                                                                                         \
  __extension__({                                                                                        \
    auto try_result = (__VA_ARGS__);                                                                     \
    if (!try_result.has_value()) return std::unexpected<::reaper::Error>(std::move(try_result).error()); \
    ::reaper::detail::take(try_result);                                                                  \
  })
