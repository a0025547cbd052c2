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

struct Type {
  std::string_view name;
  std::string_view link;  // in /proc/thread-self/ns: the one that a new child is in
  uint64_t flag;
};
constexpr Type types[] = {{"pid", "pid_for_children", CLONE_NEWPID},
                          {"network", "net", CLONE_NEWNET},
                          {"mount", "mnt", CLONE_NEWNS},
                          {"ipc", "ipc", CLONE_NEWIPC},
                          {"uts", "uts", CLONE_NEWUTS},
                          {"user", "user", CLONE_NEWUSER},
                          {"cgroup", "cgroup", CLONE_NEWCGROUP},
                          {"time", "time_for_children", CLONE_NEWTIME}};

const Type& type_of(const Namespace& wanted) {
  return *std::ranges::find(types, wanted.type, &Type::name);  // read_namespaces() knows the same names
}

// Whether it is another one than the caller's, which can be made or joined.
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

// Hooks that the specification has run inside the container's namespaces, by way of its process. Once it is not
// dumpable only who holds CAP_SYS_PTRACE where it was executed may do that (ptrace(2), PTRACE_MODE_READ): in a new user
// namespace that is also who has made it, if the program reaper-init was executed there.
Status check_inner_hooks(const Hooks& hooks, const NamespacePlan& plan, const NamespaceMaker& maker, Notes& notes) {
  const bool holds = state_of_init(maker.caller).has(CAP_SYS_PTRACE);
  const bool owns = maker.user.maps.fresh && !maker.supervise && !plan.beside;
  for (const HookKind kind : {HookKind::create_container, HookKind::start_container}) {
    const bool hidden = kind == HookKind::start_container || plan.hide || maker.user.is_other();
    if (hooks.of(kind).empty() || !hidden || holds || owns) continue;
    TRY(notes.refusals.refuse(lacks_capability(CAP_SYS_PTRACE, pointer_join("/hooks", hook_kind_name(kind)),
                                               maker.user.maps.fresh
                                                   ? "run as root, or without a supervisor, or leave these hooks out"
                                                   : "run as root, or leave the namespaces or these hooks out")));
  }
  return {};
}

// setns(2) wants rights over the namespace that is joined, and CAP_SYS_ADMIN where this process is. In a new user
// namespace it would have none over what is there already; in one that is joined, over what belongs to that one. Who
// has CAP_SYS_ADMIN here has those over everything below.
void place_joins(std::vector<Operation> joins, bool fresh_user, bool joined_user, bool privileged,
                 NamespacePlan& plan) {
  const auto is = [](uint64_t flag) { return [flag](const Operation& join) { return join.numbers[0] == flag; }; };
  // In another mount namespace the paths of the others would be other files: it comes last.
  std::ranges::stable_partition(joins, [&](const Operation& join) { return !is(CLONE_NEWNS)(join); });
  if (joined_user && !privileged) std::ranges::stable_partition(joins, is(CLONE_NEWUSER));
  for (Operation& join : joins) {
    const bool is_user = is(CLONE_NEWUSER)(join);
    const bool is_mount = is(CLONE_NEWNS)(join);
    const bool early = fresh_user || is(CLONE_NEWPID)(join) || is_user || (joined_user && privileged && !is_mount);
    (early ? plan.before : plan.make).push_back(std::move(join));
  }
  // With the rights that only this process has, and before it gives them up.
  if (joined_user && privileged)
    std::ranges::stable_partition(plan.before, [&](const Operation& join) { return !is(CLONE_NEWUSER)(join); });
}

// What a process that runs in `cloned` has to make of `fresh`.
void plan_fresh(uint64_t fresh, uint64_t cloned, NamespacePlan& plan) {
  constexpr const char* pointer = "/linux/namespaces";
  if ((fresh & CLONE_NEWCGROUP) != 0) plan.late = Operation{wire::Op::unshare, pointer, {CLONE_NEWCGROUP}, {}};
  if ((fresh & CLONE_NEWPID) != 0) plan.make.push_back({wire::Op::first_process, pointer, {}, {}});
  const uint64_t apart = plan.network_apart ? CLONE_NEWNET : 0;
  const uint64_t here = fresh & ~(uint64_t{CLONE_NEWCGROUP} | cloned | apart);
  if (here != 0) plan.make.push_back({wire::Op::unshare, pointer, {here}, {}});
  // The container sees what the host mounts later, and the host nothing of the container's.
  if ((here & CLONE_NEWNS) != 0) plan.make.push_back({wire::Op::propagation, pointer, {MS_REC | MS_SLAVE}, {}});
  if ((here & CLONE_NEWNET) != 0) plan.make.push_back({wire::Op::loopback, pointer, {}, {}});
}

