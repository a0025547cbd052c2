// The strict scan that comes before cJSON: nothing that it accepts is read differently by cJSON afterwards. Only
// src/core includes this; everybody else uses core/json.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace reaper {

struct JsonSpan {
  uint32_t offset;  // json_max_bytes fits
  uint32_t length;
};

// An object that is a member of a member of the document, as /linux/seccomp is.
struct JsonSection {
  uint32_t value;  // which one of all values, in the text's order; 0 is the document
  JsonSpan span;
};

// What cJSON's tree does not tell, in the text's order.
struct JsonScan {
  std::vector<JsonSpan> numbers;  // each number
  std::vector<uint32_t> names;    // where each member's name begins, at its quotation mark
  std::vector<JsonSection> sections;
  std::optional<JsonSection> known;  // the first one that was known, and passed over: nothing of its inside is above
  size_t which = 0;                  // of those that are known
};

// Accepts RFC 8259 in UTF-8 up to json_max_bytes and json_max_depth, without a byte order mark and "\u0000"; all else
// but duplicate names (they need decoded names) is refused, with line and column. `known`: texts of sections that an
// earlier scan has accepted.
Result<JsonScan> scan_json(std::string_view text, std::string_view name, std::span<const std::string_view> known = {});

// "<name>:<line>:<column>: <message>" for the byte at `offset`; the column counts bytes, from 1.
Error json_syntax_error(std::string_view text, std::string_view name, size_t offset, std::string_view message);

}  // namespace reaper
