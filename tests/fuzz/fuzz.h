// What a fuzz target is: a function over bytes, for libFuzzer or for replay.cpp. Input comes from nobody's friend: a
// target fails by a crash, a sanitizer's report, or promise().
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace reaper_test {

inline void promise(bool holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "a promise is broken: %s\n", what);
  abort();
}

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace reaper_test
