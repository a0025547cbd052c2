// A hook as a plan of its own: a program that is what the caller of the library is, with nothing more of it than its
// standard descriptors.
#include <linux/sched.h>

#include "plan/concerns.h"

namespace reaper {

using namespace planning;

Result<Plan> make_hook_plan(const Hook& hook, const std::string& pointer, const std::string& directory,
                            const ProcessFacts& facts, const HookPlace& place) {
  // What was raised for the exec of reaper-init is given back, as for a process without `user` and `capabilities`.
  const Process process = {};
  const InitState init = state_of_init(facts);
  Plan plan;
  Notes notes;
  IdentityPlan ids = TRY(plan_identity(process, facts, init, notes));
  CapabilityPlan capabilities = TRY(plan_capabilities(process, facts, init, ids, notes));
  plan.identity = planned_identity(process, facts, ids, capabilities.before_exec);
  const auto add = [&plan](std::optional<Operation> operation) {
    if (operation.has_value()) plan.operations.push_back(std::move(*operation));
  };

  const auto join = [&](uint64_t flags) {
    if (flags != 0) add(Operation{wire::Op::join_process, pointer, {flags, hook_place_descriptor}, {}});
  };

  // The hook may share its caller's uid, but nothing of what the two above it hold until they have given it up.
  add(Operation{wire::Op::not_dumpable, "", {}, {}});
  // A new pid namespace is a child's (setns(2)). The one above it stays outside: it finds processes in /proc.
  join(place.namespaces & CLONE_NEWPID);
  add(Operation{wire::Op::report, pointer, {}, {}});
  // A session of its own: kill(0) does not reach the caller, and nothing can be pushed into its terminal (TIOCSTI).
  add(Operation{wire::Op::session, "", {}, {}});
  add(std::move(capabilities.inherit));
  add(std::move(capabilities.keep));
  add(std::move(ids.set_gid));
  add(std::move(ids.set_uid));
  if (place.path_inside) join(place.namespaces & ~uint64_t{CLONE_NEWPID});
  // The path is absolute: PATH says nothing.
  add(Operation{wire::Op::find, pointer + "/path", {}, {hook.path, ""}});
  if (!place.path_inside) join(place.namespaces & ~uint64_t{CLONE_NEWPID});
  add(Operation{wire::Op::chdir, pointer, {}, {directory}});
  add(std::move(capabilities.set));
  add(std::move(capabilities.set_ambient));
  add(std::move(capabilities.unkeep));
  add(Operation{wire::Op::signals, "", {}, {}});
  add(Operation{wire::Op::descriptors, "", {0}, {}});
  add(plan_verify(plan.identity, facts, pointer));
  Operation exec{wire::Op::exec, pointer + "/path", {hook.args.size()}, hook.args};
  exec.strings.insert(exec.strings.end(), hook.env.begin(), hook.env.end());
  add(std::move(exec));
  return plan;
}

}  // namespace reaper
