// The exit record as the supervisor writes it (init/exit_record.cpp): seven numbers and a checksum.
#include <charconv>
#include <optional>
#include <string_view>

#include "store/files.h"
#include "store/store.h"

namespace reaper {
namespace {

// One number and the blank behind it, as they are written: no sign but a minus, no leading zero.
template <class Number>
bool take_number(std::string_view& text, Number minimum, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data() + text.size() || *end != ' ' || number < minimum) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()) + 1);
  return true;
}

}  // namespace

std::optional<ExitRecord> decode_exit(std::string_view line) {
  constexpr size_t checksum_bytes = 17;  // with the newline
  if (line.size() <= checksum_bytes || line.back() != '\n') return std::nullopt;
  std::string_view fields = line.substr(0, line.size() - checksum_bytes);
  if (line.substr(fields.size(), 16) != hex16(fnv1a(fields))) return std::nullopt;
  ExitRecord record;
  int32_t core_dumped = 0;
  const bool numbers = take_number(fields, -1, record.exit_code) && take_number(fields, 0, record.signal) &&
                       take_number(fields, 0, core_dumped) && take_number(fields, int64_t{0}, record.finished_ns) &&
                       take_number(fields, int64_t{0}, record.user_us) &&
                       take_number(fields, int64_t{0}, record.system_us) &&
                       take_number(fields, int64_t{0}, record.max_rss_kib);
  if (!numbers || !fields.empty()) return std::nullopt;
  // Exactly one of the two ways to end.
  if ((record.exit_code < 0) != (record.signal > 0) || record.exit_code > 255 || core_dumped > 1) return std::nullopt;
  record.core_dumped = core_dumped != 0;
  return record;
}

}  // namespace reaper
