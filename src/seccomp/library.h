// libseccomp's functions, found at run time.
#pragma once

#include <seccomp.h>

#include "core/result.h"

namespace reaper {

struct SeccompLibrary {
  decltype(&seccomp_api_set) api_set;
  decltype(&seccomp_init) init;
  decltype(&seccomp_release) release;
  decltype(&seccomp_attr_set) attr_set;
  decltype(&seccomp_arch_resolve_name) arch_resolve_name;
  decltype(&seccomp_arch_add) arch_add;
  decltype(&seccomp_syscall_resolve_name) syscall_resolve_name;
  decltype(&seccomp_rule_add_array) rule_add_array;
  decltype(&seccomp_export_bpf) export_bpf;
};

// Loaded once, and never unloaded: the host may use it as well. UNSUPPORTED: it is not where it was when this library
// was built, or too old.
Result<const SeccompLibrary*> seccomp_library();

}  // namespace reaper
