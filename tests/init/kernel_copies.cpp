// What tmpcopyup reads and makes, in the model kernel: a tree of originals, and one of copies.
#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "init/kernel.h"

namespace reaper::test {

namespace {

std::string text_at(long address) {
  return reinterpret_cast<const char*>(address);
}

// The path of a descriptor in one of the trees; null: it is in the other.
const std::string* path_of(const std::map<int, std::string>& opened, long fd) {
  const auto found = opened.find(static_cast<int>(fd));
  return found == opened.end() ? nullptr : &found->second;
}

long open_as(Kernel& k, std::map<int, std::string>& opened, const std::string& path) {
  int fd = 300;
  while (k.open.contains(fd)) ++fd;
  k.open.insert(fd);
  k.copies.listed.erase(fd);
  opened[fd] = path;
  return fd;
}

std::optional<long> open_name(Kernel& k, const Call& call) {
  Copies& c = k.copies;
  const std::string name = text_at(call.arguments[1]);
  if (name == ".") {
    const bool is_new = k.places[static_cast<int>(call.arguments[0])] == "new tmpfs";
    return open_as(k, is_new ? c.open_copies : c.open_originals, "");
  }
  const std::string* parent = path_of(c.open_copies, call.arguments[0]);
  if (parent == nullptr) return std::nullopt;
  const std::string path = *parent + "/" + name;
  if ((call.arguments[2] & O_CREAT) != 0) c.made[path] = {S_IFREG | static_cast<uint32_t>(call.arguments[3]), "", {}};
  return open_as(k, c.open_copies, path);
}

std::optional<long> open_original(Kernel& k, const Call& call) {
  Copies& c = k.copies;
  const std::string* parent = path_of(c.open_originals, call.arguments[0]);
  if (parent == nullptr) return std::nullopt;
  const std::string path = *parent + "/" + text_at(call.arguments[1]);
  if (c.mounted_over == path) return -EXDEV;
  if (!c.originals.contains(path)) return -ENOENT;
  return open_as(k, c.open_originals, path);
}

long tell_status(const Copies& c, const std::string& path, long address) {
  struct stat status = {};
  const auto found = c.originals.find(path);
  if (found == c.originals.end()) return -ENOENT;
  status.st_mode = !path.empty() && path == c.changes ? S_IFIFO : found->second.mode;
  status.st_uid = 7;
  status.st_gid = 8;
  status.st_mtime = 1000;
  memcpy(reinterpret_cast<void*>(address), &status, sizeof status);
  return 0;
}

long list_names(Kernel& k, const std::string& directory, const Call& call) {
  if (!k.copies.listed.insert(static_cast<int>(call.arguments[0])).second) return 0;
  auto* out = reinterpret_cast<char*>(call.arguments[1]);
  std::vector<std::string> names = {".", ".."};
  for (const auto& [path, original] : k.copies.originals)
    if (path.starts_with(directory + "/") && path.find('/', directory.size() + 1) == std::string::npos)
      names.push_back(path.substr(directory.size() + 1));
  long used = 0;
  for (const std::string& name : names) {
    const auto size = static_cast<uint16_t>((19 + name.size() + 1 + 7) / 8 * 8);
    memset(out + used, 0, size);
    memcpy(out + used + 16, &size, sizeof size);
    memcpy(out + used + 19, name.c_str(), name.size() + 1);
    used += size;
  }
  return used;
}

std::optional<long> of_original(Kernel& k, const std::string& path, const Call& call) {
  Copies& c = k.copies;
  const long* a = call.arguments;
  auto* out = reinterpret_cast<char*>(a[call.number == __NR_fgetxattr ? 2 : 1]);
  switch (call.number) {
    case __NR_newfstatat:
      return tell_status(c, path + "/" + text_at(a[1]), a[2]);
    case __NR_fstat:
      return tell_status(c, path, a[1]);
    case __NR_getdents64:
      return list_names(k, path, call);
    case __NR_read: {
      if (!c.listed.insert(static_cast<int>(a[0])).second) return 0;
      const std::string& content = c.originals[path].content;
      memcpy(out, content.data(), content.size());
      return static_cast<long>(content.size());
    }
    case __NR_readlinkat: {
      const std::string& content = c.originals[path + "/" + text_at(a[1])].content;
      memcpy(reinterpret_cast<void*>(a[2]), content.data(), content.size());
      return static_cast<long>(content.size());
    }
    case __NR_flistxattr: {
      std::string names;
      for (const auto& [name, value] : c.originals[path].attributes) names += name + '\0';
      memcpy(out, names.data(), names.size());
      return static_cast<long>(names.size());
    }
    case __NR_fgetxattr: {
      const std::string& value = c.originals[path].attributes[text_at(a[1])];
      memcpy(out, value.data(), value.size());
      return static_cast<long>(value.size());
    }
    default:
      return std::nullopt;
  }
}

std::optional<long> of_copy(Kernel& k, const std::string& path, const Call& call) {
  Copies& c = k.copies;
  const long* a = call.arguments;
  switch (call.number) {
    case __NR_mkdirat:
      c.made[path + "/" + text_at(a[1])] = {S_IFDIR | static_cast<uint32_t>(a[2]), "", {}};
      return 0;
    case __NR_mknodat:
      c.made[path + "/" + text_at(a[1])] = {static_cast<uint32_t>(a[2]), "", {}};
      return 0;
    case __NR_write:
      c.made[path].content.append(text_at(a[1]).substr(0, static_cast<size_t>(a[2])));
      return a[2];
    case __NR_fchmod:
      c.made[path].mode = (c.made[path].mode & S_IFMT) | static_cast<uint32_t>(a[1]);
      return 0;
    case __NR_fsetxattr:
      c.made[path].attributes[text_at(a[1])] =
          std::string(reinterpret_cast<const char*>(a[2]), static_cast<size_t>(a[3]));
      return 0;
    case __NR_fchown:
    case __NR_fchownat:
    case __NR_utimensat:
      return 0;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<long> handle_copies(Kernel& k, const Call& call) {
  Copies& c = k.copies;
  const long* a = call.arguments;
  if (c.originals.empty()) return std::nullopt;
  if (call.number == __NR_munmap) return munmap(reinterpret_cast<void*>(a[0]), static_cast<size_t>(a[1]));
  if (call.number == __NR_openat) return open_name(k, call);
  if (call.number == __NR_openat2) return open_original(k, call);
  if (call.number == __NR_close) {
    c.open_originals.erase(static_cast<int>(a[0]));
    c.open_copies.erase(static_cast<int>(a[0]));
    return std::nullopt;
  }
  if (call.number == __NR_symlinkat) {
    const std::string* parent = path_of(c.open_copies, a[1]);
    if (parent == nullptr) return std::nullopt;
    c.made[*parent + "/" + text_at(a[2])] = {S_IFLNK | 0777, text_at(a[0]), {}};
    return 0;
  }
  if (const std::string* path = path_of(c.open_originals, a[0])) return of_original(k, std::string(*path), call);
  if (const std::string* path = path_of(c.open_copies, a[0])) return of_copy(k, std::string(*path), call);
  return std::nullopt;
}

}  // namespace reaper::test
