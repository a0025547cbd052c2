// config.json as plain data. Reading it makes no system call; every refusal names its JSON pointer.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"

namespace reaper {

struct Warning {
  std::string pointer;
  std::string message;
};

struct User {
  uint32_t uid = 0;  // 0...4294967294
  uint32_t gid = 0;
  std::optional<uint32_t> umask;                         // 0...0777
  std::optional<std::vector<uint32_t>> additional_gids;  // absent and [] differ, see plan/identity
};

// One of the five sets: capability numbers as bits. Absent in config.json means empty.
struct Capabilities {
  uint64_t bounding = 0;
  uint64_t effective = 0;
  uint64_t inheritable = 0;
  uint64_t permitted = 0;
  uint64_t ambient = 0;
};

struct Rlimit {
  int resource = 0;  // RLIMIT_*
  uint64_t soft = 0;
  uint64_t hard = 0;
};

// sched_setattr(2). What is absent is 0.
struct Scheduler {
  uint32_t policy = 0;  // SCHED_*
  uint64_t flags = 0;   // SCHED_FLAG_*
  int nice = 0;         // -20...19; 0 for policies that have none
  uint32_t priority = 0;
  uint64_t runtime = 0, deadline = 0, period = 0;  // of SCHED_DEADLINE, nanoseconds
};

struct IoPriority {
  uint32_t io_class = 0;  // IOPRIO_CLASS_*
  uint32_t level = 0;     // 0 (highest)...7
};

struct CpuRange {
  uint32_t first = 0, last = 0;
};
// For exec alone: config.md has it never apply to the container's first process.
struct ExecCpuAffinity {
  std::vector<CpuRange> initial, final;  // empty: not asked for
};

// root, where it is not the host's own.
struct Root {
  std::string path;  // as written; empty: the host's root
  bool readonly = false;
};

// A range of ids of a new user namespace, and what they are outside (user_namespaces(7)).
struct IdMapping {
  uint32_t container = 0, host = 0, size = 0;
};

// MOUNT_ATTR_* bits, mount_setattr(2).
struct MountAttributes {
  uint64_t set = 0, clear = 0;
};
struct Mount {
  std::string destination;  // begins with a slash, and has nothing but names in it
  std::string source, type;
  MountAttributes own, below;  // of it; of it and all mounts below it
  uint64_t propagation = 0;    // MS_*; 0: not asked for
  bool bind = false, recursive = false, remount = false, copy_up = false;
  bool map_ids = false, map_ids_below = false;        // idmap or ridmap, or mappings
  std::vector<IdMapping> uid_mappings, gid_mappings;  // none: the container's own
  std::vector<std::string> data;                      // options of the file system
};

// A network device that the container is given.
struct NetDevice {
  std::string name;      // here
  std::string new_name;  // there; may end in %d
};

struct Device {
  std::string path;     // as Mount::destination
  uint32_t mode = 0;    // type and permissions
  uint64_t number = 0;  // dev_t
  uint32_t uid = 0, gid = 0;
};

// A kernel parameter: its name as written, and its path below /proc/sys.
struct Sysctl {
  std::string name, path, value;
};

// Of a clock in a new time namespace (time_namespaces(7)).
struct TimeOffset {
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
  bool operator==(const TimeOffset&) const = default;
};

struct Namespace {
  std::string type;  // the specification's name: "pid", "network", ...
  std::string path;  // empty: a new one
};

// How an argument of a system call is compared with SeccompCondition::value.
enum class SeccompOperator : uint8_t { ne = 1, lt, le, eq, ge, gt, masked_eq };
struct SeccompCondition {
  uint32_t index = 0;  // 0...5
  SeccompOperator op = SeccompOperator::eq;
  uint64_t value = 0;
  uint64_t value_two = 0;  // of masked_eq: (argument & value) == value_two
};
struct SeccompRule {
  std::vector<std::string> names;  // of system calls; not all need exist
  uint32_t action = 0;             // SECCOMP_RET_*, with its data
  std::vector<SeccompCondition> conditions;
};
// Where the memory of the process and of all that it forks comes from, as set_mempolicy(2) has it.
struct MemoryPolicy {
  static constexpr uint32_t max_nodes = 1024;  // the largest that Linux can be built with

  uint32_t mode = 0;   // MPOL_*
  uint32_t flags = 0;  // MPOL_F_*
  std::vector<CpuRange> nodes;
};

// A class of service for cache and memory bandwidth (resctrl).
struct IntelRdt {
  struct Line {
    std::string text, pointer;
  };
  std::string clos_id;      // "": one for this container alone; "/": the default class
  std::vector<Line> lines;  // of `schemata`, in the order in which they are written
  bool monitoring = false;  // a group of its own
};

// Who answers for SCMP_ACT_NOTIFY.
struct SeccompListener {
  std::string path;      // of a unix socket, absolute; empty: nobody
  std::string metadata;  // for it
};
struct Seccomp {
  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19.
  static constexpr uint32_t flag_wait_killable_recv = 1U << 5;

