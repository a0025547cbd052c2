// Warnings, and words of config.json inside messages.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace reaper {

// Warnings end up in the container's record, so a hostile document must not be able to make any number of them.
inline constexpr size_t max_warnings = 100;

struct Warnings {
  std::vector<Warning> list;
  size_t left_out = 0;
};

// `make_message` is not called when there is no room: looking for a hint a million times would take minutes.
template <class MakeMessage>
void add_warning(Warnings& warnings, const std::string& pointer, MakeMessage make_message) {
  if (warnings.list.size() < max_warnings)
    warnings.list.push_back({pointer, make_message()});
  else
    ++warnings.left_out;
}
// The list, with a last line for those that were left out.
std::vector<Warning> take_warnings(Warnings warnings);

// `text` in double quotes, printable and of bearable length.
std::string quoted(std::string_view text);

// The candidate that `word` was probably meant to be, or "": another case, or few enough letters wrong, missing, added
// or swapped.
std::string_view nearest_word(std::string_view word, std::span<const std::string_view> candidates);

// `; did you mean "WORD"?`, or "" for "".
std::string did_you_mean(std::string_view word);

}  // namespace reaper
