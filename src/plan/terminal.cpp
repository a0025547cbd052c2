// process.terminal and process.consoleSize (config.md, Process).
#include <linux/capability.h>

#include "plan/concerns.h"

namespace reaper::planning {

Result<std::optional<Operation>> plan_terminal(const Process& process, const InitState& init, uint32_t uid) {
  if (!process.terminal.has_value()) return std::nullopt;
  // The kernel makes the slave init's own (devpts_pty_new), and a program that became another user could not open its
  // terminal again by name.
  if (uid != init.effective_uid && !init.has(CAP_CHOWN))
    return fail(lacks_capability(CAP_CHOWN, "/process/terminal",
                                 "run as root, or leave out /process/user: the terminal must belong to that user"));
  return Operation{
      wire::Op::terminal, "/process/terminal", {uid, process.terminal->rows, process.terminal->columns}, {}};
}

}  // namespace reaper::planning
