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

// The last '/' before a place in a path, which begins with one.
uint32_t slash_before(const char* path, uint32_t end) {
  while (end > 0 && path[end - 1] != '/') --end;
  return end == 0 ? 0 : end - 1;
}

}  // namespace

long open_in_root(int root, const char* path, uint64_t flags, uint64_t resolve) {
  const open_how how = {flags | O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve};
  long opened = -EAGAIN;
  for (int i = 0; i < most_tries && opened == -EAGAIN; ++i) opened = call(__NR_openat2, root, path, &how, sizeof how);
  return opened;
}

long make_in_root(int root, const char* path, bool directory, uint64_t resolve) {
  const auto size = static_cast<uint32_t>(length_of(path));
  if (size >= max_path) return -ENAMETOOLONG;
  // Most places are there, and of those that are not the parent: what is there is looked for from the end.
  char text[max_path];
  for (uint32_t i = 0; i <= size; ++i) text[i] = path[i];
  uint32_t end = size;
  long found = open_in_root(root, path, O_PATH, resolve);
  while (found == -ENOENT && end > 0) {
    end = slash_before(text, end);
    text[end] = '\0';
    found = open_in_root(root, end == 0 ? "/" : text, O_PATH, resolve);
  }
  while (found >= 0 && end < size) {
    const long parent = found;
    const char* const name = text + end + 1;
    text[end] = '/';
    while (text[++end] != '\0') {
    }
    const long made = end == size && !directory ? call(__NR_mknodat, parent, name, file_mode, 0)
                                                : call(__NR_mkdirat, parent, name, 0755);
    // EEXIST: a link that leads nowhere, or somebody was faster. The kernel tells which.
    found = made < 0 && made != -EEXIST ? made : open_in_root(root, text, O_PATH, resolve);
    call(__NR_close, parent);
  }
  return found;
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
