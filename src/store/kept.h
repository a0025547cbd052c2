// What need not be made again: small files in the state directory, for later runs of a program. Whatever is wrong with
// them they are not there, and whoever asks makes the thing anew: nothing here is an error.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/store.h"

namespace reaper {

inline constexpr size_t max_kept_files = 32;
inline constexpr size_t max_kept_bytes = 64U << 10;

// A file that this user alone has written and can write, in a directory of which the same holds. What is in it is for
// the caller to check.
std::optional<std::string> read_kept(const StateRoot& root, const std::string& name);

// Writes it, or writes it anew. Beyond max_kept_files the oldest go.
void keep(const StateRoot& root, const std::string& name, std::string_view text);

}  // namespace reaper
