// What hangs on the process besides its identity: personality, session keyring, labels of security modules; and the
// facts that these and the scheduler need.
#include <linux/capability.h>

#include <algorithm>

#include "plan/concerns.h"

namespace reaper {

Status read_asked_facts(const Config& config, ProcessFacts& facts) {
  if (config.cgroups_path || planning::has_cgroup_mount(config)) facts.cgroups = TRY(read_cgroup_facts());
  if (config.intel_rdt) facts.resctrl = TRY(read_resctrl_mount());
  if (!config.uid_mappings.empty() || !config.gid_mappings.empty()) facts.id_maps = read_id_map_facts();
  if (!config.mount_label.empty()) facts.labels = read_label_facts();
  if (config.root && !config.root->path.empty()) facts.in_initial_user_namespace = TRY(in_initial_user_namespace());
  const bool makes_user_namespace =
      std::ranges::find(config.namespaces, "user", &Namespace::type) != config.namespaces.end();
  // Who holds CAP_SETGID takes setgroups(2) for granted, and only then does somebody ask.
  const bool sets_groups = config.process.has_value() && config.process->user.has_value();
  const bool may = (facts.capabilities.effective & planning::capability_bit(CAP_SETGID)) != 0;
  if (may && (makes_user_namespace || sets_groups)) facts.setgroups_denied = TRY(read_setgroups_denied());
  if (!config.process.has_value()) return {};
  if (makes_user_namespace && config.process->oom_score_adj) facts.oom_score_adj = TRY(read_oom_score_adj());
  if (config.process->scheduler.has_value()) facts.scheduling = TRY(read_scheduling_facts());
  if (!config.process->apparmor_profile.empty() || !config.process->selinux_label.empty())
    facts.labels = read_label_facts();
  return {};
}

namespace planning {

namespace {

constexpr const char* profile_pointer = "/process/apparmorProfile";
constexpr const char* label_pointer = "/process/selinuxLabel";

// UNSUPPORTED where the kernel has no such security module, or it is off.
Status check_label(const char* pointer, std::string_view module, bool enabled, bool executes) {
  if (!enabled)
    return fail(plan_error(REAPER_ERR_UNSUPPORTED, pointer, std::string(module) + " is not enabled in this kernel"));
  if (!executes)
    return fail(plan_error(REAPER_ERR_UNSUPPORTED, pointer, "the built-in pause process executes nothing to label"));
  return {};
}

Status plan_labels(const Config& config, const ProcessFacts& facts, Notes& notes, std::vector<Operation>& labels) {
  const Process& process = *config.process;
  const bool executes = pause_annotation(config).empty();
  if (!process.apparmor_profile.empty()) {
    TRY(notes.refusals.take(check_label(profile_pointer, "AppArmor", facts.labels.apparmor, executes)));
    labels.push_back(
        {wire::Op::exec_label, profile_pointer, {wire::label_apparmor}, {"exec " + process.apparmor_profile}});
  }
  if (!process.selinux_label.empty()) {
    TRY(notes.refusals.take(check_label(label_pointer, "SELinux", facts.labels.selinux, executes)));
    labels.push_back({wire::Op::exec_label, label_pointer, {wire::label_selinux}, {process.selinux_label}});
  }
  return {};
}

}  // namespace

std::optional<Operation> plan_keyring(const PlanOptions& options) {
  if (options.session_keyring.empty()) return std::nullopt;
  return Operation{wire::Op::keyring, "", {}, {options.session_keyring}};
}

Result<AttributePlan> plan_attributes(const Config& config, const ProcessFacts& facts, const InitState& init,
                                      Notes& notes) {
  AttributePlan plan;
  std::optional<Operation> io_priority, scheduler;
  KEEP(notes.refusals, io_priority, plan_io_priority(*config.process, init));
  if (io_priority) plan.early.push_back(std::move(*io_priority));
  KEEP(notes.refusals, scheduler, plan_scheduler(*config.process, facts, init));
  if (scheduler) plan.early.push_back(std::move(*scheduler));
  if (auto policy = plan_memory_policy(config.memory_policy)) plan.early.push_back(std::move(*policy));
  if (config.personality)
    plan.early.push_back({wire::Op::personality, "/linux/personality", {*config.personality}, {}});
  TRY(plan_labels(config, facts, notes, plan.labels));
  return plan;
}

}  // namespace planning
}  // namespace reaper
