// mountinfo and /proc/thread-self/cgroup, brought together.
#include "host/cgroups.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "core/utf8.h"
#include "host/numbers.h"
#include "host/proc_file.h"

namespace reaper {

namespace {

Error unreadable(std::string_view file, std::string_view line) {
  return {REAPER_ERR_SYSTEM, 0,
          "/proc/thread-self/" + std::string(file) + " has a line that is not of proc(5)'s form: \"" + printable(line) +
              "\"",
          "", "facts"};
}

// Cuts the text up to `end` off the front; the whole rest where it does not occur.
std::string_view take_until(std::string_view& text, char end) {
  const size_t at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) words.emplace_back(take_until(text, ','));
  return words;
}

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Blank, tab, newline and backslash stand there as \ and three octal digits (proc(5)).
std::string unescaped(std::string_view text) {
  std::string plain;
  constexpr size_t length = 4;
  while (!text.empty()) {
    const bool escaped = text[0] == '\\' && text.size() >= length;
    const auto code = escaped ? parse_number<uint8_t>(text.substr(1, length - 1), 8) : std::nullopt;
    plain += code ? static_cast<char>(*code) : text[0];
    text.remove_prefix(code ? length : 1);
  }
  return plain;
}

// 36 35 98:0 /root /point rw,noatime shared:1 - type source rw,options
Result<std::optional<CgroupMount>> parse_mount(std::string_view line) {
  std::string_view rest = line;
  const auto field = [&] { return take_until(rest, ' '); };  // one may be empty: a source that was given so
  const auto id = parse_number<uint64_t>(field());
  field();  // the parent's id
  field();  // the device
  CgroupMount mount;
  mount.root = unescaped(field());
  mount.point = unescaped(field());
  const std::vector<std::string> mount_options = split(field());
  while (!rest.empty() && field() != "-") {  // optional fields
  }
  const std::string_view type = field();
  if (!id || type.empty() || mount.point.empty()) return fail(unreadable("mountinfo", line));
  if (type != "cgroup" && type != "cgroup2") return std::nullopt;
  field();  // the source, which may be anything
  mount.id = *id;
  mount.unified = type == "cgroup2";
  mount.options = split(field());
  mount.read_only = contains(mount_options, "ro") || contains(mount.options, "ro");
  return mount;
}

// The line of /proc/PID/cgroup: 4:cpu,cpuacct:/path, 1:name=systemd:/path, 0::/path
struct Membership {
  uint32_t number = 0;  // 0: version 2
  std::string name;
  std::string path;
};

Result<std::vector<Membership>> parse_memberships(std::string_view text) {
  std::vector<Membership> memberships;
  while (!text.empty()) {
    const std::string_view line = take_until(text, '\n');
    if (line.empty()) continue;
    std::string_view rest = line;
    const auto number = parse_number<uint32_t>(take_until(rest, ':'));
    const std::string_view name = take_until(rest, ':');
    if (!number || !rest.starts_with('/') || (*number == 0) != name.empty()) return fail(unreadable("cgroup", line));
    memberships.push_back({*number, name.empty() ? "unified" : std::string(name), std::string(rest)});
  }
  std::ranges::sort(memberships, [](const Membership& a, const Membership& b) {
    return a.number - 1 < b.number - 1;  // 0 is the last
  });
  return memberships;
}

bool is_of(const CgroupMount& mount, const Membership& membership) {
  if (mount.unified || membership.number == 0) return mount.unified == (membership.number == 0);
  const std::vector<std::string> controllers = split(membership.name);
  return std::ranges::all_of(controllers, [&](const auto& name) { return contains(mount.options, name); });
}

// Of several mounts of one hierarchy: one that shows our own cgroup, then one that may be written to, then the one that
// shows more.
bool is_better(const CgroupMount& a, const CgroupMount& b, const std::string& own) {
  const bool a_shows = path_below(a.root, own).has_value(), b_shows = path_below(b.root, own).has_value();
  if (a_shows != b_shows) return a_shows;
  if (a.read_only != b.read_only) return b.read_only;
  return a.root.size() < b.root.size();
}

// Whether what stands at the mount point is this mount, and not one that was put over it.
bool is_reachable(const CgroupMount& mount) {
  struct statx status = {};
  if (statx(AT_FDCWD, mount.point.c_str(), AT_NO_AUTOMOUNT, STATX_MNT_ID, &status) != 0) return false;
  return (status.stx_mask & STATX_MNT_ID) == 0 || status.stx_mnt_id == mount.id;  // Linux 5.8
}

}  // namespace

Result<std::vector<CgroupMount>> parse_cgroup_mounts(std::string_view mountinfo) {
  std::vector<CgroupMount> mounts;
  while (!mountinfo.empty()) {
    const std::string_view line = take_until(mountinfo, '\n');
    auto mount = TRY(parse_mount(line));
    // Paths that are not UTF-8 could not be told to anybody.
    if (mount && is_utf8(mount->point) && is_utf8(mount->root)) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

Result<CgroupFacts> match_cgroups(const std::vector<CgroupMount>& mounts, std::string_view own_cgroups) {
  CgroupFacts facts;
  for (const Membership& membership : TRY(parse_memberships(own_cgroups))) {
    const CgroupMount* best = nullptr;
    for (const CgroupMount& mount : mounts)
      if (is_of(mount, membership) && (best == nullptr || is_better(mount, *best, membership.path))) best = &mount;
    if (best == nullptr) continue;
    facts.hierarchies.push_back(
        {membership.name, best->unified, best->point, best->root, best->read_only, membership.path});
  }
  return facts;
}

Result<CgroupFacts> read_cgroup_facts() {
  const std::string mountinfo = TRY(read_proc_file("/proc/thread-self/mountinfo"));
  auto mounts = TRY(parse_cgroup_mounts(mountinfo));
  std::erase_if(mounts, [](const CgroupMount& mount) { return !is_reachable(mount); });
  const std::string own_cgroups = TRY(read_proc_file("/proc/thread-self/cgroup"));
  return match_cgroups(mounts, own_cgroups);
}

std::optional<std::string> path_below(std::string_view root, std::string_view path) {
  if (root != "/") {
    if (!path.starts_with(root)) return std::nullopt;
    path.remove_prefix(root.size());
    if (path.empty()) return "/";
  }
  // "/.." is how /proc shows what lies above our cgroup namespace. No cgroup has that name.
  if (path[0] != '/' || path == "/.." || path.starts_with("/../")) return std::nullopt;
  return std::string(path);
}

std::string path_joined(std::string_view root, std::string_view path) {
  if (root == "/") return std::string(path);
  if (path == "/") return std::string(root);
  return std::string(root) + std::string(path);
}

}  // namespace reaper
