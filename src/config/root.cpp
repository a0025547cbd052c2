// root: the host's own ("/": host mode), or a directory that becomes the container's.
#include <algorithm>

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

Result<Root> read_root(const JsonCursor& root) {
  Root out;
  auto path = TRY(required_member(root, "path"));
  out.path = TRY(path.string());
  if (out.path.empty()) return fail(config_error(REAPER_ERR_INVALID, path.pointer(), "a path must not be empty"));
  if (is_host_root(out.path)) out.path.clear();
  if (auto readonly = TRY(root.member("readonly"))) out.readonly = TRY(readonly->boolean());
  return out;
}

Result<uint64_t> read_propagation(const JsonCursor& propagation) {
  const std::string text = TRY(propagation.string());
  if (text.empty()) return uint64_t{0};
  const auto flags = propagation_flags(text);
  if (flags) return *flags;
  return fail(config_error(REAPER_ERR_INVALID, propagation.pointer(),
                           "unknown mount propagation " + quoted(text) +
                               "; it is shared, slave, private, unbindable, or one of these with an r before it"));
}

// Absolute, and with nothing but names in it: "." and ".." are resolved as text, as they are in a root of its own.
Result<std::string> clean_path(const JsonCursor& value) {
  const std::string text = TRY(value.string());
  if (text.empty()) return fail(config_error(REAPER_ERR_INVALID, value.pointer(), "a path must not be empty"));
  if (text.size() > 4095) return fail(config_error(REAPER_ERR_INVALID, value.pointer(), "has more than 4095 bytes"));
  std::string clean;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      clean.erase(clean.empty() ? 0 : clean.rfind('/'));
      continue;
    }
    clean += '/';
    clean += name;
  }
  return clean.empty() ? std::string("/") : clean;
}

Result<std::vector<std::string>> read_inner_paths(const JsonCursor& array) {
  std::vector<std::string> paths;
  for (const JsonCursor& element : TRY(array.elements())) {
    const std::string text = TRY(element.string());
    if (!text.starts_with('/'))
      return fail(
          config_error(REAPER_ERR_INVALID, element.pointer(), "an absolute path is wanted here, not " + quoted(text)));
    paths.push_back(TRY(clean_path(element)));
  }
  return paths;
}

}  // namespace reaper
