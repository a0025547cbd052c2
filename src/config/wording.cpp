#include "config/wording.h"

#include <algorithm>
#include <utility>

namespace reaper {
namespace {

constexpr size_t max_quoted_bytes = 64;
constexpr size_t max_compared_bytes = 64;  // the comparison's time is the product of both lengths

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Letters wrong, missing, added or swapped with their neighbour, without regard to case (optimal string alignment).
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last, last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = std::exchange(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::vector<Warning> take_warnings(Notes& notes) {
  if (notes.left_out > 0)
    notes.warnings.push_back({"", std::to_string(notes.left_out) + " more warnings are left out"});
  return std::move(notes.warnings);
}

std::string quoted(std::string_view text) {
  return "\"" + printable(text, max_quoted_bytes) + "\"";
}

std::string_view nearest_word(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.empty() || word.size() > max_compared_bytes) return {};
  size_t best = 2 + word.size() / 5;  // one more than is allowed
  std::string_view nearest;
  for (std::string_view candidate : candidates) {
    // Each letter that one has more than the other is one wrong.
    if (std::max(candidate.size(), word.size()) - std::min(candidate.size(), word.size()) >= best) continue;
    size_t distance = edit_distance(word, candidate);
    if (distance >= best || distance >= candidate.size()) continue;
    best = distance;
    nearest = candidate;
  }
  return nearest;
}

std::string did_you_mean(std::string_view word) {
  return word.empty() ? std::string() : "; did you mean \"" + std::string(word) + "\"?";
}

}  // namespace reaper
