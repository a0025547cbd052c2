// Who a process is, as the one line of `owner` and `identity`. The form is frozen: a version that cannot read a newer
// state.json still has to find the process.
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "store/files.h"
#include "store/store.h"

namespace reaper {
namespace {

constexpr size_t max_boot_id = 64;

// Digits without a leading zero.
template <class Number>
bool parse_number(std::string_view text, Number& number) {
  if (text.empty() || text[0] < '0' || text[0] > '9' || (text[0] == '0' && text.size() > 1)) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// Up to `end`, which is dropped; nullopt when it does not occur.
std::optional<std::string_view> take_field(std::string_view& line, char end) {
  const size_t at = line.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view field = line.substr(0, at);
  line.remove_prefix(at + 1);
  return field;
}

bool plausible_boot_id(std::string_view text) {
  if (text.empty() || text.size() > max_boot_id) return false;
  return text.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

}  // namespace

uint64_t fnv1a(std::string_view text, uint64_t state) {
  for (const char c : text) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return state;
}

std::string hex16(uint64_t value) {
  std::string text(16, '0');
  for (size_t at = 16; at-- > 0; value >>= 4U) text[at] = "0123456789abcdef"[value & 15U];
  return text;
}

bool plausible_identity(const ProcessIdentity& identity) {
  return identity.pid > 0 && plausible_boot_id(identity.boot_id);
}

Result<std::string> encode_identity(const ProcessIdentity& identity) {
  if (!plausible_identity(identity)) {
    return fail({.code = REAPER_ERR_INTERNAL,
                 .sys_errno = 0,
                 .message = "process identity without a pid or a boot id",
                 .pointer = "",
                 .stage = "identity"});
  }
  std::string line = std::to_string(identity.pid) + " " + std::to_string(identity.start_time) + " " + identity.boot_id +
                     " " + std::to_string(identity.pid_namespace) + " " + std::to_string(identity.time_namespace) + " ";
  return line + hex16(fnv1a(line)) + "\n";
}

std::optional<ProcessIdentity> decode_identity(std::string_view line, std::string& why) {
  constexpr size_t checksum_bytes = 17;  // with the newline
  if (line.size() <= checksum_bytes || line.back() != '\n') {
    why = "is cut short";
    return std::nullopt;
  }
  std::string_view fields = line.substr(0, line.size() - checksum_bytes);
  if (line.substr(fields.size(), 16) != hex16(fnv1a(fields))) {
    why = "has a wrong checksum";
    return std::nullopt;
  }
  ProcessIdentity identity;
  const auto pid = take_field(fields, ' '), start = take_field(fields, ' '), boot = take_field(fields, ' ');
  const auto pid_namespace = take_field(fields, ' '), time_namespace = take_field(fields, ' ');
  why = "is not a process identity";
  if (!time_namespace || !fields.empty()) return std::nullopt;
  if (!parse_number(*pid, identity.pid) || !parse_number(*start, identity.start_time)) return std::nullopt;
  if (!parse_number(*pid_namespace, identity.pid_namespace)) return std::nullopt;
  if (!parse_number(*time_namespace, identity.time_namespace)) return std::nullopt;
  identity.boot_id = *boot;
  if (!plausible_identity(identity)) return std::nullopt;
  why.clear();
  return identity;
}

}  // namespace reaper
