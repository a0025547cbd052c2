#ifdef REAPER_SECCOMP_LIBRARY

#include "seccomp/library.h"

#include <dlfcn.h>

#include <mutex>

#include "core/system_library.h"

namespace reaper {

namespace {

// Everything that Linux 5.7 can do, and so every kernel that this library runs on. Told so, libseccomp does not try it
// out by calls of seccomp(2), which may end a host that has a filter of its own.
constexpr unsigned api_level = 6;

template <class Function>
bool find(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(handle, name));
  return function != nullptr;
}

bool find_all(void* handle, SeccompLibrary& library) {
  return find(handle, "seccomp_api_set", library.api_set) && find(handle, "seccomp_init", library.init) &&
         find(handle, "seccomp_release", library.release) && find(handle, "seccomp_attr_set", library.attr_set) &&
         find(handle, "seccomp_arch_resolve_name", library.arch_resolve_name) &&
         find(handle, "seccomp_arch_add", library.arch_add) &&
         find(handle, "seccomp_syscall_resolve_name", library.syscall_resolve_name) &&
         find(handle, "seccomp_rule_add_array", library.rule_add_array) &&
         find(handle, "seccomp_export_bpf", library.export_bpf);
}

// No word of dlerror(3): it has the C library's words for errors in it, which callers search for.
Error not_loaded(const char* what) {
  return config_error(REAPER_ERR_UNSUPPORTED, "/linux/seccomp",
                      std::string("needs libseccomp, and " REAPER_SECCOMP_LIBRARY " of ")
                          .append(system_library_directories)
                          .append(what));
}

}  // namespace

Result<const SeccompLibrary*> seccomp_library() {
  static std::mutex mutex;
  static SeccompLibrary library;
  static bool loaded = false;
  const std::lock_guard lock(mutex);
  if (loaded) return &library;
  const std::string path = system_library(REAPER_SECCOMP_LIBRARY);
  const bool was_there = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD) != nullptr;
  void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return fail(not_loaded(" cannot be loaded"));
  if (!find_all(handle, library)) return fail(not_loaded(" is older than 2.5"));
  if (!was_there) library.api_set(api_level);  // otherwise the host has its own idea of it
  loaded = true;
  return &library;
}

}  // namespace reaper

#endif
