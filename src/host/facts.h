// Facts about this kernel and this process. Reads only; changes nothing.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "host/cgroups.h"

namespace reaper {

struct CapabilitySets {
  uint64_t permitted = 0;
  uint64_t effective = 0;
  uint64_t inheritable = 0;
  uint64_t ambient = 0;
  uint64_t bounding = 0;
  bool operator==(const CapabilitySets&) const = default;
};

struct ResourceLimit {
  uint64_t soft = 0;
  uint64_t hard = 0;
  bool operator==(const ResourceLimit&) const = default;
};
inline constexpr size_t resource_count = 16;  // RLIM_NLIMITS of every architecture, RLIMIT_CPU to RLIMIT_RTTIME

// How a child of the calling thread is scheduled, before it asks for anything.
struct SchedulingFacts {
  uint32_t policy = 0;  // SCHED_*
  int nice = 0;
  uint32_t priority = 0;
};
Result<SchedulingFacts> read_scheduling_facts();

// The security modules of this kernel that take a label, where they are enabled.
struct LabelFacts {
  bool apparmor = false;
  bool selinux = false;
};
LabelFacts read_label_facts();

// What is needed for id maps that the kernel would not take from this process.
struct IdMapFacts {
  std::string uid_helper, gid_helper;  // the paths of newuidmap(1) and newgidmap(1); empty: not installed
  uint32_t overflow_gid = 65534;       // what a group outside of every map is seen as
};
IdMapFacts read_id_map_facts();

// The calling thread, from getres*id, getgroups, capget, prctl and getrlimit: no /proc.
struct ProcessFacts {
  uint32_t real_uid = 0, effective_uid = 0, saved_uid = 0;
  uint32_t real_gid = 0, effective_gid = 0, saved_gid = 0;
  std::vector<uint32_t> groups;  // sorted
  CapabilitySets capabilities;
  int last_capability = 0;  // the highest number that this kernel knows
  uint32_t securebits = 0;
  bool no_new_privs = false;
  std::array<ResourceLimit, resource_count> rlimits{};  // by RLIMIT_*
  // Read when somebody asks for them: read_process_facts() leaves them as they are.
  SchedulingFacts scheduling;
  LabelFacts labels;
  CgroupFacts cgroups;
  IdMapFacts id_maps;
  std::optional<std::string> resctrl;  // where it is mounted; none: nowhere, or nobody asked
  std::optional<int> oom_score_adj;
  bool setgroups_denied = false;  // in the user namespace that the container's process is in
  bool in_initial_user_namespace = true;
};
Result<ProcessFacts> read_process_facts();

// What the child's sets are when it executes init: raised, so that the capabilities that the caller holds survive
// execveat(2). The kernel allows exactly this much without any privilege: inheritable inside inheritable | permitted
// and inside inheritable | bounding (cap_capset), ambient inside permitted & inheritable (cap_task_prctl). Nothing is
// raised for root, whose exec gives it back by itself, or under SECBIT_NO_CAP_AMBIENT_RAISE.
struct CarriedCapabilities {
  uint64_t inheritable = 0;
  uint64_t ambient = 0;
};
CarriedCapabilities carried_capabilities(const ProcessFacts& facts);

// Capability names ("CAP_CHOWN"), exact case, by libcap-ng's tables (its state is not touched). A capability that is
// younger than the table (0.8.3 ends with CAP_CHECKPOINT_RESTORE) has no name here.
int capability_number(std::string_view name);  // -1: unknown
std::string capability_name(int number);       // "CAP_63" style for numbers without a name

// /proc/sys/kernel/random/boot_id. Cached: it cannot change while the process lives... except in tests, so it is not.
Result<std::string> read_boot_id();

// Whether setgroups(2) is denied in the calling thread's user namespace (/proc/thread-self/setgroups). A kernel without
// that file denies it to nobody.
Result<bool> read_setgroups_denied();

// /proc/self/oom_score_adj.
Result<int> read_oom_score_adj();

// The inode of the calling thread's ns/<name> ("pid", "net", "pid_for_children", ...), which identifies a namespace
// while it exists.
Result<uint64_t> namespace_inode(std::string_view name);
// Whether the user namespace is the first one, in which alone device nodes are made (mknod(2)).
Result<bool> in_initial_user_namespace();
// The inode of another process's namespace, by the specification's name of its type ("network", "mount", ...).
Result<uint64_t> process_namespace_inode(int32_t pid, std::string_view type);
// The CLONE_NEW* flags of those namespaces of another process that are not those which a child of the calling thread is
// born into. Errors: stat(2) on its ns/.
Result<uint64_t> foreign_namespaces(int32_t pid);
// Those of `flags` that do not belong to the user namespace that the process itself is in (ioctl_ns(2)).
Result<uint64_t> outer_namespaces(int32_t pid, uint64_t flags);
// A range of ids, here and in the user namespace of another process (user_namespaces(7)).
struct IdRange {
  uint32_t inside = 0, outside = 0, size = 0;
};
struct UserNamespaceFacts {
  std::vector<IdRange> uids, gids;
  bool setgroups_denied = false;
};
Result<UserNamespaceFacts> read_user_namespace(int32_t pid);
// Whether `path` is the calling thread's namespace `own_name`: device and inode are compared, nothing is opened. False
// as well where this kernel has no such namespace. Errors: stat(2) on `path`.
Result<bool> same_namespace(std::string_view own_name, const std::string& path);
// Which CLONE_NEW* flag makes a namespace of the type of the one at `path` (ioctl_ns(2)); 0: it is no namespace, and
// is not opened then. Errors: open(2), fstatfs(2), ioctl(2).
Result<uint64_t> namespace_type(const std::string& path);

// What /proc/<pid>/stat tells. Field numbers as in proc(5).
struct ProcessStat {
  std::string name;                // field 2, at most 15 bytes (TASK_COMM_LEN)
  char state = 0;                  // field 3
  int32_t parent = 0;              // field 4
  bool exiting = false;            // field 9: it gives up what it has, its namespaces too, or has done so
  uint64_t start_time = 0;         // field 22, clock ticks after boot
  int32_t exit_code = 0;           // field 52, a wait status; 0 when we may not see it
  bool exit_code_visible = false;  // true for a zombie whose exit_code we may see
};
// NOT_FOUND when there is no such process.
Result<ProcessStat> read_process_stat(int32_t pid);

// The pid that a process has in the pid namespace that it is in itself (`NSpid` of /proc/<pid>/status).
Result<int32_t> innermost_pid(int32_t pid);

// Whether an errno of pidfd_open(2) says that no process has the pid: it is gone, or a thread's (EINVAL, and ENOENT
// from Linux 6.16 on).
inline bool is_nobodys_pid(int number) {
  return number == ESRCH || number == EINVAL || number == ENOENT;
}

// Direct children of a process: task/*/children, or a scan of /proc where the kernel has no such file.
Result<std::vector<int32_t>> read_children(int32_t pid);

// The capability sets and ids of any process, from /proc/<pid>/status. NOT_FOUND when there is no such process.
struct Credentials {
  uint32_t uid[4] = {};  // real, effective, saved, file system
  uint32_t gid[4] = {};
  std::vector<uint32_t> groups;
  CapabilitySets capabilities;
  bool no_new_privs = false;
};
Result<Credentials> read_credentials(int32_t pid);

}  // namespace reaper
