// The rows of known_properties() for process. See config.h for what a row means and properties.cpp for its use.
#include <algorithm>

#include "config/properties.h"

namespace reaper {
namespace {

using enum JsonType;
using enum Disposition;

constexpr Property rows[] = {
    {"/process", object, container, ""},
    {"/process/apparmorProfile", string, applied,
     "api/test_process_rest.c:test_labels; UNSUPPORTED where AppArmor is not enabled"},
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
    {"/process/execCPUAffinity", object, container, ""},
    {"/process/execCPUAffinity/final", string, applied,
     "api/test_exec.c:test_affinity; config.md, Process: not for the first process of the container"},
    {"/process/execCPUAffinity/initial", string, applied,
     "api/test_exec.c:test_affinity; config.md, Process: not for the first process of the container"},
    {"/process/ioPriority", object, container, ""},
    {"/process/ioPriority/class", string, applied, "api/test_process_rest.c:test_io_priority"},
    {"/process/ioPriority/priority", number, applied, "api/test_process_rest.c:test_io_priority"},
    {"/process/noNewPrivileges", boolean, applied, "unit/test_config_process.cpp:no_new_privileges"},
    {"/process/oomScoreAdj", number, applied, "unit/test_config_process.cpp:oom_score_adj"},
    {"/process/rlimits", array, container, ""},
    {"/process/rlimits/*", object, container, ""},
    {"/process/rlimits/*/hard", number, applied, "unit/test_config_rlimits.cpp:values"},
    {"/process/rlimits/*/soft", number, applied, "unit/test_config_rlimits.cpp:values"},
    {"/process/rlimits/*/type", string, applied, "unit/test_config_rlimits.cpp:types"},
    {"/process/scheduler", object, container, ""},
    {"/process/scheduler/deadline", number, applied, "api/test_process_rest.c:test_deadline"},
    {"/process/scheduler/flags", array, applied, "api/test_process_rest.c:test_scheduler"},
    {"/process/scheduler/flags/*", string, applied,
     "api/test_process_rest.c:test_scheduler; UTIL_CLAMP_* and KEEP_PARAMS are UNSUPPORTED, see process.md"},
    {"/process/scheduler/nice", number, applied, "api/test_process_rest.c:test_scheduler"},
    {"/process/scheduler/period", number, applied, "api/test_process_rest.c:test_deadline"},
    {"/process/scheduler/policy", string, applied,
     "api/test_process_rest.c:test_scheduler; SCHED_ISO is UNSUPPORTED: Linux has no such scheduler"},
    {"/process/scheduler/priority", number, applied, "api/test_process_rest.c:test_scheduler"},
    {"/process/scheduler/runtime", number, applied, "api/test_process_rest.c:test_deadline"},
    {"/process/selinuxLabel", string, applied,
     "api/test_process_rest.c:test_labels; UNSUPPORTED where SELinux is not enabled"},
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
constexpr auto ends = ends_of(rows);

}  // namespace

PropertyPart process_properties() {
  return {rows, ends};
}

}  // namespace reaper
