#include "cgroup/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>

#include "host/numbers.h"

namespace reaper::cgroup {

namespace {

// One name, never through a link, nor into something that is mounted over it.
int open_name(int directory, const char* name, uint64_t flags) {
  open_how how = {};
  how.flags = flags | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  const long opened = syscall(SYS_openat2, directory, name, &how, sizeof how);
  // Filters of older container managers deny the call (Linux 5.6) with either. For a single name that is no "..",
  // O_NOFOLLOW says nearly the same.
  if (opened >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(opened);
  return openat(directory, name, static_cast<int>(how.flags));
}

// The directories in a directory.
Result<std::vector<std::string>> children_of(int directory) {
  const Fd own(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::vector<std::string> names;
  if (!own && errno == ENOENT) return names;  // removed meanwhile
  if (!own) return fail(system_error("cgroup", "open a cgroup's directory"));
  alignas(dirent64) char buffer[8192];
  for (;;) {
    const ssize_t bytes = syscall(SYS_getdents64, own.get(), buffer, sizeof buffer);  // glibc has it from 2.30 on
    if (bytes < 0 && errno == ENOENT) return names;
    if (bytes < 0) return fail(system_error("cgroup", "getdents64 of a cgroup's directory"));
    if (bytes == 0) return names;
    for (ssize_t at = 0; at < bytes;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer + at);
      const std::string_view name = entry->d_name;
      if (entry->d_type == DT_DIR && name != "." && name != "..") names.emplace_back(name);
      at += entry->d_reclen;
    }
  }
}

}  // namespace

std::vector<std::string> names_of(std::string_view path) {
  std::vector<std::string> names;
  while (!path.empty()) {
    const std::string_view name = path.substr(0, path.find('/'));
    if (!name.empty()) names.emplace_back(name);
    path.remove_prefix(std::min(name.size() + 1, path.size()));
  }
  return names;
}

Error place_error(std::string_view what, const CgroupPlace& place, int number) {
  return system_error("cgroup", std::string(what) + " \"" + place.directory() + "\"", number);
}

Result<Fd> open_mount(const CgroupPlace& place) {
  Fd directory(open(place.mount_point.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return fail(system_error("cgroup", "open the cgroup mount \"" + place.mount_point + "\""));
  struct statfs status = {};
  if (fstatfs(directory.get(), &status) != 0)
    return fail(system_error("cgroup", "fstatfs the cgroup mount \"" + place.mount_point + "\""));
  const bool expected = status.f_type == (place.unified ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC);
  if (expected) return directory;
  return fail(
      {REAPER_ERR_SYSTEM, 0, "at \"" + place.mount_point + "\" there is no cgroup file system any more", "", "cgroup"});
}

int open_child(int parent, const std::string& name) {
  return open_name(parent, name.c_str(), O_PATH | O_DIRECTORY);
}

Result<Reached> walk_to(const CgroupPlace& place, const std::vector<std::string>& names) {
  Reached reached = {TRY(open_mount(place)), 0};
  for (const std::string& name : names) {
    Fd next(open_child(reached.directory.get(), name));
    if (!next && errno == ENOENT) break;
    if (!next) return fail(place_error("open", place));
    reached.directory = std::move(next);
    ++reached.depth;
  }
  return reached;
}

uint64_t inode_of(int directory) {
  struct stat status = {};
  return fstat(directory, &status) == 0 ? status.st_ino : 0;
}

int read_control(int directory, const char* name, std::string& text) {
  const Fd file(open_name(directory, name, O_RDONLY));
  if (!file) return -1;
  size_t used = 0;
  for (;;) {
    text.resize(used + 16384);
    const ssize_t got = read(file.get(), text.data() + used, text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    used += static_cast<size_t>(got);
    text.resize(used);
    if (got == 0) return 0;
  }
}

int write_control(int directory, const char* name, std::string_view text) {
  const Fd file(open_name(directory, name, O_WRONLY));
  if (!file) return -1;
  for (;;) {
    const ssize_t written = write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    return written < 0 ? -1 : 0;
  }
}

bool says(int directory, const char* file, std::string_view wanted) {
  std::string text;
  return read_control(directory, file, text) == 0 && text.find(wanted) != std::string::npos;
}

bool is_frozen(int directory, bool unified) {
  if (unified) return says(directory, "cgroup.events", "frozen 1");
  return says(directory, "freezer.state", "FREEZING") || says(directory, "freezer.state", "FROZEN");
}

Result<std::vector<int32_t>> read_processes(int directory) {
  std::vector<int32_t> pids;
  std::string text;
  if (read_control(directory, procs_name, text) != 0) {
    // Removed meanwhile, or threaded.
    if (errno == ENOENT || errno == ENODEV || errno == EOPNOTSUPP) return pids;
    return fail(system_error("cgroup", "read cgroup.procs"));
  }
  std::string_view rest = text;
  for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest))
    if (const auto pid = parse_number<int32_t>(word)) pids.push_back(*pid);
  return pids;
}

Result<bool> has_processes(int directory) {
  bool found = false;
  const auto look = [&](int at) -> Status {
    found = found || !TRY(read_processes(at)).empty();
    return {};
  };
  TRY(walk_tree(directory, look, nullptr));
  return found;
}

Status walk_tree(int directory, const BeforeChildren& before, const AfterChildren& after) {
  struct Level {
    std::vector<std::string> names;  // those that are still to be visited; the last is the next
    std::string name;                // its own, in the level above
  };
  TRY(before(directory));
  std::vector<Level> levels = {{TRY(children_of(directory)), ""}};
  Fd at(openat(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!at) return errno == ENOENT ? Status{} : fail(system_error("cgroup", "open a cgroup's directory"));
  for (;;) {
    Level& level = levels.back();
    if (!level.names.empty()) {
      std::string name = std::move(level.names.back());
      level.names.pop_back();
      Fd child(open_child(at.get(), name));
      if (!child && errno == ENOENT) continue;
      if (!child) return fail(system_error("cgroup", "open the cgroup \"" + name + "\""));
      TRY(before(child.get()));
      levels.push_back({TRY(children_of(child.get())), std::move(name)});
      at = std::move(child);
      continue;
    }
    if (levels.size() == 1) return {};
    // A cgroup cannot be moved to another parent, so ".." is where we came from.
    at = Fd(openat(at.get(), "..", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!at) return fail(system_error("cgroup", "open a cgroup's parent"));
    if (after) TRY(after(at.get(), level.name));
    levels.pop_back();
  }
}

}  // namespace reaper::cgroup
