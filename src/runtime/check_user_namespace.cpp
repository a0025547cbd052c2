// Whether this host lets this user have a new user namespace (user_namespaces(7), subuid(5)).
#include <linux/capability.h>
#include <unistd.h>

#include <algorithm>

#include "host/numbers.h"
#include "host/proc_file.h"
#include "runtime/check.h"

namespace reaper {

namespace {

constexpr const char* pointer = "/linux/namespaces";

// Not by streams: they would bring the locales of libstdc++ into the library.
std::string text_of(const char* path) {
  return read_proc_file(path).value_or(std::string());
}

// A number of /proc/sys; `missing` where this kernel has no such file.
long setting(const char* path, long missing) {
  const std::string text = text_of(path);
  std::string_view left = text;
  return parse_number<long>(next_word(left)).value_or(missing);
}

// Cuts off what stands before the next `end`; all that is left where there is none.
std::string_view next_until(std::string_view& text, char end) {
  const size_t found = text.find(end);
  const std::string_view part = text.substr(0, found);
  text.remove_prefix(found == std::string_view::npos ? text.size() : found + 1);
  return part;
}

Error refusal(std::string_view where, const std::string& what) {
  return {REAPER_ERR_PERMISSION, 0, std::string(where) + ": " + what, std::string(where), "user_namespace"};
}

struct Range {
  uint64_t first = 0, count = 0;
};

// The caller's own id, and its lines of /etc/subuid or subgid: NAME-OR-UID:FIRST:COUNT. A directory service may know
// others (nsswitch.conf(5)).
std::vector<Range> ranges_of(const char* path, uint32_t uid, uint32_t own, const std::string& name) {
  std::vector<Range> ranges = {{own, 1}};
  const std::string text = text_of(path);
  for (std::string_view left = text; !left.empty();) {
    std::string_view line = next_until(left, '\n');
    const std::string_view who = next_until(line, ':');
    const auto first = parse_number<uint64_t>(next_until(line, ':'));
    const auto count = parse_number<uint64_t>(line);
    if (first && count && (who == name || who == std::to_string(uid))) ranges.push_back({*first, *count});
  }
  return ranges;
}

// Not by getpwuid(3): that loads modules of the name service into the host.
std::string name_of(uint32_t uid) {
  const std::string text = text_of("/etc/passwd");
  for (std::string_view left = text; !left.empty();) {
    std::string_view line = next_until(left, '\n');
    const std::string_view name = next_until(line, ':');
    next_until(line, ':');  // the password
    if (next_until(line, ':') == std::to_string(uid)) return std::string(name);
  }
  return {};
}

void note_ranges(const std::string& map, const std::vector<Range>& ranges, const char* where, const char* path,
                 Findings& findings) {
  for (std::string_view left = map;;) {
    next_word(left);  // the id inside
    const auto first = parse_number<uint64_t>(next_word(left));
    const auto count = parse_number<uint64_t>(next_word(left));
    if (!first || !count) return;
    const Range outside = {*first, *count};
    bool allowed = false;
    for (const Range& range : ranges)
      allowed = allowed || (outside.first >= range.first && outside.first - range.first < range.count &&
                            outside.count <= range.count - (outside.first - range.first));
    if (!allowed)
      findings.note(where, "no entry of " + std::string(path) + " gives this user the ids " +
                               std::to_string(outside.first) + " to " +
                               std::to_string(outside.first + outside.count - 1));
  }
}

}  // namespace

void check_user_namespace(const Plan& plan, const ProcessFacts& facts, Findings& findings) {
  const UserNamespaceMaps& maps = plan.maps;
  const auto user = std::ranges::find(plan.namespaces, "user", &Namespace::type);
  if (user != plan.namespaces.end() && !user->path.empty())
    findings.note(pointer, "what cannot be told beforehand: which ids the user namespace that is joined has");
  if (!maps.fresh) return;
  const bool privileged = (facts.capabilities.effective >> CAP_SYS_ADMIN & 1) != 0;
  if (access("/proc/self/ns/user", F_OK) != 0)
    findings.add(refusal(pointer, "this kernel has no user namespaces (CONFIG_USER_NS)"));
  else if (setting("/proc/sys/user/max_user_namespaces", 1) == 0)
    findings.add(refusal(pointer, "user.max_user_namespaces is 0: nobody may make a user namespace here"));
  else if (!privileged && setting("/proc/sys/kernel/unprivileged_userns_clone", 1) == 0)
    findings.add(refusal(pointer, "kernel.unprivileged_userns_clone is 0: only root may make a user namespace here"));
  if (!privileged && setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) != 0)
    findings.note(pointer,
                  "kernel.apparmor_restrict_unprivileged_userns is set: without a profile that allows it, this process "
                  "may hold no rights in its user namespace");
  const std::string name = name_of(facts.real_uid);
  if (!maps.uid_helper.empty())
    note_ranges(maps.uid_map, ranges_of("/etc/subuid", facts.real_uid, facts.real_uid, name), "/linux/uidMappings",
                "/etc/subuid", findings);
  if (!maps.gid_helper.empty())
    note_ranges(maps.gid_map, ranges_of("/etc/subgid", facts.real_uid, facts.real_gid, name), "/linux/gidMappings",
                "/etc/subgid", findings);
  if (maps.deny_setgroups)
    findings.note("/linux/gidMappings",
                  "setgroups(2) is denied in this container: an ordinary user maps its own group");
}

}  // namespace reaper
