// For what must not throw: destructors, and what follows a success.
#pragma once

#include <new>
#include <utility>

namespace reaper {

// False: there was not memory enough for `body`, which did as much as it could.
template <class Body>
bool as_memory_allows(Body&& body) noexcept {
  try {
    std::forward<Body>(body)();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace reaper
