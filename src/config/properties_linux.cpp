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
    {"/linux/intelRdt", object, container, ""},
    {"/linux/intelRdt/closID", string, applied, "api/test_intel_rdt.c:test_joined"},
    {"/linux/intelRdt/enableMonitoring", boolean, applied, "api/test_intel_rdt.c:test_monitoring"},
    {"/linux/intelRdt/l3CacheSchema", string, applied, "api/test_intel_rdt.c:test_made"},
    {"/linux/intelRdt/memBwSchema", string, applied, "api/test_intel_rdt.c:test_made"},
    {"/linux/intelRdt/schemata", array, applied, "api/test_intel_rdt.c:test_made"},
    {"/linux/intelRdt/schemata/*", string, applied, "api/test_intel_rdt.c:test_made"},
    {"/linux/maskedPaths", array, applied, "api/test_root.c:test_masked_and_read_only_paths"},
    {"/linux/maskedPaths/*", string, applied, "api/test_root.c:test_masked_and_read_only_paths"},
    {"/linux/memoryPolicy", object, container, ""},
    {"/linux/memoryPolicy/flags", array, applied, "api/test_memory_policy.c:test_applied"},
    {"/linux/memoryPolicy/flags/*", string, applied, "api/test_memory_policy.c:test_applied"},
    {"/linux/memoryPolicy/mode", string, applied, "api/test_memory_policy.c:test_applied"},
    {"/linux/memoryPolicy/nodes", string, applied, "api/test_memory_policy.c:test_applied"},
    {"/linux/mountLabel", string, applied, "unit/test_plan_golden.cpp:goldens; where the kernel has SELinux"},
    {"/linux/namespaces", array, container, ""},
    {"/linux/namespaces/*", object, container, ""},
    {"/linux/namespaces/*/path", string, applied, "api/test_joined.c:test_pid"},
    {"/linux/namespaces/*/type", string, applied, "api/test_namespaces.c:test_new"},
    {"/linux/netDevices", object, container, ""},
    {"/linux/netDevices/*", object, applied, "api/test_net_devices.c:test_moved"},
    {"/linux/netDevices/*/name", string, applied, "api/test_net_devices.c:test_moved"},
    {"/linux/personality", object, container, ""},
    {"/linux/personality/domain", string, applied, "api/test_process_rest.c:test_personality"},
    {"/linux/personality/flags", array, refused, "the specification has no flag yet"},
    {"/linux/personality/flags/*", string, refused, ""},
    {"/linux/readonlyPaths", array, applied, "api/test_root.c:test_masked_and_read_only_paths"},
    {"/linux/readonlyPaths/*", string, applied, "api/test_root.c:test_masked_and_read_only_paths"},
    {"/linux/rootfsPropagation", string, applied, "api/test_mounts.c:test_propagation"},
    {"/linux/seccomp", object, container, ""},
    {"/linux/seccomp/architectures", array, applied, "api/test_seccomp.c:test_architectures"},
    {"/linux/seccomp/architectures/*", string, applied, "api/test_seccomp.c:test_architectures"},
    {"/linux/seccomp/defaultAction", string, applied, "api/test_seccomp.c:test_default_action"},
    {"/linux/seccomp/defaultErrnoRet", number, applied, "api/test_seccomp.c:test_default_action"},
    {"/linux/seccomp/flags", array, applied, "api/test_seccomp.c:test_flags"},
    {"/linux/seccomp/flags/*", string, applied, "api/test_seccomp.c:test_flags"},
    {"/linux/seccomp/listenerMetadata", string, applied, "api/test_seccomp_notify.c:test_answered"},
    {"/linux/seccomp/listenerPath", string, applied, "api/test_seccomp_notify.c:test_answered"},
    {"/linux/seccomp/syscalls", array, container, ""},
    {"/linux/seccomp/syscalls/*", object, container, ""},
    {"/linux/seccomp/syscalls/*/action", string, applied, "api/test_seccomp.c:test_actions"},
    {"/linux/seccomp/syscalls/*/args", array, container, ""},
    {"/linux/seccomp/syscalls/*/args/*", object, container, ""},
    {"/linux/seccomp/syscalls/*/args/*/index", number, applied, "api/test_seccomp.c:test_arguments"},
    {"/linux/seccomp/syscalls/*/args/*/op", string, applied, "unit/test_seccomp.cpp:test_operators"},
    {"/linux/seccomp/syscalls/*/args/*/value", number, applied, "api/test_seccomp.c:test_arguments"},
    {"/linux/seccomp/syscalls/*/args/*/valueTwo", number, applied, "api/test_seccomp.c:test_masked_comparison"},
    {"/linux/seccomp/syscalls/*/errnoRet", number, applied, "api/test_seccomp.c:test_actions"},
    {"/linux/seccomp/syscalls/*/names", array, applied, "api/test_seccomp.c:test_actions"},
    {"/linux/seccomp/syscalls/*/names/*", string, applied, "api/test_seccomp.c:test_actions"},
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
constexpr auto ends = ends_of(rows);

}  // namespace

PropertyPart linux_properties() {
  return {rows, ends};
}

}  // namespace reaper
