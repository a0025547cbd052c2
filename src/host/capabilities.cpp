// Capability names. Those that the kernel had when this was written stand here, so that no call of the CLI has to load
// a library for them: 0.07 ms of it (docs/performance.md). libcap-ng is asked about others, by one look-up that keeps
// no state of a thread.
#include <cap-ng.h>
#include <dlfcn.h>
#include <linux/capability.h>

#include <algorithm>
#include <iterator>

#include "core/system_library.h"
#include "host/capability_names.h"
#include "host/facts.h"

namespace reaper {

namespace {

constexpr std::string_view prefix = "CAP_";

// linux/capability.h: a capability's place is its number.
constexpr std::string_view names[] = {"CHOWN",
                                      "DAC_OVERRIDE",
                                      "DAC_READ_SEARCH",
                                      "FOWNER",
                                      "FSETID",
                                      "KILL",
                                      "SETGID",
                                      "SETUID",
                                      "SETPCAP",
                                      "LINUX_IMMUTABLE",
                                      "NET_BIND_SERVICE",
                                      "NET_BROADCAST",
                                      "NET_ADMIN",
                                      "NET_RAW",
                                      "IPC_LOCK",
                                      "IPC_OWNER",
                                      "SYS_MODULE",
                                      "SYS_RAWIO",
                                      "SYS_CHROOT",
                                      "SYS_PTRACE",
                                      "SYS_PACCT",
                                      "SYS_ADMIN",
                                      "SYS_BOOT",
                                      "SYS_NICE",
                                      "SYS_RESOURCE",
                                      "SYS_TIME",
                                      "SYS_TTY_CONFIG",
                                      "MKNOD",
                                      "LEASE",
                                      "AUDIT_WRITE",
                                      "AUDIT_CONTROL",
                                      "SETFCAP",
                                      "MAC_OVERRIDE",
                                      "MAC_ADMIN",
                                      "SYSLOG",
                                      "WAKE_ALARM",
                                      "BLOCK_SUSPEND",
                                      "AUDIT_READ",
                                      "PERFMON",
                                      "BPF",
                                      "CHECKPOINT_RESTORE"};
static_assert(std::size(names) == CAP_CHECKPOINT_RESTORE + 1);
static_assert(names[CAP_SYS_ADMIN] == "SYS_ADMIN" && names[CAP_MKNOD] == "MKNOD" && names[CAP_SYSLOG] == "SYSLOG");

bool is_name_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

// It stays: it registers a handler with pthread_atfork(3).
int capability_number_in_library(const std::string& name) {
  void* const library = dlopen(system_library("libcap-ng.so.0").c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) return -1;
  const auto look_up =
      reinterpret_cast<decltype(&capng_name_to_capability)>(dlsym(library, "capng_name_to_capability"));
  const int number = look_up != nullptr ? look_up(name.c_str()) : -1;
  dlclose(library);
  return number >= 0 && number < 64 ? number : -1;
}

int capability_number(std::string_view name) {
  // Names of the specification are upper case; libcap-ng compares without case and without the prefix.
  if (!name.starts_with(prefix)) return -1;
  name.remove_prefix(prefix.size());
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_name_character)) return -1;
  const auto* const known = std::find(std::begin(names), std::end(names), name);
  if (known != std::end(names)) return static_cast<int>(known - std::begin(names));
  constexpr size_t longest = 64;
  return name.size() <= longest ? capability_number_in_library(std::string(name)) : -1;
}

// libcap-ng is not asked for a number without a name: it frees and allocates one buffer of the whole process then.
std::string capability_name(int number) {
  std::string text(prefix);
  if (number < 0 || number >= static_cast<int>(std::size(names))) return text + std::to_string(number);
  return text.append(names[number]);
}

}  // namespace reaper
