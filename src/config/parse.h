// The steps of parse_config(), one file per concern. All of them are pure: a cursor in, data or a refusal out.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/wording.h"
#include "core/json.h"
#include "core/result.h"

namespace reaper {

// walk.cpp: compares the whole document with known_properties(). A wrong JSON type is the error; the first value that
// this build cannot apply (all of them while refusals are collected) is returned, so that what is plainly wrong can be
// reported before it; unknown names are warnings.
Result<std::vector<Error>> walk_document(const JsonCursor& document, Notes& notes);
// Whether a section is as encoders write one that nobody filled in. `pattern`: its row.
Result<bool> asks_for_nothing(const JsonCursor& object, std::string_view pattern);

// version.cpp: SemVer 2.0.0, any 1.x.
Status check_version(std::string_view pointer, std::string_view version);

// Each of these takes the value of the property that it is named after.
Result<Root> read_root(const JsonCursor& root);
// What this build cannot apply goes to `unsupported`.
Result<std::vector<Mount>> read_mounts(const JsonCursor& mounts, Refusals& refusals, std::vector<Error>& unsupported);
Result<std::vector<Device>> read_devices(const JsonCursor& devices, Refusals& refusals);
Result<std::vector<std::string>> read_inner_paths(const JsonCursor& paths);  // maskedPaths, readonlyPaths
Result<uint64_t> read_propagation(const JsonCursor& propagation);
Result<std::string> read_uts_name(const JsonCursor& name);
Result<std::map<std::string, std::string>> read_annotations(const JsonCursor& annotations, Notes& notes);
Result<Hooks> read_hooks(const JsonCursor& hooks, Refusals& refusals);
Result<Process> read_process(const JsonCursor& process, Notes& notes);
Result<User> read_user(const JsonCursor& user, Notes& notes);
Result<Capabilities> read_capabilities(const JsonCursor& capabilities, Notes& notes);
Result<std::vector<Rlimit>> read_rlimits(const JsonCursor& rlimits, Notes& notes);
Result<std::vector<Namespace>> read_namespaces(const JsonCursor& namespaces, Notes& notes);
Result<std::vector<IdMapping>> read_id_mappings(const JsonCursor& array, Refusals& refusals);
Result<std::vector<NetDevice>> read_net_devices(const JsonCursor& object, Refusals& refusals);
Result<std::vector<Sysctl>> read_sysctl(const JsonCursor& object, Refusals& refusals);
Result<TimeOffset> read_time_offset(const JsonCursor& object);
Result<Scheduler> read_scheduler(const JsonCursor& scheduler, Notes& notes);
Result<IoPriority> read_io_priority(const JsonCursor& io_priority);
Result<ExecCpuAffinity> read_exec_cpu_affinity(const JsonCursor& affinity);
Result<uint32_t> read_personality(const JsonCursor& personality);
// "0-3,7": empty where there is no such member. `what` are they?
Result<std::vector<CpuRange>> read_number_list(const JsonCursor& object, std::string_view name, std::string_view what,
                                               uint32_t highest);
// None: the section asks for nothing.
Result<std::optional<MemoryPolicy>> read_memory_policy(const JsonCursor& policy);
// None: the section asks for nothing.
Result<std::optional<IntelRdt>> read_intel_rdt(const JsonCursor& intel_rdt);
// Null: the section asks for nothing.
Result<std::shared_ptr<const Seccomp>> read_seccomp(const JsonCursor& seccomp, Refusals& refusals);

// names.cpp: a word of the specification and the number that the kernel has for it.
struct NamedNumber {
  std::string_view name;
  uint32_t number;
};
// INVALID for an unknown word ("unknown scheduling policy "SCHED_BACH"; did you mean ...?").
Result<uint32_t> read_name(const JsonCursor& value, std::string_view what, std::span<const NamedNumber> known);
// mount_options.cpp: what one option makes of the mount; the MS_* flags of "rslave" and others.
Status apply_mount_option(const JsonCursor& option, Mount& mount);
std::optional<uint64_t> propagation_flags(std::string_view name);
// root.cpp: a path inside the container, "." and ".." resolved as text.
Result<std::string> clean_path(const JsonCursor& path);
Result<std::optional<std::string>> read_cgroups_path(const JsonCursor& cgroups_path);

inline constexpr uint64_t max_id = 4294967294;  // of users and groups: -1 means "leave unchanged" to setresuid(2)

// Parts of more than one: an array of strings; an environment, each entry of the form NAME=value; the absolute path
// that an object must have under this name.
Result<std::vector<std::string>> read_strings(const JsonCursor& array);
Result<std::vector<std::string>> read_env(const JsonCursor& env, Refusals& refusals);
Result<std::string> read_absolute_path(const JsonCursor& object, std::string_view name);

// The member `name`, or INVALID with the pointer that it should have.
Result<JsonCursor> required_member(const JsonCursor& object, std::string_view name);

}  // namespace reaper
