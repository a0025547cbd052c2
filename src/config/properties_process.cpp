// The rows of known_properties() for process. See config.h for what a row means and properties.cpp for its use.
#include <algorithm>

#include "config/properties.h"

namespace reaper {
namespace {

using enum JsonType;
using enum Disposition;

constexpr Property rows[] = {
    {"/process", object, container, ""},
    {"/process/apparmorProfile", string, refused, ""},
    {"/process/args", array, applied, "unit/test_config_process.cpp:args"},
    {"/process/args/*", string, applied, "unit/test_config_process.cpp:args"},
    {"/process/capabilities", object, container, ""},
    {"/process/capabilities/ambient", array, applied, "unit/test_config_capabilities.cpp:sets"},
    {"/process/capabilities/ambient/*", string, applied, "unit/test_config_capabilities.cpp:sets"},
    {"/process/capabilities/bounding", array, applied, "unit/test_config_capabilities.cpp:sets"},
    {"/process/capabilities/bounding/*", string, applied, "unit/test_config_capabilities.cpp:sets"},
    {"/process/capabilities/effective", array, applied, "unit/test_config_capabilities.cpp:sets"},
    {"/process/capabilities/effective/*", string, applied, "unit/test_config_capabilities.cpp:sets"},
    {"/process/capabilities/inheritable", array, applied, "unit/test_config_capabilities.cpp:sets"},
    {"/process/capabilities/inheritable/*", string, applied, "unit/test_config_capabilities.cpp:sets"},
    {"/process/capabilities/permitted", array, applied, "unit/test_config_capabilities.cpp:sets"},
    {"/process/capabilities/permitted/*", string, applied, "unit/test_config_capabilities.cpp:sets"},
    {"/process/commandLine", string, refused, "it is for Windows; use process.args"},
    {"/process/consoleSize", object, container, ""},
    {"/process/consoleSize/height", number, applied, "unit/test_config_process.cpp:terminal"},
    {"/process/consoleSize/width", number, applied, "unit/test_config_process.cpp:terminal"},
    {"/process/cwd", string, applied, "unit/test_config_process.cpp:cwd"},
    {"/process/env", array, applied, "unit/test_config_process.cpp:env"},
    {"/process/env/*", string, applied, "unit/test_config_process.cpp:env"},
    {"/process/execCPUAffinity", object, refused, "it is for exec, which a later version brings"},
    {"/process/execCPUAffinity/final", string, refused, ""},
    {"/process/execCPUAffinity/initial", string, refused, ""},
    {"/process/ioPriority", object, refused, ""},
    {"/process/ioPriority/class", string, refused, ""},
    {"/process/ioPriority/priority", number, refused, ""},
    {"/process/noNewPrivileges", boolean, applied, "unit/test_config_process.cpp:no_new_privileges"},
    {"/process/oomScoreAdj", number, applied, "unit/test_config_process.cpp:oom_score_adj"},
    {"/process/rlimits", array, container, ""},
    {"/process/rlimits/*", object, container, ""},
    {"/process/rlimits/*/hard", number, applied, "unit/test_config_rlimits.cpp:values"},
    {"/process/rlimits/*/soft", number, applied, "unit/test_config_rlimits.cpp:values"},
    {"/process/rlimits/*/type", string, applied, "unit/test_config_rlimits.cpp:types"},
    {"/process/scheduler", object, refused, ""},
    {"/process/scheduler/deadline", number, refused, ""},
    {"/process/scheduler/flags", array, refused, ""},
    {"/process/scheduler/flags/*", string, refused, ""},
    {"/process/scheduler/nice", number, refused, ""},
    {"/process/scheduler/period", number, refused, ""},
    {"/process/scheduler/policy", string, refused, ""},
    {"/process/scheduler/priority", number, refused, ""},
    {"/process/scheduler/runtime", number, refused, ""},
    {"/process/selinuxLabel", string, refused, ""},
    {"/process/terminal", boolean, applied, "unit/test_config_process.cpp:terminal"},
    {"/process/user", object, container, ""},
    {"/process/user/additionalGids", array, applied, "unit/test_config_user.cpp:additional_gids"},
    {"/process/user/additionalGids/*", number, applied, "unit/test_config_user.cpp:ids"},
    {"/process/user/gid", number, applied, "unit/test_config_user.cpp:ids"},
    {"/process/user/uid", number, applied, "unit/test_config_user.cpp:ids"},
    {"/process/user/umask", number, applied, "unit/test_config_user.cpp:umask_values"},
    {"/process/user/username", string, ignored,
     "config.md, Windows User: uid and gid alone decide here; a value that is not empty is a warning"},
};
static_assert(std::ranges::is_sorted(rows, {}, &Property::pattern));

}  // namespace

std::span<const Property> process_properties() {
  return rows;
}

}  // namespace reaper
