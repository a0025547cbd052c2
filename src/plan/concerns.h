// What the files of this room hand to each other: one concern each, put into one order by plan.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "core/refusals.h"
#include "host/cgroups.h"
#include "host/facts.h"
#include "plan/plan.h"

namespace reaper::planning {

// What is noted while a plan is made.
struct Notes {
  std::vector<Warning> warnings;
  Refusals refusals;
};

// config_error() of the stage "plan".
Error plan_error(int code, std::string_view pointer, std::string_view message);

// PERMISSION: "needs CAP_SETUID, which this process lacks; <hint>".
Error lacks_capability(int capability, std::string_view pointer, std::string_view hint);

constexpr uint64_t capability_bit(int capability) {
  return uint64_t{1} << capability;
}

// reaper-init as execveat(2) makes it of the caller: the ids and sets that its operations start from. A lower bound
// where kernels differ.
struct InitState {
  uint32_t real_uid = 0, effective_uid = 0;  // the saved one is the effective one after any execve(2)
  uint32_t real_gid = 0, effective_gid = 0;
  CapabilitySets capabilities;
  bool has(int capability) const { return (capabilities.effective & capability_bit(capability)) != 0; }
};
InitState state_of_init(const ProcessFacts& facts);

// Who executes a file.
struct ExecIdentity {
  uint32_t real_uid = 0, effective_uid = 0;
  bool mixed = false;  // a real id differs from its effective one
  bool no_new_privs = false;
  uint32_t securebits = 0;
};
// What execve(2) makes of capability sets, for a file without capabilities and without set-id bits (capabilities(7)).
CapabilitySets after_execve(const CapabilitySets& sets, const ExecIdentity& identity);

struct IdentityPlan {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;  // sorted
  std::optional<Operation> set_groups, set_gid, set_uid;
};
// `gids`: the ranges of a new user namespace, or none.
Result<IdentityPlan> plan_identity(const Process& process, const ProcessFacts& facts, const InitState& init,
                                   Notes& notes, const std::vector<IdMapping>& gids = {});

struct CapabilityPlan {
  CapabilitySets before_exec;
  std::optional<Operation> inherit;  // see needs_early_inheritable()
  std::optional<Operation> keep, drop_bounding, set, set_ambient, unkeep;
  uint64_t extra = 0;  // that is permitted and effective too, until the filter is loaded
};
Result<CapabilityPlan> plan_capabilities(const Process& process, const ProcessFacts& facts, const InitState& init,
                                         const IdentityPlan& identity, Notes& notes, bool loads_filter = false);

// memory_policy.cpp
std::optional<Operation> plan_memory_policy(const std::optional<MemoryPolicy>& policy);

// seccomp.cpp, for any process that is about to execute a program. What it has to hold beside `target` until its filter
// is loaded; PERMISSION when that is not to be had.
Result<uint64_t> extra_for_filter(bool no_new_privs, const CapabilitySets& target, const InitState& init);
Operation plan_filter(const SeccompFilter& filter, uint64_t extra, const CapabilitySets& target);

// What the program is going to be, and the operation that compares it with what it is.
PlannedIdentity planned_identity(const Process& process, const ProcessFacts& facts, const IdentityPlan& ids,
                                 const CapabilitySets& sets);
// `extra` is what is permitted and effective as well by then.
Operation plan_verify(const PlannedIdentity& identity, const ProcessFacts& facts, std::string pointer,
                      uint64_t extra = 0);

struct RlimitPlan {
  std::vector<Operation> raise;  // with the caller's rights, where those of create are others
  std::vector<Operation> early;  // with the privileges of create
  std::vector<Operation> late;   // after the start was accepted
};
// `apart`: create has not the caller's rights, which `init` has.
Result<RlimitPlan> plan_rlimits(const Process& process, const ProcessFacts& facts, const InitState& init, Notes& notes,
                                bool apart = false);
// Whether limits or oomScoreAdj want rights that a new user namespace takes, and the caller has them.
bool wants_rights(const Process& process, const ProcessFacts& caller);

// The terminal of the program, which runs as `uid`.
Result<std::optional<Operation>> plan_terminal(const Process& process, const InitState& init, uint32_t uid);

// scheduler.cpp: process.scheduler and process.ioPriority.
Result<std::optional<Operation>> plan_scheduler(const Process& process, const ProcessFacts& facts,
                                                const InitState& init);
Result<std::optional<Operation>> plan_io_priority(const Process& process, const InitState& init);

// attributes.cpp: what hangs on the process besides its identity.
struct AttributePlan {
  std::vector<Operation> early;   // with the privileges of create
  std::vector<Operation> labels;  // of security modules, for the program's execve(2)
};
Result<AttributePlan> plan_attributes(const Config& config, const ProcessFacts& facts, const InitState& init,
                                      Notes& notes);
std::optional<Operation> plan_keyring(const PlanOptions& options);

// user_namespace.cpp: another user namespace than the caller's, and what the container's process is in it before it
// gives anything up.
struct UserNamespace {
  UserNamespaceMaps maps;        // of a new one
  bool joined = false;           // it is there already
  std::vector<Operation> enter;  // when this process is in it: become its root
  ProcessFacts inside;           // the caller's own where there is no other one
  bool is_other() const { return joined || maps.fresh; }
};
// The caller when it has become root in one with these ranges of groups.
ProcessFacts root_inside(const ProcessFacts& facts, const std::vector<IdMapping>& gids, bool setgroups_denied);
Result<UserNamespace> plan_user_namespace(const Config& config, const ProcessFacts& facts, Notes& notes);
// The same of one that stands, whose root reaper-init becomes (Op::become_root). `facts.id_maps` are needed for it.
struct EnteredUserNamespace {
  std::vector<IdMapping> gids;
  Operation become_root;
  ProcessFacts inside;
};
Result<EnteredUserNamespace> plan_entry(const Process& process, const UserNamespaceFacts& user,
                                        const ProcessFacts& facts, Notes& notes);
// What an id of the container is outside; nullopt: it is in no range.
std::optional<uint32_t> mapped_id(const std::vector<IdMapping>& mappings, uint32_t id);
uint64_t all_capabilities(int last);
// "0 100000 65536", as the kernel takes it.
std::string map_text(const std::vector<IdMapping>& mappings, std::string_view between);

// namespaces.cpp: linux.namespaces, hostname and domainname.
struct NamespacePlan {
  std::vector<Namespace> foreign;   // those that are not the caller's own
  uint64_t clone = 0;               // CLONE_NEW* flags: those that the process is cloned into
  std::vector<Operation> before;    // with the caller's rights: what has to be joined before anything else is made
  std::optional<Operation> beside;  // the clone that goes on behind that
  bool hide = false;                // others, who are not its caller, may find this process in what it joins
  std::vector<Operation> make;      // before the program's own environment is prepared
  std::optional<Operation> late;    // a new cgroup namespace, whose root is the cgroup that the process is in by then
  bool network_apart = false;       // a new network namespace is made by the library meanwhile: place_network()
};
// network.cpp: puts Op::network before the first operation that depends on which network namespace this process is in.
void place_network(std::vector<Operation>& namespaces, std::vector<Operation>& root);
// net_devices.cpp: what is moved into a network namespace; and whether the caller may. `caller`: outside of any new
// user namespace.
Status check_net_devices(const Config& config, const ProcessFacts& caller, Notes& notes);
void plan_net_devices(const Config& config, std::vector<Operation>& out);
// sysctl.cpp: what is set in them.
Status plan_sysctl(const Config& config, const NamespacePlan& namespaces, std::vector<Operation>& out, Notes& notes);
// What is wrong with a path that cannot be looked at.
Error refuse_path(const Error& cause, const std::string& pointer);
// Whether another mount namespace than the caller's is joined: all paths lead elsewhere there.
bool joins_mounts(const std::vector<Namespace>& foreign);
// Who makes them.
struct NamespaceMaker {
  const ProcessFacts& caller;
  const UserNamespace& user;
  bool rights = false;     // something else needs the caller's, which a new user namespace takes
  bool supervise = false;  // below a supervisor
  bool in_cgroup = false;  // that is made for the container, and pays for what is made in it
};
Result<NamespacePlan> plan_namespaces(const Config& config, const NamespaceMaker& maker, Notes& notes);

// The hooks of create run while init waits: everything but the program's own environment is made by then.
inline bool has_create_hooks(const Hooks& hooks) {
  return !hooks.of(HookKind::prestart).empty() || !hooks.of(HookKind::create_runtime).empty() ||
         !hooks.of(HookKind::create_container).empty();
}

// root.cpp, mounts.cpp, devices.cpp: a root of the container's own, and what is in it.
struct RootPlan {
  std::vector<Operation> make;  // up to and with the change of roots; empty: the host's root
  std::vector<Operation> late;  // what is hidden and made read-only, when everything is in place
};
Result<RootPlan> plan_root(const Config& config, const NamespacePlan& namespaces, const ProcessFacts& facts,
                           const std::vector<CgroupPlace>& places, const PlanOptions& options, Notes& notes);
std::vector<Operation> plan_mounts(const Config& config, bool own_cgroup_namespace, const CgroupFacts& cgroups,
                                   const std::vector<CgroupPlace>& places, const std::string& bundle);
// mount_ids.cpp: whether what asks for other ids may have them; the operation before such a mount. `own_user`: the
// container has another user namespace than the caller.
Status check_mount_ids(const Config& config, const ProcessFacts& caller, bool own_user, Notes& notes);
// Whether a mount has those of the container's user namespace.
bool maps_own_user(const Config& config);
Operation mount_ids_operation(const Mount& mount, const std::string& pointer);
// mount_labels.cpp: linux.mountLabel.
Status check_mount_label(const Config& config, const ProcessFacts& facts, Notes& notes);
// The mount with the option for it, or, where its file system has none, the operation that follows.
Mount labelled(Mount mount, const std::string& label);
std::optional<Operation> label_operation(const Mount& mount, const std::string& label, const std::string& pointer);
// `lends`: whoever carries the plan out may make no devices (mknod(2)).
std::vector<Operation> plan_devices(const Config& config, bool lends, Notes& notes);
bool has_cgroup_mount(const Config& config);
// `path`, or what it is below `bundle`.
std::string path_from(const std::string& bundle, const std::string& path);

// The annotation that makes this container the sandbox of a pod, if its program is the pause program: no image has it
// on the host, so that reaper-init takes its part. "": it is any other container.
std::string pause_annotation(const Config& config);
Operation plan_pause(const Process& process, const std::string& annotation);

// A place in every hierarchy; UNSUPPORTED when there is none, or the caller's own is not visible.
Result<std::vector<CgroupPlace>> plan_cgroups(const std::string& cgroups_path, const CgroupFacts& facts);
Operation cgroup_operation(const std::vector<CgroupPlace>& places);

// UNSUPPORTED: there is no resctrl. `id`: the container's.
Result<ResctrlPlace> plan_resctrl(const IntelRdt& rdt, const ProcessFacts& facts, const std::string& id);
Operation resctrl_operation(const ResctrlPlace& place);

// The program itself.
Operation plan_find(const Process& process);
// `listen_fds`, where there are any, replace what the configuration says of LISTEN_*.
Operation plan_exec(const Process& process, const PlanOptions& options);
std::optional<Operation> plan_listen(const PlanOptions& options);

}  // namespace reaper::planning
