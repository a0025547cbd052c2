// The end of a container's cgroups: of what lives in them, of what was made below them, and of themselves.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "cgroup/cgroup.h"
#include "cgroup/directory.h"
#include "cgroup/found.h"
#include "cgroup/members.h"

namespace reaper {

namespace {

using namespace cgroup;

bool is_over(CgroupDeadline deadline) {
  return std::chrono::steady_clock::now() >= deadline;
}

Error stays(const CgroupPlace& place) {
  return {REAPER_ERR_TIMEOUT, ETIMEDOUT,
          "the cgroup \"" + place.directory() + "\" could not be removed: processes in it do not end", "", "cgroup"};
}

// Where the container's directories stand now. The mount may show another part of the hierarchy than at create, so
// names are counted from the end.
struct Path {
  CgroupPlace place;
  std::vector<std::string> names;
  size_t existing;  // how many of them were there before

  std::vector<std::string> first(size_t count) const {
    return {names.begin(), names.begin() + static_cast<long>(count)};
  }
};

Result<Path> path_of(const Finder& finder, const Cgroup& cgroup) {
  Path path = {TRY(place_now(finder, cgroup)), {}, 0};
  path.names = names_of(path.place.path);
  const size_t missing = names_of(cgroup.place.path).size() - cgroup.existing;
  path.existing = path.names.size() - std::min(missing, path.names.size());
  return path;
}

// One rmdir(2), of the name behind `depth` names. `errno`, or 0.
Result<int> remove_name(const Path& path, size_t depth) {
  const Reached parent = TRY(walk_to(path.place, path.first(depth)));
  if (parent.depth != depth) return ENOENT;
  return unlinkat(parent.directory.get(), path.names[depth].c_str(), AT_REMOVEDIR) == 0 ? 0 : errno;
}

bool is_in_use(int number) {
  return number == EBUSY || number == ENOTEMPTY;
}

// Written down, but perhaps never made. Nothing was ever put into it, so what is in use is another's.
Status remove_intended(const Path& path) {
  for (size_t depth = path.names.size(); depth-- > path.existing;) {
    const int number = TRY(remove_name(path, depth));
    if (number != 0 && number != ENOENT && !is_in_use(number)) return fail(place_error("rmdir", path.place, number));
  }
  return {};
}

// True: nothing stands below any more.
Result<bool> remove_children(int directory, const CgroupPlace& place) {
  bool clean = true;
  const auto nothing = [](int) { return Status{}; };
  const auto remove = [&](int parent, const std::string& name) -> Status {
    if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    if (!is_in_use(errno)) return fail(place_error("rmdir below", place));
    clean = false;
    return {};
  };
  TRY(walk_tree(directory, nothing, remove));
  return clean;
}

// Ends and removes one that we made: again and again, because a process takes its time to end.
Status remove_filled(const Path& path, size_t depth, uint64_t inode, CgroupDeadline deadline) {
  for (;;) {
    const Reached reached = TRY(walk_to(path.place, path.first(depth + 1)));
    // Gone, or another's of the same name.
    if (reached.depth != depth + 1 || inode_of(reached.directory.get()) != inode) return {};
    TRY(kill_members(reached.directory.get(), path.place.unified, deadline));
    if (TRY(remove_children(reached.directory.get(), path.place))) {
      const int number = TRY(remove_name(path, depth));
      if (number == 0 || number == ENOENT) return {};
      if (!is_in_use(number)) return fail(place_error("rmdir", path.place, number));
    }
    if (is_over(deadline)) return fail(stays(path.place));
    nap();
  }
}

// A parent that was made for it goes unless somebody else uses it by now.
Status remove_parent(const Path& path, size_t depth, uint64_t inode) {
  const Reached reached = TRY(walk_to(path.place, path.first(depth + 1)));
  if (reached.depth != depth + 1 || inode_of(reached.directory.get()) != inode) return {};
  const int number = TRY(remove_name(path, depth));
  if (number == 0 || number == ENOENT || is_in_use(number)) return {};
  return fail(place_error("rmdir a parent of", path.place, number));
}

// One that was there before stays. What is in it came from the container: it was empty.
Status empty_joined(const Finder& finder, const Cgroup& cgroup, CgroupDeadline deadline) {
  const Fd directory = TRY(find_cgroup(finder, cgroup));
  return directory ? end_members(directory.get(), cgroup.place, deadline) : Status{};
}

Status remove_cgroup(const Finder& finder, const Cgroup& cgroup, bool intended, CgroupDeadline deadline) {
  if (!intended && cgroup.made.empty()) return cgroup.inode == 0 ? Status{} : empty_joined(finder, cgroup, deadline);
  const Path path = TRY(path_of(finder, cgroup));
  if (intended) return remove_intended(path);
  for (size_t i = cgroup.made.size(); i-- > 0;) {
    const size_t depth = path.existing + i;
    if (depth >= path.names.size() || cgroup.made[i] == 0) continue;
    // The cgroup itself, and never a parent that a create which failed got no further than: neighbours live there.
    if (depth + 1 == path.names.size())
      TRY(remove_filled(path, depth, cgroup.made[i], deadline));
    else
      TRY(remove_parent(path, depth, cgroup.made[i]));
  }
  return {};
}

}  // namespace

Status remove_cgroups(const Cgroups& cgroups, CgroupDeadline deadline) {
  if (cgroups.list.empty()) return {};
  const Finder finder = TRY(make_finder(cgroups));
  if (!finder.same_boot) return {};
  std::optional<Error> error;
  for (const Cgroup& cgroup : cgroups.list) {
    const Status removed = remove_cgroup(finder, cgroup, cgroups.intended, deadline);
    if (!removed.has_value() && !error) error = removed.error();
  }
  return error ? Status(fail(*error)) : Status{};
}

}  // namespace reaper
