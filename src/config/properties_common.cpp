// The rows of known_properties() for everything but process and linux. See config.h for what a row means and
// properties.cpp for its use.
#include <algorithm>

#include "config/properties.h"

namespace reaper {
namespace {

using enum JsonType;
using enum Disposition;

constexpr Property rows[] = {
    {"/annotations", object, applied, "unit/test_config_document.cpp:annotations"},
    {"/annotations/*", string, applied, "unit/test_config_document.cpp:annotations"},
    {"/domainname", string, applied, "api/test_namespaces.c:test_names"},
    {"/freebsd", object, refused, "the configuration is for another platform"},
    {"/hooks", object, container, ""},
    {"/hooks/createContainer", array, applied, "api/test_hooks.c:test_order_and_state"},
    {"/hooks/createContainer/*", object, applied, "api/test_hooks.c:test_order_and_state"},
    {"/hooks/createContainer/*/args", array, applied, "unit/test_config_hooks.cpp:args"},
    {"/hooks/createContainer/*/args/*", string, applied, "unit/test_config_hooks.cpp:args"},
    {"/hooks/createContainer/*/env", array, applied, "cli/hooks_test.go:TestHookEnvironmentIsExactlyItsOwn"},
    {"/hooks/createContainer/*/env/*", string, applied, "cli/hooks_test.go:TestHookEnvironmentIsExactlyItsOwn"},
    {"/hooks/createContainer/*/path", string, applied, "unit/test_config_hooks.cpp:path"},
    {"/hooks/createContainer/*/timeout", number, applied, "api/test_hooks.c:test_timeout"},
    {"/hooks/createRuntime", array, applied, "api/test_hooks.c:test_order_and_state"},
    {"/hooks/createRuntime/*", object, applied, "api/test_hooks.c:test_order_and_state"},
    {"/hooks/createRuntime/*/args", array, applied, "unit/test_config_hooks.cpp:args"},
    {"/hooks/createRuntime/*/args/*", string, applied, "unit/test_config_hooks.cpp:args"},
    {"/hooks/createRuntime/*/env", array, applied, "cli/hooks_test.go:TestHookEnvironmentIsExactlyItsOwn"},
    {"/hooks/createRuntime/*/env/*", string, applied, "cli/hooks_test.go:TestHookEnvironmentIsExactlyItsOwn"},
    {"/hooks/createRuntime/*/path", string, applied, "unit/test_config_hooks.cpp:path"},
    {"/hooks/createRuntime/*/timeout", number, applied, "api/test_hooks.c:test_timeout"},
    {"/hooks/poststart", array, applied, "api/test_hooks.c:test_order_and_state"},
    {"/hooks/poststart/*", object, applied, "api/test_hooks.c:test_order_and_state"},
    {"/hooks/poststart/*/args", array, applied, "unit/test_config_hooks.cpp:args"},
    {"/hooks/poststart/*/args/*", string, applied, "unit/test_config_hooks.cpp:args"},
    {"/hooks/poststart/*/env", array, applied, "cli/hooks_test.go:TestHookEnvironmentIsExactlyItsOwn"},
    {"/hooks/poststart/*/env/*", string, applied, "cli/hooks_test.go:TestHookEnvironmentIsExactlyItsOwn"},
    {"/hooks/poststart/*/path", string, applied, "unit/test_config_hooks.cpp:path"},
    {"/hooks/poststart/*/timeout", number, applied, "api/test_hooks.c:test_timeout"},
    {"/hooks/poststop", array, applied, "api/test_hooks.c:test_order_and_state"},
    {"/hooks/poststop/*", object, applied, "api/test_hooks.c:test_order_and_state"},
    {"/hooks/poststop/*/args", array, applied, "unit/test_config_hooks.cpp:args"},
    {"/hooks/poststop/*/args/*", string, applied, "unit/test_config_hooks.cpp:args"},
    {"/hooks/poststop/*/env", array, applied, "cli/hooks_test.go:TestHookEnvironmentIsExactlyItsOwn"},
    {"/hooks/poststop/*/env/*", string, applied, "cli/hooks_test.go:TestHookEnvironmentIsExactlyItsOwn"},
    {"/hooks/poststop/*/path", string, applied, "unit/test_config_hooks.cpp:path"},
    {"/hooks/poststop/*/timeout", number, applied, "api/test_hooks.c:test_timeout"},
    {"/hooks/prestart", array, applied, "api/test_hooks.c:test_order_and_state"},
    {"/hooks/prestart/*", object, applied, "api/test_hooks.c:test_order_and_state"},
    {"/hooks/prestart/*/args", array, applied, "unit/test_config_hooks.cpp:args"},
    {"/hooks/prestart/*/args/*", string, applied, "unit/test_config_hooks.cpp:args"},
    {"/hooks/prestart/*/env", array, applied, "cli/hooks_test.go:TestHookEnvironmentIsExactlyItsOwn"},
    {"/hooks/prestart/*/env/*", string, applied, "cli/hooks_test.go:TestHookEnvironmentIsExactlyItsOwn"},
    {"/hooks/prestart/*/path", string, applied, "unit/test_config_hooks.cpp:path"},
    {"/hooks/prestart/*/timeout", number, applied, "api/test_hooks.c:test_timeout"},
    {"/hooks/startContainer", array, applied, "api/test_hooks.c:test_order_and_state"},
    {"/hooks/startContainer/*", object, applied, "api/test_hooks.c:test_order_and_state"},
    {"/hooks/startContainer/*/args", array, applied, "unit/test_config_hooks.cpp:args"},
    {"/hooks/startContainer/*/args/*", string, applied, "unit/test_config_hooks.cpp:args"},
    {"/hooks/startContainer/*/env", array, applied, "cli/hooks_test.go:TestHookEnvironmentIsExactlyItsOwn"},
    {"/hooks/startContainer/*/env/*", string, applied, "cli/hooks_test.go:TestHookEnvironmentIsExactlyItsOwn"},
    {"/hooks/startContainer/*/path", string, applied, "unit/test_config_hooks.cpp:path"},
    {"/hooks/startContainer/*/timeout", number, applied, "api/test_hooks.c:test_timeout"},
    {"/hostname", string, applied, "api/test_namespaces.c:test_names"},
    {"/mounts", array, container, ""},
    {"/mounts/*", object, container, ""},
    {"/mounts/*/destination", string, applied, "api/test_root.c:test_mounts"},
    {"/mounts/*/gidMappings", array, container, ""},
    {"/mounts/*/gidMappings/*", object, container, ""},
    {"/mounts/*/gidMappings/*/containerID", number, applied, "api/test_mount_ids.c:test_mapped"},
    {"/mounts/*/gidMappings/*/hostID", number, applied, "api/test_mount_ids.c:test_mapped"},
    {"/mounts/*/gidMappings/*/size", number, applied, "api/test_mount_ids.c:test_mapped"},
    {"/mounts/*/options", array, applied, "api/test_root.c:test_options"},
    {"/mounts/*/options/*", string, applied, "api/test_root.c:test_options"},
    {"/mounts/*/source", string, applied, "api/test_root.c:test_mounts"},
    {"/mounts/*/type", string, applied, "api/test_root.c:test_mounts"},
    {"/mounts/*/uidMappings", array, container, ""},
    {"/mounts/*/uidMappings/*", object, container, ""},
    {"/mounts/*/uidMappings/*/containerID", number, applied, "api/test_mount_ids.c:test_mapped"},
    {"/mounts/*/uidMappings/*/hostID", number, applied, "api/test_mount_ids.c:test_mapped"},
    {"/mounts/*/uidMappings/*/size", number, applied, "api/test_mount_ids.c:test_mapped"},
    {"/ociVersion", string, applied, "unit/test_config_version.cpp:versions"},
    {"/root", object, container, ""},
    {"/root/path", string, applied, "api/test_root.c:test_a_root"},
    {"/root/readonly", boolean, applied, "api/test_root.c:test_read_only"},
    {"/solaris", object, refused, "the configuration is for another platform"},
    {"/vm", object, refused, "it asks for a virtual machine"},
    {"/windows", object, refused, "the configuration is for another platform"},
    {"/zos", object, refused, "the configuration is for another platform"},
};
static_assert(std::ranges::is_sorted(rows, {}, &Property::pattern));
constexpr auto ends = ends_of(rows);

}  // namespace

PropertyPart common_properties() {
  return {rows, ends};
}

}  // namespace reaper
