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
    {"/domainname", string, refused, "needs a new uts namespace"},
    {"/freebsd", object, refused, "the configuration is for another platform"},
    {"/hooks", object, container, ""},
    {"/hooks/createContainer", array, refused, ""},
    {"/hooks/createContainer/*", object, refused, ""},
    {"/hooks/createContainer/*/args", array, refused, ""},
    {"/hooks/createContainer/*/args/*", string, refused, ""},
    {"/hooks/createContainer/*/env", array, refused, ""},
    {"/hooks/createContainer/*/env/*", string, refused, ""},
    {"/hooks/createContainer/*/path", string, refused, ""},
    {"/hooks/createContainer/*/timeout", number, refused, ""},
    {"/hooks/createRuntime", array, refused, ""},
    {"/hooks/createRuntime/*", object, refused, ""},
    {"/hooks/createRuntime/*/args", array, refused, ""},
    {"/hooks/createRuntime/*/args/*", string, refused, ""},
    {"/hooks/createRuntime/*/env", array, refused, ""},
    {"/hooks/createRuntime/*/env/*", string, refused, ""},
    {"/hooks/createRuntime/*/path", string, refused, ""},
    {"/hooks/createRuntime/*/timeout", number, refused, ""},
    {"/hooks/poststart", array, refused, ""},
    {"/hooks/poststart/*", object, refused, ""},
    {"/hooks/poststart/*/args", array, refused, ""},
    {"/hooks/poststart/*/args/*", string, refused, ""},
    {"/hooks/poststart/*/env", array, refused, ""},
    {"/hooks/poststart/*/env/*", string, refused, ""},
    {"/hooks/poststart/*/path", string, refused, ""},
    {"/hooks/poststart/*/timeout", number, refused, ""},
    {"/hooks/poststop", array, refused, ""},
    {"/hooks/poststop/*", object, refused, ""},
    {"/hooks/poststop/*/args", array, refused, ""},
    {"/hooks/poststop/*/args/*", string, refused, ""},
    {"/hooks/poststop/*/env", array, refused, ""},
    {"/hooks/poststop/*/env/*", string, refused, ""},
    {"/hooks/poststop/*/path", string, refused, ""},
    {"/hooks/poststop/*/timeout", number, refused, ""},
    {"/hooks/prestart", array, refused, ""},
    {"/hooks/prestart/*", object, refused, ""},
    {"/hooks/prestart/*/args", array, refused, ""},
    {"/hooks/prestart/*/args/*", string, refused, ""},
    {"/hooks/prestart/*/env", array, refused, ""},
    {"/hooks/prestart/*/env/*", string, refused, ""},
    {"/hooks/prestart/*/path", string, refused, ""},
    {"/hooks/prestart/*/timeout", number, refused, ""},
    {"/hooks/startContainer", array, refused, ""},
    {"/hooks/startContainer/*", object, refused, ""},
    {"/hooks/startContainer/*/args", array, refused, ""},
    {"/hooks/startContainer/*/args/*", string, refused, ""},
    {"/hooks/startContainer/*/env", array, refused, ""},
    {"/hooks/startContainer/*/env/*", string, refused, ""},
    {"/hooks/startContainer/*/path", string, refused, ""},
    {"/hooks/startContainer/*/timeout", number, refused, ""},
    {"/hostname", string, refused, "needs a new uts namespace"},
    {"/mounts", array, container, ""},
    {"/mounts/*", object, refused, "needs a new mount namespace"},
    {"/mounts/*/destination", string, refused, ""},
    {"/mounts/*/gidMappings", array, refused, ""},
    {"/mounts/*/gidMappings/*", object, refused, ""},
    {"/mounts/*/gidMappings/*/containerID", number, refused, ""},
    {"/mounts/*/gidMappings/*/hostID", number, refused, ""},
    {"/mounts/*/gidMappings/*/size", number, refused, ""},
    {"/mounts/*/options", array, refused, ""},
    {"/mounts/*/options/*", string, refused, ""},
    {"/mounts/*/source", string, refused, ""},
    {"/mounts/*/type", string, refused, ""},
    {"/mounts/*/uidMappings", array, refused, ""},
    {"/mounts/*/uidMappings/*", object, refused, ""},
    {"/mounts/*/uidMappings/*/containerID", number, refused, ""},
    {"/mounts/*/uidMappings/*/hostID", number, refused, ""},
    {"/mounts/*/uidMappings/*/size", number, refused, ""},
    {"/ociVersion", string, applied, "unit/test_config_version.cpp:versions"},
    {"/root", object, container, ""},
    {"/root/path", string, applied, "unit/test_config_document.cpp:root_path; only \"/\", the host's root"},
    {"/root/readonly", boolean, refused, "needs a new mount namespace"},
    {"/solaris", object, refused, "the configuration is for another platform"},
    {"/vm", object, refused, "it asks for a virtual machine"},
    {"/windows", object, refused, "the configuration is for another platform"},
    {"/zos", object, refused, "the configuration is for another platform"},
};
static_assert(std::ranges::is_sorted(rows, {}, &Property::pattern));

}  // namespace

std::span<const Property> common_properties() {
  return rows;
}

}  // namespace reaper
