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

Result<uint64_t> process_namespace_inode(int32_t pid, std::string_view type) {
  const std::string_view name = type == "network" ? "net" : type == "mount" ? "mnt" : type;
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/" + std::string(name);
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return fail(system_error("facts", "stat " + path));
  return static_cast<uint64_t>(status.st_ino);
}

Result<uint64_t> foreign_namespaces(int32_t pid) {
  static constexpr struct {
    const char *name, *own;
    uint64_t flag;
  } types[] = {{"user", "user", CLONE_NEWUSER},       {"pid", "pid_for_children", CLONE_NEWPID},
               {"net", "net", CLONE_NEWNET},          {"mnt", "mnt", CLONE_NEWNS},
               {"ipc", "ipc", CLONE_NEWIPC},          {"uts", "uts", CLONE_NEWUTS},
               {"cgroup", "cgroup", CLONE_NEWCGROUP}, {"time", "time_for_children", CLONE_NEWTIME}};
  const std::string directory = "/proc/" + std::to_string(pid) + "/ns/";
  uint64_t flags = 0;
  for (const auto& type : types) {
    const auto here = namespace_inode(type.name);
    if (!here.has_value() && here.error().sys_errno == ENOENT) continue;  // this kernel has none of this type
    if (!here.has_value()) return fail(here.error());
    if (!TRY(same_namespace(type.own, directory + type.name))) flags |= type.flag;
  }
  return flags;
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
