// Config + facts -> Plan: an ordered list of operations as data. Nothing here forks or changes anything.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "core/result.h"
#include "host/cgroups.h"
#include "host/facts.h"
#include "host/resctrl.h"
#include "plan/wire.h"
#include "seccomp/filter.h"

namespace reaper {

struct Operation {
  wire::Op op;
  std::string pointer;  // the JSON pointer that caused it, or ""
  std::vector<uint64_t> numbers;
  std::vector<std::string> strings;  // without the pointer
};

// The identity that the program is going to have, before and after execve(2).
struct PlannedIdentity {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;  // sorted
  CapabilitySets before_exec;    // verified bit for bit right before execve
  uint64_t looks_up_with = 0;    // effective capabilities while reaper-init looks for cwd and the program
  CapabilitySets after_exec;     // what execve makes of them for a file without capabilities or set-uid bit
  bool no_new_privs = false;
  uint32_t securebits = 0;
};

// What the library writes for a new user namespace, while reaper-init waits in it.
struct UserNamespaceMaps {
  bool fresh = false;                  // there is one
  std::string uid_map, gid_map;        // as /proc/PID/uid_map takes them
  std::string uid_helper, gid_helper;  // the program that writes it in our place; empty: we may
  bool deny_setgroups = false;
};

struct Plan {
  std::vector<CgroupPlace> cgroups;     // where the library puts init: see wire::Op::cgroup
  std::optional<ResctrlPlace> resctrl;  // the same: see wire::Op::resctrl
  std::vector<Operation> operations;
  PlannedIdentity identity;
  std::vector<Namespace> namespaces;  // those that are made or joined
  uint64_t clone_namespaces = 0;      // CLONE_NEWPID and CLONE_NEWUSER where the library's clone makes them
  UserNamespaceMaps maps;
  Hooks hooks;                    // at their moments: none of `operations` is about them
  std::vector<Warning> warnings;  // those of the config too
};

struct PlanOptions {
  bool strict = false;          // warnings become INVALID
  uint32_t extra_fds = 0;       // how many descriptors above 2 the program gets
  uint32_t listen_fds = 0;      // how many of them, from 3 on, are announced to it (sd_listen_fds(3))
  std::string listen_names;     // LISTEN_FDNAMES; empty: none
  std::string session_keyring;  // the name of a new one; empty: the program keeps the caller's
  bool supervise = false;       // a supervisor stays
  bool no_cgroup = false;       // linux.cgroupsPath is passed over
  bool no_pivot = false;        // a root of the container's own is moved over the host's
  std::string id;               // of the container
  std::string bundle;           // where relative paths begin
  // linux.seccomp, compiled: a plan for a program needs it.
  std::shared_ptr<const SeccompFilter> filter;
};

// Adds the facts that this config asks for: they cost system calls that most creates can do without.
Status read_asked_facts(const Config& config, ProcessFacts& facts);

// Errors: UNSUPPORTED (a namespace that is not our own), PERMISSION (a capability that is needed and not held, with a
// hint), INVALID (strict). A config without `process` gives a plan that ends with `wait`.
Result<Plan> make_plan(const Config& config, const ProcessFacts& facts, const PlanOptions& options);

// The same for a preflight: every error that can be found, that of make_plan() first. `strict` is the caller's to
// apply.
struct PlanDiagnosis {
  Plan plan;
  std::vector<Error> errors;
};
PlanDiagnosis diagnose_plan(const Config& config, const ProcessFacts& facts, const PlanOptions& options);

// Which CLONE_NEW* flag makes namespaces of this type ("network", ...). 0: there is no such type.
uint64_t namespace_flag(std::string_view type);

// Where a hook is run that belongs into the container (config.md, CreateContainer and StartContainer Hooks).
struct HookPlace {
  uint64_t namespaces = 0;   // CLONE_NEW* flags; 0: in its caller's
  bool path_inside = false;  // its path is resolved there too
  // Of a user namespace among them, whose root the hook is.
  bool setgroups_denied = false;
  std::vector<IdMapping> gids;
};
inline constexpr uint32_t hook_place_descriptor = 3;  // a pidfd of the container's process, where there are namespaces

// How one hook is run: as a program that is what its caller is, below a reaper-init that tells how it ended. `pointer`
// is the hook's, `directory` where it begins.
Result<Plan> make_hook_plan(const Hook& hook, const std::string& pointer, const std::string& directory,
                            const ProcessFacts& caller, const HookPlace& place = {});

// A further process of a running container: exec.
struct ExecPlanOptions {
  uint64_t namespaces = 0;                    // CLONE_NEW* of the container's that are not the caller's
  uint64_t outer_namespaces = 0;              // those of them that do not belong to its user namespace
  UserNamespaceFacts user;                    // that namespace, where it is one of them
  std::vector<CgroupPlace> cgroups;           // the container's own
  std::optional<ResctrlPlace> resctrl;        // the container's own
  std::optional<uint32_t> personality;        // the container's
  std::optional<MemoryPolicy> memory_policy;  // the container's
  std::string session_keyring;                // as PlanOptions
  uint32_t extra_fds = 0;
  bool strict = false;
  std::shared_ptr<const SeccompFilter> filter;  // the container's own
};
// Errors: as make_plan().
Result<Plan> make_exec_plan(const ExecProcess& exec, const ProcessFacts& facts, const ExecPlanOptions& options);

// One line per operation: number, name, arguments in words, and the pointer; then what execve(2) makes of the
// capability sets, a "hook ..." line for each, and "warning: ..." lines.
std::string plan_to_text(const Plan& plan);

// {"operations": [{"op", "pointer", "arguments"}...], "hooks": [...], "identity": as below, "warnings": as below}.
std::string plan_to_json(const Plan& plan);
// The object `reaper.credentials` of state, and the array `reaper.warnings`.
std::string identity_to_json(const PlannedIdentity& identity);
std::string warnings_to_json(const std::vector<Warning>& warnings);

// The flat form that init reads (wire.h). INVALID when it exceeds wire::max_plan_bytes.
Result<std::string> encode_plan(const Plan& plan);

// The first of its kind, in the plan; nullptr: there is none.
const Operation* find_operation(const Plan& plan, wire::Op op);

// "setresuid" for Op::uid, ...: the stage of error messages.
std::string_view operation_name(wire::Op op);

// Annotations that change what is done: those that make the pause process of a pod (docs/pause.md).
std::vector<std::string> annotations_in_force();

}  // namespace reaper
