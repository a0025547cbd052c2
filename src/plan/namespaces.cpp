// linux.namespaces (config-linux.md, Namespaces), hostname and domainname. A path that leads to our own namespace is
// satisfied (a pod on the host's network is given such paths).
#include <linux/capability.h>
#include <linux/sched.h>
#include <sys/mount.h>

#include <algorithm>

#include "core/json.h"
#include "plan/concerns.h"

namespace reaper::planning {

namespace {

enum class Support : uint8_t { fresh, fresh_or_joined };

struct Type {
  std::string_view name;
  std::string_view link;  // in /proc/thread-self/ns: the one that a new child is in
  uint64_t flag;
  Support support;
};
constexpr Type types[] = {{"pid", "pid_for_children", CLONE_NEWPID, Support::fresh},
                          {"network", "net", CLONE_NEWNET, Support::fresh_or_joined},
                          {"mount", "mnt", CLONE_NEWNS, Support::fresh_or_joined},
                          {"ipc", "ipc", CLONE_NEWIPC, Support::fresh_or_joined},
                          {"uts", "uts", CLONE_NEWUTS, Support::fresh_or_joined},
                          {"user", "user", CLONE_NEWUSER, Support::fresh},
                          {"cgroup", "cgroup", CLONE_NEWCGROUP, Support::fresh_or_joined},
                          {"time", "time_for_children", CLONE_NEWTIME, Support::fresh_or_joined}};

const Type& type_of(const Namespace& wanted) {
  return *std::ranges::find(types, wanted.type, &Type::name);  // read_namespaces() knows the same names
}

Error refuse_path(const Error& cause, const std::string& pointer) {
  const bool wrong_path = cause.sys_errno == ENOENT || cause.sys_errno == ENOTDIR || cause.sys_errno == ELOOP;
  Error error = plan_error(wrong_path ? REAPER_ERR_INVALID : cause.code, pointer, cause.message);
  error.sys_errno = cause.sys_errno;
  return error;
}

// Whether it is another one than the caller's, which this build can make or join.
Result<bool> is_foreign(const Namespace& wanted, const std::string& pointer) {
  const Type& type = type_of(wanted);
  if (wanted.path.empty()) {
    // Linux 5.6, and not in every configuration of the kernel.
    if (type.flag != CLONE_NEWTIME || namespace_inode(type.link).has_value()) return true;
    return fail(plan_error(REAPER_ERR_UNSUPPORTED, pointer, "this kernel has no time namespaces (CONFIG_TIME_NS)"));
  }
  const Result<bool> own = same_namespace(type.link, wanted.path);
  if (!own.has_value()) return fail(refuse_path(own.error(), pointer + "/path"));
  if (*own) return false;
  if (type.support != Support::fresh_or_joined)
    return fail(plan_error(REAPER_ERR_UNSUPPORTED, pointer + "/path",
                           "this version joins no other " + wanted.type + " namespace than the caller's own"));
  const Result<uint64_t> found = namespace_type(wanted.path);
  if (!found.has_value()) return fail(refuse_path(found.error(), pointer + "/path"));
  if (*found == type.flag) return true;
  const auto* const other = std::ranges::find(types, *found, &Type::flag);
  return fail(plan_error(
      REAPER_ERR_INVALID, pointer + "/path",
      wanted.path + (other == std::end(types)
                         ? std::string(" is no namespace")
                         : " is a " + std::string(other->name) + " namespace, no " + wanted.type + " namespace")));
}

Error lacks_admin(const std::string& pointer) {
  return lacks_capability(CAP_SYS_ADMIN, pointer, "run as root, or leave the namespaces out to stay in the caller's");
}

bool has(const NamespacePlan& plan, std::string_view type) {
  return std::ranges::find(plan.foreign, type, &Namespace::type) != plan.foreign.end();
}

// Without a uts namespace of its own a container would give the host another name.
Status plan_name(wire::Op op, const std::string& name, const std::string& pointer, const NamespacePlan& plan,
                 std::vector<Operation>& out) {
  if (name.empty()) return {};
  if (!has(plan, "uts"))
    return fail(
        plan_error(REAPER_ERR_INVALID, pointer,
                   "needs a uts namespace in /linux/namespaces that is not the caller's: it would name the host"));
  out.push_back({op, pointer, {}, {name}});
  return {};
}

// The clocks of a new time namespace, which this process enters then: nothing else would make it do so on every kernel.
Status plan_clocks(const Config& config, uint64_t fresh, const InitState& init, NamespacePlan& plan, Notes& notes) {
  constexpr const char* pointer = "/linux/timeOffsets";
  const bool asked = config.monotonic != TimeOffset{} || config.boottime != TimeOffset{};
  if ((fresh & CLONE_NEWTIME) == 0) {
    if (!asked) return {};
    return notes.refusals.refuse(
        plan_error(REAPER_ERR_INVALID, pointer, "needs a new time namespace in /linux/namespaces"));
  }
  if (asked && !init.has(CAP_SYS_TIME))
    TRY(notes.refusals.refuse(lacks_capability(CAP_SYS_TIME, pointer, "leave the offsets out")));
  const TimeOffset& monotonic = config.monotonic;
  const TimeOffset& boottime = config.boottime;
  plan.make.push_back({wire::Op::time_offsets,
                       asked ? pointer : "/linux/namespaces",
                       {static_cast<uint64_t>(monotonic.seconds), monotonic.nanoseconds,
                        static_cast<uint64_t>(boottime.seconds), boottime.nanoseconds},
                       {}});
  return {};
}

// Hooks that the specification has run inside the container's namespaces.
Status check_inner_hooks(const Hooks& hooks, const NamespacePlan& plan, const InitState& init, Notes& notes) {
  for (const HookKind kind : {HookKind::create_container, HookKind::start_container}) {
    if (hooks.of(kind).empty()) continue;
    const std::string pointer = pointer_join("/hooks", hook_kind_name(kind));
    if (has(plan, "user"))  // it would be somebody else there
      TRY(notes.refusals.refuse(
          plan_error(REAPER_ERR_UNSUPPORTED, pointer, "this version runs no hooks in another user namespace")));
    // By then nobody else may look at the process that waits for its start (ptrace(2), PTRACE_MODE_READ).
    if (kind == HookKind::start_container && !init.has(CAP_SYS_PTRACE))
      TRY(notes.refusals.refuse(
          lacks_capability(CAP_SYS_PTRACE, pointer, "run as root, or leave the namespaces or these hooks out")));
  }
  return {};
}

}  // namespace

bool joins_mounts(const std::vector<Namespace>& foreign) {
  const auto found = std::ranges::find(foreign, "mount", &Namespace::type);
  return found != foreign.end() && !found->path.empty();
}

Result<NamespacePlan> plan_namespaces(const Config& config, const InitState& init, Notes& notes) {
  NamespacePlan plan;
  uint64_t fresh = 0;
  std::vector<Operation> joins;
  for (size_t i = 0; i < config.namespaces.size(); ++i) {
    const Namespace& wanted = config.namespaces[i];
    const std::string pointer = pointer_join("/linux/namespaces", i);
    bool foreign = false;
    KEEP(notes.refusals, foreign, is_foreign(wanted, pointer));
    if (!foreign) continue;
    if (!init.has(CAP_SYS_ADMIN)) TRY(notes.refusals.refuse(lacks_admin(pointer)));
    plan.foreign.push_back(wanted);
    const uint64_t flag = type_of(wanted).flag;
    if (!wanted.path.empty())
      joins.push_back({wire::Op::join, pointer + "/path", {flag}, {wanted.path}});
    else
      fresh |= flag;
  }
  if (!plan.foreign.empty()) TRY(check_inner_hooks(config.hooks, plan, init, notes));
  plan.clone = fresh & (CLONE_NEWPID | CLONE_NEWUSER);
  // Its root has no say over what belongs to another one (setns(2)).
  for (const Operation& join : joins)
    if ((fresh & CLONE_NEWUSER) != 0)
      TRY(notes.refusals.refuse(plan_error(REAPER_ERR_UNSUPPORTED, join.pointer,
                                           "this version joins no namespace from within a new user namespace")));
  if ((fresh & CLONE_NEWCGROUP) != 0)
    plan.late = Operation{wire::Op::unshare, "/linux/namespaces", {CLONE_NEWCGROUP}, {}};
  if ((fresh & CLONE_NEWPID) != 0) plan.make.push_back({wire::Op::first_process, "/linux/namespaces", {}, {}});
  const uint64_t here = fresh & ~(uint64_t{CLONE_NEWCGROUP} | plan.clone);
  if (here != 0) plan.make.push_back({wire::Op::unshare, "/linux/namespaces", {here}, {}});
  // The container sees what the host mounts later, and the host nothing of the container's.
  if ((here & CLONE_NEWNS) != 0)
    plan.make.push_back({wire::Op::propagation, "/linux/namespaces", {MS_REC | MS_SLAVE}, {}});
  if ((here & CLONE_NEWNET) != 0) plan.make.push_back({wire::Op::loopback, "/linux/namespaces", {}, {}});
  TRY(plan_clocks(config, fresh, init, plan, notes));
  // In another mount namespace the paths of the others would be other files.
  std::ranges::stable_partition(joins, [](const Operation& join) { return join.numbers[0] != CLONE_NEWNS; });
  plan.make.insert(plan.make.end(), joins.begin(), joins.end());
  TRY(notes.refusals.take(plan_name(wire::Op::hostname, config.hostname, "/hostname", plan, plan.make)));
  TRY(notes.refusals.take(plan_name(wire::Op::domainname, config.domainname, "/domainname", plan, plan.make)));
  if (!config.net_devices.empty() && !has(plan, "network"))
    TRY(notes.refusals.refuse(plan_error(REAPER_ERR_INVALID, "/linux/netDevices",
                                         "needs a network namespace in /linux/namespaces that is not the caller's")));
  // Before parameters, which may be theirs.
  plan_net_devices(config, plan.make);
  TRY(plan_sysctl(config, plan, plan.make, notes));
  return plan;
}

}  // namespace reaper::planning

namespace reaper {

uint64_t namespace_flag(std::string_view type) {
  using planning::types;
  const auto* const row = std::ranges::find(types, type, &planning::Type::name);
  return row != std::end(types) ? row->flag : 0;
}

}  // namespace reaper
