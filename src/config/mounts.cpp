// mounts (config.md, Mounts) and linux.devices (config-linux.md, Devices).
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <limits>

#include "config/parse.h"

namespace reaper {
namespace {

// Lexically: what lies below /proc must not be hidden by a mount of somebody's, which programs would believe. The
// exceptions are files that describe the machine, which lxcfs and others replace.
constexpr std::string_view may_be_mounted_in_proc[] = {"/proc/cpuinfo",
                                                       "/proc/diskstats",
                                                       "/proc/meminfo",
                                                       "/proc/stat",
                                                       "/proc/swaps",
                                                       "/proc/uptime",
                                                       "/proc/loadavg",
                                                       "/proc/slabinfo",
                                                       "/proc/sys/kernel/ns_last_pid",
                                                       "/proc/sys/crypto/fips_enabled"};

Status check_proc(const JsonCursor& object, const Mount& mount) {
  const auto refuse = [&](std::string_view why) {
    return fail(config_error(REAPER_ERR_INVALID, pointer_join(object.pointer(), "destination"), why));
  };
  if (mount.destination == "/") return refuse("a mount at / would hide the root");
  if (mount.destination == "/proc" && !mount.bind && mount.type != "proc")
    return refuse("only procfs may be mounted at /proc: labels and limits are written to files in it");
  if (mount.destination.starts_with("/proc/") &&
      std::ranges::find(may_be_mounted_in_proc, mount.destination) == std::end(may_be_mounted_in_proc))
    return refuse("nothing may be mounted below /proc but a few files that describe the machine");
  return {};
}

// Where one of the two is, the other must be (config.md, Mounts).
Status read_mount_ids(const JsonCursor& object, Mount& mount, Refusals& refusals) {
  if (auto uids = TRY(object.member("uidMappings"))) mount.uid_mappings = TRY(read_id_mappings(*uids, refusals));
  if (auto gids = TRY(object.member("gidMappings"))) mount.gid_mappings = TRY(read_id_mappings(*gids, refusals));
  const bool no_uids = mount.uid_mappings.empty();
  if (no_uids != mount.gid_mappings.empty())
    return fail(config_error(
        REAPER_ERR_INVALID, pointer_join(object.pointer(), no_uids ? "uidMappings" : "gidMappings"),
        no_uids ? "gidMappings need uidMappings beside them" : "uidMappings need gidMappings beside them"));
  mount.map_ids = mount.map_ids || !no_uids;
  if (mount.map_ids && mount.remount)
    return fail(config_error(REAPER_ERR_INVALID, pointer_join(object.pointer(), "options"),
                             "the ids of a mount that is there already cannot be changed by remount"));
  return {};
}

Result<Mount> read_mount(const JsonCursor& object, Refusals& refusals) {
  Mount mount;
  const JsonCursor destination = TRY(required_member(object, "destination"));
  mount.destination = TRY(clean_path(destination));
  if (auto type = TRY(object.member("type"))) mount.type = TRY(type->string());
  if (auto source = TRY(object.member("source"))) mount.source = TRY(source->string());
  if (auto options = TRY(object.member("options")))
    for (const JsonCursor& option : TRY(options->elements())) TRY(apply_mount_option(option, mount));
  // "bind" as a type is none, but is written everywhere.
  if (!mount.bind && mount.type == "bind") mount.bind = true;
  if (mount.bind && mount.source.empty() && !mount.remount)
    return fail(
        config_error(REAPER_ERR_INVALID, pointer_join(object.pointer(), "source"), "a bind mount needs a source"));
  if (!mount.bind && !mount.remount && mount.type.empty())
    return fail(config_error(REAPER_ERR_UNSUPPORTED, pointer_join(object.pointer(), "type"),
                             "Linux has no mounts without a type but those with the option bind or rbind"));
  if (mount.copy_up && (mount.bind || mount.remount || mount.type != "tmpfs"))
    return fail(config_error(REAPER_ERR_INVALID, pointer_join(object.pointer(), "options"),
                             "tmpcopyup is for a new tmpfs: nothing else begins empty"));
  TRY(read_mount_ids(object, mount, refusals));
  TRY(check_proc(object, mount));
  return mount;
}

Result<Device> read_device(const JsonCursor& object) {
  Device device;
  const JsonCursor path = TRY(required_member(object, "path"));
  const std::string text = TRY(path.string());
  if (!text.starts_with('/'))
    return fail(
        config_error(REAPER_ERR_INVALID, path.pointer(), "an absolute path is wanted here, not " + quoted(text)));
  device.path = TRY(clean_path(path));
  if (device.path == "/") return fail(config_error(REAPER_ERR_INVALID, path.pointer(), "/ is no device"));
  const JsonCursor type = TRY(required_member(object, "type"));
  const std::string letter = TRY(type.string());
  if (letter == "c" || letter == "u")
    device.mode = S_IFCHR;
  else if (letter == "b")
    device.mode = S_IFBLK;
  else if (letter == "p")
    device.mode = S_IFIFO;
  else
    return fail(config_error(REAPER_ERR_INVALID, type.pointer(),
                             "unknown type of device " + quoted(letter) + "; it is c, b, u or p"));
  uint64_t number[2] = {0, 0};
  constexpr std::string_view names[] = {"major", "minor"};
  constexpr uint64_t most[] = {4095, 1048575};  // 12 and 20 bits (include/linux/kdev_t.h)
  for (size_t i = 0; i < 2; ++i) {
    if (device.mode == S_IFIFO) continue;
    const JsonCursor value = TRY(required_member(object, names[i]));
    number[i] = TRY(value.unsigned_integer(0, most[i]));
  }
  device.number = device.mode == S_IFIFO ? 0 : makedev(number[0], number[1]);
  uint64_t permissions = 0666;
  if (auto mode = TRY(object.member("fileMode"))) permissions = TRY(mode->unsigned_integer(0, 07777));
  device.mode |= static_cast<uint32_t>(permissions);
  constexpr uint64_t highest = std::numeric_limits<uint32_t>::max() - 1;
  if (auto uid = TRY(object.member("uid"))) device.uid = static_cast<uint32_t>(TRY(uid->unsigned_integer(0, highest)));
  if (auto gid = TRY(object.member("gid"))) device.gid = static_cast<uint32_t>(TRY(gid->unsigned_integer(0, highest)));
  return device;
}

}  // namespace

Result<std::vector<Mount>> read_mounts(const JsonCursor& array, Refusals& refusals, std::vector<Error>& unsupported) {
  std::vector<Mount> mounts;
  for (const JsonCursor& element : TRY(array.elements())) {
    auto read = read_mount(element, refusals);
    if (!read && read.error().code == REAPER_ERR_UNSUPPORTED) {
      unsupported.push_back(std::move(read).error());
      continue;
    }
    std::optional<Mount> mount;
    KEEP(refusals, mount, std::move(read));
    if (mount) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

Result<std::vector<Device>> read_devices(const JsonCursor& array, Refusals& refusals) {
  std::vector<Device> devices;
  for (const JsonCursor& element : TRY(array.elements())) {
    std::optional<Device> device;
    KEEP(refusals, device, read_device(element));
    if (!device) continue;
    if (std::ranges::find(devices, device->path, &Device::path) != devices.end())
      TRY(refusals.refuse(
          config_error(REAPER_ERR_INVALID, pointer_join(element.pointer(), "path"), "an earlier entry has this path")));
    devices.push_back(std::move(*device));
  }
  return devices;
}

}  // namespace reaper
