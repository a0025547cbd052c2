// The container's root: a copy of the mount at its directory, what is made in it, and the change of roots
// (pivot_root(2)).
#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>

#include "init/mounts.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

constexpr uint32_t type_mask = 0170000;  // S_IFMT, inode(7)
constexpr uint32_t type_directory = 0040000;
constexpr uint32_t type_regular = 0100000;
constexpr uint32_t type_character_device = 0020000;
constexpr uint64_t null_device = 0x103;     // major 1, minor 3 (Documentation/admin-guide/devices.txt)
constexpr uint64_t recursive = 0x8000;      // AT_RECURSIVE
constexpr uint64_t slave = 1 << 19;         // MS_SLAVE
constexpr uint64_t with_all_below = 16384;  // MS_REC
constexpr int detach = 2;                   // MNT_DETACH, umount2(2)

// In the root that is ours by now. A link of the image's leads to what it leads to, inside of it.
long open_inside(const char* path) {
  return call(__NR_openat, AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
}

// What is not there needs no hiding.
bool is_absent(long result) {
  return result == -ENOENT || result == -ENOTDIR;
}

// The container's own /dev/null, if that is what it is: an image may have another file there (CVE-2025-31133).
Outcome copy_of_null(long& copy) {
  const long null = call(__NR_openat, AT_FDCWD, "/dev/null", O_PATH | O_CLOEXEC | O_NOFOLLOW, 0);
  if (null < 0) return failed_call(null, "/dev/null");
  struct stat status = {};
  Outcome outcome = checked(call(__NR_fstat, null, &status), "/dev/null");
  if (outcome.ok() && ((status.st_mode & type_mask) != type_character_device || status.st_rdev != null_device))
    outcome = failed_call(-ENODEV, "/dev/null is another file");
  if (outcome.ok()) outcome = copy_of_place(null, 0, copy);
  call(__NR_close, null);
  return outcome;
}

Outcome empty_directory(const char* label, long& mount) {
  const long context = call(__NR_fsopen, "tmpfs", FSOPEN_CLOEXEC);
  if (context < 0) return failed_call(context, "fsopen tmpfs");
  Outcome outcome = checked(call(__NR_fsconfig, context, FSCONFIG_SET_STRING, "size", "0", 0), "size");
  if (outcome.ok() && label != nullptr)
    outcome = checked(call(__NR_fsconfig, context, FSCONFIG_SET_STRING, "context", label, 0), label);
  if (outcome.ok()) outcome = checked(call(__NR_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0), "tmpfs");
  if (outcome.ok()) {
    mount = call(__NR_fsmount, context, FSMOUNT_CLOEXEC,
                 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    outcome = checked(mount, "fsmount");
  }
  call(__NR_close, context);
  return outcome;
}

bool is_device(const struct stat& status, const Operation& operation) {
  return (status.st_mode & type_mask) == (operation.number(0) & type_mask) && status.st_rdev == operation.number(1);
}

// An empty file, and a plan of somebody who may make no devices: a container of the same root has been lent one before.
bool is_left_by_loan(const struct stat& status, const Operation& operation) {
  const bool lends = (operation.number(4) & wire::device_over_file) != 0;
  return lends && (status.st_mode & type_mask) == type_regular && status.st_size == 0;
}

// Who may make no devices (mknod(2) is EPERM in a user namespace, and without CAP_MKNOD) is lent the host's: what has
// that name there, if it is that device and no other. `over_file`: over what an earlier loan has left.
Outcome lend_device(const Operation& operation, long parent, const char* name, bool over_file) {
  const char* const path = operation.string(0);
  const long copy = call(__NR_open_tree, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  const bool short_of = copy == -EMFILE || copy == -ENFILE || copy == -ENOMEM;
  if (copy < 0) return failed_call(short_of ? copy : -EPERM, path);
  struct stat status = {};
  Outcome outcome = checked(call(__NR_fstat, copy, &status), path);
  if (outcome.ok() && !is_device(status, operation)) outcome = failed_call(-EPERM, path);
  if (outcome.ok() && !over_file) outcome = checked(call(__NR_mknodat, parent, name, type_regular | 0600, 0), path);
  long file = -1;
  if (outcome.ok()) {
    file = call(__NR_openat, parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
    outcome = checked(file, path);
  }
  if (outcome.ok()) outcome = move_mount(copy, file, path);
  if (file >= 0) call(__NR_close, file);
  call(__NR_close, copy);
  return outcome;
}

}  // namespace

// The copy is mounted over its own directory: pivot_root(2) wants a mount point, and mounts below a tree that hangs
// nowhere need Linux 6.15.
Outcome enter_root(State& state, const Operation& operation) {
  const char* const path = operation.string(0);
  const long place = call(__NR_openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (place < 0) return failed_call(place, path);
  long copy = -1;
  Outcome outcome = copy_of_place(place, recursive, copy);
  if (outcome.ok()) outcome = move_mount(copy, place, path);
  call(__NR_close, place);
  if (!outcome.ok()) return outcome;
  state.root = static_cast<int>(copy);
  state.umask = static_cast<uint32_t>(call(__NR_umask, 0));
  return {};
}

Outcome make_device(State& state, const Operation& operation) {
  if (state.root < 0) return malformed(0);
  const char* const path = operation.string(0);
  const char* name = nullptr;
  // A directory of devices that is a link could lead anywhere in the image (CVE-2026-41579).
  const long parent = parent_in_root(state, path, RESOLVE_NO_SYMLINKS, name);
  if (parent < 0) return failed_call(parent, path);
  const long made = call(__NR_mknodat, parent, name, operation.number(0), operation.number(1));
  Outcome outcome = checked(made, path);
  if (made == -EPERM) {
    outcome = lend_device(operation, parent, name, false);
  } else if (made == -EEXIST) {
    struct stat status = {};
    outcome = checked(call(__NR_newfstatat, parent, name, &status, AT_SYMLINK_NOFOLLOW), path);
    if (outcome.ok() && !is_device(status, operation))
      outcome =
          is_left_by_loan(status, operation) ? lend_device(operation, parent, name, true) : failed_call(-EEXIST, path);
  } else if (outcome.ok() && (operation.number(2) != 0 || operation.number(3) != 0)) {
    outcome =
        checked(call(__NR_fchownat, parent, name, operation.number(2), operation.number(3), AT_SYMLINK_NOFOLLOW), path);
  }
  return outcome;
}

// What stands there already stays.
Outcome make_link(State& state, const Operation& operation) {
  if (state.root < 0) return malformed(0);
  const char* const path = operation.string(0);
  const char* name = nullptr;
  const long parent = parent_in_root(state, path, RESOLVE_NO_SYMLINKS, name);
  if (parent < 0) return failed_call(parent, path);
  const long made = call(__NR_symlinkat, operation.string(1), parent, name);
  return made == -EEXIST ? Outcome{} : checked(made, path);
}

namespace {

// pivot_root(".", ".") puts the old root over the new one, from where it is taken away: no directory for it is needed.
Outcome pivot(State& state) {
  const long old = call(__NR_openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (old < 0) return failed_call(old, "/");
  Outcome outcome = checked(call(__NR_fchdir, state.root), "fchdir");
  if (outcome.ok()) outcome = checked(call(__NR_pivot_root, ".", "."), "pivot_root");
  if (outcome.ok()) outcome = checked(call(__NR_fchdir, old), "fchdir");
  if (outcome.ok()) outcome = checked(call(__NR_mount, "", ".", "", slave | with_all_below, nullptr), "mount");
  if (outcome.ok()) outcome = checked(call(__NR_umount2, ".", detach), "umount2");
  call(__NR_close, old);
  return outcome;
}

// The old root stays below, where no path leads: ".." of the new one is the new one.
Outcome cover(State& state) {
  Outcome outcome = checked(call(__NR_fchdir, state.root), "fchdir");
  const long old = call(__NR_openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (outcome.ok()) outcome = checked(old, "/");
  if (outcome.ok()) outcome = move_mount(state.root, old, "move_mount");
  if (outcome.ok()) outcome = checked(call(__NR_chroot, "."), "chroot");
  if (old >= 0) call(__NR_close, old);
  return outcome;
}

Outcome enter_with(State& state, Outcome (*change)(State&)) {
  if (state.root < 0) return malformed(0);
  forget_parent(state);
  Outcome outcome = change(state);
  if (outcome.ok()) outcome = checked(call(__NR_chdir, "/"), "chdir");
  call(__NR_close, state.root);
  state.root = -1;
  call(__NR_umask, state.umask);
  state.changed_root = outcome.ok();
  return outcome;
}

}  // namespace

Outcome change_root(State& state) {
  return enter_with(state, pivot);
}

Outcome move_root(State& state) {
  return enter_with(state, cover);
}

Outcome mask_path(const Operation& operation) {
  if (operation.string_count() == 0) return malformed(0);
  const char* const path = operation.string(0);
  const char* const label = operation.string_count() > 1 ? operation.string(1) : nullptr;
  const long place = open_inside(path);
  if (place < 0) return is_absent(place) ? Outcome{} : failed_call(place, path);
  struct stat status = {};
  Outcome outcome = checked(call(__NR_fstat, place, &status), path);
  long mount = -1;
  if (outcome.ok())
    outcome = (status.st_mode & type_mask) == type_directory ? empty_directory(label, mount) : copy_of_null(mount);
  if (outcome.ok()) outcome = move_mount(mount, place, path);
  if (mount >= 0) call(__NR_close, mount);
  call(__NR_close, place);
  return outcome;
}

Outcome make_path_read_only(const Operation& operation) {
  const char* const path = operation.string(0);
  const long place = open_inside(path);
  if (place < 0) return is_absent(place) ? Outcome{} : failed_call(place, path);
  long copy = -1;
  Outcome outcome = copy_of_place(place, recursive, copy);
  if (outcome.ok()) outcome = make_read_only(copy, true);
  if (outcome.ok()) outcome = move_mount(copy, place, path);
  if (copy >= 0) call(__NR_close, copy);
  call(__NR_close, place);
  return outcome;
}

Outcome finish_root(const Operation& operation) {
  const uint64_t propagation = operation.number(1);
  if (propagation != 0)
    if (const long result = call(__NR_mount, "", "/", "", propagation, nullptr); result < 0)
      return failed_call(result, "propagation of /");
  if (operation.number(0) == 0) return {};
  const long root = open_inside("/");
  if (root < 0) return failed_call(root, "/");
  const Outcome outcome = make_read_only(root, false);
  call(__NR_close, root);
  return outcome;
}

// The slave of the terminal, which is standard input by now, over a file of that name. Never by its path
// (CVE-2025-52565).
Outcome bind_console() {
  constexpr const char* path = "/dev/console";
  const long made = call(__NR_mknodat, AT_FDCWD, path, type_regular | 0600, 0);
  if (made < 0 && made != -EEXIST) return failed_call(made, path);
  const long file = call(__NR_openat, AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
  if (file < 0) return failed_call(file, path);
  long copy = -1;
  Outcome outcome = copy_of_place(0, 0, copy);
  if (outcome.ok()) outcome = move_mount(copy, file, path);
  if (copy >= 0) call(__NR_close, copy);
  call(__NR_close, file);
  return outcome;
}

}  // namespace reaper::init
