// The container's mounts, by descriptors of the new mount API alone: no path is resolved twice (CVE-2021-30465).
#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>

#include "init/frames.h"
#include "init/mounts.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

constexpr uint32_t type_mask = 0170000;  // S_IFMT, inode(7)
constexpr uint32_t type_directory = 0040000;
constexpr uint64_t recursive = 0x8000;  // AT_RECURSIVE, open_tree(2)

struct Attributes {  // struct mount_attr, mount_setattr(2)
  uint64_t set, clear, propagation, user_namespace;
};

Outcome set_attributes(long mount, uint64_t set, uint64_t clear, uint64_t propagation, uint64_t flags) {
  if (set == 0 && clear == 0 && propagation == 0) return {};
  const Attributes attributes = {set, clear, propagation, 0};
  return checked(call(__NR_mount_setattr, mount, "", AT_EMPTY_PATH | flags, &attributes, sizeof attributes),
                 "mount_setattr");
}

Outcome look_at(long mount, bool& directory) {
  struct stat status = {};
  const Outcome outcome = checked(call(__NR_fstat, mount, &status), "fstat");
  directory = (status.st_mode & type_mask) == type_directory;
  return outcome;
}

// Flags of a file system that a remount sets or takes away (mount(2)).
constexpr uint64_t counts_versions = 1 << 23;  // MS_I_VERSION
constexpr uint64_t is_read_only = 1;           // MS_RDONLY
constexpr struct {
  const char* name;
  uint64_t flag;
  bool on;
} file_system_flags[] = {{"sync", 1 << 4, true},
                         {"async", 1 << 4, false},
                         {"mand", 1 << 6, true},
                         {"nomand", 1 << 6, false},
                         {"lazytime", 1 << 25, true},
                         {"nolazytime", 1 << 25, false},
                         {"iversion", counts_versions, true},
                         {"noiversion", counts_versions, false}};

bool is_same(const char* one, const char* other) {
  while (*one != '\0' && *one == *other) ++one, ++other;
  return *one == *other;
}

// A device that cannot be written to is opened for reading alone.
bool is_for_reading(const Operation& operation) {
  return *operation.string(1) == '/' && (operation.number(1) & MOUNT_ATTR_RDONLY) != 0;
}

// fsconfig(2) has no name for that flag, and a file system takes it for an option of its own.
bool is_for_remount(const char* option) {
  return is_same(option, "iversion") || is_same(option, "noiversion");
}

// So it is set by mount(2), which takes away what is not given again, of the file system and of the mount.
Outcome count_versions(const Operation& operation, long mount) {
  constexpr uint64_t remount = 32;  // MS_REMOUNT
  uint64_t flags = is_for_reading(operation) ? is_read_only : 0;
  for (uint32_t i = 3; i < operation.string_count(); ++i)
    for (const auto& row : file_system_flags)
      if (is_same(operation.string(i), row.name)) flags = row.on ? flags | row.flag : flags & ~row.flag;
  if ((flags & counts_versions) == 0) return {};
  constexpr char directory[] = "/proc/self/fd/";
  constexpr uint32_t length = sizeof directory - 1;
  char text[length + 21] = {};
  char* path = digits_before(text + sizeof text - 1, static_cast<uint64_t>(mount)) - length;
  for (uint32_t i = 0; i < length; ++i) path[i] = directory[i];
  const Outcome outcome = checked(call(__NR_mount, "", path, "", remount | flags, nullptr), "iversion");
  return outcome.ok() ? set_attributes(mount, operation.number(1), operation.number(2), 0, 0) : outcome;
}

// "size=64k" -> a string, "newinstance" -> a flag.
Outcome configure(long context, const char* option) {
  if (is_for_remount(option)) return {};
  char key[64];
  uint32_t i = 0;
  for (; option[i] != '\0' && option[i] != '='; ++i) {
    if (i == sizeof key - 1) return failed_call(-EINVAL, option);
    key[i] = option[i];
  }
  key[i] = '\0';
  const long result = option[i] == '=' ? call(__NR_fsconfig, context, FSCONFIG_SET_STRING, key, option + i + 1, 0)
                                       : call(__NR_fsconfig, context, FSCONFIG_SET_FLAG, key, nullptr, 0);
  return checked(result, option);
}

