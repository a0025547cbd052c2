// linux.netDevices (config-linux.md, Network Devices).
#include <algorithm>

#include "config/parse.h"

namespace reaper {
namespace {

// dev_valid_name() of the kernel: what else there may be, it accepts.
Status check_name(const std::string& name, const std::string& pointer) {
  constexpr size_t most = 15;  // IFNAMSIZ - 1
  if (name.empty() || name.size() > most)
    return fail(config_error(REAPER_ERR_INVALID, pointer, "the name of a network device has 1 to 15 bytes"));
  const bool good = name != "." && name != ".." && name.find_first_of("/: \t\n\v\f\r") == std::string::npos;
  if (good) return {};
  return fail(config_error(REAPER_ERR_INVALID, pointer, quoted(name) + " is no name of a network device"));
}

// "%d" at the end has the kernel choose a number; a % anywhere else means nothing.
Status check_new_name(const std::string& name, const std::string& pointer) {
  TRY(check_name(name, pointer));
  const size_t percent = name.find('%');
  if (percent == std::string::npos || (percent + 2 == name.size() && name.ends_with("%d"))) return {};
  return fail(config_error(REAPER_ERR_INVALID, pointer, "a % stands only in %d, at the end of the name"));
}

Result<NetDevice> read_net_device(const std::string& name, const JsonCursor& object) {
  NetDevice device = {name, name};
  TRY(check_name(name, object.pointer()));
  const auto wanted = TRY(object.member("name"));
  if (!wanted) return device;
  const std::string text = TRY(wanted->string());
  if (text.empty()) return device;
  TRY(check_new_name(text, wanted->pointer()));
  device.new_name = text;
  return device;
}

}  // namespace

Result<std::vector<NetDevice>> read_net_devices(const JsonCursor& object, Refusals& refusals) {
  std::vector<NetDevice> devices;
  for (const auto& [name, value] : TRY(object.members())) {
    std::optional<NetDevice> device;
    KEEP(refusals, device, read_net_device(name, value));
    if (!device) continue;
    const bool fixed = !device->new_name.ends_with("%d");
    if (fixed && std::ranges::find(devices, device->new_name, &NetDevice::new_name) != devices.end())
      TRY(refusals.refuse(
          config_error(REAPER_ERR_INVALID, value.pointer(), "an earlier device has this name in the container")));
    devices.push_back(std::move(*device));
  }
  return devices;
}

}  // namespace reaper
