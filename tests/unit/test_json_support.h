// What the JSON tests share.
#pragma once

#include <string>
#include <string_view>

#include "core/json.h"
#include "unit/cmocka_cpp.h"

namespace json_test {

// The phrases that callers search messages for (callers.md): an error of this room must have none of them.
inline void assert_plain_message(const std::string& message) {
  static constexpr std::string_view reserved[] = {
      "no such file or directory", "permission denied", "executable file not found", "does not exist",
      "container not running",     "no such process",   "already finished",          "already exists",
  };
  std::string lower;
  for (const char c : message) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const std::string_view phrase : reserved) {
    if (lower.find(phrase) != std::string::npos) fail_msg("reserved phrase in: %s", message.c_str());
  }
  for (const char c : message) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) fail_msg("control character in: %s", message.c_str());
  }
  assert_true(!message.empty());
}

// Writes what a cursor sees. A number that is no integer of 64 bits becomes "?": no one can read it.
inline void write_again(const reaper::JsonCursor& from, reaper::JsonWriter& to) {
  switch (from.type()) {
    case reaper::JsonType::null:
      to.null();
      return;
    case reaper::JsonType::boolean:
      to.boolean(from.boolean().value());
      return;
    case reaper::JsonType::string:
      to.string(from.string().value());
      return;
    case reaper::JsonType::number:
      if (const auto i = from.signed_integer(INT64_MIN, INT64_MAX)) {
        to.integer(*i);
      } else if (const auto u = from.unsigned_integer(0, UINT64_MAX)) {
        to.unsigned_integer(*u);
      } else {
        to.string("?");
      }
      return;
    case reaper::JsonType::array: {
      const auto elements = from.elements();
      to.begin_array();
      for (const auto& element : *elements) write_again(element, to);
      to.end_array();
      return;
    }
    case reaper::JsonType::object: {
      const auto members = from.members();
      to.begin_object();
      for (const auto& [name, value] : *members) {
        to.key(name);
        write_again(value, to);
      }
      to.end_object();
      return;
    }
  }
  fail_msg("a type without a name");
}

inline std::string written_again(const reaper::JsonCursor& from) {
  reaper::JsonWriter to;
  write_again(from, to);
  return to.take();
}

}  // namespace json_test