// Who joins with which rights: see place_joins().
bool may(const Namespace& wanted, const InitState& caller, const InitState& inside, const UserNamespace& user) {
  const bool by_caller = !wanted.path.empty() && !user.joined;
  return (by_caller ? caller : inside).has(CAP_SYS_ADMIN);
}

}  // namespace

Error refuse_path(const Error& cause, const std::string& pointer) {
  const bool wrong_path = cause.sys_errno == ENOENT || cause.sys_errno == ENOTDIR || cause.sys_errno == ELOOP;
  Error error = plan_error(wrong_path ? REAPER_ERR_INVALID : cause.code, pointer, cause.message);
  error.sys_errno = cause.sys_errno;
  return error;
}

bool joins_mounts(const std::vector<Namespace>& foreign) {
  const auto found = std::ranges::find(foreign, "mount", &Namespace::type);
  return found != foreign.end() && !found->path.empty();
}

Result<NamespacePlan> plan_namespaces(const Config& config, const NamespaceMaker& maker, Notes& notes) {
  NamespacePlan plan;
  const InitState outside = state_of_init(maker.caller);
  const UserNamespace& user = maker.user;
  const InitState inside = state_of_init(user.inside);
  uint64_t fresh = 0;
  uint64_t joined = 0;
  std::vector<Operation> joins;
  for (size_t i = 0; i < config.namespaces.size(); ++i) {
    const Namespace& wanted = config.namespaces[i];
    const std::string pointer = pointer_join("/linux/namespaces", i);
    bool foreign = false;
    // Whether it is ours was asked once for the user namespace: all that is planned for it hangs on that.
    const bool user_path = wanted.type == "user" && !wanted.path.empty();
    if (user_path && !user.joined) continue;
    KEEP(notes.refusals, foreign, is_foreign(wanted, pointer));
    if (!foreign && !user_path) continue;
    if (!may(wanted, outside, inside, user)) TRY(notes.refusals.refuse(lacks_admin(pointer)));
    plan.foreign.push_back(wanted);
    const uint64_t flag = type_of(wanted).flag;
    (wanted.path.empty() ? fresh : joined) |= flag;
    if (!wanted.path.empty()) joins.push_back({wire::Op::join, pointer + "/path", {flag}, {wanted.path}});
  }
  constexpr uint64_t by_clone = CLONE_NEWPID | CLONE_NEWUSER;
  const bool fresh_user = (fresh & CLONE_NEWUSER) != 0;
  // A process joins a pid namespace by its children, and makes others' before its child is in a new user namespace.
  const bool beside = (joined & CLONE_NEWPID) != 0 || (fresh_user && (maker.rights || joined != 0)) ||
                      (user.joined && (fresh & CLONE_NEWPID) != 0);
  if (beside)
    plan.beside = Operation{wire::Op::beside_into, "/linux/namespaces", {fresh & by_clone}, {}};
  else
    plan.clone = fresh & by_clone;
  plan.hide = user.joined || (joined & CLONE_NEWPID) != 0;
  if (!plan.foreign.empty()) TRY(check_inner_hooks(config.hooks, plan, maker, notes));
  // By the library in the meantime, where that makes the same: in the caller's user namespace, with rights that no exec
  // has to give it, and not where the container's cgroup is to pay for its memory.
  constexpr uint64_t rights = capability_bit(CAP_SYS_ADMIN) | capability_bit(CAP_NET_ADMIN);
  plan.network_apart = (fresh & CLONE_NEWNET) != 0 && !user.is_other() && !maker.in_cgroup &&
                       (maker.caller.capabilities.effective & rights) == rights;
  plan_fresh(fresh, fresh & by_clone, plan);
  TRY(plan_clocks(config, fresh, inside, plan, notes));
  place_joins(std::move(joins), fresh_user, user.joined, outside.has(CAP_SYS_ADMIN), plan);
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
