// features: what this build really does (features.md, features-linux.md). Fixed at build time.
#include "config/config.h"
#include "core/json.h"
#include "host/facts.h"
#include "plan/plan.h"
#include "runtime/runtime.h"
#include "runtime/version.h"
#include "seccomp/seccomp.h"

namespace reaper {

namespace {

void write_support(JsonWriter& out, std::string_view name, bool enabled) {
  out.key(name).begin_object().key("enabled").boolean(enabled).end_object();
}

void write_words(JsonWriter& out, std::string_view name, const std::vector<std::string_view>& words) {
  out.key(name).begin_array();
  for (const std::string_view word : words) out.string(word);
  out.end_array();
}

void write_seccomp(JsonWriter& out) {
  out.key("seccomp").begin_object().key("enabled").boolean(has_seccomp());
  if (has_seccomp()) {
    write_words(out, "actions", seccomp_words(SeccompWords::actions));
    write_words(out, "operators", seccomp_words(SeccompWords::operators));
    write_words(out, "archs", seccomp_architectures());
    write_words(out, "knownFlags", seccomp_words(SeccompWords::flags));
    write_words(out, "supportedFlags", seccomp_words(SeccompWords::flags));
  }
  out.end_object();
}

void write_linux(JsonWriter& out) {
  out.key("linux").begin_object();
  // Those that it makes. Of the others, only the caller's own are accepted.
  out.key("namespaces").begin_array();
  for (const auto name : {"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"}) out.string(name);
  out.end_array();
  out.key("capabilities").begin_array();
  for (int number = 0; number < 64; ++number) {
    const std::string name = capability_name(number);
    if (capability_number(name) == number) out.string(name);
  }
  out.end_array();
  out.key("cgroup").begin_object();
  for (const auto name : {"v1", "v2"}) out.key(name).boolean(true);
  for (const auto name : {"systemd", "systemdUser", "rdma"}) out.key(name).boolean(false);
  out.end_object();
  // features-linux.md: what the runtime can do, whatever the host has.
  for (const auto name : {"apparmor", "selinux", "netDevices"}) write_support(out, name, true);
  out.key("intelRdt").begin_object();
  for (const auto name : {"enabled", "schemata", "monitoring"}) out.key(name).boolean(true);
  out.end_object();
  write_seccomp(out);
  out.key("memoryPolicy").begin_object();
  write_words(out, "modes", memory_policy_words(false));
  write_words(out, "flags", memory_policy_words(true));
  out.end_object();
  out.key("mountExtensions").begin_object();
  write_support(out, "idmap", true);
  out.end_object();
  out.end_object();
}

}  // namespace

std::string features_json() {
  JsonWriter out;
  out.begin_object();
  out.key("ociVersionMin").string(spec_version_min);
  out.key("ociVersionMax").string(spec_version);
  out.key("hooks").begin_array();
  for (size_t kind = 0; kind < hook_kind_count; ++kind) out.string(hook_kind_name(static_cast<HookKind>(kind)));
  out.end_array();
  out.key("mountOptions").begin_array();
  for (const std::string_view name : mount_option_names()) out.string(name);
  out.end_array();
  write_linux(out);
  out.key("annotations").begin_object();
  out.key("dev.reaper.version").string(build_version);
  out.key("dev.reaper.commit").string(build_commit);
  out.end_object();
  // What makes the built-in pause process of a container (plan/pause.cpp).
  out.key("potentiallyUnsafeConfigAnnotations").begin_array();
  for (const std::string& annotation : annotations_in_force()) out.string(annotation);
  out.end_array();
  out.end_object();
  return out.take();
}

}  // namespace reaper
