// linux.namespaces (config-linux.md, Namespaces) in host mode: a path that leads to our own namespace is satisfied (a
// pod on the host's network is given such paths), everything else is refused.
#include "core/json.h"
#include "plan/concerns.h"

namespace reaper::planning {

namespace {

struct Type {
  std::string_view name;
  std::string_view link;  // in /proc/thread-self/ns: the one that a new child is in
};
constexpr Type types[] = {{"pid", "pid_for_children"},
                          {"network", "net"},
                          {"mount", "mnt"},
                          {"ipc", "ipc"},
                          {"uts", "uts"},
                          {"user", "user"},
                          {"cgroup", "cgroup"},
                          {"time", "time_for_children"}};

std::string_view link_of(std::string_view type) {
  for (const Type& row : types)
    if (row.name == type) return row.link;
  return {};
}

Error refuse_path(const Error& cause, const std::string& pointer) {
  const bool wrong_path = cause.sys_errno == ENOENT || cause.sys_errno == ENOTDIR || cause.sys_errno == ELOOP;
  Error error = plan_error(wrong_path ? REAPER_ERR_INVALID : cause.code, pointer, cause.message);
  error.sys_errno = cause.sys_errno;
  return error;
}

Status check_namespace(const Namespace& wanted, const std::string& pointer) {
  const std::string_view link = link_of(wanted.type);
  if (wanted.path.empty() || link.empty())
    return fail(
        plan_error(REAPER_ERR_UNSUPPORTED, pointer,
                   "this version makes no new " + wanted.type + " namespace; leave it out to stay in the caller's"));
  const Result<bool> own = same_namespace(link, wanted.path);
  if (!own.has_value()) return fail(refuse_path(own.error(), pointer + "/path"));
  if (*own) return {};
  return fail(plan_error(REAPER_ERR_UNSUPPORTED, pointer + "/path",
                         "this version joins no other " + wanted.type + " namespace than the caller's own"));
}

}  // namespace

Status check_namespaces(const std::vector<Namespace>& namespaces, Notes& notes) {
  for (size_t i = 0; i < namespaces.size(); ++i)
    TRY(notes.refusals.take(check_namespace(namespaces[i], pointer_join("/linux/namespaces", i))));
  return {};
}

}  // namespace reaper::planning