  uint32_t default_action = 0;             // as SeccompRule::action
  std::vector<std::string> architectures;  // SCMP_ARCH_*, beside this machine's own
  uint32_t flags = 0;                      // SECCOMP_FILTER_FLAG_*
  std::vector<SeccompRule> rules;
  SeccompListener listener;
  bool notifies() const;  // some action is SCMP_ACT_NOTIFY
};

// A pseudo-terminal as 0, 1 and 2 of the program. 0 rows and columns: its size is left alone.
struct Terminal {
  uint16_t rows = 0;
  uint16_t columns = 0;
};

struct Process {
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string cwd;
  std::optional<User> user;
  std::optional<Capabilities> capabilities;
  bool no_new_privileges = false;
  std::vector<Rlimit> rlimits;
  std::optional<int> oom_score_adj;  // -1000...1000
  std::optional<Terminal> terminal;
  std::optional<Scheduler> scheduler;
  std::optional<IoPriority> io_priority;
  std::optional<ExecCpuAffinity> exec_cpu_affinity;
  std::string apparmor_profile;  // empty: not asked for
  std::string selinux_label;     // the same
};

// One of the specification's hooks (config.md, POSIX-platform Hooks).
struct Hook {
  std::string path;               // absolute
  std::vector<std::string> args;  // argv, never empty
  std::vector<std::string> env;   // all of the environment
  uint64_t timeout_s = 0;         // 0: none
  bool operator==(const Hook&) const = default;
};

// The kinds in the order of their moments in a container's life.
enum class HookKind : uint8_t { prestart, create_runtime, create_container, start_container, poststart, poststop };
inline constexpr size_t hook_kind_count = 6;
std::string_view hook_kind_name(HookKind kind);  // "createRuntime"

struct Hooks {
  std::array<std::vector<Hook>, hook_kind_count> lists;  // by HookKind
  const std::vector<Hook>& of(HookKind kind) const { return lists[static_cast<size_t>(kind)]; }
  bool empty() const;
  bool operator==(const Hooks&) const = default;
};

// "/hooks/createRuntime/0".
std::string hook_pointer(HookKind kind, size_t index);

// The hooks as JSON with every default filled in, for the record of the container, and back.
std::string hooks_to_json(const Hooks& hooks);
Result<Hooks> hooks_from_json(std::string_view text);

struct Config {
  std::string oci_version;
  std::optional<Process> process;  // the specification allows create without it; start is an error then
  std::string process_json;        // its text: what a further process begins with
  Hooks hooks;
  std::vector<Namespace> namespaces;
  std::vector<IdMapping> uid_mappings, gid_mappings;
  std::vector<Sysctl> sysctl;
  TimeOffset monotonic, boottime;           // linux.timeOffsets
  std::optional<uint32_t> personality;      // PER_*
  std::optional<std::string> cgroups_path;  // "/a/b" from the cgroup mounts, "a/b" from the caller's own cgroup
  std::map<std::string, std::string> annotations;
  std::optional<Root> root;
  std::vector<Mount> mounts;
  std::vector<Device> devices;
  std::vector<NetDevice> net_devices;
  std::string mount_label;  // of SELinux; empty: not asked for
  std::vector<std::string> masked_paths, readonly_paths;
  uint64_t rootfs_propagation = 0;         // MS_*; 0: not asked for
  std::string hostname, domainname;        // empty: not asked for
  std::shared_ptr<const Seccomp> seccomp;  // null: not asked for
  std::optional<MemoryPolicy> memory_policy;
  std::optional<IntelRdt> intel_rdt;
  std::vector<Warning> warnings;  // unknown properties and values, with the nearest known name
};

class KnownSeccomp;

// Errors: INVALID for what the specification does not allow, UNSUPPORTED for what this build cannot apply, each with
// its pointer. Unknown properties are warnings. `known`: a linux.seccomp that stands there is not read again, and
// another is added to it. Null: none is known.
Result<Config> parse_config(std::string_view text, KnownSeccomp* known = nullptr);

// The same for a preflight: every error that can be found, the one of parse_config() first, and as much of the config
// as could be read.
struct Diagnosis {
  Config config;
  std::vector<Error> errors;
  size_t left_out = 0;  // further errors
};
Diagnosis diagnose_config(std::string_view text);

// A further process of a container: exec. `text` is a process object of the specification. `recorded`, where there is
// one, is the container's own (Config::process_json), which `text` is laid over: what it has replaces what is there,
// but environment, additionalGids and capabilities are added to it, and a terminal is never taken over. Pointers begin
// with /process. Errors: as parse_config().
struct ExecProcess {
  Process process;
  std::vector<Warning> warnings;
};
Result<ExecProcess> parse_exec_process(std::string_view text, std::optional<std::string_view> recorded);

// The options of mounts that this build knows by name, sorted.
std::vector<std::string_view> mount_option_names();

// The words of linux.seccomp that this build knows.
enum class SeccompWords : uint8_t { actions, operators, flags };
std::vector<std::string_view> seccomp_words(SeccompWords which);

// The words of linux.memoryPolicy: its modes, or its flags.
std::vector<std::string_view> memory_policy_words(bool flags);

// What this build does with a property of the specification. The table behind it (properties.cpp) is the one source
// of the refusals, of the unknown-name warnings and of docs/properties.md.
enum class Disposition {
  applied,    // `note` names the test that shows it
  refused,    // UNSUPPORTED unless the value asks for nothing
  ignored,    // reviewed: `note` says why ignoring it is right
  container,  // an object or array whose members have rows of their own
};

struct Property {
  std::string_view pattern;  // a pointer; "*" stands for an index or a free name: "/process/rlimits/*/type"
  JsonType type;             // a known property with another type is INVALID
  Disposition disposition;
  std::string_view note;
};

// All rows, sorted by pattern.
std::vector<Property> known_properties();

}  // namespace reaper
