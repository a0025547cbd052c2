// mountinfo and /proc/thread-self/cgroup, brought together.
#include "host/cgroups.h"

#include <algorithm>

#include "core/take.h"
#include "core/utf8.h"
#include "host/mountinfo.h"
#include "host/numbers.h"
#include "host/proc_file.h"

namespace reaper {

namespace {

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Result<std::optional<CgroupMount>> parse_mount(std::string_view line) {
  MountLine found = TRY(parse_mount_line(line));
  if (found.type != "cgroup" && found.type != "cgroup2") return std::nullopt;
  CgroupMount mount;
  mount.id = found.id;
  mount.root = std::move(found.root);
  mount.point = std::move(found.point);
  mount.unified = found.type == "cgroup2";
  mount.options = std::move(found.options);
  mount.read_only = contains(found.mount_options, "ro") || contains(mount.options, "ro");
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
    if (!number || !rest.starts_with('/') || (*number == 0) != name.empty())
      return fail(unreadable_line("cgroup", line));
    memberships.push_back({*number, name.empty() ? "unified" : std::string(name), std::string(rest)});
  }
  std::ranges::sort(memberships, [](const Membership& a, const Membership& b) {
    return a.number - 1 < b.number - 1;  // 0 is the last
  });
  return memberships;
}

bool is_of(const CgroupMount& mount, const Membership& membership) {
  if (mount.unified || membership.number == 0) return mount.unified == (membership.number == 0);
  const std::vector<std::string> controllers = split_at_commas(membership.name);
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
  std::erase_if(mounts, [](const CgroupMount& mount) { return !is_reachable_mount(mount.id, mount.point); });
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
