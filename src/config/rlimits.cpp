// process.rlimits (config.md, POSIX process).
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <limits>

#include "config/parse.h"

namespace reaper {
namespace {

struct RlimitKind {
  std::string_view name;
  int resource;
};

// All of getrlimit(2); the kernel has no others (include/uapi/asm-generic/resource.h, RLIM_NLIMITS is 16).
constexpr std::array<RlimitKind, 16> kinds = {{
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
}};

Result<int> read_type(const JsonCursor& type) {
  std::string name = TRY(type.string());
  auto kind = std::ranges::find(kinds, name, &RlimitKind::name);
  if (kind != kinds.end()) return kind->resource;
  std::array<std::string_view, kinds.size()> names;
  std::ranges::transform(kinds, names.begin(), &RlimitKind::name);
  std::string_view nearest = nearest_word("RLIMIT_" + name, names);
  if (nearest.empty()) nearest = nearest_word(name, names);
  return fail(config_error(REAPER_ERR_INVALID, type.pointer(),
                           "unknown resource limit " + quoted(name) + did_you_mean(nearest)));
}

Result<Rlimit> read_rlimit(const JsonCursor& object, Refusals& refusals) {
  constexpr uint64_t infinity = std::numeric_limits<uint64_t>::max();  // RLIM_INFINITY
  Rlimit limit;
  limit.resource = -1;  // not known yet: no other entry's
  auto type = TRY(required_member(object, "type"));
  KEEP(refusals, limit.resource, read_type(type));
  auto soft = TRY(required_member(object, "soft"));
  KEEP(refusals, limit.soft, soft.unsigned_integer(0, infinity));
  auto hard = TRY(required_member(object, "hard"));
  limit.hard = TRY(hard.unsigned_integer(0, infinity));
  // setrlimit(2): EINVAL.
  if (limit.soft > limit.hard)
    return fail(config_error(
        REAPER_ERR_INVALID, soft.pointer(),
        "the soft limit " + std::to_string(limit.soft) + " is above the hard limit " + std::to_string(limit.hard)));
  return limit;
}

}  // namespace

Result<std::vector<Rlimit>> read_rlimits(const JsonCursor& array, Notes& notes) {
  std::vector<Rlimit> limits;
  for (const JsonCursor& element : TRY(array.elements())) {
    std::optional<Rlimit> limit;
    KEEP(notes.refusals, limit, read_rlimit(element, notes.refusals));
    if (!limit) continue;
    if (std::ranges::find(limits, limit->resource, &Rlimit::resource) != limits.end())
      TRY(notes.refusals.refuse(
          config_error(REAPER_ERR_INVALID, pointer_join(element.pointer(), "type"), "an earlier entry has this type")));
    limits.push_back(*limit);
  }
  return limits;
}

}  // namespace reaper
