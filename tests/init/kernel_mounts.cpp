// The new mount API in the model kernel: what is mounted where, in the order of the calls, and what was made in the
// root. A descriptor of a path is a number that `Kernel::places` has a name for.
#include <asm/unistd.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "init/kernel.h"

namespace reaper::test {

namespace {

std::string text_at(long address) {
  return address == 0 ? "" : reinterpret_cast<const char*>(address);
}

long new_place(Kernel& k, const std::string& name) {
  int fd = 200;
  while (k.open.contains(fd)) ++fd;
  k.open.insert(fd);
  k.places[fd] = name;
  return fd;
}

std::string place_at(const Kernel& k, long fd) {
  const auto found = k.places.find(static_cast<int>(fd));
  return found == k.places.end() ? "" : found->second;
}

std::string below(const std::string& directory, const std::string& name) {
  return directory == "/" ? "/" + name : directory + "/" + name;
}

long make(Kernel& k, const std::string& path, uint32_t mode) {
  if (k.inside.contains(path)) return -EEXIST;
  k.inside[path] = mode;
  return 0;
}

long open_inside(Kernel& k, const Call& call) {
  const std::string path = text_at(call.arguments[1]);
  if (k.inside_error.contains(path)) return k.inside_error[path];
  return k.inside.contains(path) ? new_place(k, path) : -ENOENT;
}

// A path alone, O_PATH; others are opened as files.
std::optional<long> open_path(Kernel& k, const Call& call) {
  constexpr long o_path = 010000000;
  const std::string path = text_at(call.arguments[1]);
  if ((call.arguments[2] & o_path) == 0) return std::nullopt;
  return k.files.contains(path) ? new_place(k, path) : -ENOENT;
}

std::optional<long> place_status(Kernel& k, const Call& call) {
  const std::string name = place_at(k, call.arguments[0]);
  if (name.empty()) return std::nullopt;
  struct stat status = {};
  status.st_mode = k.files.contains(name) ? k.files[name] : S_IFDIR | 0755;
  status.st_rdev = k.null_device;
  memcpy(reinterpret_cast<void*>(call.arguments[1]), &status, sizeof status);
  return 0;
}

}  // namespace

std::optional<long> handle_mounts(Kernel& k, const Call& call) {
  const long* a = call.arguments;
  switch (call.number) {
    case __NR_openat:
      return open_path(k, call);
    case __NR_fstat:
      return place_status(k, call);
    case __NR_openat2:
      return open_inside(k, call);
    case __NR_mkdirat:
      return make(k, below(place_at(k, a[0]), text_at(a[1])), S_IFDIR | static_cast<uint32_t>(a[2]));
    case __NR_mknodat:
      if (k.no_devices && (a[2] & S_IFMT) == S_IFCHR) return -EPERM;
      return make(k, a[0] < 0 ? text_at(a[1]) : below(place_at(k, a[0]), text_at(a[1])), static_cast<uint32_t>(a[2]));
    case __NR_symlinkat:
      return make(k, below(place_at(k, a[1]), text_at(a[2])), S_IFLNK);
    case __NR_fchownat:
      return 0;
    case __NR_fsetxattr:
      k.labels.push_back(place_at(k, a[0]) + ": " + text_at(a[1]) + "=" + text_at(a[2]));
      return 0;
    case __NR_open_tree: {
      const std::string path = text_at(a[1]);
      return new_place(k, "copy of " + (path.empty() ? place_at(k, a[0]) : path));
    }
    case __NR_fsopen:
      return new_place(k, "new " + text_at(a[0]));
    case __NR_fsconfig:
      if (a[2] != 0) k.options.push_back(text_at(a[2]) + (a[1] == 1 ? "=" + text_at(a[3]) : ""));
      return 0;
    case __NR_fsmount:
      return new_place(k, place_at(k, a[0]));
    case __NR_mount_setattr: {
      const auto* const attributes = reinterpret_cast<const uint64_t*>(a[3]);
      k.mounts.push_back("attributes of " + place_at(k, a[0]) + ": " + std::to_string(attributes[0]) + " " +
                         std::to_string(attributes[1]) + " " + std::to_string(attributes[2]) +
                         (attributes[3] != 0 ? " ids of " + std::to_string(attributes[3]) : ""));
      return 0;
    }
    case __NR_move_mount:
      k.mounts.push_back(place_at(k, a[0]) + " on " + place_at(k, a[2]));
      return 0;
    case __NR_pivot_root:
      k.mounts.emplace_back("pivot");
      return 0;
    case __NR_chroot:
      k.mounts.push_back("chroot " + text_at(a[0]));
      return 0;
    case __NR_umount2:
      k.mounts.emplace_back("umount");
      return 0;
    default:
      return std::nullopt;
  }
}

}  // namespace reaper::test
