// linux.intelRdt (config-linux.md, IntelRdt), judged as text alone: what the kernel makes of it is the kernel's
// question.
#include <algorithm>

#include "config/parse.h"
#include "core/utf8.h"

namespace reaper {
namespace {

constexpr size_t max_class_bytes = 255;  // NAME_MAX

// A name in the root of resctrl, where there are directories that are no classes, too.
Status check_class(const std::string& name, const std::string& pointer) {
  const auto refuse = [&](const std::string& why) {
    return fail(config_error(REAPER_ERR_INVALID, pointer, quoted(name) + " " + why));
  };
  if (name == "/") return {};  // the default class
  if (name.size() > max_class_bytes) return refuse("has more than 255 bytes");
  if (name == "." || name == ".." || name.find('/') != std::string::npos || has_control(name))
    return refuse("is no name of a directory");
  constexpr std::string_view reserved[] = {"info", "mon_data", "mon_groups"};
  if (std::ranges::find(reserved, name) != std::end(reserved)) return refuse("is resctrl's own directory");
  return {};
}

Status check_line(const std::string& line, const std::string& pointer) {
  if (line.empty()) return fail(config_error(REAPER_ERR_INVALID, pointer, "is empty"));
  if (has_control(line)) return fail(config_error(REAPER_ERR_INVALID, pointer, "has control characters in it"));
  return {};
}

Result<std::string> read_text(const JsonCursor& object, std::string_view name) {
  const auto member = TRY(object.member(name));
  return member ? TRY(member->string()) : std::string();
}

// "L3:0=f\nL3CODE:0=f": config-linux.md advises against more than one line, and does not forbid it.
Status read_l3(const JsonCursor& object, IntelRdt& rdt) {
  const std::string text = TRY(read_text(object, "l3CacheSchema"));
  const std::string pointer = pointer_join(object.pointer(), "l3CacheSchema");
  for (std::string_view rest = text; !rest.empty();) {
    const std::string line(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    TRY(check_line(line, pointer));
    rdt.lines.push_back({line, pointer});
  }
  return {};
}

Status read_mb(const JsonCursor& object, IntelRdt& rdt) {
  const std::string text = TRY(read_text(object, "memBwSchema"));
  if (text.empty()) return {};
  const std::string pointer = pointer_join(object.pointer(), "memBwSchema");
  TRY(check_line(text, pointer));
  if (!text.starts_with("MB:")) return fail(config_error(REAPER_ERR_INVALID, pointer, "does not begin with \"MB:\""));
  rdt.lines.push_back({text, pointer});
  return {};
}

}  // namespace

Result<std::optional<IntelRdt>> read_intel_rdt(const JsonCursor& object) {
  IntelRdt rdt;
  rdt.clos_id = TRY(read_text(object, "closID"));
  if (!rdt.clos_id.empty()) TRY(check_class(rdt.clos_id, pointer_join(object.pointer(), "closID")));
  // In this order they are written.
  TRY(read_l3(object, rdt));
  TRY(read_mb(object, rdt));
  if (const auto schemata = TRY(object.member("schemata")))
    for (const JsonCursor& line : TRY(schemata->elements())) {
      rdt.lines.push_back({TRY(line.string()), line.pointer()});
      TRY(check_line(rdt.lines.back().text, line.pointer()));
    }
  if (const auto monitoring = TRY(object.member("enableMonitoring"))) rdt.monitoring = TRY(monitoring->boolean());
  if (rdt.clos_id.empty() && rdt.lines.empty() && !rdt.monitoring) return std::nullopt;
  return rdt;
}

}  // namespace reaper
