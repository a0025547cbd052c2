// linux.netDevices -> one operation: the library moves them while reaper-init waits.
#include <linux/capability.h>

#include "plan/concerns.h"

namespace reaper::planning {

constexpr const char* net_devices_pointer = "/linux/netDevices";

Status check_net_devices(const Config& config, const ProcessFacts& caller, Notes& notes) {
  if (config.net_devices.empty() || (caller.capabilities.effective & capability_bit(CAP_NET_ADMIN)) != 0) return {};
  return notes.refusals.refuse(
      lacks_capability(CAP_NET_ADMIN, net_devices_pointer, "run as root: a device is the host's until it is moved"));
}

void plan_net_devices(const Config& config, std::vector<Operation>& out) {
  if (config.net_devices.empty()) return;
  Operation operation{wire::Op::net_devices, net_devices_pointer, {}, {}};
  operation.strings.reserve(2 * config.net_devices.size());
  for (const NetDevice& device : config.net_devices) {
    operation.strings.push_back(device.name);
    operation.strings.push_back(device.new_name);
  }
  out.push_back(std::move(operation));
}

}  // namespace reaper::planning
