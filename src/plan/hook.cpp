// A hook as a plan of its own: a program that is what the caller of the library is, with nothing more of it than its
// standard descriptors.
#include <linux/capability.h>
#include <linux/sched.h>

#include "plan/concerns.h"

namespace reaper {

using namespace planning;

namespace {

// A pidfd may be used for this again and again.
void join(uint64_t flags, const std::string& pointer, Plan& plan) {
  if (flags != 0) plan.operations.push_back({wire::Op::join_process, pointer, {flags, hook_place_descriptor}, {}});
}

struct HookParts {
  IdentityPlan ids;
  CapabilityPlan capabilities;
};

void add(std::optional<Operation> operation, Plan& plan) {
  if (operation.has_value()) plan.operations.push_back(std::move(*operation));
}

// Whoever it is outside, it would be nobody in another user namespace: it is root there, as the container's process is
// until it gives that up.
void become(HookParts& parts, bool other_user, const ProcessFacts& facts, const std::string& pointer, Plan& plan) {
  if (other_user)
    plan.operations.push_back(
        {wire::Op::become_root, pointer, {facts.capabilities.permitted, facts.setgroups_denied ? 0U : 1U}, {}});
  add(std::move(parts.capabilities.inherit), plan);
  add(std::move(parts.capabilities.keep), plan);
  add(std::move(parts.ids.set_gid), plan);
  add(std::move(parts.ids.set_uid), plan);
}

}  // namespace

Result<Plan> make_hook_plan(const Hook& hook, const std::string& pointer, const std::string& directory,
                            const ProcessFacts& caller, const HookPlace& place) {
  // What was raised for the exec of reaper-init is given back, as for a process without `user` and `capabilities`.
  const Process process = {};
  const bool other_user = (place.namespaces & CLONE_NEWUSER) != 0;
  const ProcessFacts facts = other_user ? root_inside(caller, place.gids, place.setgroups_denied) : caller;
  const InitState init = state_of_init(facts);
  Plan plan;
  Notes notes;
  HookParts parts;
  parts.ids = TRY(plan_identity(process, facts, init, notes));
  parts.capabilities = TRY(plan_capabilities(process, facts, init, parts.ids, notes));
  plan.identity = planned_identity(process, facts, parts.ids, parts.capabilities.before_exec);

  // The hook may share its caller's uid, but nothing of what the two above it hold until they have given it up.
  add(Operation{wire::Op::not_dumpable, "", {}, {}}, plan);
  // A new pid namespace is a child's (setns(2)). The one above it stays outside: it finds processes in /proc. Who may
  // not join one here may do so in the name of the user namespace that it belongs to.
  uint64_t early = place.namespaces & CLONE_NEWPID;
  if (early != 0 && other_user && !state_of_init(caller).has(CAP_SYS_ADMIN)) early |= CLONE_NEWUSER;
  join(early, pointer, plan);
  add(Operation{wire::Op::report, pointer, {}, {}}, plan);
  // A session of its own: kill(0) does not reach the caller, and nothing can be pushed into its terminal (TIOCSTI).
  add(Operation{wire::Op::session, "", {}, {}}, plan);
  if (!other_user) become(parts, false, facts, pointer, plan);
  // The path is absolute: PATH says nothing.
  const Operation find{wire::Op::find, pointer + "/path", {}, {hook.path, ""}};
  if (!place.path_inside) add(find, plan);
  join(place.namespaces & ~early, pointer, plan);
  if (other_user && place.path_inside) become(parts, true, facts, pointer, plan);
  if (place.path_inside) add(find, plan);
  // As its caller: the root of another user namespace may have no way to the bundle.
  add(Operation{wire::Op::chdir, pointer, {}, {directory}}, plan);
  if (other_user && !place.path_inside) become(parts, true, facts, pointer, plan);
  add(std::move(parts.capabilities.set), plan);
  add(std::move(parts.capabilities.set_ambient), plan);
  add(std::move(parts.capabilities.unkeep), plan);
  add(Operation{wire::Op::signals, "", {}, {}}, plan);
  add(Operation{wire::Op::descriptors, "", {0}, {}}, plan);
  add(plan_verify(plan.identity, facts, pointer), plan);
  Operation exec{wire::Op::exec, pointer + "/path", {hook.args.size()}, hook.args};
  exec.strings.insert(exec.strings.end(), hook.env.begin(), hook.env.end());
  add(std::move(exec), plan);
  return plan;
}

}  // namespace reaper
