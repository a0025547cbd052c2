// Numbers in the text of /proc files: digits, exactly, or nothing.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace reaper {

template <class T>
std::optional<T> parse_number(std::string_view text, int base = 10) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Cuts the next word off the front of `text`; words are separated by blanks. Empty at the end.
inline std::string_view next_word(std::string_view& text) {
  constexpr std::string_view blanks = " \t\n";
  const size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return text = {};
  text.remove_prefix(begin);
  const std::string_view word = text.substr(0, text.find_first_of(blanks));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace reaper
