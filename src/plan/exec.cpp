// A further process in a running container, as a plan of its own. Its identity is made and compared as that of the
// container's first process is; what it is put into stands already.
#include <linux/capability.h>
#include <linux/sched.h>

#include "plan/concerns.h"

namespace reaper {

using namespace planning;

namespace {

constexpr const char* namespaces_pointer = "/linux/namespaces";

// config.md, Linux Process: the first before the move to the container's cgroup, the second after it; neither where it
// is not asked for.
std::optional<Operation> plan_affinity(const std::vector<CpuRange>& ranges, const char* member) {
  constexpr uint32_t word_bits = 64;
  if (ranges.empty()) return std::nullopt;
  Operation operation{wire::Op::affinity, std::string("/process/execCPUAffinity/") + member, {}, {""}};
  std::string& list = operation.strings[0];
  for (const CpuRange& range : ranges) {
    if (operation.numbers.size() <= range.last / word_bits) operation.numbers.resize(range.last / word_bits + 1);
    for (uint32_t word = range.first / word_bits; word <= range.last / word_bits; ++word) {
      const uint32_t from = word == range.first / word_bits ? range.first % word_bits : 0;
      const uint32_t to = word == range.last / word_bits ? range.last % word_bits : word_bits - 1;
      operation.numbers[word] |= ~uint64_t{0} >> (word_bits - 1 - to) & ~uint64_t{0} << from;
    }
    if (!list.empty()) list += ',';
    list += std::to_string(range.first);
    if (range.last != range.first) list += "-" + std::to_string(range.last);
  }
  return operation;
}

// Of a user namespace and what belongs to it the kernel knows best who may join: whoever made it may, without any
// capability here.
Status check_rights(const InitState& init, const ExecPlanOptions& options) {
  constexpr const char* hint = "run as who may join the namespaces of the container";
  const bool own_user = (options.namespaces & CLONE_NEWUSER) != 0;
  const uint64_t namespaces = own_user ? options.outer_namespaces : options.namespaces;
  if (namespaces == 0) return {};
  if (!init.has(CAP_SYS_ADMIN)) return fail(lacks_capability(CAP_SYS_ADMIN, namespaces_pointer, hint));
  // setns(2): a mount namespace brings its root with it.
  if ((namespaces & CLONE_NEWNS) != 0 && !init.has(CAP_SYS_CHROOT))
    return fail(lacks_capability(CAP_SYS_CHROOT, namespaces_pointer, hint));
  return {};
}

// What plan_exec_process() puts together.
struct Parts {
  std::optional<Operation> become_root;
  ProcessFacts inside;  // the caller's own, or those of the root of a user namespace
  IdentityPlan ids;
  CapabilityPlan capabilities;
  RlimitPlan rlimits;
  AttributePlan attributes;
  std::optional<Operation> terminal;
};

Result<Parts> plan_parts(const Config& config, const ProcessFacts& caller, const ExecPlanOptions& options,
                         Notes& notes) {
  const Process& process = *config.process;
  Parts parts;
  parts.inside = caller;
  std::vector<IdMapping> gids;
  InitState outside = state_of_init(caller);
  if ((options.namespaces & CLONE_NEWUSER) != 0) {
    EnteredUserNamespace entered = TRY(plan_entry(process, options.user, caller, notes));
    parts.become_root = std::move(entered.become_root);
    parts.inside = std::move(entered.inside);
    gids = std::move(entered.gids);
    outside.capabilities = {};  // limits and scheduling are the host's, where its root has no rights
  }
  const ProcessFacts& facts = parts.inside;
  const InitState init = state_of_init(facts);
  parts.ids = TRY(plan_identity(process, facts, init, notes, gids));
  parts.capabilities = TRY(plan_capabilities(process, facts, init, parts.ids, notes, options.filter != nullptr));
  parts.rlimits = TRY(plan_rlimits(process, facts, outside, notes));
  parts.attributes = TRY(plan_attributes(config, facts, outside, notes));
  parts.terminal = TRY(plan_terminal(process, init, parts.ids.uid));
  return parts;
}

// Collects operations.
struct List {
  std::vector<Operation>& operations;
  void add(std::optional<Operation> operation) {
    if (operation.has_value()) operations.push_back(std::move(*operation));
  }
  void add(std::vector<Operation> more) {
    for (Operation& operation : more) operations.push_back(std::move(operation));
  }
  void add(wire::Op op, std::string pointer = "", std::vector<uint64_t> numbers = {},
           std::vector<std::string> strings = {}) {
    operations.push_back({op, std::move(pointer), std::move(numbers), std::move(strings)});
  }
};

// Up to the container's namespaces: what is taken from the caller's view, or would be the container's to forge later.
void plan_arrival(const Process& process, const ExecPlanOptions& options, Parts& parts, List list) {
  list.add(wire::Op::session);
  if (process.exec_cpu_affinity) list.add(plan_affinity(process.exec_cpu_affinity->initial, "initial"));
  if (!options.cgroups.empty()) list.add(cgroup_operation(options.cgroups));
  if (options.resctrl) list.add(resctrl_operation(*options.resctrl));
  if (process.exec_cpu_affinity) list.add(plan_affinity(process.exec_cpu_affinity->final, "final"));
  if (process.oom_score_adj.has_value())
    list.add(wire::Op::oom_score_adj, "/process/oomScoreAdj", {static_cast<uint64_t>(int64_t{*process.oom_score_adj})});
  list.add(std::move(parts.attributes.labels));
  // Before it joins anything: nobody in the container may trace it (CVE-2016-9962).
  list.add(wire::Op::not_dumpable);
  const bool own_user = (options.namespaces & CLONE_NEWUSER) != 0;
  const uint64_t outer = own_user ? options.outer_namespaces : 0;
  if (outer != 0) list.add(wire::Op::enter_outer, namespaces_pointer, {outer});
  if (options.namespaces != 0) list.add(wire::Op::enter, namespaces_pointer, {options.namespaces & ~outer});
  list.add(std::move(parts.become_root));
  if ((options.namespaces & CLONE_NEWPID) == 0) return;
  list.add(wire::Op::beside, namespaces_pointer);
  list.add(wire::Op::session);  // of its own: the other one's leader is gone
}

void plan_departure(const Process& process, Parts parts, const ExecPlanOptions& options, const Plan& plan, List list) {
  PlanOptions shared;
  shared.session_keyring = options.session_keyring;
  list.add(std::move(parts.terminal));
  list.add(std::move(parts.rlimits.early));
  list.add(std::move(parts.attributes.early));
  list.add(plan_keyring(shared));
  if (process.user.has_value() && process.user->umask.has_value())
    list.add(wire::Op::umask, "/process/user/umask", {*process.user->umask});

  std::optional<Operation> filter;
  if (options.filter) filter = plan_filter(*options.filter, parts.capabilities.extra, parts.capabilities.before_exec);
  list.add(std::move(parts.capabilities.inherit));
  list.add(std::move(parts.capabilities.keep));
  list.add(std::move(parts.capabilities.drop_bounding));
  list.add(std::move(parts.ids.set_groups));
  list.add(std::move(parts.ids.set_gid));
  list.add(std::move(parts.ids.set_uid));
  list.add(wire::Op::chdir, "/process/cwd", {}, {process.cwd});
  list.add(plan_find(process));
  list.add(std::move(parts.capabilities.set));
  list.add(std::move(parts.capabilities.set_ambient));
  list.add(std::move(parts.capabilities.unkeep));
  if (process.no_new_privileges) list.add(wire::Op::no_new_privs, "/process/noNewPrivileges");
  list.add(wire::Op::ready);

  list.add(std::move(parts.rlimits.late));
  list.add(wire::Op::signals);
  list.add(wire::Op::descriptors, "", {options.extra_fds});
  list.add(plan_verify(plan.identity, parts.inside, "/process", parts.capabilities.extra));
  list.add(std::move(filter));
  list.add(plan_exec(process, shared));
}

}  // namespace

Result<Plan> make_exec_plan(const ExecProcess& exec, const ProcessFacts& facts, const ExecPlanOptions& options) {
  Config config;
  config.process = exec.process;
  config.personality = options.personality;
  config.memory_policy = options.memory_policy;
  Plan plan;
  Notes notes = {exec.warnings, {}};
  TRY(check_rights(state_of_init(facts), options));
  Parts parts = TRY(plan_parts(config, facts, options, notes));
  plan.cgroups = options.cgroups;
  plan.identity = planned_identity(exec.process, parts.inside, parts.ids, parts.capabilities.before_exec);
  plan_arrival(exec.process, options, parts, {plan.operations});
  plan_departure(exec.process, std::move(parts), options, plan, {plan.operations});
  plan.warnings = std::move(notes.warnings);
  if (options.strict && !plan.warnings.empty())
    return fail(plan_error(REAPER_ERR_INVALID, plan.warnings.front().pointer, plan.warnings.front().message));
  return plan;
}

}  // namespace reaper
