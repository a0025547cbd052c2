// linux.namespaces (config-linux.md, Namespaces). Whether a path is the caller's own namespace is the plan's question.
#include <algorithm>
#include <array>

#include "config/parse.h"

namespace reaper {
namespace {

constexpr std::array<std::string_view, 8> types = {"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"};

Result<Namespace> read_namespace(const JsonCursor& object) {
  Namespace entry;
  auto type = TRY(required_member(object, "type"));
  entry.type = TRY(type.string());
  if (std::ranges::find(types, entry.type) == types.end())
    return fail(config_error(REAPER_ERR_INVALID, type.pointer(),
                             "unknown namespace type " + quoted(entry.type) +
                                 did_you_mean(entry.type == "net" ? "network" : nearest_word(entry.type, types))));
  auto path = TRY(object.member("path"));
  if (!path) return entry;
  entry.path = TRY(path->string());
  // An empty one is what encoders write for "no path".
  if (!entry.path.empty() && !entry.path.starts_with('/'))
    return fail(config_error(REAPER_ERR_INVALID, path->pointer(),
                             "an absolute path is wanted here, not " + quoted(entry.path)));
  return entry;
}

}  // namespace

Result<std::vector<Namespace>> read_namespaces(const JsonCursor& array, Notes& notes) {
  std::vector<Namespace> namespaces;
  for (const JsonCursor& element : TRY(array.elements())) {
    std::optional<Namespace> entry;
    KEEP(notes.refusals, entry, read_namespace(element));
    if (!entry) continue;
    if (std::ranges::find(namespaces, entry->type, &Namespace::type) != namespaces.end())
      TRY(notes.refusals.refuse(config_error(REAPER_ERR_INVALID, pointer_join(element.pointer(), "type"),
                                             "an earlier entry has the type \"" + entry->type + "\"")));
    namespaces.push_back(std::move(*entry));
  }
  return namespaces;
}

}  // namespace reaper
