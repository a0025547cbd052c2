#include "host/access.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

namespace reaper {

namespace {

constexpr int max_links = 40;  // MAXSYMLINKS of the kernel
constexpr uint64_t overrides = uint64_t{1} << CAP_DAC_OVERRIDE | uint64_t{1} << CAP_DAC_READ_SEARCH;

// From where on the path is walked: the rest of it, last component first. A symbolic link's own components count as the
// link, so that messages name what stands in the configuration.
struct Component {
  std::string name;
  size_t end;  // of it in the path
};

struct Walk {
  const std::string& path;
  const Subject& subject;
  std::vector<Component> rest;
  Fd here;
  struct stat status = {};  // of `here`
  size_t here_end = 0;      // of `here` in the path
  int links = 0;
  Access result;

  Access refuse(int error, size_t end, uint32_t mode) {
    Access access;
    access.verdict = Verdict::no;
    access.error = error;
    access.where = path.substr(0, end);
    access.mode = mode & 07777;
    return access;
  }
  void doubt(size_t end, std::string why) {
    if (result.verdict == Verdict::unknown) return;
    result.verdict = Verdict::unknown;
    result.where = path.substr(0, end);
    result.why = std::move(why);
  }
};

std::string open_path(const Fd& fd) {
  return "/proc/self/fd/" + std::to_string(fd.get());
}

void push_components(std::vector<Component>& rest, std::string_view path, std::optional<size_t> end) {
  std::vector<Component> components;
  for (size_t at = 0; at < path.size();) {
    size_t slash = std::min(path.find('/', at), path.size());
    if (slash != at) components.push_back({std::string(path.substr(at, slash - at)), end.value_or(slash)});
    at = slash + 1;
  }
  // What a slash follows must be a directory.
  if (path.ends_with('/')) components.push_back({".", end.value_or(path.size())});
  rest.insert(rest.end(), std::make_move_iterator(components.rbegin()), std::make_move_iterator(components.rend()));
}

// Searching a directory and executing a file are the same bit. CAP_DAC_OVERRIDE does not execute what nobody may.
bool is_allowed(const struct stat& status, const Subject& subject, bool& by_group) {
  const bool directory = S_ISDIR(status.st_mode);
  const uint64_t enough = directory ? overrides : uint64_t{1} << CAP_DAC_OVERRIDE;
  by_group = false;
  if ((subject.effective & enough) != 0 && (directory || (status.st_mode & 0111) != 0)) return true;
  if (status.st_uid == subject.uid) return (status.st_mode & S_IXUSR) != 0;
  by_group = true;  // an access control list may decide otherwise from here on
  const bool member =
      status.st_gid == subject.gid || std::binary_search(subject.groups.begin(), subject.groups.end(), status.st_gid);
  return (status.st_mode & (member ? S_IXGRP : S_IXOTH)) != 0;
}

bool has_access_list(const Fd& file) {
  return getxattr(open_path(file).c_str(), "system.posix_acl_access", nullptr, 0) > 0;
}

// Where owners and modes are not the whole story.
std::string doubt_about(const Fd& file) {
  struct statfs system = {};
  if (fstatfs(file.get(), &system) != 0) return "";
  switch (static_cast<uint32_t>(system.f_type)) {
    case NFS_SUPER_MAGIC:
    case 0xff534d42:  // CIFS
    case 0xfe534d42:  // SMB2
      return "it lies on a file server, which decides itself";
    case FUSE_SUPER_MAGIC:
      return "it lies on a FUSE file system, which decides itself";
    default:
      return "";
  }
}

// Whether the subject passes what `here` is. nullopt: yes, or that cannot be told.
std::optional<Access> pass(Walk& walk, size_t end) {
  bool by_group = false;
  const bool allowed = is_allowed(walk.status, walk.subject, by_group);
  if (by_group && has_access_list(walk.here)) {
    walk.doubt(end, "it has an access control list, which is not read here");
    return std::nullopt;
  }
  if (!allowed) return walk.refuse(EACCES, end, walk.status.st_mode);
  return std::nullopt;
}

std::optional<Access> follow(Walk& walk, const Fd& link, size_t end) {
  char target[PATH_MAX];
  struct statfs system = {};
  if (++walk.links > max_links) return walk.refuse(ELOOP, end, walk.status.st_mode);
  if (fstatfs(link.get(), &system) == 0 && system.f_type == PROC_SUPER_MAGIC) {
    walk.doubt(end, "a link of /proc leads elsewhere in another process");
    walk.result.moves = true;
    walk.rest.clear();
    walk.here.reset();
    return std::nullopt;
  }
  const ssize_t size = readlinkat(link.get(), "", target, sizeof target);
  if (size < 0) return walk.refuse(errno, end, walk.status.st_mode);
  const std::string_view text(target, static_cast<size_t>(size));
  push_components(walk.rest, text, end);
  if (!text.starts_with('/')) return std::nullopt;
  walk.here = Fd(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!walk.here || fstat(walk.here.get(), &walk.status) != 0) return walk.refuse(errno, end, 0);
  return std::nullopt;
}

std::optional<Access> step(Walk& walk, const Component& component) {
  if (!S_ISDIR(walk.status.st_mode)) return walk.refuse(ENOTDIR, walk.here_end, walk.status.st_mode);
  if (auto refused = pass(walk, component.end)) return refused;
  if (component.name == ".") return std::nullopt;
  Fd next(openat(walk.here.get(), component.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!next && errno == EACCES) {
    walk.doubt(component.end, "this process may not look there");
    walk.rest.clear();
    walk.here.reset();
    return std::nullopt;
  }
  struct stat status = {};
  if (!next || fstat(next.get(), &status) != 0) return walk.refuse(errno, component.end, walk.status.st_mode);
  if (S_ISLNK(status.st_mode)) return follow(walk, next, component.end);
  const bool other_system = status.st_dev != walk.status.st_dev;
  walk.here = std::move(next);
  walk.status = status;
  walk.here_end = component.end;
  if (std::string why = other_system ? doubt_about(walk.here) : ""; !why.empty()) walk.doubt(component.end, why);
  return std::nullopt;
}

// To the last component. The result is `no`, or what could be seen of the file.
Access look_up(const std::string& path, const Subject& subject, struct stat& status) {
  Walk walk{
      .path = path, .subject = subject, .rest = {}, .here = {}, .status = {}, .here_end = 0, .links = 0, .result = {}};
  push_components(walk.rest, path, std::nullopt);
  walk.here = Fd(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!walk.here || fstat(walk.here.get(), &walk.status) != 0) return walk.refuse(errno, 1, 0);
  if (std::string why = doubt_about(walk.here); !why.empty()) walk.doubt(1, why);
  while (!walk.rest.empty()) {
    const Component component = std::move(walk.rest.back());
    walk.rest.pop_back();
    if (auto refused = step(walk, component)) return std::move(*refused);
  }
  status = walk.status;
  if (walk.here) {
    if (auto refused = pass(walk, path.size())) {
      refused->file = std::move(walk.here);
      return std::move(*refused);
    }
  }
  walk.result.file = std::move(walk.here);
  walk.result.mode = walk.status.st_mode & 07777;
  return std::move(walk.result);
}

bool is_own(const Subject& subject, const ProcessFacts& own) {
  return subject.uid == own.effective_uid && subject.gid == own.effective_gid && subject.groups == own.groups &&
         (subject.effective & overrides) == (own.capabilities.effective & overrides);
}

// By the kernel, which knows access control lists, file servers and security modules.
void ask_kernel(const std::string& path, Access& access) {
  if (access.moves) return;
  // Linux 5.8. faccessat(3) would work it out by itself on older ones.
  if (syscall(SYS_faccessat2, AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0) {
    access.verdict = Verdict::yes;
    return;
  }
  if (errno != EACCES) return;  // ENOSYS, or what the walk has seen itself
  if (access.verdict != Verdict::no) access.where = path;
  access.verdict = Verdict::no;
  access.error = EACCES;
}

}  // namespace

Access may_enter(const std::string& path, const Subject& subject, const ProcessFacts& own) {
  struct stat status = {};
  Access access = look_up(path, subject, status);
  if (access.file && !S_ISDIR(status.st_mode)) {
    access.verdict = Verdict::no;
    access.error = ENOTDIR;
    access.where = path;
  } else if (is_own(subject, own)) {
    ask_kernel(path, access);
  }
  return access;
}

Access may_execute(const std::string& path, const Subject& subject, const ProcessFacts& own) {
  struct stat status = {};
  Access access = look_up(path, subject, status);
  struct statvfs system = {};
  // execve(2) answers EACCES in both cases.
  const bool never = access.file && (!S_ISREG(status.st_mode) ||
                                     (fstatvfs(access.file.get(), &system) == 0 && (system.f_flag & ST_NOEXEC) != 0));
  if (never) {
    access.verdict = Verdict::no;
    access.error = EACCES;
    access.where = path;
  } else if (is_own(subject, own)) {
    ask_kernel(path, access);
  }
  return access;
}

}  // namespace reaper
