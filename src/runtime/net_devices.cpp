#include "runtime/net_devices.h"

#include <fcntl.h>

#include <algorithm>

#include "core/json.h"
#include "runtime/netlink.h"

namespace reaper {

namespace {

struct MovedDevice {
  std::string name, new_name;
  std::string pointer;
  int index = 0;
  std::vector<std::string> addresses;
};

Error at(const MovedDevice& device, Error error) {
  error.pointer = device.pointer;
  error.message = device.pointer + ": net_devices: " + error.message;
  return error;
}

Status look_up(MovedDevice& device, Netlink& here, Netlink& there) {
  const auto found = TRY(here.index_of(device.name));
  if (!found)
    return fail({REAPER_ERR_INVALID, ENODEV, "ENODEV: there is no network device of that name", "", "net_devices"});
  device.index = *found;
  if (!device.new_name.ends_with("%d") && TRY(there.index_of(device.new_name)))
    return fail({REAPER_ERR_INVALID, EEXIST,
                 "EEXIST: the container's network namespace has a device \"" + device.new_name + "\" already", "",
                 "net_devices"});
  device.addresses = TRY(here.addresses_of(device.index));
  return {};
}

// The one that was not there before: neither its index nor, with a %d, its name is known.
Result<int> new_index(Netlink& there, const std::vector<int>& before) {
  for (const int index : TRY(there.indices()))
    if (std::ranges::find(before, index) == before.end()) return index;
  return fail(system_error("net_devices", "the device that was moved", ENODEV));
}

Status move(const MovedDevice& device, Netlink& here, Netlink& there, const Fd& network_namespace) {
  const std::vector<int> before = TRY(there.indices());
  TRY(here.move(device.index, network_namespace, device.new_name));
  const int index = TRY(new_index(there, before));
  for (const std::string& address : device.addresses) TRY(there.add_address(index, address));
  return there.set_up(index);
}

}  // namespace

Status move_net_devices(const Launched& launched, const Operation& operation, Fd inside) {
  std::vector<MovedDevice> devices;
  devices.reserve(operation.strings.size() / 2);
  for (size_t i = 0; i + 1 < operation.strings.size(); i += 2)
    devices.push_back(
        {operation.strings[i], operation.strings[i + 1], pointer_join(operation.pointer, operation.strings[i]), 0, {}});
  Netlink here = TRY(Netlink::open_here());
  Netlink there(std::move(inside));
  const std::string path = "/proc/" + std::to_string(launched.pid) + "/ns/net";
  const Fd network_namespace(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!network_namespace) return fail(system_error("net_devices", "open " + path));
  for (MovedDevice& device : devices)
    if (const Status found = look_up(device, here, there); !found.has_value()) return fail(at(device, found.error()));
  for (const MovedDevice& device : devices)
    if (const Status moved = move(device, here, there, network_namespace); !moved.has_value())
      return fail(at(device, moved.error()));
  return send_frame(launched, wire::Frame::networked);
}

}  // namespace reaper
