// The order of everything. Each line stands where it does for a reason; the sources are security.md's order of the drop
// and, for what each operation does, wire.h.
#include "plan/plan.h"

#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/securebits.h>

#include <algorithm>
#include <utility>

#include "plan/concerns.h"

namespace reaper {

namespace planning {

// What setresuid(2) leaves of the effective set (capabilities(7), Effect of user ID changes on capabilities).
static uint64_t effective_after_uid(const InitState& init, uint32_t uid, uint32_t securebits) {
  const bool changes = (securebits & SECBIT_NO_SETUID_FIXUP) == 0 && (init.effective_uid == 0) != (uid == 0);
  if (!changes) return init.capabilities.effective;
  return uid == 0 ? init.capabilities.permitted : 0;
}

PlannedIdentity planned_identity(const Process& process, const ProcessFacts& facts, const IdentityPlan& ids,
                                 const CapabilitySets& sets) {
  PlannedIdentity identity;
  identity.uid = ids.uid;
  identity.gid = ids.gid;
  identity.groups = ids.groups;
  identity.looks_up_with = effective_after_uid(state_of_init(facts), ids.uid, facts.securebits);
  identity.before_exec = sets;
  identity.no_new_privs = process.no_new_privileges || facts.no_new_privs;
  identity.securebits = facts.securebits & ~uint32_t{SECBIT_KEEP_CAPS};  // every execve(2) clears it, init's too
  ExecIdentity exec;
  exec.real_uid = exec.effective_uid = ids.uid;
  exec.no_new_privs = identity.no_new_privs;
  exec.securebits = identity.securebits;
  identity.after_exec = after_execve(sets, exec);
  return identity;
}

Operation plan_verify(const PlannedIdentity& identity, const ProcessFacts& facts, std::string pointer, uint64_t extra) {
  CapabilitySets sets = identity.before_exec;
  sets.permitted |= extra;
  sets.effective |= extra;
  uint64_t flags = 0;
  if (identity.uid != 0 && (sets.permitted & capability_bit(CAP_SETUID)) == 0) flags |= wire::verify_no_regain_uid;
  if ((sets.permitted & capability_bit(CAP_SETGID)) == 0)
    flags |= wire::verify_no_regain_groups | (identity.gid != 0 ? wire::verify_no_regain_gid : 0);
  Operation operation{wire::Op::verify, std::move(pointer), {}, {}};
  operation.numbers = {
      identity.uid,          identity.gid,        sets.permitted, sets.effective,
      sets.inheritable,      sets.ambient,        sets.bounding,  static_cast<uint64_t>(facts.last_capability),
      identity.no_new_privs, identity.securebits, flags};
  operation.numbers.insert(operation.numbers.end(), identity.groups.begin(), identity.groups.end());
  return operation;
}

}  // namespace planning

namespace {

using namespace planning;

void add(Plan& plan, std::optional<Operation> operation) {
  if (operation.has_value()) plan.operations.push_back(std::move(*operation));
}

void add(Plan& plan, std::vector<Operation> operations) {
  for (Operation& operation : operations) plan.operations.push_back(std::move(operation));
}

void add(Plan& plan, wire::Op op, std::string pointer = "", std::vector<uint64_t> numbers = {},
         std::vector<std::string> strings = {}) {
  plan.operations.push_back({op, std::move(pointer), std::move(numbers), std::move(strings)});
}

// Strict mode: the first warning is the error.
Status refuse_warnings(const std::vector<Warning>& warnings, bool strict) {
  if (!strict || warnings.empty()) return {};
  return fail(plan_error(REAPER_ERR_INVALID, warnings.front().pointer, warnings.front().message));
}

// What is written to files of /proc, which a root of the container's own may not have.
void plan_proc_files(const Process& process, std::vector<Operation> labels, Plan& plan) {
  if (process.oom_score_adj.has_value()) {
    const auto value = static_cast<uint64_t>(int64_t{*process.oom_score_adj});
    add(plan, wire::Op::oom_score_adj, "/process/oomScoreAdj", {value});
  }
  add(plan, std::move(labels));
}

// The operation without which linux.seccomp would be passed over.
Result<std::optional<Operation>> plan_seccomp(const Config& config, const PlanOptions& options,
                                              const CapabilityPlan& capabilities, Notes& notes) {
  if (!config.seccomp) return std::nullopt;
  if (!options.filter) return fail(plan_error(REAPER_ERR_INTERNAL, "/linux/seccomp", "nobody has compiled the filter"));
  const std::vector<Warning>& warnings = options.filter->warnings;
  notes.warnings.insert(notes.warnings.end(), warnings.begin(), warnings.end());
  return plan_filter(*options.filter, capabilities.extra, capabilities.before_exec);
}

// What is made before the program's own environment is prepared.
struct Surroundings {
  std::vector<Operation> namespaces;
  RootPlan root;
  bool own_user = false;  // another user namespace than the caller's is among them
  // The files of /proc are another's, or another procfs's, when these are made.
  bool proc_files_first = false;
  // What the caller's rights are for, and then the clone into the rest; where in the plan.
  bool has_first = false;
  std::vector<Operation> first;
  size_t first_at = 0;
};

// Operations that only the caller may do, in front of what takes its rights.
void insert_first(Surroundings& around, Plan own, Plan& plan) {
  add(own, std::move(around.first));
  plan.operations.insert(plan.operations.begin() + static_cast<ptrdiff_t>(around.first_at),
                         std::make_move_iterator(own.operations.begin()),
                         std::make_move_iterator(own.operations.end()));
}

// Namespaces, root and terminal. True: files of /proc are written, and the labels with them.
bool plan_surroundings(const Process& process, Surroundings& around, std::optional<Operation> terminal,
                       std::vector<Operation>& labels, Plan& plan) {
  RootPlan& root = around.root;
  const bool has_root = !root.make.empty();
  if (around.proc_files_first && !around.has_first) plan_proc_files(process, std::exchange(labels, {}), plan);
  add(plan, std::move(around.namespaces));
  if (has_root && !around.proc_files_first) plan_proc_files(process, std::exchange(labels, {}), plan);
  add(plan, std::move(root.make));
  const bool console = terminal.has_value() && has_root;
  add(plan, std::move(terminal));
  if (console) add(plan, wire::Op::console, "/process/terminal");
  add(plan, std::move(root.late));
  return has_root || around.proc_files_first;
}

// Bounding and groups need capabilities that the uid takes with it; the uid decides what capset may do.
void add_drop(CapabilityPlan& capabilities, IdentityPlan& ids, Plan& plan) {
  add(plan, std::move(capabilities.inherit));
  add(plan, std::move(capabilities.keep));
  add(plan, std::move(capabilities.drop_bounding));
  add(plan, std::move(ids.set_groups));
  add(plan, std::move(ids.set_gid));
  add(plan, std::move(ids.set_uid));
}

Status plan_process(const Config& config, const ProcessFacts& caller, const ProcessFacts& facts,
                    const PlanOptions& options, Surroundings around, Plan& plan, Notes& notes) {
  const Process& process = *config.process;
  const std::string pause = pause_annotation(config);
  const InitState init = state_of_init(facts);
  // Limits and scheduling are the host's: the root of another user namespace has no rights there.
  InitState outside = init;
  if (around.own_user) outside.capabilities = {};
  const InitState limiting = around.has_first ? state_of_init(caller) : outside;
  IdentityPlan ids = TRY(plan_identity(process, facts, init, notes, config.gid_mappings));
  CapabilityPlan capabilities = TRY(plan_capabilities(process, facts, init, ids, notes, config.seccomp != nullptr));
  RlimitPlan rlimits = TRY(plan_rlimits(process, facts, limiting, notes, around.has_first));
  AttributePlan attributes = TRY(plan_attributes(config, facts, outside, notes));
  plan.identity = planned_identity(process, facts, ids, capabilities.before_exec);

  std::optional<Operation> filter;
  KEEP(notes.refusals, filter, plan_seccomp(config, options, capabilities, notes));
  std::optional<Operation> terminal;
  KEEP(notes.refusals, terminal, plan_terminal(process, init, ids.uid));
  if (around.has_first) {
    Plan own;
    add(own, std::move(rlimits.raise));
    plan_proc_files(process, std::exchange(attributes.labels, {}), own);
    insert_first(around, std::move(own), plan);
  }
  const bool proc_files_first = plan_surroundings(process, around, std::move(terminal), attributes.labels, plan);
  if (!pause.empty()) plan.identity.after_exec = plan.identity.before_exec;  // there is no execve

  // With the privileges that init starts with.
  add(plan, std::move(rlimits.early));
  add(plan, std::move(attributes.early));
  if (!proc_files_first) plan_proc_files(process, {}, plan);
  // From here on nobody may trace it or open its /proc files, init's own oom_score_adj included.
  add(plan, wire::Op::not_dumpable);
  add(plan, plan_keyring(options));
  if (process.user.has_value() && process.user->umask.has_value())
    add(plan, wire::Op::umask, "/process/user/umask", {*process.user->umask});
  if (!proc_files_first) add(plan, std::move(attributes.labels));

  add_drop(capabilities, ids, plan);
  // As the target user: NFS maps root to nobody, and root may look where the user may not.
  add(plan, wire::Op::chdir, "/process/cwd", {}, {process.cwd});
  if (pause.empty()) add(plan, plan_find(process));

  add(plan, std::move(capabilities.set));
  add(plan, std::move(capabilities.set_ambient));
  add(plan, std::move(capabilities.unkeep));
  if (process.no_new_privileges) add(plan, wire::Op::no_new_privs, "/process/noNewPrivileges");

  add(plan, wire::Op::wait);

  add(plan, std::move(rlimits.late));
  add(plan, wire::Op::signals);
  add(plan, wire::Op::descriptors, "", {options.extra_fds});
  add(plan, plan_verify(plan.identity, facts, "/process", capabilities.extra));
  if (pause.empty()) add(plan, plan_listen(options));
  add(plan, std::move(filter));
  add(plan, pause.empty() ? plan_exec(process, options) : plan_pause(process, pause));
  return {};
}

// For a config without `process`: the container is what its creator is, and start is an error.
PlannedIdentity unchanged_identity(const ProcessFacts& facts) {
  PlannedIdentity identity;
  identity.uid = facts.effective_uid;
  identity.gid = facts.effective_gid;
  identity.groups = facts.groups;
  identity.before_exec = facts.capabilities;
  identity.after_exec = facts.capabilities;
  identity.no_new_privs = facts.no_new_privs;
  identity.securebits = facts.securebits;
  return identity;
}

// The supervisor, and what the library's clone, or its, makes.
void plan_birth(const NamespacePlan& namespaces, const PlanOptions& options, Plan& plan) {
  if (!options.supervise) {
    plan.clone_namespaces = namespaces.clone;
    return;
  }
  if (namespaces.beside)
    add(plan, wire::Op::supervise_beside);
  else
    add(plan, wire::Op::supervise, "", {namespaces.clone});
  // It stays in a session of its own, so that no terminal's signals reach it.
  add(plan, wire::Op::session);
}

// What is joined before anything is made, and the clone that goes on there.
std::vector<Operation> plan_first(NamespacePlan& namespaces) {
  std::vector<Operation> first;
  // Nobody there may trace it (CVE-2016-9962).
  if (namespaces.hide) first.push_back({wire::Op::not_dumpable, "", {}, {}});
  for (Operation& operation : namespaces.before) first.push_back(std::move(operation));
  if (!namespaces.beside) return first;
  first.push_back(std::move(*namespaces.beside));
  first.push_back({wire::Op::session, "", {}, {}});  // of its own: the other one's leader is gone
  return first;
}

Status plan_config(const Config& config, const ProcessFacts& caller, const PlanOptions& options, Plan& plan,
                   Notes& notes) {
  TRY(refuse_warnings(notes.warnings, options.strict));
  UserNamespace user = TRY(plan_user_namespace(config, caller, notes));
  const ProcessFacts& facts = user.inside;
  TRY(check_mount_ids(config, caller, user.is_other(), notes));
  TRY(check_mount_label(config, caller, notes));
  plan.maps = std::move(user.maps);
  const bool rights = config.process.has_value() && wants_rights(*config.process, caller);
  const bool in_cgroup = config.cgroups_path.has_value() && !options.no_cgroup;
  NamespacePlan namespaces = TRY(plan_namespaces(config, {caller, user, rights, options.supervise, in_cgroup}, notes));
  TRY(check_net_devices(config, caller, notes));
  plan.namespaces = namespaces.foreign;
  plan.hooks = config.hooks;
  // A session of its own: the workload must not have the caller's terminal (TIOCSTI, CVE-2017-5226). The gate before
  // anything is given up: the state directory is the caller's.
  add(plan, wire::Op::session);
  plan_birth(namespaces, options, plan);
  Surroundings around;
  around.first = plan_first(namespaces);
  around.has_first = !around.first.empty();
  around.first_at = plan.operations.size();
  if (in_cgroup) {
    // Before what depends on it: processor affinity is reset by a cpuset, real-time scheduling needs a share.
    KEEP(notes.refusals, plan.cgroups, plan_cgroups(*config.cgroups_path, facts.cgroups));
    add(plan, cgroup_operation(plan.cgroups));
  }
  if (config.intel_rdt) {
    KEEP(notes.refusals, plan.resctrl, plan_resctrl(*config.intel_rdt, facts, options.id));
    if (plan.resctrl) add(plan, resctrl_operation(*plan.resctrl));
  }
  around.root = TRY(plan_root(config, namespaces, facts, plan.cgroups, options, notes));
  around.own_user = user.is_other();
  around.proc_files_first = around.own_user || around.has_first || joins_mounts(namespaces.foreign);
  around.namespaces = std::move(user.enter);
  for (Operation& operation : namespaces.make) around.namespaces.push_back(std::move(operation));
  if (namespaces.late) around.namespaces.push_back(std::move(*namespaces.late));
  if (around.root.make.empty() && !plan.namespaces.empty() && has_create_hooks(config.hooks))
    around.namespaces.push_back({wire::Op::hooks, "/hooks", {}, {}});
  if (namespaces.network_apart) place_network(around.namespaces, around.root.make);
  add(plan, wire::Op::gate);
  if (config.process.has_value()) {
    TRY(plan_process(config, caller, facts, options, std::move(around), plan, notes));
  } else {
    plan.identity = unchanged_identity(facts);
    insert_first(around, {}, plan);
    add(plan, std::move(around.namespaces));
    add(plan, std::move(around.root.make));
    add(plan, std::move(around.root.late));
    add(plan, wire::Op::not_dumpable);
    add(plan, wire::Op::wait);
  }
  return refuse_warnings(notes.warnings, options.strict);
}

}  // namespace

Result<Plan> make_plan(const Config& config, const ProcessFacts& facts, const PlanOptions& options) {
  Plan plan;
  Notes notes = {config.warnings, {}};
  TRY(plan_config(config, facts, options, plan, notes));
  plan.warnings = std::move(notes.warnings);
  return plan;
}

PlanDiagnosis diagnose_plan(const Config& config, const ProcessFacts& facts, const PlanOptions& options) {
  PlanDiagnosis diagnosis;
  Notes notes = {config.warnings, {}};
  notes.refusals.collect();
  PlanOptions lenient = options;
  lenient.strict = false;
  (void)notes.refusals.take(plan_config(config, facts, lenient, diagnosis.plan, notes));
  diagnosis.plan.warnings = std::move(notes.warnings);
  diagnosis.errors = notes.refusals.noted();
  return diagnosis;
}

const Operation* find_operation(const Plan& plan, wire::Op op) {
  const auto found = std::ranges::find(plan.operations, op, &Operation::op);
  return found == plan.operations.end() ? nullptr : &*found;
}

}  // namespace reaper
