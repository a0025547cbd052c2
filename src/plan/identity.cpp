// process.user (config.md, User) -> setgroups, setresgid, setresuid. A call that would change nothing is left out, so
// that keeping one's own identity needs no privilege.
#include <linux/capability.h>

#include <algorithm>

#include "plan/concerns.h"

namespace reaper::planning {

namespace {

constexpr std::string_view hint = "run as root or leave out /process/user";

// A multi-set for setgroups(2), a set for access checks: [4, 4] asks for what [4] asks for.
std::vector<uint32_t> sorted_unique(std::vector<uint32_t> groups) {
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  return groups;
}

Result<std::optional<Operation>> plan_uid(uint32_t uid, const char* pointer, const ProcessFacts& facts,
                                          const InitState& init) {
  if (facts.real_uid == uid && facts.effective_uid == uid && facts.saved_uid == uid) return std::nullopt;
  // setresuid(2): without the capability, each id may become one of the present ones. The caller's saved one does not
  // count: execveat(2) has made it the effective one by then.
  if (uid != init.real_uid && uid != init.effective_uid && !init.has(CAP_SETUID))
    return fail(lacks_capability(CAP_SETUID, pointer, hint));
  return Operation{wire::Op::uid, pointer, {uid}, {}};
}

Result<std::optional<Operation>> plan_gid(uint32_t gid, const char* pointer, const ProcessFacts& facts,
                                          const InitState& init) {
  if (facts.real_gid == gid && facts.effective_gid == gid && facts.saved_gid == gid) return std::nullopt;
  if (gid != init.real_gid && gid != init.effective_gid && !init.has(CAP_SETGID))
    return fail(lacks_capability(CAP_SETGID, pointer, hint));
  return Operation{wire::Op::gid, pointer, {gid}, {}};
}

// With a `user`, the groups are exactly additionalGids: the primary gid is not added, and none of the caller's stays
// (CVE-2022-36109). The one exception needs our own ids, no additionalGids and no privilege to do better.
Status plan_groups(const User& user, const ProcessFacts& facts, const InitState& init,
                   const std::vector<IdMapping>& gids, IdentityPlan& plan, Notes& notes) {
  const bool asked = user.additional_gids.has_value();
  const std::string pointer = asked ? "/process/user/additionalGids" : "/process/user";
  std::vector<uint32_t> wanted = sorted_unique(user.additional_gids.value_or(std::vector<uint32_t>{}));
  plan.groups = facts.groups;
  if (wanted == sorted_unique(facts.groups)) return {};
  if (facts.setgroups_denied && asked)
    return fail(plan_error(REAPER_ERR_PERMISSION, pointer,
                           "the groups cannot be set: a user namespace whose group ids an ordinary user has mapped "
                           "denies setgroups(2); leave them out, or map more than one id by newgidmap"));
  if (facts.setgroups_denied || !init.has(CAP_SETGID)) {
    const bool own_ids = user.uid == facts.effective_uid && user.gid == facts.effective_gid;
    if (asked || (!own_ids && !facts.setgroups_denied)) return fail(lacks_capability(CAP_SETGID, pointer, hint));
    notes.warnings.push_back(
        {pointer, facts.setgroups_denied
                      ? "the supplementary groups of the caller are inherited: its user namespace denies setgroups(2)"
                      : "the supplementary groups of the caller are inherited: clearing them needs " +
                            capability_name(CAP_SETGID) + ", which this process lacks"});
    return {};
  }
  // The kernel keeps them sorted by what they are outside, and gives them back in that order.
  if (!gids.empty()) std::ranges::sort(wanted, {}, [&](uint32_t gid) { return mapped_id(gids, gid).value_or(gid); });
  Operation operation{wire::Op::groups, pointer, {}, {}};
  operation.numbers.assign(wanted.begin(), wanted.end());
  plan.set_groups = std::move(operation);
  plan.groups = std::move(wanted);
  return {};
}

}  // namespace

Result<IdentityPlan> plan_identity(const Process& process, const ProcessFacts& facts, const InitState& init,
                                   Notes& notes, const std::vector<IdMapping>& gids) {
  IdentityPlan plan;
  Refusals& refusals = notes.refusals;
  if (!process.user.has_value()) {
    // Inherited: the effective ids and the groups. Real and saved ids follow, so that nothing can be switched back.
    plan.uid = facts.effective_uid;
    plan.gid = facts.effective_gid;
    plan.groups = facts.groups;
    KEEP(refusals, plan.set_gid, plan_gid(plan.gid, "", facts, init));
    KEEP(refusals, plan.set_uid, plan_uid(plan.uid, "", facts, init));
    return plan;
  }
  const User& user = *process.user;
  plan.uid = user.uid;
  plan.gid = user.gid;
  // The uid first: it is what a person who may not do this thinks of.
  KEEP(refusals, plan.set_uid, plan_uid(user.uid, "/process/user/uid", facts, init));
  KEEP(refusals, plan.set_gid, plan_gid(user.gid, "/process/user/gid", facts, init));
  TRY(refusals.take(plan_groups(user, facts, init, gids, plan, notes)));
  return plan;
}

}  // namespace reaper::planning
