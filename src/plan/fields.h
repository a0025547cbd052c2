// What an operation is called and what its numbers and strings mean: the one description that the plan as text and the
// plan as JSON are both made from.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "plan/plan.h"

namespace reaper::planning {

// How a value is written. In JSON, sets and lists are arrays and flags are booleans; all other numbers are numbers.
enum class Form : uint8_t {
  number,         // numbers[index]
  signed_number,  // the same as int64
  octal,          // a mode
  hexadecimal,    // bits
  limit,          // RLIM_INFINITY is "unlimited" in text
  resource,       // RLIMIT_*, by name
  set,            // capabilities, by name
  boolean,        // 0 or 1 in text
  flag,           // whether numbers[index] has a bit of `mask`; text says `before` then, and nothing otherwise
  numbers,        // numbers[index] and all behind it
  string,         // strings[index]
  strings,        // strings, numbers[index] of them
  how_many,       // numbers from numbers[index] on
  rest,           // strings[index] and all behind it
  other_strings,  // how many strings stand behind those; they may hold secrets
  first_closed,   // 3 and numbers[index]: the first descriptor that does not stay
  word,           // words[numbers[index]]
  search_path,    // strings[index], where strings[0] has no slash: otherwise execvp(3) does not look at it
};

// The empty initializers let rows leave members out without a warning of gcc 12.
// NOLINTBEGIN(readability-redundant-member-init)
struct Field {
  std::string_view name;  // in JSON
  Form form = Form::number;
  uint32_t index = 0;
  std::string_view before = {};  // in text
  std::string_view after = {};
  uint64_t mask = 0;
  std::span<const std::string_view> words = {};
};
// NOLINTEND(readability-redundant-member-init)

struct Description {
  std::string_view name;  // of the operation; also the stage of its errors
  std::span<const Field> fields;
};
Description describe(wire::Op op);  // "init" for a number that is none

// Whether this operation has that field.
bool has_field(const Operation& operation, const Field& field);

// The word of a field of that form; the number where there is none.
std::string word_of(const Operation& operation, const Field& field);

// "RLIMIT_NOFILE"; the number where it has no name.
std::string resource_name(uint64_t resource);

}  // namespace reaper::planning
