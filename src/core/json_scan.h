// The strict scan that comes before cJSON: nothing that it accepts is read differently by cJSON afterwards. Only
// src/core includes this; everybody else uses core/json.h.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace reaper {

struct JsonSpan {
  uint32_t offset;  // json_max_bytes fits
  uint32_t length;
};

// What cJSON's tree does not tell, in the text's order.
struct JsonScan {
  std::vector<JsonSpan> numbers;  // each number
  std::vector<uint32_t> names;    // where each member's name begins, at its quotation mark
};

// Accepts RFC 8259 in UTF-8 up to json_max_bytes and json_max_depth, without a byte order mark and "\u0000"; all else
// but duplicate names (they need decoded names) is refused, with line and column.
Result<JsonScan> scan_json(std::string_view text, std::string_view name);

// "<name>:<line>:<column>: <message>" for the byte at `offset`; the column counts bytes, from 1.
Error json_syntax_error(std::string_view text, std::string_view name, size_t offset, std::string_view message);

}  // namespace reaper