// What a file system that is going to be filled gets when it is full.
uint64_t late_attributes(const Operation& operation) {
  return (operation.number(0) & wire::mount_copy_up) != 0 ? operation.number(1) & MOUNT_ATTR_RDONLY : 0;
}

// fsopen, fsconfig, fsmount: a file system that is mounted nowhere yet.
Outcome new_file_system(const Operation& operation, long& mount) {
  const char* const type = operation.string(2);
  const long context = call(__NR_fsopen, type, FSOPEN_CLOEXEC);
  if (context < 0) return failed_call(context, type);
  Outcome outcome;
  const char* const source = operation.string(1);
  if (*source != '\0')
    outcome = checked(call(__NR_fsconfig, context, FSCONFIG_SET_STRING, "source", source, 0), source);
  if (outcome.ok() && is_for_reading(operation) && late_attributes(operation) == 0)
    outcome = checked(call(__NR_fsconfig, context, FSCONFIG_SET_FLAG, "ro", nullptr, 0), "ro");
  for (uint32_t i = 3; outcome.ok() && i < operation.string_count(); ++i)
    outcome = configure(context, operation.string(i));
  if (outcome.ok()) outcome = checked(call(__NR_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0), type);
  if (outcome.ok()) {
    mount = call(__NR_fsmount, context, FSMOUNT_CLOEXEC, operation.number(1) & ~late_attributes(operation));
    outcome = checked(mount, "fsmount");
  }
  call(__NR_close, context);
  return outcome;
}

Outcome prepare_copy(const Operation& operation, long mount) {
  if ((operation.number(0) & wire::mount_must_be_proc) != 0 &&
      file_system_of(static_cast<int>(mount)) != PROC_SUPER_MAGIC)
    return failed_call(-EINVAL, "only procfs may be mounted at /proc");
  return set_attributes(mount, operation.number(1), operation.number(2), 0, 0);
}

// A copy of what is mounted at the source, in the namespace of the host's that we still see.
Outcome copy_of_source(const Operation& operation, long& mount) {
  const char* const source = operation.string(1);
  const uint64_t below = (operation.number(0) & wire::mount_recursive) != 0 ? recursive : 0;
  mount = call(__NR_open_tree, AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | below);
  if (mount < 0) return failed_call(mount, source);
  return prepare_copy(operation, mount);
}

// The library's copy: with other ids, which only who has rights over the file system may give it.
Outcome mapped_source(State& state, const Operation& operation, long& mount) {
  mount = state.mapped;
  state.mapped = -1;
  return prepare_copy(operation, mount);
}

Outcome mapped_file_system(State& state, const Operation& operation, long& mount) {
  Outcome outcome = new_file_system(operation, mount);
  if (outcome.ok()) {
    const Attributes ids = {MOUNT_ATTR_IDMAP, 0, 0, static_cast<uint64_t>(state.mapped)};
    outcome =
        checked(call(__NR_mount_setattr, mount, "", AT_EMPTY_PATH, &ids, sizeof ids), "mount_setattr MOUNT_ATTR_IDMAP");
  }
  call(__NR_close, state.mapped);
  state.mapped = -1;
  return outcome;
}

uint64_t resolve_of(const Operation& operation) {
  return (operation.number(0) & wire::mount_no_links) != 0 ? RESOLVE_NO_SYMLINKS : 0;
}

// What is mounted over a file of procfs would be believed by whoever reads it there (CVE-2019-16884): not by way of a
// link of the image's either.
Outcome check_place(const Operation& operation, long place) {
  const long file_system = file_system_of(static_cast<int>(place));
  if (file_system < 0) return failed_call(file_system, "fstatfs");
  return file_system == PROC_SUPER_MAGIC && (operation.number(0) & wire::mount_in_proc) == 0
             ? failed_call(-EPERM, "the destination lies in procfs")
             : Outcome{};
}

Outcome finish(const Operation& operation, long mount) {
  Outcome outcome = set_attributes(mount, operation.number(3), operation.number(4), 0, recursive);
  const uint64_t propagation = operation.number(5);
  constexpr uint64_t with_all_below = 16384;  // MS_REC
  if (outcome.ok())
    outcome =
        set_attributes(mount, 0, 0, propagation & ~with_all_below, (propagation & with_all_below) != 0 ? recursive : 0);
  return outcome;
}

