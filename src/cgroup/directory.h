// Directories of a cgroup file system, and the small files in them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/fd.h"
#include "core/result.h"
#include "host/cgroups.h"

namespace reaper::cgroup {

inline constexpr const char* procs_name = "cgroup.procs";

// The names of "/a/b".
std::vector<std::string> names_of(std::string_view path);

// "<stage>: <call> <place>[/<name>]: ENOENT"
Error place_error(std::string_view what, const CgroupPlace& place, int number = errno);

// The mount point. SYSTEM when something else than a cgroup file system of this version is there.
Result<Fd> open_mount(const CgroupPlace& place);

// The directory `name` in `parent`, never through a link nor into another mount. O_PATH; -1 and errno.
int open_child(int parent, const std::string& name);

// As far as the path is there: the directory that was reached, and how many names lie behind.
struct Reached {
  Fd directory;
  size_t depth = 0;
};
Result<Reached> walk_to(const CgroupPlace& place, const std::vector<std::string>& names);

// 0 where fstat(2) fails, which no directory's inode is.
uint64_t inode_of(int directory);

// The whole file in a cgroup's directory. -1 and errno.
int read_control(int directory, const char* name, std::string& text);
// One write(2), which the kernel takes as a whole or not at all. -1 and errno.
int write_control(int directory, const char* name, std::string_view text);

// Whether the file has these words in it.
bool says(int directory, const char* file, std::string_view wanted);
// Of itself, or because one above it is.
bool is_frozen(int directory, bool unified);

// The processes of this cgroup alone. A threaded one lists none: the cgroup above it does (cgroups(7)).
Result<std::vector<int32_t>> read_processes(int directory);
// Whether there are any, here or below.
Result<bool> has_processes(int directory);

// Calls `before` for the cgroup and each one below, a parent before its children, and `after` with the parent's
// directory and the name of each one below, children first. What vanishes meanwhile is passed over. No limit of depth:
// the program in a container may have made them.
using BeforeChildren = std::function<Status(int directory)>;
using AfterChildren = std::function<Status(int parent, const std::string& name)>;
Status walk_tree(int directory, const BeforeChildren& before, const AfterChildren& after);

}  // namespace reaper::cgroup
