// linux.sysctl -> parameters of the container's own namespaces. Every other one is the host's, and no container's to
// set (config-linux.md, Sysctl).
#include <algorithm>

#include "core/json.h"
#include "plan/concerns.h"

namespace reaper::planning {

namespace {

// The namespace that holds a parameter: by its path, or the directory it is in. sysctl(5), namespaces(7).
constexpr struct {
  std::string_view path, type;
} homes[] = {{"net/", "network"},
             {"fs/mqueue/", "ipc"},
             {"kernel/msgmax", "ipc"},
             {"kernel/msgmnb", "ipc"},
             {"kernel/msgmni", "ipc"},
             {"kernel/msg_next_id", "ipc"},
             {"kernel/sem", "ipc"},
             {"kernel/sem_next_id", "ipc"},
             {"kernel/shmall", "ipc"},
             {"kernel/shmmax", "ipc"},
             {"kernel/shmmni", "ipc"},
             {"kernel/shm_next_id", "ipc"},
             {"kernel/shm_rmid_forced", "ipc"},
             {"kernel/hostname", "uts"},
             {"kernel/domainname", "uts"},
             {"user/", "user"}};

std::string_view home_of(std::string_view path) {
  for (const auto& home : homes)
    if (home.path.ends_with('/') ? path.starts_with(home.path) : path == home.path) return home.type;
  return {};
}

Status check_parameter(const Sysctl& parameter, const std::string& pointer, const Config& config,
                       const NamespacePlan& namespaces) {
  const std::string_view type = home_of(parameter.path);
  if (type.empty())
    return fail(
        plan_error(REAPER_ERR_INVALID, pointer, "the parameter is in no namespace: to set it would change the host"));
  if (std::ranges::find(namespaces.foreign, type, &Namespace::type) == namespaces.foreign.end())
    return fail(plan_error(REAPER_ERR_INVALID, pointer,
                           "needs a namespace of type \"" + std::string(type) +
                               "\" in /linux/namespaces that is not the caller's: it would change the host"));
  const bool named_twice = (parameter.path == "kernel/hostname" && !config.hostname.empty()) ||
                           (parameter.path == "kernel/domainname" && !config.domainname.empty());
  if (named_twice)
    return fail(plan_error(REAPER_ERR_INVALID, pointer,
                           "/" + parameter.path.substr(parameter.path.find('/') + 1) + " names it already"));
  return {};
}

}  // namespace

Status plan_sysctl(const Config& config, const NamespacePlan& namespaces, std::vector<Operation>& out, Notes& notes) {
  for (const Sysctl& parameter : config.sysctl) {
    const std::string pointer = pointer_join("/linux/sysctl", parameter.name);
    TRY(notes.refusals.take(check_parameter(parameter, pointer, config, namespaces)));
    out.push_back({wire::Op::sysctl, pointer, {}, {parameter.path, parameter.value}});
  }
  return {};
}

}  // namespace reaper::planning
