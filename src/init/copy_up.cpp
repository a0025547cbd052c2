// tmpcopyup: what stands where a new file system is going to be is copied into it first. Each directory is held by a
// descriptor, and a name is looked up in it once: no link is followed, and nothing that is mounted below is entered.
#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "init/mounts.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

constexpr uint32_t buffer_size = 65536;  // of contents, of a link's target, of the names and of the value of attributes
constexpr uint32_t most_levels = 200;    // of directories: two descriptors each, and a process has 1024
constexpr uint32_t name_offset = 19;     // in struct linux_dirent64 (getdents64(2)): 8, 8, 2, 1 bytes before the name

struct Level {
  long from, to;
  uint32_t have, at;  // in `entries`
  struct stat status;
  char entries[4096];
};

struct Copy {
  Level levels[most_levels];
  char data[buffer_size];
  char names[buffer_size];
  uint32_t depth = 0;
  uint64_t root_flags = 0;  // wire::mount_copy_*
};

// What is not what it was a moment ago: somebody else is at work there.
constexpr long changed = -ESTALE;

long open_below(long directory, const char* name, uint64_t flags) {
  const open_how how = {flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0,
                        RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH};
  return call(__NR_openat2, directory, name, &how, sizeof how);
}

// An owner that has no name in our user namespace stays root's; what has no place in the new file system stays away.
bool is_not_to_be_had(long result) {
  return result == -EPERM || result == -EINVAL || result == -EOPNOTSUPP;
}

long copy_owner(long to, const struct stat& status) {
  const long result = call(__NR_fchown, to, status.st_uid, status.st_gid);
  return is_not_to_be_had(result) ? 0 : result;
}

long copy_attribute(Copy& copy, long from, long to, const char* name) {
  const long size = call(__NR_fgetxattr, from, name, copy.data, buffer_size);
  if (size == -ENODATA || is_not_to_be_had(size)) return 0;
  if (size < 0) return size;
  const long result = call(__NR_fsetxattr, to, name, copy.data, size, 0);
  return is_not_to_be_had(result) ? 0 : result;
}

long copy_attributes(Copy& copy, long from, long to) {
  const long size = call(__NR_flistxattr, from, copy.names, buffer_size);
  if (size < 0) return is_not_to_be_had(size) ? 0 : size;
  long result = 0;
  for (long at = 0; at < size && result == 0; at += static_cast<long>(length_of(copy.names + at)) + 1)
    result = copy_attribute(copy, from, to, copy.names + at);
  return result;
}

struct Times {  // struct timespec [2], utimensat(2)
  int64_t access, access_nanoseconds, change, change_nanoseconds;
};

Times times_of(const struct stat& status) {
  return {static_cast<int64_t>(status.st_atime), static_cast<int64_t>(status.st_atime_nsec),
          static_cast<int64_t>(status.st_mtime), static_cast<int64_t>(status.st_mtime_nsec)};
}

// In this order: a new owner takes set-id bits and capabilities away (chown(2)), a new mode the mask of an ACL.
long finish_copy(Copy& copy, long from, long to, const struct stat& status, bool owner, bool mode) {
  long result = owner ? copy_owner(to, status) : 0;
  if (result == 0 && mode) result = call(__NR_fchmod, to, status.st_mode & 07777);
  if (result == 0) result = copy_attributes(copy, from, to);
  const Times times = times_of(status);
  return result == 0 ? call(__NR_utimensat, to, nullptr, &times, 0) : result;
}

long copy_contents(Copy& copy, long from, long to) {
  for (;;) {
    const long got = call_again(__NR_read, from, copy.data, buffer_size);
    if (got <= 0) return got;
    for (long put = 0; put < got;) {
      const long result = call_again(__NR_write, to, copy.data + put, got - put);
      if (result < 0) return result;
      put += result;
    }
  }
}

