// linux.netDevices: moved into the container's network namespace.
#pragma once

#include "launch/launch.h"
#include "plan/plan.h"

namespace reaper {

// Moves the devices, gives them their addresses again and sets them up (config-linux.md, Network Devices). `inside`: a
// netlink socket of its network namespace. A device is never moved back: with its namespace, the kernel destroys a
// virtual one, and gives a physical one back to the host. Before the first is moved, all of them are looked up, and
// their names there are free.
Status move_net_devices(const Launched& launched, const Operation& devices, Fd inside);

}  // namespace reaper
