// linux.cgroupsPath (config-linux.md, Cgroups Path), judged as a path alone: which cgroups there are is the plan's
// question.
#include <algorithm>

#include "config/parse.h"
#include "core/utf8.h"

namespace reaper {
namespace {

constexpr size_t max_path_bytes = 2048;  // with the mount point before it and a file's name behind, below PATH_MAX
constexpr size_t max_name_bytes = 255;   // NAME_MAX

// SLICE:PREFIX:NAME, which asks systemd for a scope. Engines that speak to systemd write it, with empty parts too.
bool is_systemd_form(std::string_view path) {
  return std::ranges::count(path, ':') == 2 && path.find('/') == std::string_view::npos;
}

}  // namespace

Result<std::optional<std::string>> read_cgroups_path(const JsonCursor& cgroups_path) {
  const std::string text = TRY(cgroups_path.string());
  const auto refuse = [&](int code, const std::string& why) {
    return fail(config_error(code, cgroups_path.pointer(), quoted(text) + " " + why));
  };
  if (text.empty()) return std::nullopt;  // what encoders write for "none"
  if (is_systemd_form(text))
    return refuse(REAPER_ERR_UNSUPPORTED,
                  "is of systemd's form SLICE:PREFIX:NAME, which this version does not support; a path is, such as "
                  "\"/SLICE/NAME\"");
  if (text.size() > max_path_bytes) return refuse(REAPER_ERR_INVALID, "has more than 2048 bytes");
  if (has_control(text)) return refuse(REAPER_ERR_INVALID, "has control characters in it");
  std::string path;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    if (name.empty() || name == ".") continue;
    if (name == "..") return refuse(REAPER_ERR_INVALID, "has \"..\" in it");
    if (name.size() > max_name_bytes) return refuse(REAPER_ERR_INVALID, "has a name of more than 255 bytes in it");
    if (!path.empty() || text[0] == '/') path += '/';
    path += name;
  }
  if (path.empty())
    return refuse(REAPER_ERR_INVALID, text[0] == '/'
                                          ? "is the root of all cgroups, which no container can have as its own"
                                          : "is the caller's own cgroup, not one for the container");
  return path;
}

}  // namespace reaper