Outcome change_mount(const State& state, const Operation& operation) {
  const long place = open_in_root(state.root, operation.string(0), O_PATH, resolve_of(operation));
  if (place < 0) return failed_call(place, operation.string(0));
  Outcome outcome = set_attributes(place, operation.number(1), operation.number(2), 0, 0);
  if (outcome.ok()) outcome = finish(operation, place);
  call(__NR_close, place);
  return outcome;
}

}  // namespace

Outcome move_mount(long mount, long place, const char* what) {
  constexpr unsigned by_descriptors = 0x4 | 0x40;  // MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH
  return checked(call(__NR_move_mount, mount, "", place, "", by_descriptors), what);
}

static Outcome mount_in_root(State& state, const Operation& operation) {
  forget_parent(state);
  if ((operation.number(0) & wire::mount_remount) != 0) return change_mount(state, operation);
  const bool bind = (operation.number(0) & wire::mount_bind) != 0;
  const bool mapped = (operation.number(0) & wire::mount_mapped) != 0;
  if (mapped && state.mapped < 0) return malformed(0);
  long mount = -1;
  Outcome outcome;
  if (mapped)
    outcome = bind ? mapped_source(state, operation, mount) : mapped_file_system(state, operation, mount);
  else
    outcome = bind ? copy_of_source(operation, mount) : new_file_system(operation, mount);
  long place = -1;
  const char* const destination = operation.string(0);
  bool directory = true;
  if (outcome.ok() && bind) outcome = look_at(mount, directory);
  if (outcome.ok()) {
    place = make_in_root(state.root, destination, directory, resolve_of(operation));
    outcome = checked(place, destination);
  }
  if (outcome.ok()) outcome = check_place(operation, place);
  if (outcome.ok() && (operation.number(0) & wire::mount_copy_up) != 0) {
    outcome = copy_up(place, mount, operation.number(0));
    if (outcome.ok()) outcome = set_attributes(mount, late_attributes(operation), 0, 0, 0);
  }
  if (outcome.ok()) outcome = move_mount(mount, place, destination);
  if (outcome.ok() && !bind) outcome = count_versions(operation, mount);
  if (outcome.ok()) outcome = finish(operation, mount);
  if (place >= 0) call(__NR_close, place);
  if (mount >= 0) call(__NR_close, mount);
  return outcome;
}

Outcome make_mount(State& state, const Operation& operation) {
  if (operation.string_count() < 3) return malformed(0);
  if (state.root >= 0) return mount_in_root(state, operation);
  if (!state.changed_root) return malformed(0);
  const long root = call(__NR_openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (root < 0) return failed_call(root, "/");
  const long umask = call(__NR_umask, 0);
  state.root = static_cast<int>(root);
  const Outcome outcome = mount_in_root(state, operation);
  state.root = -1;
  call(__NR_umask, umask);
  call(__NR_close, root);
  return outcome;
}

Outcome await_mapped_mount(State& state, const Operation& operation) {
  if (operation.number(0) > (wire::mount_ids_below | wire::mount_ids_container) || state.mapped >= 0)
    return malformed(0);
  return await_descriptor(state.handshake, wire::Frame::mapped_mount, state.mapped);
}

Outcome set_label(State& state, const Operation& operation) {
  if (state.root < 0) return malformed(0);
  const char* const path = operation.string(0);
  const char* const label = operation.string(1);
  const long file = open_in_root(state.root, path, O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  if (file < 0) return failed_call(file, path);
  const long result = call(__NR_fsetxattr, file, "security.selinux", label, length_of(label) + 1, 0);
  call(__NR_close, file);
  return checked(result, label);
}

Outcome copy_of_place(long place, uint64_t flags, long& copy) {
  copy = call(__NR_open_tree, place, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
  return checked(copy, "open_tree");
}

Outcome make_read_only(long mount, bool with_all_below) {
  return set_attributes(mount, MOUNT_ATTR_RDONLY, 0, 0, with_all_below ? recursive : 0);
}

}  // namespace reaper::init
