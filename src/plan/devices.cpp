// linux.devices, and the devices and links that every container has (config-linux.md, Default Devices;
// runtime-linux.md, Dev symbolic links).
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "core/json.h"
#include "plan/concerns.h"

namespace reaper::planning {

namespace {

constexpr struct {
  std::string_view path;
  unsigned minor;
  unsigned major = 1;
} defaults[] = {{"/dev/null", 3},   {"/dev/zero", 5},    {"/dev/full", 7},
                {"/dev/random", 8}, {"/dev/urandom", 9}, {"/dev/tty", 0, 5}};

constexpr struct {
  std::string_view path, target;
} links[] = {{"/dev/fd", "/proc/self/fd"},
             {"/dev/stdin", "/proc/self/fd/0"},
             {"/dev/stdout", "/proc/self/fd/1"},
             {"/dev/stderr", "/proc/self/fd/2"}};

Operation operation_of(const Device& device, std::string pointer, bool lends) {
  const uint64_t flags = lends ? wire::device_over_file : 0;
  return {
      wire::Op::device, std::move(pointer), {device.mode, device.number, device.uid, device.gid, flags}, {device.path}};
}

Operation link_of(std::string_view path, std::string_view target) {
  return {wire::Op::link, "", {}, {std::string(path), std::string(target)}};
}

bool is_mounted(const Config& config, std::string_view destination, bool bind_alone) {
  return std::ranges::any_of(config.mounts, [&](const Mount& mount) {
    return mount.destination == destination && (!bind_alone || mount.bind);
  });
}

}  // namespace

std::vector<Operation> plan_devices(const Config& config, bool lends, Notes& notes) {
  std::vector<Operation> out;
  const bool bound = is_mounted(config, "/dev", true);
  // A /dev that is bound into the container is somebody else's: nothing is made in it unasked.
  if (!bound) {
    for (const auto& one : defaults) {
      if (std::ranges::find(config.devices, one.path, &Device::path) != config.devices.end()) continue;
      Device device;
      device.path = one.path;
      device.mode = S_IFCHR | 0666;
      device.number = makedev(one.major, one.minor);
      out.push_back(operation_of(device, "", lends));
    }
    out.push_back(link_of("/dev/ptmx", "pts/ptmx"));
    if (is_mounted(config, "/proc", false))
      for (const auto& link : links) out.push_back(link_of(link.path, link.target));
  }
  for (size_t i = 0; i < config.devices.size(); ++i) {
    const std::string pointer = pointer_join("/linux/devices", i);
    if (bound && config.devices[i].path.starts_with("/dev/"))
      notes.warnings.push_back({pointer, "not made: /dev is a bind mount, and belongs to somebody else"});
    else
      out.push_back(operation_of(config.devices[i], pointer, lends));
  }
  return out;
}

}  // namespace reaper::planning
