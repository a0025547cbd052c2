// root: host mode knows one root, the host's own.
#include "config/parse.h"

namespace reaper {
namespace {

// "/", "//", "/." and "/.." are the host's root by themselves. "/a/.." is not taken for it: `a` may be a symbolic link,
// and then the kernel would go elsewhere.
bool is_host_root(std::string_view path) {
  if (!path.starts_with('/')) return false;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    std::string_view component = path.substr(0, path.find('/'));
    if (!component.empty() && component != "." && component != "..") return false;
    path.remove_prefix(component.size());
  }
  return true;
}

}  // namespace

Status check_root(const JsonCursor& root) {
  auto path = TRY(required_member(root, "path"));
  std::string text = TRY(path.string());
  if (text.empty()) return fail(config_error(REAPER_ERR_INVALID, path.pointer(), "a path must not be empty"));
  if (!is_host_root(text))
    return fail(
        config_error(REAPER_ERR_UNSUPPORTED, path.pointer(),
                     quoted(text) + " is not supported by this version of Reaper: only \"/\", the host's root, is"));
  return {};
}

}  // namespace reaper
