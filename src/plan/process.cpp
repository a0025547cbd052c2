// process.args and process.env -> find and exec.
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

}  // namespace

Operation plan_find(const Process& process) {
  return Operation{wire::Op::find, "/process/args/0", {}, {process.args[0], std::string(search_path(process.env))}};
}

Operation plan_exec(const Process& process) {
  Operation operation{wire::Op::exec, "/process/args", {process.args.size()}, process.args};
  operation.strings.insert(operation.strings.end(), process.env.begin(), process.env.end());
  return operation;
}

}  // namespace reaper::planning
