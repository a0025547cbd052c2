#include "plan/fields.h"

#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <algorithm>
#include <iterator>

namespace reaper::planning {

namespace {

// {name in JSON, form, index, words before and after it in text}
constexpr Field rlimit_fields[] = {
    {"resource", Form::resource}, {"soft", Form::limit, 1, "soft="}, {"hard", Form::limit, 2, "hard="}};
constexpr Field signed_value_fields[] = {{"value", Form::signed_number}};
constexpr Field umask_fields[] = {{"mask", Form::octal}};
constexpr Field value_fields[] = {{"value"}};
constexpr Field bounding_fields[] = {{"keep", Form::set}};
constexpr Field ambient_fields[] = {{"ambient", Form::set}};
constexpr Field groups_fields[] = {{"gids", Form::numbers}};
constexpr Field gid_fields[] = {{"gid"}};
constexpr Field uid_fields[] = {{"uid"}};
constexpr Field chdir_fields[] = {{"path", Form::string}};
constexpr Field find_fields[] = {{"program", Form::string}, {"path", Form::search_path, 1, "in "}};
constexpr Field capabilities_fields[] = {{"permitted", Form::set, 0, "permitted="},
                                         {"effective", Form::set, 1, "effective="},
                                         {"inheritable", Form::set, 2, "inheritable="}};
constexpr Field descriptors_fields[] = {{"from", Form::first_closed, 0, "from ", ","},
                                        {"extra", Form::number, 0, "", " extra stay"}};
constexpr Field terminal_fields[] = {
    {"owner", Form::number, 0, "owner="}, {"rows", Form::number, 1, "rows="}, {"columns", Form::number, 2, "columns="}};
constexpr Field verify_fields[] = {
    {"uid", Form::number, 0, "uid="},
    {"gid", Form::number, 1, "gid="},
    {"groups", Form::numbers, wire::verify_fixed_numbers, "groups="},
    {"permitted", Form::set, 2, "permitted="},
    {"effective", Form::set, 3, "effective="},
    {"inheritable", Form::set, 4, "inheritable="},
    {"ambient", Form::set, 5, "ambient="},
    {"bounding", Form::set, 6, "bounding="},
    {"noNewPrivileges", Form::boolean, 8, "no_new_privs="},
    {"securebits", Form::hexadecimal, 9, "securebits="},
    {"noWayToUid0", Form::flag, 10, "no-way-to-uid-0", "", wire::verify_no_regain_uid},
    {"noWayToGid0", Form::flag, 10, "no-way-to-gid-0", "", wire::verify_no_regain_gid},
    {"noWayToOtherGroups", Form::flag, 10, "no-way-to-other-groups", "", wire::verify_no_regain_groups}};
constexpr Field pause_fields[] = {{"name", Form::string}};
constexpr Field exec_fields[] = {{"args", Form::strings},
                                 {"environmentEntries", Form::other_strings, 0, "with ", " environment entries"}};

constexpr Field keyring_fields[] = {{"name", Form::string}};
constexpr std::string_view policies[] = {"SCHED_OTHER", "SCHED_FIFO",    "SCHED_RR", "SCHED_BATCH", "",
                                         "SCHED_IDLE",  "SCHED_DEADLINE"};
constexpr Field scheduler_fields[] = {
    {"policy", Form::word, 0, "", "", 0, policies}, {"flags", Form::hexadecimal, 1, "flags="},
    {"nice", Form::signed_number, 2, "nice="},      {"priority", Form::number, 3, "priority="},
    {"runtime", Form::number, 4, "runtime="},       {"deadline", Form::number, 5, "deadline="},
    {"period", Form::number, 6, "period="}};
constexpr std::string_view io_classes[] = {"", "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"};
constexpr Field io_priority_fields[] = {{"class", Form::word, 0, "", "", 0, io_classes}, {"priority", Form::number, 1}};
constexpr std::string_view domains[] = {"LINUX", "", "", "", "", "", "", "", "LINUX32"};
constexpr Field personality_fields[] = {{"domain", Form::word, 0, "", "", 0, domains}};
constexpr std::string_view security_modules[] = {"", "apparmor", "selinux"};
constexpr Field label_fields[] = {{"module", Form::word, 0, "", "", 0, security_modules}, {"label", Form::string}};
constexpr Field listen_fields[] = {{"count", Form::number, 0, "", " from 3 on"}};
constexpr Field namespace_fields[] = {
    {"network", Form::flag, 0, "network", "", CLONE_NEWNET},  {"mount", Form::flag, 0, "mount", "", CLONE_NEWNS},
    {"ipc", Form::flag, 0, "ipc", "", CLONE_NEWIPC},          {"uts", Form::flag, 0, "uts", "", CLONE_NEWUTS},
    {"cgroup", Form::flag, 0, "cgroup", "", CLONE_NEWCGROUP}, {"time", Form::flag, 0, "time", "", CLONE_NEWTIME}};
constexpr Field supervise_fields[] = {{"pid", Form::flag, 0, "in a new pid namespace", "", CLONE_NEWPID},
                                      {"user", Form::flag, 0, "in a new user namespace", "", CLONE_NEWUSER}};
constexpr Field sysctl_fields[] = {{"path", Form::string}, {"value", Form::string, 1, "= "}};
constexpr Field time_offsets_fields[] = {{"monotonicSeconds", Form::signed_number, 0, "monotonic="},
                                         {"monotonicNanoseconds", Form::number, 1, "+"},
                                         {"boottimeSeconds", Form::signed_number, 2, "boottime="},
                                         {"boottimeNanoseconds", Form::number, 3, "+"}};
constexpr Field user_namespace_fields[] = {{"uidMap", Form::string, 0, "uids "},
                                           {"gidMap", Form::string, 1, "gids "},
                                           {"setgroups", Form::flag, 1, "setgroups", "", 1},
                                           {"helpers", Form::rest, 2, "helpers "}};
constexpr Field join_process_fields[] = {{"flags", Form::hexadecimal, 0, "flags="}, {"descriptor", Form::number, 1}};
constexpr Field affinity_fields[] = {{"cpus", Form::string}};
constexpr Field enter_fields[] = {
    {"user", Form::flag, 0, "user", "", CLONE_NEWUSER},       {"pid", Form::flag, 0, "pid", "", CLONE_NEWPID},
    {"network", Form::flag, 0, "network", "", CLONE_NEWNET},  {"mount", Form::flag, 0, "mount", "", CLONE_NEWNS},
    {"ipc", Form::flag, 0, "ipc", "", CLONE_NEWIPC},          {"uts", Form::flag, 0, "uts", "", CLONE_NEWUTS},
    {"cgroup", Form::flag, 0, "cgroup", "", CLONE_NEWCGROUP}, {"time", Form::flag, 0, "time", "", CLONE_NEWTIME}};
constexpr Field become_root_fields[] = {{"setgroups", Form::flag, 1, "setgroups", "", 1}};
constexpr std::string_view id_kinds[] = {"uid", "gid"};
constexpr Field mapped_fields[] = {{"kind", Form::word, 0, "", "", 0, id_kinds}, {"ids", Form::numbers, 1}};
constexpr Field id_map_fields[] = {{"kind", Form::word, 0, "", "", 0, id_kinds}, {"map", Form::string}};
constexpr Field memory_policy_fields[] = {{"mode", Form::hexadecimal, 0, "mode="},
                                          {"nodes", Form::string, 0, "nodes "}};
constexpr Field path_fields[] = {{"path", Form::string}};
constexpr Field propagation_fields[] = {{"slave", Form::flag, 0, "slave", "", MS_SLAVE},
                                        {"recursive", Form::flag, 0, "recursive", "", MS_REC}};
constexpr Field mount_fields[] = {{"destination", Form::string, 0},
                                  {"source", Form::string, 1, "from "},
                                  {"type", Form::string, 2, "type "},
                                  {"bind", Form::flag, 0, "bind", "", wire::mount_bind},
                                  {"recursive", Form::flag, 0, "recursive", "", wire::mount_recursive},
                                  {"remount", Form::flag, 0, "remount", "", wire::mount_remount},
                                  {"copy", Form::flag, 0, "copy-up", "", wire::mount_copy_up},
                                  {"set", Form::hexadecimal, 1, "set="},
                                  {"clear", Form::hexadecimal, 2, "clear="},
                                  {"setBelow", Form::hexadecimal, 3, "set-below="},
                                  {"clearBelow", Form::hexadecimal, 4, "clear-below="},
                                  {"propagation", Form::hexadecimal, 5, "propagation="},
                                  {"options", Form::rest, 3, "options "}};
constexpr Field mount_ids_fields[] = {
    {"uidMap", Form::string, 0, "uids "},
    {"gidMap", Form::string, 1, "gids "},
    {"container", Form::flag, 0, "of the container's user namespace", "", wire::mount_ids_container},
    {"recursive", Form::flag, 0, "recursive", "", wire::mount_ids_below}};
constexpr Field net_devices_fields[] = {{"devices", Form::rest, 0}};
constexpr Field label_fields_of_path[] = {{"path", Form::string}, {"label", Form::string, 1, "as "}};
constexpr Field device_fields[] = {{"path", Form::string},
                                   {"mode", Form::octal, 0, "mode="},
                                   {"number", Form::hexadecimal, 1, "number="},
                                   {"uid", Form::number, 2, "uid="},
                                   {"gid", Form::number, 3, "gid="},
                                   {"lent", Form::flag, 4, "lent", "", wire::device_over_file}};
constexpr Field link_fields[] = {{"path", Form::string}, {"target", Form::string, 1, "to "}};
constexpr Field finish_root_fields[] = {{"readonly", Form::flag, 0, "readonly", "", 1},
                                        {"propagation", Form::hexadecimal, 1, "propagation="}};
constexpr Field seccomp_fields[] = {{"digest", Form::string},
                                    {"rules", Form::number, 1, "rules="},
                                    {"instructions", Form::how_many, wire::seccomp_fixed_numbers, "instructions="},
                                    {"flags", Form::hexadecimal, 0, "flags="},
                                    {"givesUp", Form::set, 2, "then gives up "},
                                    {"heard", Form::flag, 6, "heard", "", 1}};
constexpr Field cgroup_fields[] = {{"directories", Form::strings}};

struct Row {
  wire::Op op;
  Description description;
};

// Each operation of wire.h, by its number.
constexpr Row rows[] = {
    {wire::Op::session, {"setsid", {}}},
    {wire::Op::gate, {"gate", {}}},
    {wire::Op::rlimit, {"setrlimit", rlimit_fields}},
    {wire::Op::oom_score_adj, {"oom_score_adj", signed_value_fields}},
    {wire::Op::umask, {"umask", umask_fields}},
    {wire::Op::keep_caps, {"keep_caps", value_fields}},
    {wire::Op::bounding, {"bounding", bounding_fields}},
    {wire::Op::groups, {"setgroups", groups_fields}},
    {wire::Op::gid, {"setresgid", gid_fields}},
    {wire::Op::uid, {"setresuid", uid_fields}},
    {wire::Op::chdir, {"chdir", chdir_fields}},
    {wire::Op::find, {"find", find_fields}},
    {wire::Op::capabilities, {"capset", capabilities_fields}},
    {wire::Op::ambient, {"ambient", ambient_fields}},
    {wire::Op::no_new_privs, {"no_new_privs", {}}},
    {wire::Op::wait, {"wait", {}}},
    {wire::Op::signals, {"signals", {}}},
    {wire::Op::descriptors, {"close_range", descriptors_fields}},
    {wire::Op::verify, {"verify", verify_fields}},
    {wire::Op::exec, {"execve", exec_fields}},
    {wire::Op::not_dumpable, {"not_dumpable", {}}},
    {wire::Op::supervise, {"supervise", supervise_fields}},
    {wire::Op::report, {"report", {}}},
    {wire::Op::keyring, {"keyring", keyring_fields}},
    {wire::Op::terminal, {"terminal", terminal_fields}},
    {wire::Op::scheduler, {"sched_setattr", scheduler_fields}},
    {wire::Op::io_priority, {"ioprio_set", io_priority_fields}},
    {wire::Op::personality, {"personality", personality_fields}},
    {wire::Op::exec_label, {"exec_label", label_fields}},
    {wire::Op::listen, {"listen", listen_fields}},
    {wire::Op::pause, {"pause", pause_fields}},
    {wire::Op::cgroup, {"cgroup", cgroup_fields}},
    {wire::Op::unshare, {"unshare", namespace_fields}},
    {wire::Op::first_process, {"pid_namespace", {}}},
    {wire::Op::join, {"setns", path_fields}},
    {wire::Op::hostname, {"sethostname", keyring_fields}},
    {wire::Op::domainname, {"setdomainname", keyring_fields}},
    {wire::Op::loopback, {"loopback", {}}},
    {wire::Op::propagation, {"propagation", propagation_fields}},
    {wire::Op::root, {"root", path_fields}},
    {wire::Op::mount, {"mount", mount_fields}},
    {wire::Op::device, {"mknod", device_fields}},
    {wire::Op::link, {"symlink", link_fields}},
    {wire::Op::pivot, {"pivot_root", {}}},
    {wire::Op::mask, {"mask", path_fields}},
    {wire::Op::read_only_path, {"readonly", path_fields}},
    {wire::Op::finish_root, {"finish_root", finish_root_fields}},
    {wire::Op::console, {"console", {}}},
    {wire::Op::user_namespace, {"user_namespace", user_namespace_fields}},
    {wire::Op::sysctl, {"sysctl", sysctl_fields}},
    {wire::Op::time_offsets, {"time_offsets", time_offsets_fields}},
    {wire::Op::resctrl, {"resctrl", cgroup_fields}},
    {wire::Op::network, {"network", {}}},
    {wire::Op::hooks, {"hooks", {}}},
    {wire::Op::join_process, {"setns", join_process_fields}},
    {wire::Op::move_root, {"move_root", {}}},
    {wire::Op::seccomp, {"seccomp", seccomp_fields}},
    {wire::Op::affinity, {"sched_setaffinity", affinity_fields}},
    {wire::Op::enter, {"setns", enter_fields}},
    {wire::Op::beside, {"clone_parent", {}}},
    {wire::Op::ready, {"ready", {}}},
    {wire::Op::enter_outer, {"setns", enter_fields}},
    {wire::Op::supervise_beside, {"supervise", {}}},
    {wire::Op::beside_into, {"clone_parent", supervise_fields}},
    {wire::Op::become_root, {"become_root", become_root_fields}},
    {wire::Op::mapped, {"mapped", mapped_fields}},
    {wire::Op::id_map, {"id_map", id_map_fields}},
    {wire::Op::mount_ids, {"mount_ids", mount_ids_fields}},
    {wire::Op::net_devices, {"net_devices", net_devices_fields}},
    {wire::Op::label, {"label", label_fields_of_path}},
    {wire::Op::show_user, {"show_user_namespace", {}}},
    {wire::Op::memory_policy, {"set_mempolicy", memory_policy_fields}},
};
static_assert(std::ranges::is_sorted(rows, {}, &Row::op));

}  // namespace

Description describe(wire::Op op) {
  const auto* const row = std::ranges::lower_bound(rows, op, {}, &Row::op);
  return row != std::end(rows) && row->op == op ? row->description : Description{"init", {}};
}

bool has_field(const Operation& operation, const Field& field) {
  return field.form != Form::search_path || operation.strings[0].find('/') == std::string::npos;
}

std::string word_of(const Operation& operation, const Field& field) {
  const uint64_t number = operation.numbers[field.index];
  if (number < field.words.size() && !field.words[number].empty()) return std::string(field.words[number]);
  return std::to_string(number);
}

std::string resource_name(uint64_t resource) {
  static constexpr const char* names[resource_count] = {"CPU",      "FSIZE",  "DATA",    "STACK", "CORE",  "RSS",
                                                        "NPROC",    "NOFILE", "MEMLOCK", "AS",    "LOCKS", "SIGPENDING",
                                                        "MSGQUEUE", "NICE",   "RTPRIO",  "RTTIME"};
  static_assert(RLIMIT_CPU == 0 && RLIMIT_STACK == 3 && RLIMIT_NOFILE == 7 && RLIMIT_AS == 9 && RLIMIT_RTTIME == 15);
  return resource < resource_count ? std::string("RLIMIT_") + names[resource] : std::to_string(resource);
}

}  // namespace reaper::planning

namespace reaper {

std::string_view operation_name(wire::Op op) {
  return planning::describe(op).name;
}

}  // namespace reaper
