#include "host/mountinfo.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "core/take.h"
#include "core/utf8.h"
#include "host/numbers.h"

namespace reaper {

namespace {

// Blank, tab, newline and backslash stand there as \ and three octal digits (proc(5)).
std::string unescaped(std::string_view text) {
  std::string plain;
  constexpr size_t length = 4;
  while (!text.empty()) {
    const bool escaped = text[0] == '\\' && text.size() >= length;
    const auto code = escaped ? parse_number<uint8_t>(text.substr(1, length - 1), 8) : std::nullopt;
    plain += code ? static_cast<char>(*code) : text[0];
    text.remove_prefix(code ? length : 1);
  }
  return plain;
}

}  // namespace

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) words.emplace_back(take_until(text, ','));
  return words;
}

Error unreadable_line(std::string_view file, std::string_view line) {
  return {REAPER_ERR_SYSTEM, 0,
          "/proc/thread-self/" + std::string(file) + " has a line that is not of proc(5)'s form: \"" + printable(line) +
              "\"",
          "", "facts"};
}

Result<MountLine> parse_mount_line(std::string_view line) {
  std::string_view rest = line;
  const auto field = [&] { return take_until(rest, ' '); };  // one may be empty: a source that was given so
  const auto id = parse_number<uint64_t>(field());
  field();  // the parent's id
  field();  // the device
  MountLine mount;
  mount.root = unescaped(field());
  mount.point = unescaped(field());
  mount.mount_options = split_at_commas(field());
  while (!rest.empty() && field() != "-") {  // optional fields
  }
  mount.type = field();
  if (!id || mount.type.empty() || mount.point.empty()) return fail(unreadable_line("mountinfo", line));
  field();  // the source, which may be anything
  mount.id = *id;
  mount.options = split_at_commas(field());
  return mount;
}

bool is_reachable_mount(uint64_t id, const std::string& point) {
  struct statx status = {};
  if (statx(AT_FDCWD, point.c_str(), AT_NO_AUTOMOUNT, STATX_MNT_ID, &status) != 0) return false;
  return (status.stx_mask & STATX_MNT_ID) == 0 || status.stx_mnt_id == id;  // Linux 5.8
}

}  // namespace reaper
