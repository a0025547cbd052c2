// A look at the places, the directories themselves, and the move of a process into them.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/cgroup.h"
#include "cgroup/directory.h"
#include "host/facts.h"

namespace reaper {

namespace {

using namespace cgroup;

constexpr const char* pointer = "/linux/cgroupsPath";

// The field of config.json that asked for it is at fault.
Error blame_path(Error error) {
  error.message = std::string(pointer) + ": " + error.message;
  error.pointer = pointer;
  return error;
}

Error unfit(const CgroupPlace& place, int number, const std::string& why) {
  Error error = config_error(REAPER_ERR_INVALID, pointer, "the cgroup \"" + place.directory() + "\" " + why);
  error.sys_errno = number;
  error.stage = "cgroup";
  return error;
}

// `populated` (version 2) also tells of processes that our pid namespace does not show.
Status check_fit(const CgroupPlace& place, int directory) {
  // A process that is put into a frozen cgroup would not even begin.
  if (is_frozen(directory, place.unified)) return fail(unfit(place, EBUSY, "is frozen"));
  const auto populated = says(directory, "cgroup.events", "populated 1") ? true : has_processes(directory);
  if (!populated.has_value()) return fail(blame_path(populated.error()));
  if (*populated) return fail(unfit(place, EBUSY, "has processes in it already: a container needs one of its own"));
  return {};
}

// The deepest cgroup that both are in: version 2 asks for the right to write to its cgroup.procs (cgroups(7),
// Delegation).
std::string common_ancestor(const std::string& a, const std::string& b) {
  const auto first = names_of(a), second = names_of(b);
  std::string common;
  for (size_t i = 0; i < first.size() && i < second.size() && first[i] == second[i]; ++i) common += "/" + first[i];
  return common.empty() ? "/" : common;
}

Status check_access(const CgroupPlace& place, int directory, const char* name, int mode) {
  if (faccessat(directory, name, mode, AT_EACCESS) == 0) return {};
  const int number = errno;
  const std::string object = name == std::string_view(".") ? "" : std::string(name) + " of ";
  return fail(blame_path(place_error("this process may not write to " + object, place, number)));
}

Status check_common_ancestor(const CgroupPlace& place) {
  CgroupPlace common = place;
  common.path = common_ancestor(place.path, place.own);
  const auto reached = walk_to(common, names_of(common.path));
  if (!reached.has_value()) return fail(blame_path(reached.error()));
  return check_access(common, reached->directory.get(), procs_name, W_OK);
}

Result<Cgroup> look_at_place(const CgroupPlace& place) {
  const auto names = names_of(place.path);
  const auto reached = walk_to(place, names);
  if (!reached.has_value()) return fail(blame_path(reached.error()));
  if (reached->depth == names.size()) {
    TRY(check_fit(place, reached->directory.get()));
    TRY(check_access(place, reached->directory.get(), procs_name, W_OK));
  } else {
    CgroupPlace parent = place;
    parent.path.clear();
    for (size_t i = 0; i < reached->depth; ++i) parent.path += "/" + names[i];
    if (parent.path.empty()) parent.path = "/";
    TRY(check_access(parent, reached->directory.get(), ".", W_OK | X_OK));
  }
  if (place.unified && !place.own.empty()) TRY(check_common_ancestor(place));
  return Cgroup{place, reached->depth, 0, {}};
}

// A new cpuset of version 1 has no processors and no memory, unless its parent has cgroup.clone_children set: no
// process fits into it (cpuset(7)). It gets what its parent has.
Status fill_cpuset(const CgroupPlace& place, int parent, int directory) {
  for (const char* name : {"cpuset.cpus", "cpuset.mems"}) {
    std::string own, inherited;
    if (read_control(directory, name, own) != 0 || read_control(parent, name, inherited) != 0)
      return fail(blame_path(place_error(std::string("read ") + name + " for", place)));
    if (own.find_first_not_of(" \n") != std::string::npos) continue;
    if (write_control(directory, name, inherited) != 0)
      return fail(blame_path(place_error(std::string("write ") + name + " of", place)));
  }
  return {};
}

bool has_cpuset(const CgroupPlace& place) {
  return !place.unified && ("," + place.hierarchy + ",").find(",cpuset,") != std::string::npos;
}

// Against a umask that takes the maker's own rights.
Status open_to_maker(const CgroupPlace& place, int directory) {
  struct stat status = {};
  if (fstat(directory, &status) != 0) return fail(blame_path(place_error("fstat", place)));
  if ((status.st_mode & 0700) == 0700) return {};
  const std::string path = "/proc/self/fd/" + std::to_string(directory);  // fchmod(2) refuses an O_PATH descriptor
  if (chmod(path.c_str(), (status.st_mode & 07777) | 0700) != 0) return fail(blame_path(place_error("chmod", place)));
  return {};
}

Result<Fd> make_directory(Cgroup& cgroup, int parent, const std::string& name) {
  if (mkdirat(parent, name.c_str(), 0755) != 0) return fail(blame_path(place_error("mkdir", cgroup.place)));
  Fd directory(open_child(parent, name));  // ENOENT: somebody has removed it already
  const uint64_t inode = directory ? inode_of(directory.get()) : 0;
  if (inode == 0) {
    const int number = errno;
    unlinkat(parent, name.c_str(), AT_REMOVEDIR);  // what is not known by its inode cannot be removed later
    return fail(blame_path(place_error("open", cgroup.place, number)));
  }
  cgroup.made.push_back(inode);
  TRY(open_to_maker(cgroup.place, directory.get()));
  if (has_cpuset(cgroup.place)) TRY(fill_cpuset(cgroup.place, parent, directory.get()));
  return directory;
}

// The directories from the last one that existed down to the one that is made next.
struct Way {
  std::vector<std::string> names;
  std::vector<Fd> opened;
};

Status begin(const Cgroup& cgroup, Way& way, size_t& existing) {
  auto reached = walk_to(cgroup.place, way.names);
  if (!reached.has_value()) return fail(blame_path(reached.error()));
  existing = reached->depth;
  way.opened.clear();
  way.opened.push_back(std::move(reached->directory));
  return {};
}

// Makes the next name. Neighbours make and remove theirs at the same time: a parent that appears meanwhile is theirs,
// and when one of theirs has gone again we step back behind it. What is ours nobody else may take away.
Status make_next(Cgroup& cgroup, Way& way) {
  const size_t depth = cgroup.existing + cgroup.made.size();
  const std::string& name = way.names[depth];
  const size_t made = cgroup.made.size();
  auto directory = make_directory(cgroup, way.opened.back().get(), name);
  if (directory.has_value()) {
    way.opened.push_back(std::move(*directory));
    return {};
  }
  const int number = directory.error().sys_errno;
  const bool is_ours = cgroup.made.size() != made;
  if (number == EEXIST && !is_ours && depth + 1 < way.names.size()) {
    Fd theirs(open_child(way.opened.back().get(), name));
    if (!theirs) return errno == ENOENT ? Status{} : fail(blame_path(place_error("open", cgroup.place)));
    cgroup.made.push_back(0);
    way.opened.push_back(std::move(theirs));
    return {};
  }
  const bool stands_in_ours = !cgroup.made.empty() && cgroup.made.back() != 0;
  if (number != ENOENT || is_ours || stands_in_ours) return fail(directory.error());
  if (cgroup.made.empty()) return begin(cgroup, way, cgroup.existing);
  cgroup.made.pop_back();
  way.opened.pop_back();
  return {};
}

Status make_cgroup(Cgroup& cgroup) {
  constexpr int most_steps = 10000;
  Way way = {names_of(cgroup.place.path), {}};
  TRY(begin(cgroup, way, cgroup.existing));
  for (int step = 0; cgroup.existing + cgroup.made.size() < way.names.size(); ++step) {
    if (step == most_steps) return fail(blame_path(place_error("mkdir", cgroup.place, EBUSY)));
    TRY(make_next(cgroup, way));
  }
  TRY(check_fit(cgroup.place, way.opened.back().get()));
  cgroup.inode = inode_of(way.opened.back().get());
  return {};
}

std::string hint_for(const CgroupPlace& place, int number) {
  if (place.unified && (number == EACCES || number == EPERM) && !place.own.empty())
    return "; it takes the right to write to cgroup.procs of \"" +
           path_joined(place.mount_point, common_ancestor(place.path, place.own)) + "\", too";
  if (number == ENOSPC) return "; its cpuset.cpus or cpuset.mems is empty";
  if (number == EBUSY && place.unified) return "; its cgroup.subtree_control is not empty";
  if (number == EOPNOTSUPP) return "; it is threaded";
  return "";
}

Status place_in_cgroup(const Cgroup& cgroup, const std::string& pid) {
  const auto names = names_of(cgroup.place.path);
  const auto reached = walk_to(cgroup.place, names);
  if (!reached.has_value()) return fail(blame_path(reached.error()));
  if (reached->depth != names.size() || inode_of(reached->directory.get()) != cgroup.inode)
    return fail(unfit(cgroup.place, ENOENT, "was removed by somebody else while the container was created"));
  if (write_control(reached->directory.get(), procs_name, pid) == 0) return {};
  const int number = errno;
  Error error = place_error("write " + pid + " to " + procs_name + " of", cgroup.place, number);
  error.message += hint_for(cgroup.place, number);
  return fail(blame_path(std::move(error)));
}

}  // namespace

Result<Cgroups> look_at_cgroups(const std::vector<CgroupPlace>& places) {
  Cgroups cgroups;
  if (places.empty()) return cgroups;
  cgroups.boot_id = TRY(read_boot_id());
  cgroups.cgroup_namespace = TRY(namespace_inode("cgroup"));
  cgroups.intended = true;
  for (const CgroupPlace& place : places) cgroups.list.push_back(TRY(look_at_place(place)));
  return cgroups;
}

Status make_cgroups(Cgroups& cgroups) {
  cgroups.intended = false;  // from here on, what is not in `made` was not made
  for (Cgroup& cgroup : cgroups.list) TRY(make_cgroup(cgroup));
  return {};
}

Status place_in_cgroups(const Cgroups& cgroups, int32_t pid) {
  for (const Cgroup& cgroup : cgroups.list) TRY(place_in_cgroup(cgroup, std::to_string(pid)));
  return {};
}

}  // namespace reaper
