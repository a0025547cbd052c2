// process.capabilities (config.md, Capabilities) -> the five sets, bit for bit. reaper-init starts with more than the
// program may have (execve.cpp), so capset and ambient are always in the plan: nothing leaks for want of a request.
//
// The kernel's rules that decide here (capabilities(7), security/commoncap.c):
//  - PR_CAPBSET_DROP needs CAP_SETPCAP and touches no other set.
//  - setresuid(2) from 0 to another uid clears permitted, effective and ambient; SECBIT_KEEP_CAPS saves permitted,
//    SECBIT_NO_SETUID_FIXUP saves all three; inheritable stays in any case.
//  - capset(2): permitted inside permitted, effective inside the new permitted, inheritable inside inheritable |
//    permitted and inside inheritable | bounding, where bounding has been dropped by then.
//  - PR_CAP_AMBIENT_RAISE: inside permitted & inheritable, unless SECBIT_NO_CAP_AMBIENT_RAISE forbids all.
#include <linux/capability.h>
#include <linux/securebits.h>

#include "plan/concerns.h"

namespace reaper::planning {

namespace {

constexpr const char* all_pointer = "/process/capabilities";
constexpr const char* ambient_pointer = "/process/capabilities/ambient";
constexpr const char* bounding_pointer = "/process/capabilities/bounding";

struct NamedSet {
  const char* name;
  uint64_t CapabilitySets::* set;
};
constexpr NamedSet named_sets[] = {{"bounding", &CapabilitySets::bounding},
                                   {"effective", &CapabilitySets::effective},
                                   {"inheritable", &CapabilitySets::inheritable},
                                   {"permitted", &CapabilitySets::permitted},
                                   {"ambient", &CapabilitySets::ambient}};

// Whether setresuid(2) to `uid` makes the kernel clear permitted and ambient.
bool uid_change_clears(const ProcessFacts& facts, const InitState& init, const IdentityPlan& identity) {
  const bool leaves_root = (init.real_uid == 0 || init.effective_uid == 0) && identity.uid != 0;
  return identity.set_uid.has_value() && leaves_root && (facts.securebits & SECBIT_NO_SETUID_FIXUP) == 0;
}

// No `capabilities`: what any child of the caller would hold. inheritable and ambient are the caller's own again.
CapabilitySets inherited_sets(const ProcessFacts& facts, const InitState& init, const IdentityPlan& identity) {
  const CapabilitySets& own = facts.capabilities;
  CapabilitySets sets;
  sets.bounding = own.bounding;
  const bool same_uid = identity.uid == facts.effective_uid;
  if (!same_uid && identity.uid != 0) return sets;
  if (!uid_change_clears(facts, init, identity)) sets.permitted = own.permitted & init.capabilities.permitted;
  // cap_emulate_setxuid(): effective becomes permitted with uid 0.
  sets.effective = same_uid ? own.effective & sets.permitted : sets.permitted;
  if (!same_uid) return sets;
  sets.inheritable = own.inheritable;
  sets.ambient = own.ambient & sets.permitted & sets.inheritable;
  return sets;
}

// What is asked for as far as this process can grant it.
CapabilitySets grantable_sets(const CapabilitySets& asked, const ProcessFacts& facts, const InitState& init) {
  const CapabilitySets& held = init.capabilities;
  CapabilitySets sets;
  sets.bounding = asked.bounding & facts.capabilities.bounding;
  sets.permitted = asked.permitted & held.permitted;
  sets.effective = asked.effective & sets.permitted;
  sets.inheritable = asked.inheritable & (held.inheritable | (held.permitted & facts.capabilities.bounding));
  sets.ambient = asked.ambient & sets.permitted & sets.inheritable;
  return sets;
}

std::string why_not_granted(int capability, const ProcessFacts& facts) {
  if (capability > facts.last_capability) return "this kernel has no such capability";
  if ((facts.capabilities.bounding & capability_bit(capability)) == 0)
    return "it is outside this process's bounding set";
  return "this process does not hold it";
}

// config.md: a capability that cannot be granted is a warning and SHOULD NOT be an error.
void warn_of_missing(const CapabilitySets& asked, const CapabilitySets& granted, const ProcessFacts& facts,
                     std::vector<Warning>& warnings) {
  for (int capability = 0; capability < 64; ++capability) {
    std::string sets;
    std::string pointer;
    for (const NamedSet& row : named_sets) {
      if ((asked.*row.set & ~(granted.*row.set) & capability_bit(capability)) == 0) continue;
      pointer = sets.empty() ? std::string(all_pointer) + "/" + row.name : all_pointer;
      sets += (sets.empty() ? "" : ", ") + std::string(row.name);
    }
    if (sets.empty()) continue;
    warnings.push_back({pointer, capability_name(capability) + " cannot be granted and is left out of " + sets + ": " +
                                     why_not_granted(capability, facts)});
  }
}

// capset(2) for inheritable alone, before anything is given up: needed where the set cannot be had any more once the
// bounding set and the uid have changed.
bool needs_early_inheritable(const CapabilitySets& target, const InitState& init, bool permitted_is_kept) {
  const uint64_t permitted_then = permitted_is_kept ? init.capabilities.permitted : 0;
  return (target.inheritable & ~(init.capabilities.inheritable | (permitted_then & target.bounding))) != 0;
}

// Left out where SECBIT_NO_CAP_AMBIENT_RAISE forbids raising and the set is right without it.
Result<std::optional<Operation>> plan_ambient(const CapabilitySets& target, const ProcessFacts& facts,
                                              const InitState& init, bool cleared_by_uid, const char* pointer) {
  Operation operation{wire::Op::ambient, pointer, {target.ambient}, {}};
  if ((facts.securebits & SECBIT_NO_CAP_AMBIENT_RAISE) == 0 || target.ambient == 0) return operation;
  const uint64_t left = cleared_by_uid ? 0 : init.capabilities.ambient;
  if ((left & target.permitted & target.inheritable) == target.ambient) return std::nullopt;
  return fail(plan_error(REAPER_ERR_PERMISSION, pointer,
                         "the ambient set cannot be raised: the caller runs with SECBIT_NO_CAP_AMBIENT_RAISE; leave "
                         "out /process/capabilities/ambient"));
}

}  // namespace

Result<CapabilityPlan> plan_capabilities(const Process& process, const ProcessFacts& facts, const InitState& init,
                                         const IdentityPlan& identity, Notes& notes, bool loads_filter) {
  CapabilityPlan plan;
  CapabilitySets& target = plan.before_exec;
  const bool given = process.capabilities.has_value();
  if (given) {
    const Capabilities& sets = *process.capabilities;
    const CapabilitySets asked = {sets.permitted, sets.effective, sets.inheritable, sets.ambient, sets.bounding};
    target = grantable_sets(asked, facts, init);
    warn_of_missing(asked, target, facts, notes.warnings);
  } else {
    target = inherited_sets(facts, init, identity);
  }
  const char* pointer = given ? all_pointer : "";
  const bool no_new_privs = process.no_new_privileges || facts.no_new_privs;
  if (loads_filter) KEEP(notes.refusals, plan.extra, extra_for_filter(no_new_privs, target, init));

  if (target.bounding != facts.capabilities.bounding) {
    // To restrict less than asked is never a mere warning.
    if (!init.has(CAP_SETPCAP))
      TRY(notes.refusals.refuse(
          lacks_capability(CAP_SETPCAP, bounding_pointer, "run as root or leave out /process/capabilities")));
    const auto last = static_cast<uint64_t>(facts.last_capability);
    plan.drop_bounding = Operation{wire::Op::bounding, bounding_pointer, {target.bounding, last}, {}};
  }

  const bool clears = uid_change_clears(facts, init, identity);
  const bool keep = clears && (target.permitted | plan.extra) != 0;
  if (keep) {
    if ((facts.securebits & SECBIT_KEEP_CAPS_LOCKED) != 0)
      TRY(notes.refusals.refuse(plan_error(REAPER_ERR_PERMISSION, "/process/capabilities/permitted",
                                           "no capability survives the change of uid: the caller's securebits lock "
                                           "SECBIT_KEEP_CAPS; leave out /process/user or /process/capabilities")));
    plan.keep = Operation{wire::Op::keep_caps, pointer, {1}, {}};
    plan.unkeep = Operation{wire::Op::keep_caps, pointer, {0}, {}};
  }

  const CapabilitySets& held = init.capabilities;
  if (needs_early_inheritable(target, init, keep || !clears))
    plan.inherit = Operation{wire::Op::capabilities,
                             "/process/capabilities/inheritable",
                             {held.permitted, held.effective, held.inheritable | target.inheritable},
                             {}};
  plan.set = Operation{wire::Op::capabilities,
                       pointer,
                       {target.permitted | plan.extra, target.effective | plan.extra, target.inheritable},
                       {}};
  KEEP(notes.refusals, plan.set_ambient, plan_ambient(target, facts, init, clears, given ? ambient_pointer : ""));
  return plan;
}

}  // namespace reaper::planning
