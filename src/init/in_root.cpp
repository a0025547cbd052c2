// Paths inside the container's root, before it is the root: resolved by the kernel as if it were (openat2(2),
// RESOLVE_IN_ROOT), once, to a descriptor that everything else is done with. Missing directories are made below the
// descriptor of what is there.
#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>

#include "init/mounts.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

constexpr uint32_t file_mode = 0100644;  // S_IFREG and rw-r--r--, where a file is mounted on a name that is missing
constexpr int most_tries = 64;           // openat2(2): EAGAIN when somebody renames on the way

// Terminates the path behind each of its names in turn.
struct Prefix {
  char text[max_path];
  uint32_t end = 0;
  uint32_t name = 0;  // where the last one begins
};

bool next_prefix(Prefix& prefix, const char* path) {
  uint32_t i = prefix.end;
  if (path[i] == '\0') return false;
  prefix.text[i] = '/';
  prefix.name = ++i;
  while (path[i] != '\0' && path[i] != '/' && i < max_path - 1) {
    prefix.text[i] = path[i];
    ++i;
  }
  prefix.text[i] = '\0';
  prefix.end = i;
  return true;
}

}  // namespace

long open_in_root(int root, const char* path, uint64_t flags, uint64_t resolve) {
  const open_how how = {flags | O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve};
  long opened = -EAGAIN;
  for (int i = 0; i < most_tries && opened == -EAGAIN; ++i) opened = call(__NR_openat2, root, path, &how, sizeof how);
  return opened;
}

long make_in_root(int root, const char* path, bool directory, uint64_t resolve) {
  if (length_of(path) >= max_path) return -ENAMETOOLONG;
  const long there = open_in_root(root, path, O_PATH, resolve);
  if (there != -ENOENT) return there;
  Prefix prefix = {};
  long parent = open_in_root(root, "/", O_PATH | O_DIRECTORY, 0);
  while (parent >= 0 && next_prefix(prefix, path)) {
    const bool last = path[prefix.end] == '\0';
    long found = open_in_root(root, prefix.text, O_PATH, resolve);
    if (found == -ENOENT) {
      const char* const name = prefix.text + prefix.name;
      const long made =
          last && !directory ? call(__NR_mknodat, parent, name, file_mode, 0) : call(__NR_mkdirat, parent, name, 0755);
      // EEXIST: a link that leads nowhere, or somebody was faster. The kernel tells which.
      found = made < 0 && made != -EEXIST ? made : open_in_root(root, prefix.text, O_PATH, resolve);
    }
    call(__NR_close, parent);
    parent = found;
  }
  return parent;
}

long parent_in_root(State& state, const char* path, uint64_t resolve, const char*& name) {
  const size_t length = length_of(path);
  if (length >= max_path) return -ENAMETOOLONG;
  if (path[0] != '/') return -EINVAL;
  size_t size = length;
  while (path[size] != '/') --size;
  name = path + size + 1;
  bool same = state.parent >= 0 && state.parent_size == size;
  for (size_t i = 0; same && i < size; ++i) same = state.parent_path[i] == path[i];
  if (same) return state.parent;
  forget_parent(state);
  char before[max_path] = {};
  for (size_t i = 0; i < size; ++i) before[i] = path[i];
  const long parent = size == 0 ? open_in_root(state.root, "/", O_PATH | O_DIRECTORY, 0)
                                : make_in_root(state.root, before, true, resolve);
  if (parent < 0) return parent;
  state.parent = static_cast<int>(parent);
  state.parent_path = path;
  state.parent_size = size;
  return parent;
}

void forget_parent(State& state) {
  if (state.parent >= 0) call(__NR_close, state.parent);
  state.parent = -1;
}

long file_system_of(int fd) {
  struct {
    long type;
    long rest[64];  // struct statfs is 120 bytes on both architectures
  } file_system = {};
  const long result = call(__NR_fstatfs, fd, &file_system);
  return result < 0 ? result : file_system.type;
}

}  // namespace reaper::init
