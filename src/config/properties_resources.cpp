// The rows of known_properties() for linux.resources. See config.h for what a row means and properties.cpp for its use.
#include <algorithm>

#include "config/properties.h"

namespace reaper {
namespace {

using enum JsonType;
using enum Disposition;

constexpr Property rows[] = {
    {"/linux/resources", object, container, ""},
    {"/linux/resources/blockIO", object, refused, "cgroups come with a later version"},
    {"/linux/resources/blockIO/leafWeight", number, refused, ""},
    {"/linux/resources/blockIO/throttleReadBpsDevice", array, refused, ""},
    {"/linux/resources/blockIO/throttleReadBpsDevice/*", object, refused, ""},
    {"/linux/resources/blockIO/throttleReadBpsDevice/*/major", number, refused, ""},
    {"/linux/resources/blockIO/throttleReadBpsDevice/*/minor", number, refused, ""},
    {"/linux/resources/blockIO/throttleReadBpsDevice/*/rate", number, refused, ""},
    {"/linux/resources/blockIO/throttleReadIOPSDevice", array, refused, ""},
    {"/linux/resources/blockIO/throttleReadIOPSDevice/*", object, refused, ""},
    {"/linux/resources/blockIO/throttleReadIOPSDevice/*/major", number, refused, ""},
    {"/linux/resources/blockIO/throttleReadIOPSDevice/*/minor", number, refused, ""},
    {"/linux/resources/blockIO/throttleReadIOPSDevice/*/rate", number, refused, ""},
    {"/linux/resources/blockIO/throttleWriteBpsDevice", array, refused, ""},
    {"/linux/resources/blockIO/throttleWriteBpsDevice/*", object, refused, ""},
    {"/linux/resources/blockIO/throttleWriteBpsDevice/*/major", number, refused, ""},
    {"/linux/resources/blockIO/throttleWriteBpsDevice/*/minor", number, refused, ""},
    {"/linux/resources/blockIO/throttleWriteBpsDevice/*/rate", number, refused, ""},
    {"/linux/resources/blockIO/throttleWriteIOPSDevice", array, refused, ""},
    {"/linux/resources/blockIO/throttleWriteIOPSDevice/*", object, refused, ""},
    {"/linux/resources/blockIO/throttleWriteIOPSDevice/*/major", number, refused, ""},
    {"/linux/resources/blockIO/throttleWriteIOPSDevice/*/minor", number, refused, ""},
    {"/linux/resources/blockIO/throttleWriteIOPSDevice/*/rate", number, refused, ""},
    {"/linux/resources/blockIO/weight", number, refused, ""},
    {"/linux/resources/blockIO/weightDevice", array, refused, ""},
    {"/linux/resources/blockIO/weightDevice/*", object, refused, ""},
    {"/linux/resources/blockIO/weightDevice/*/leafWeight", number, refused, ""},
    {"/linux/resources/blockIO/weightDevice/*/major", number, refused, ""},
    {"/linux/resources/blockIO/weightDevice/*/minor", number, refused, ""},
    {"/linux/resources/blockIO/weightDevice/*/weight", number, refused, ""},
    {"/linux/resources/cpu", object, refused, "cgroups come with a later version"},
    {"/linux/resources/cpu/burst", number, refused, ""},
    {"/linux/resources/cpu/cpus", string, refused, ""},
    {"/linux/resources/cpu/idle", number, refused, ""},
    {"/linux/resources/cpu/mems", string, refused, ""},
    {"/linux/resources/cpu/period", number, refused, ""},
    {"/linux/resources/cpu/quota", number, refused, ""},
    {"/linux/resources/cpu/realtimePeriod", number, refused, ""},
    {"/linux/resources/cpu/realtimeRuntime", number, refused, ""},
    {"/linux/resources/cpu/shares", number, refused, ""},
    {"/linux/resources/devices", array, container, ""},
    {"/linux/resources/devices/*", object, refused, "cgroups come with a later version"},
    {"/linux/resources/devices/*/access", string, refused, ""},
    {"/linux/resources/devices/*/allow", boolean, refused, ""},
    {"/linux/resources/devices/*/major", number, refused, ""},
    {"/linux/resources/devices/*/minor", number, refused, ""},
    {"/linux/resources/devices/*/type", string, refused, ""},
    {"/linux/resources/hugepageLimits", array, refused, "cgroups come with a later version"},
    {"/linux/resources/hugepageLimits/*", object, refused, ""},
    {"/linux/resources/hugepageLimits/*/limit", number, refused, ""},
    {"/linux/resources/hugepageLimits/*/pageSize", string, refused, ""},
    {"/linux/resources/memory", object, refused, "cgroups come with a later version"},
    {"/linux/resources/memory/checkBeforeUpdate", boolean, refused, ""},
    {"/linux/resources/memory/disableOOMKiller", boolean, refused, ""},
    {"/linux/resources/memory/kernel", number, refused, ""},
    {"/linux/resources/memory/kernelTCP", number, refused, ""},
    {"/linux/resources/memory/limit", number, refused, ""},
    {"/linux/resources/memory/reservation", number, refused, ""},
    {"/linux/resources/memory/swap", number, refused, ""},
    {"/linux/resources/memory/swappiness", number, refused, ""},
    {"/linux/resources/memory/useHierarchy", boolean, refused, ""},
    {"/linux/resources/network", object, refused, "cgroups come with a later version"},
    {"/linux/resources/network/classID", number, refused, ""},
    {"/linux/resources/network/priorities", array, refused, ""},
    {"/linux/resources/network/priorities/*", object, refused, ""},
    {"/linux/resources/network/priorities/*/name", string, refused, ""},
    {"/linux/resources/network/priorities/*/priority", number, refused, ""},
    {"/linux/resources/pids", object, refused, "cgroups come with a later version"},
    {"/linux/resources/pids/limit", number, refused, ""},
    {"/linux/resources/rdma", object, refused, "cgroups come with a later version"},
    {"/linux/resources/rdma/*", object, refused, ""},
    {"/linux/resources/rdma/*/hcaHandles", number, refused, ""},
    {"/linux/resources/rdma/*/hcaObjects", number, refused, ""},
    {"/linux/resources/unified", object, refused, "cgroups come with a later version"},
    {"/linux/resources/unified/*", string, refused, ""},
};
static_assert(std::ranges::is_sorted(rows, {}, &Property::pattern));
constexpr auto ends = ends_of(rows);

}  // namespace

PropertyPart resources_properties() {
  return {rows, ends};
}

}  // namespace reaper
