// The rows of known_properties() for linux, without resources. See config.h for what a row means and properties.cpp for
// its use.
#include <algorithm>

#include "config/properties.h"

namespace reaper {
namespace {

using enum JsonType;
using enum Disposition;

constexpr Property rows[] = {
    {"/linux", object, container, ""},
    {"/linux/cgroupsPath", string, applied, "cli/cgroups_test.go:TestOwnCgroup; not systemd's form SLICE:PREFIX:NAME"},
    {"/linux/devices", array, container, ""},
    {"/linux/devices/*", object, container, ""},
    {"/linux/devices/*/fileMode", number, applied, "api/test_root.c:test_devices"},
    {"/linux/devices/*/gid", number, applied, "api/test_root.c:test_devices"},
    {"/linux/devices/*/major", number, applied, "api/test_root.c:test_devices"},
    {"/linux/devices/*/minor", number, applied, "api/test_root.c:test_devices"},
    {"/linux/devices/*/path", string, applied, "api/test_root.c:test_devices"},
    {"/linux/devices/*/type", string, applied, "api/test_root.c:test_devices"},
    {"/linux/devices/*/uid", number, applied, "api/test_root.c:test_devices"},
    {"/linux/gidMappings", array, container, ""},
    {"/linux/gidMappings/*", object, container, ""},
    {"/linux/gidMappings/*/containerID", number, applied, "api/test_user_namespace.c:test_mapped"},
    {"/linux/gidMappings/*/hostID", number, applied, "api/test_user_namespace.c:test_mapped"},
    {"/linux/gidMappings/*/size", number, applied, "api/test_user_namespace.c:test_mapped"},
    {"/linux/intelRdt", object, refused, ""},
    {"/linux/intelRdt/closID", string, refused, ""},
    {"/linux/intelRdt/enableMonitoring", boolean, refused, ""},
    {"/linux/intelRdt/l3CacheSchema", string, refused, ""},
    {"/linux/intelRdt/memBwSchema", string, refused, ""},
    {"/linux/intelRdt/schemata", array, refused, ""},
    {"/linux/intelRdt/schemata/*", string, refused, ""},
    {"/linux/maskedPaths", array, applied, "api/test_root.c:test_masked_and_read_only_paths"},
    {"/linux/maskedPaths/*", string, applied, "api/test_root.c:test_masked_and_read_only_paths"},
    {"/linux/memoryPolicy", object, refused, ""},
    {"/linux/memoryPolicy/flags", array, refused, ""},
    {"/linux/memoryPolicy/flags/*", string, refused, ""},
    {"/linux/memoryPolicy/mode", string, refused, ""},
    {"/linux/memoryPolicy/nodes", string, refused, ""},
    {"/linux/mountLabel", string, refused, "needs a new mount namespace"},
    {"/linux/namespaces", array, container, ""},
    {"/linux/namespaces/*", object, container, ""},
    {"/linux/namespaces/*/path", string, applied,
     "api/test_namespaces.c:test_joins; of the types pid and user only the caller's own"},
    {"/linux/namespaces/*/type", string, applied, "api/test_namespaces.c:test_new"},
    {"/linux/netDevices", object, refused, "needs a new network namespace"},
    {"/linux/netDevices/*", object, refused, ""},
    {"/linux/netDevices/*/name", string, refused, ""},
    {"/linux/personality", object, container, ""},
    {"/linux/personality/domain", string, applied, "api/test_process_rest.c:test_personality"},
    {"/linux/personality/flags", array, refused, "the specification has no flag yet"},
    {"/linux/personality/flags/*", string, refused, ""},
    {"/linux/readonlyPaths", array, applied, "api/test_root.c:test_masked_and_read_only_paths"},
    {"/linux/readonlyPaths/*", string, applied, "api/test_root.c:test_masked_and_read_only_paths"},
    {"/linux/rootfsPropagation", string, applied, "api/test_root.c:test_propagation"},
    {"/linux/seccomp", object, refused, ""},
    {"/linux/seccomp/architectures", array, refused, ""},
    {"/linux/seccomp/architectures/*", string, refused, ""},
    {"/linux/seccomp/defaultAction", string, refused, ""},
    {"/linux/seccomp/defaultErrnoRet", number, refused, ""},
    {"/linux/seccomp/flags", array, refused, ""},
    {"/linux/seccomp/flags/*", string, refused, ""},
    {"/linux/seccomp/listenerMetadata", string, refused, ""},
    {"/linux/seccomp/listenerPath", string, refused, ""},
    {"/linux/seccomp/syscalls", array, refused, ""},
    {"/linux/seccomp/syscalls/*", object, refused, ""},
    {"/linux/seccomp/syscalls/*/action", string, refused, ""},
    {"/linux/seccomp/syscalls/*/args", array, refused, ""},
    {"/linux/seccomp/syscalls/*/args/*", object, refused, ""},
    {"/linux/seccomp/syscalls/*/args/*/index", number, refused, ""},
    {"/linux/seccomp/syscalls/*/args/*/op", string, refused, ""},
    {"/linux/seccomp/syscalls/*/args/*/value", number, refused, ""},
    {"/linux/seccomp/syscalls/*/args/*/valueTwo", number, refused, ""},
    {"/linux/seccomp/syscalls/*/errnoRet", number, refused, ""},
    {"/linux/seccomp/syscalls/*/names", array, refused, ""},
    {"/linux/seccomp/syscalls/*/names/*", string, refused, ""},
    {"/linux/sysctl", object, container, ""},
    {"/linux/sysctl/*", string, applied, "api/test_sysctl.c:test_parameters"},
    {"/linux/timeOffsets", object, container, ""},
    {"/linux/timeOffsets/boottime", object, container, ""},
    {"/linux/timeOffsets/boottime/nanosecs", number, applied, "api/test_sysctl.c:test_clocks"},
    {"/linux/timeOffsets/boottime/secs", number, applied, "api/test_sysctl.c:test_clocks"},
    {"/linux/timeOffsets/monotonic", object, container, ""},
    {"/linux/timeOffsets/monotonic/nanosecs", number, applied, "api/test_sysctl.c:test_clocks"},
    {"/linux/timeOffsets/monotonic/secs", number, applied, "api/test_sysctl.c:test_clocks"},
    {"/linux/uidMappings", array, container, ""},
    {"/linux/uidMappings/*", object, container, ""},
    {"/linux/uidMappings/*/containerID", number, applied, "api/test_user_namespace.c:test_mapped"},
    {"/linux/uidMappings/*/hostID", number, applied, "api/test_user_namespace.c:test_mapped"},
    {"/linux/uidMappings/*/size", number, applied, "api/test_user_namespace.c:test_mapped"},
};
static_assert(std::ranges::is_sorted(rows, {}, &Property::pattern));

}  // namespace

std::span<const Property> linux_properties() {
  return rows;
}

}  // namespace reaper
