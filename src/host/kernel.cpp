// The boot and the namespaces that this thread lives in.
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <charconv>

#include "core/fd.h"
#include "host/facts.h"
#include "host/proc_file.h"

namespace reaper {

namespace {

// A thread may have left the namespaces of its process (unshare(2), setns(2)); its children live in its own.
std::string own_path(std::string_view name) {
  return "/proc/thread-self/ns/" + std::string(name);
}

// Of /proc/PID/ns. `own`: what a child of the calling thread is born into.
struct NamespaceLink {
  const char *name, *own;
  uint64_t flag;
};
constexpr NamespaceLink namespace_links[] = {
    {"user", "user", CLONE_NEWUSER},       {"pid", "pid_for_children", CLONE_NEWPID},
    {"net", "net", CLONE_NEWNET},          {"mnt", "mnt", CLONE_NEWNS},
    {"ipc", "ipc", CLONE_NEWIPC},          {"uts", "uts", CLONE_NEWUTS},
    {"cgroup", "cgroup", CLONE_NEWCGROUP}, {"time", "time_for_children", CLONE_NEWTIME}};

// Whether the namespace at `path` belongs to this user namespace. One whose owner we may not see does not.
Result<bool> belongs_to(const std::string& path, const struct stat& user) {
  const Fd opened(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) return fail(system_error("facts", "open " + path));
  const Fd owner(ioctl(opened.get(), NS_GET_USERNS));
  if (!owner && errno == EPERM) return false;
  struct stat status = {};
  if (!owner || fstat(owner.get(), &status) != 0) return fail(system_error("facts", "ioctl NS_GET_USERNS on " + path));
  return status.st_dev == user.st_dev && status.st_ino == user.st_ino;
}

}  // namespace

Result<std::string> read_boot_id() {
  std::string text = TRY(read_proc_file("/proc/sys/kernel/random/boot_id"));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Result<int> read_oom_score_adj() {
  const std::string text = TRY(read_proc_file("/proc/self/oom_score_adj"));
  int value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec == std::errc()) return value;
  return fail(system_error("facts", "read /proc/self/oom_score_adj", EINVAL));
}

Result<uint64_t> namespace_inode(std::string_view name) {
  const std::string path = own_path(name);
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return fail(system_error("facts", "stat " + path));
  return status.st_ino;
}

Result<bool> same_namespace(std::string_view own_name, const std::string& path) {
  struct stat other = {};
  if (stat(path.c_str(), &other) != 0) return fail(system_error("facts", "stat " + path));
  const std::string own = own_path(own_name);
  struct stat status = {};
  if (stat(own.c_str(), &status) != 0) {
    // The kernel lacks this type, or (pid_for_children) the namespace has no process yet: it cannot be anybody's path.
    if (errno == ENOENT) return false;
    return fail(system_error("facts", "stat " + own));
  }
  return status.st_dev == other.st_dev && status.st_ino == other.st_ino;
}

Result<bool> in_initial_user_namespace() {
  constexpr uint64_t initial =
      0xEFFFFFFD;  // PROC_USER_INIT_INO, Linux 3.8; USER_NS_INIT_INO of linux/nsfs.h since 6.18
  return TRY(namespace_inode("user")) == initial;
}

Result<uint64_t> process_namespace_inode(int32_t pid, std::string_view type) {
  const std::string_view name = type == "network" ? "net" : type == "mount" ? "mnt" : type;
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/" + std::string(name);
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return fail(system_error("facts", "stat " + path));
  return static_cast<uint64_t>(status.st_ino);
}

Result<uint64_t> foreign_namespaces(int32_t pid) {
  const std::string directory = "/proc/" + std::to_string(pid) + "/ns/";
  uint64_t flags = 0;
  for (const NamespaceLink& type : namespace_links) {
    const auto here = namespace_inode(type.name);
    if (!here.has_value() && here.error().sys_errno == ENOENT) continue;  // this kernel has none of this type
    if (!here.has_value()) return fail(here.error());
    if (!TRY(same_namespace(type.own, directory + type.name))) flags |= type.flag;
  }
  return flags;
}

Result<uint64_t> outer_namespaces(int32_t pid, uint64_t flags) {
  const std::string directory = "/proc/" + std::to_string(pid) + "/ns/";
  struct stat user = {};
  if (stat((directory + "user").c_str(), &user) != 0) return fail(system_error("facts", "stat " + directory + "user"));
  uint64_t outer = 0;
  for (const NamespaceLink& type : namespace_links) {
    if (type.flag == CLONE_NEWUSER || (flags & type.flag) == 0) continue;
    if (!TRY(belongs_to(directory + type.name, user))) outer |= type.flag;
  }
  return outer;
}

Result<uint64_t> namespace_type(const std::string& path) {
  // Looked at before it is opened: to open some devices does something.
  const Fd place(open(path.c_str(), O_PATH | O_CLOEXEC));
  struct statfs file_system = {};
  if (!place || fstatfs(place.get(), &file_system) != 0) return fail(system_error("facts", "open " + path));
  if (file_system.f_type != NSFS_MAGIC) return uint64_t{0};
  const Fd file(open(("/proc/thread-self/fd/" + std::to_string(place.get())).c_str(), O_RDONLY | O_CLOEXEC));
  const int type = file ? ioctl(file.get(), NS_GET_NSTYPE) : -1;
  if (type < 0) return fail(system_error("facts", "ioctl NS_GET_NSTYPE " + path));
  return static_cast<uint64_t>(type);
}

}  // namespace reaper
