// process.args and process.env -> find, listen and exec.
#include <algorithm>
#include <iterator>

#include "plan/concerns.h"

namespace reaper::planning {

namespace {

// execvp(3) without PATH in the environment: confstr(_CS_PATH) of glibc, which has no current directory in it.
constexpr std::string_view default_path = "/bin:/usr/bin";

// The first entry, as getenv(3) takes it.
std::string_view search_path(const std::vector<std::string>& env) {
  constexpr std::string_view name = "PATH=";
  for (const std::string& entry : env)
    if (entry.starts_with(name)) return std::string_view(entry).substr(name.size());
  return default_path;
}

// What sd_listen_fds(3) and its relatives read. LISTEN_PIDFDID: systemd 258.
bool announces_sockets(std::string_view entry) {
  const std::string_view name = entry.substr(0, entry.find('='));
  return name == "LISTEN_FDS" || name == "LISTEN_PID" || name == "LISTEN_FDNAMES" || name == "LISTEN_PIDFDID";
}

}  // namespace

Operation plan_find(const Process& process) {
  return Operation{wire::Op::find, "/process/args/0", {}, {process.args[0], std::string(search_path(process.env))}};
}

std::optional<Operation> plan_listen(const PlanOptions& options) {
  if (options.listen_fds == 0) return std::nullopt;
  return Operation{wire::Op::listen, "", {options.listen_fds}, {}};
}

Operation plan_exec(const Process& process, const PlanOptions& options) {
  Operation operation{wire::Op::exec, "/process/args", {process.args.size()}, process.args};
  std::vector<std::string>& strings = operation.strings;
  if (options.listen_fds == 0) {
    strings.insert(strings.end(), process.env.begin(), process.env.end());
    return operation;
  }
  std::copy_if(process.env.begin(), process.env.end(), std::back_inserter(strings),
               [](const std::string& entry) { return !announces_sockets(entry); });
  // LISTEN_PID is init's to add: it alone knows its pid as the program will see it.
  strings.push_back("LISTEN_FDS=" + std::to_string(options.listen_fds));
  if (!options.listen_names.empty()) strings.push_back("LISTEN_FDNAMES=" + options.listen_names);
  return operation;
}

}  // namespace reaper::planning
