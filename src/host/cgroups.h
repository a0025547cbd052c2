// Control groups as this thread sees them: which hierarchies are mounted where, and its own place in each
// (cgroups(7), proc(5)). Reads only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace reaper {

// A mounted hierarchy. Paths inside it are as /proc shows them: from the root of our cgroup namespace, "/.." above it.
struct CgroupHierarchy {
  std::string name;         // of version 1 its controllers, "cpu,cpuacct" or "name=systemd"; "unified": version 2
  bool unified = false;     // version 2
  std::string mount_point;  // where it is mounted
  std::string mount_root;   // the cgroup that the mount point shows; not "/" in some containers
  bool read_only = false;
  std::string own;  // the cgroup that this thread lives in
  bool operator==(const CgroupHierarchy&) const = default;
};
struct CgroupFacts {
  std::vector<CgroupHierarchy> hierarchies;  // in the order of the kernel's numbers, version 2 last
};
// Those that are mounted, each once, at a place where they can be reached. Errors: SYSTEM, PERMISSION.
Result<CgroupFacts> read_cgroup_facts();

// A mount of /proc/PID/mountinfo whose type is cgroup or cgroup2.
struct CgroupMount {
  uint64_t id = 0;
  std::string root;
  std::string point;
  bool read_only = false;
  bool unified = false;
  std::vector<std::string> options;  // of the file system: its controllers are among them
};
// The two halves of read_cgroup_facts(). Lines of another form than proc(5)'s are an error.
Result<std::vector<CgroupMount>> parse_cgroup_mounts(std::string_view mountinfo);
Result<CgroupFacts> match_cgroups(const std::vector<CgroupMount>& mounts, std::string_view own_cgroups);

// What of `path`, which is from the hierarchy's root, lies below `root`: "/" for `root` itself; nullopt: it does not.
std::optional<std::string> path_below(std::string_view root, std::string_view path);
// `path` below `root`; both begin with a slash.
std::string path_joined(std::string_view root, std::string_view path);

// A cgroup that a container is to live in.
struct CgroupPlace {
  std::string hierarchy;  // CgroupHierarchy::name
  bool unified = false;
  std::string mount_point;
  std::string mount_root;
  std::string path;  // below the mount point: "/a/b"
  std::string own;   // below the mount point, too: the cgroup that the caller lives in; "": not visible there
  bool operator==(const CgroupPlace&) const = default;
  std::string directory() const { return path_joined(mount_point, path); }
};

}  // namespace reaper
