// The name of a filter: a digest of everything that it is made from, written down in one way.
#include "core/json.h"
#include "core/sha256.h"
#include "seccomp/seccomp.h"

namespace reaper {

namespace {

constexpr uint64_t format = 1;  // of this text, and of what this version makes of it

#if defined(__x86_64__)
constexpr std::string_view machine = "x86_64";
#else
constexpr std::string_view machine = "aarch64";
#endif

}  // namespace

std::string seccomp_digest(const Seccomp& seccomp) {
  JsonWriter out;
  out.begin_array().unsigned_integer(format).string(machine);
  out.unsigned_integer(seccomp.default_action).unsigned_integer(seccomp.flags);
  out.begin_array();
  for (const std::string& name : seccomp.architectures) out.string(name);
  out.end_array();
  for (const SeccompRule& rule : seccomp.rules) {
    out.begin_array().unsigned_integer(rule.action);
    for (const SeccompCondition& condition : rule.conditions)
      out.unsigned_integer(condition.index)
          .unsigned_integer(static_cast<uint64_t>(condition.op))
          .unsigned_integer(condition.value)
          .unsigned_integer(condition.value_two);
    for (const std::string& name : rule.names) out.string(name);
    out.end_array();
  }
  out.end_array();
  return sha256_hex(out.text());
}

}  // namespace reaper
