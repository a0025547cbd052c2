// The options of a mount that the specification names (config.md, Linux mount options). All others are the file
// system's own.
#include <linux/mount.h>
#include <sys/mount.h>

#include <algorithm>

#include "config/parse.h"

namespace reaper {
namespace {

enum class Kind : uint8_t {
  set,          // an attribute of the mount
  clear,        // the opposite
  set_below,    // of it and all mounts below it
  clear_below,  // the opposite
  time,         // which access times are written: of these one holds
  time_below,   // the same, of all below too
  propagation,  // MS_*
  bind,         // 1: with what is mounted below
  remount,      // what stands there already gets the attributes
  file_system,  // a flag of the file system, under the same name
  map_ids,      // 1: of what is mounted below as well
  copy_up,      // of a tmpfs: it begins with a copy of what was there
  nothing,      // the kernel's default
};

struct Row {
  std::string_view name;
  Kind kind;
  uint64_t value = 0;
};

constexpr Row rows[] = {
    {"async", Kind::file_system},
    {"atime", Kind::time, MOUNT_ATTR_RELATIME},
    {"bind", Kind::bind, 0},
    {"defaults", Kind::nothing},
    {"dev", Kind::clear, MOUNT_ATTR_NODEV},
    {"diratime", Kind::clear, MOUNT_ATTR_NODIRATIME},
    {"dirsync", Kind::file_system},
    {"exec", Kind::clear, MOUNT_ATTR_NOEXEC},
    {"idmap", Kind::map_ids, 0},
    {"iversion", Kind::file_system},
    {"lazytime", Kind::file_system},
    {"loud", Kind::nothing},
    {"mand", Kind::file_system},
    {"noatime", Kind::time, MOUNT_ATTR_NOATIME},
    {"nodev", Kind::set, MOUNT_ATTR_NODEV},
    {"nodiratime", Kind::set, MOUNT_ATTR_NODIRATIME},
    {"noexec", Kind::set, MOUNT_ATTR_NOEXEC},
    {"noiversion", Kind::file_system},
    {"nolazytime", Kind::file_system},
    {"nomand", Kind::file_system},
    {"norelatime", Kind::time, MOUNT_ATTR_STRICTATIME},
    {"nostrictatime", Kind::time, MOUNT_ATTR_RELATIME},
    {"nosuid", Kind::set, MOUNT_ATTR_NOSUID},
    {"nosymfollow", Kind::set, MOUNT_ATTR_NOSYMFOLLOW},
    {"private", Kind::propagation, MS_PRIVATE},
    {"ratime", Kind::time_below, MOUNT_ATTR_RELATIME},
    {"rbind", Kind::bind, 1},
    {"rdev", Kind::clear_below, MOUNT_ATTR_NODEV},
    {"rdiratime", Kind::clear_below, MOUNT_ATTR_NODIRATIME},
    {"relatime", Kind::time, MOUNT_ATTR_RELATIME},
    {"remount", Kind::remount},
    {"rexec", Kind::clear_below, MOUNT_ATTR_NOEXEC},
    {"ridmap", Kind::map_ids, 1},
    {"rnoatime", Kind::time_below, MOUNT_ATTR_NOATIME},
    {"rnodev", Kind::set_below, MOUNT_ATTR_NODEV},
    {"rnodiratime", Kind::set_below, MOUNT_ATTR_NODIRATIME},
    {"rnoexec", Kind::set_below, MOUNT_ATTR_NOEXEC},
    {"rnorelatime", Kind::time_below, MOUNT_ATTR_STRICTATIME},
    {"rnostrictatime", Kind::time_below, MOUNT_ATTR_RELATIME},
    {"rnosuid", Kind::set_below, MOUNT_ATTR_NOSUID},
    {"rnosymfollow", Kind::set_below, MOUNT_ATTR_NOSYMFOLLOW},
    {"ro", Kind::set, MOUNT_ATTR_RDONLY},
    {"rprivate", Kind::propagation, MS_PRIVATE | MS_REC},
    {"rrelatime", Kind::time_below, MOUNT_ATTR_RELATIME},
    {"rro", Kind::set_below, MOUNT_ATTR_RDONLY},
    {"rrw", Kind::clear_below, MOUNT_ATTR_RDONLY},
    {"rshared", Kind::propagation, MS_SHARED | MS_REC},
    {"rslave", Kind::propagation, MS_SLAVE | MS_REC},
    {"rstrictatime", Kind::time_below, MOUNT_ATTR_STRICTATIME},
    {"rsuid", Kind::clear_below, MOUNT_ATTR_NOSUID},
    {"rsymfollow", Kind::clear_below, MOUNT_ATTR_NOSYMFOLLOW},
    {"runbindable", Kind::propagation, MS_UNBINDABLE | MS_REC},
    {"rw", Kind::clear, MOUNT_ATTR_RDONLY},
    {"shared", Kind::propagation, MS_SHARED},
    {"silent", Kind::nothing},
    {"slave", Kind::propagation, MS_SLAVE},
    {"strictatime", Kind::time, MOUNT_ATTR_STRICTATIME},
    {"suid", Kind::clear, MOUNT_ATTR_NOSUID},
    {"symfollow", Kind::clear, MOUNT_ATTR_NOSYMFOLLOW},
    {"sync", Kind::file_system},
    {"tmpcopyup", Kind::copy_up},
    {"unbindable", Kind::propagation, MS_UNBINDABLE},
};
static_assert(std::ranges::is_sorted(rows, {}, &Row::name));

const Row* find_row(std::string_view name) {
  const auto* const row = std::ranges::lower_bound(rows, name, {}, &Row::name);
  return row != std::end(rows) && row->name == name ? row : nullptr;
}

void set(MountAttributes& out, uint64_t bits) {
  out.set |= bits;
  out.clear &= ~bits;
}

void clear(MountAttributes& out, uint64_t bits) {
  out.clear |= bits;
  out.set &= ~bits;
}

// mount_setattr(2): of the access times one is set, and all of them are cleared.
void set_time(MountAttributes& out, uint64_t value) {
  out.set = (out.set & ~uint64_t{MOUNT_ATTR__ATIME}) | value;
  out.clear |= MOUNT_ATTR__ATIME;
}

}  // namespace

std::optional<uint64_t> propagation_flags(std::string_view name) {
  const Row* row = find_row(name);
  if (row == nullptr || row->kind != Kind::propagation) return std::nullopt;
  return row->value;
}

std::vector<std::string_view> mount_option_names() {
  std::vector<std::string_view> names;
  names.reserve(std::size(rows));
  for (const Row& row : rows) names.push_back(row.name);
  return names;
}

Status apply_mount_option(const JsonCursor& option, Mount& mount) {
  const std::string text = TRY(option.string());
  if (text.empty()) return {};
  const Row* row = find_row(text);
  if (row == nullptr) {
    mount.data.push_back(text);
    return {};
  }
  switch (row->kind) {
    case Kind::set:
      set(mount.own, row->value);
      break;
    case Kind::clear:
      clear(mount.own, row->value);
      break;
    case Kind::set_below:
      set(mount.below, row->value);
      break;
    case Kind::clear_below:
      clear(mount.below, row->value);
      break;
    case Kind::time:
      set_time(mount.own, row->value);
      break;
    case Kind::time_below:
      set_time(mount.below, row->value);
      break;
    case Kind::propagation:
      mount.propagation = row->value;
      break;
    case Kind::bind:
      mount.bind = true;
      mount.recursive = mount.recursive || row->value != 0;
      break;
    case Kind::remount:
      mount.remount = true;
      break;
    case Kind::map_ids:
      mount.map_ids = true;
      mount.map_ids_below = mount.map_ids_below || row->value != 0;
      break;
    case Kind::copy_up:
      mount.copy_up = true;
      break;
    case Kind::file_system:
      mount.data.push_back(text);
      break;
    default:
      break;
  }
  return {};
}

}  // namespace reaper