long copy_file(Copy& copy, const Level& level, const char* name) {
  const long from = open_below(level.from, name, O_RDONLY);
  if (from < 0) return from;
  struct stat status = {};
  long result = call(__NR_fstat, from, &status);
  if (result == 0 && (status.st_mode & S_IFMT) != S_IFREG) result = changed;
  long to = -1;
  if (result == 0) {
    to = call(__NR_openat, level.to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    result = to < 0 ? to : copy_contents(copy, from, to);
  }
  if (result == 0) result = finish_copy(copy, from, to, status, true, true);
  if (to >= 0) call(__NR_close, to);
  call(__NR_close, from);
  return result;
}

long copy_link(Copy& copy, const Level& level, const char* name, const struct stat& status) {
  const long size = call(__NR_readlinkat, level.from, name, copy.data, max_path);
  if (size < 0) return size;
  copy.data[size] = '\0';
  if (const long made = call(__NR_symlinkat, copy.data, level.to, name); made < 0) return made;
  const long owned = call(__NR_fchownat, level.to, name, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW);
  if (owned < 0 && !is_not_to_be_had(owned)) return owned;
  const Times times = times_of(status);
  return call(__NR_utimensat, level.to, name, &times, AT_SYMLINK_NOFOLLOW);
}

// Devices, pipes and sockets.
long copy_node(const Level& level, const char* name, const struct stat& status) {
  if (const long made = call(__NR_mknodat, level.to, name, status.st_mode, status.st_rdev); made < 0) return made;
  const long owned = call(__NR_fchownat, level.to, name, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW);
  return is_not_to_be_had(owned) ? 0 : owned;
}

// Both directories are the new level's from here on.
long enter(Copy& copy, long from, long to, const struct stat& status) {
  Level& level = copy.levels[copy.depth++];
  level.from = from;
  level.to = to;
  level.have = level.at = 0;
  level.status = status;
  return 0;
}

long copy_directory(Copy& copy, const Level& level, const char* name, const struct stat& status) {
  if (copy.depth == most_levels) return -ELOOP;
  const long from = open_below(level.from, name, O_RDONLY | O_DIRECTORY);
  // What is mounted there is not copied, as in cp -x: a directory for it is.
  if (from < 0 && from != -EXDEV) return from;
  long result = call(__NR_mkdirat, level.to, name, 0700);
  long to = -1;
  if (result == 0) {
    to = call(__NR_openat, level.to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    result = to < 0 ? to : 0;
  }
  if (from >= 0) {
    struct stat own = {};
    if (result == 0) result = call(__NR_fstat, from, &own);
    if (result == 0) return enter(copy, from, to, own);
    call(__NR_close, from);
  } else if (result == 0) {
    result = copy_owner(to, status);
    if (result == 0) result = call(__NR_fchmod, to, status.st_mode & 07777);
  }
  if (to >= 0) call(__NR_close, to);
  return result;
}

long copy_entry(Copy& copy, const Level& level, const char* name) {
  struct stat status = {};
  if (const long result = call(__NR_newfstatat, level.from, name, &status, AT_SYMLINK_NOFOLLOW); result < 0)
    return result;
  switch (status.st_mode & S_IFMT) {
    case S_IFDIR:
      return copy_directory(copy, level, name, status);
    case S_IFREG:
      return copy_file(copy, level, name);
    case S_IFLNK:
      return copy_link(copy, level, name, status);
    default:
      return copy_node(level, name, status);
  }
}

// The next name of a directory in `name`; null at its end. 0, or a negative errno.
long next_name(Level& level, const char*& name) {
  for (;;) {
    name = nullptr;
    if (level.at >= level.have) {
      const long got = call(__NR_getdents64, level.from, level.entries, sizeof level.entries);
      if (got <= 0) return got;
      level.have = static_cast<uint32_t>(got);
      level.at = 0;
    }
    const char* const entry = level.entries + level.at;
    uint16_t size;
    __builtin_memcpy(&size, entry + 16, sizeof size);
    level.at += size;
    name = entry + name_offset;
    const bool is_dot = name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
    if (!is_dot) return 0;
  }
}

// Down into directories and up again, without recursion.
Outcome copy_all(Copy& copy) {
  while (copy.depth != 0) {
    Level& level = copy.levels[copy.depth - 1];
    const char* name = nullptr;
    if (const long result = next_name(level, name); result < 0) return failed_call(result, "tmpcopyup: getdents64");
    if (name != nullptr) {
      if (const long result = copy_entry(copy, level, name); result < 0) return failed_call(result, name);
      continue;
    }
    const bool is_root = copy.depth == 1;
    const bool owner = !is_root || (copy.root_flags & wire::mount_copy_owner) != 0;
    const bool mode = !is_root || (copy.root_flags & wire::mount_copy_mode) != 0;
    const long result = finish_copy(copy, level.from, level.to, level.status, owner, mode);
    if (result < 0) return failed_call(result, "tmpcopyup: attributes of a directory");
    call(__NR_close, level.from);
    call(__NR_close, level.to);
    --copy.depth;
  }
  return {};
}

}  // namespace

Outcome copy_up(long place, long mount, uint64_t flags) {
  auto* const copy = static_cast<Copy*>(map_memory(sizeof(Copy)));
  if (copy == nullptr) return failed_call(-ENOMEM, "tmpcopyup");
  copy->root_flags = flags;
  const long from = call(__NR_openat, place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (from < 0) return failed_call(from, "tmpcopyup");
  const long to = call(__NR_openat, mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  struct stat status = {};
  const long result = to < 0 ? to : call(__NR_fstat, from, &status);
  if (result < 0) return failed_call(result, "tmpcopyup");
  enter(*copy, from, to, status);
  const Outcome outcome = copy_all(*copy);
  if (outcome.ok()) call(__NR_munmap, copy, sizeof(Copy));
  return outcome;
}

}  // namespace reaper::init
