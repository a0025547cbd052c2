// What is noted while a config.json is read, and words of it inside messages.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "core/refusals.h"

namespace reaper {

// Warnings end up in the container's record, so a hostile document must not be able to make any number of them.
inline constexpr size_t max_warnings = 100;

struct Notes {
  std::vector<Warning> warnings;
  size_t left_out = 0;  // of the warnings
  Refusals refusals;
};

// `make_message` is not called when there is no room: looking for a hint a million times would take minutes.
template <class MakeMessage>
void add_warning(Notes& notes, const std::string& pointer, MakeMessage make_message) {
  if (notes.warnings.size() < max_warnings)
    notes.warnings.push_back({pointer, make_message()});
  else
    ++notes.left_out;
}
// The warnings, with a last line for those that were left out.
std::vector<Warning> take_warnings(Notes& notes);

// `text` in double quotes, printable and of bearable length.
std::string quoted(std::string_view text);

// The candidate that `word` was probably meant to be, or "": another case, or few enough letters wrong, missing, added
// or swapped.
std::string_view nearest_word(std::string_view word, std::span<const std::string_view> candidates);

// `; did you mean "WORD"?`, or "" for "".
std::string did_you_mean(std::string_view word);

}  // namespace reaper
