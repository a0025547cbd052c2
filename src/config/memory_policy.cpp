// linux.memoryPolicy (config-linux.md, Memory Policy; set_mempolicy(2)).
#include <linux/mempolicy.h>

#include <algorithm>

#include "config/parse.h"

namespace reaper {
namespace {

constexpr uint32_t highest_node = MemoryPolicy::max_nodes - 1;
constexpr uint32_t weighted_interleave = 6;  // MPOL_WEIGHTED_INTERLEAVE, Linux 6.9

constexpr NamedNumber modes[] = {{"MPOL_DEFAULT", MPOL_DEFAULT},
                                 {"MPOL_PREFERRED", MPOL_PREFERRED},
                                 {"MPOL_BIND", MPOL_BIND},
                                 {"MPOL_INTERLEAVE", MPOL_INTERLEAVE},
                                 {"MPOL_LOCAL", MPOL_LOCAL},
                                 {"MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY},
                                 {"MPOL_WEIGHTED_INTERLEAVE", weighted_interleave}};
constexpr NamedNumber memory_policy_flags[] = {{"MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING},
                                               {"MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES},
                                               {"MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES}};

// What the kernel would answer with EINVAL, told with its pointer.
Status check_policy(const JsonCursor& object, const MemoryPolicy& policy) {
  const auto wrong = [&](std::string_view member, std::string_view why) {
    return fail(config_error(REAPER_ERR_INVALID, pointer_join(object.pointer(), member), why));
  };
  const bool takes_none = policy.mode == MPOL_DEFAULT || policy.mode == MPOL_LOCAL;
  if (takes_none && !policy.nodes.empty()) return wrong("nodes", "this mode takes no nodes");
  if (takes_none && policy.flags != 0) return wrong("flags", "this mode takes no flags");
  if (!takes_none && policy.nodes.empty() && policy.mode != MPOL_PREFERRED)
    return wrong("nodes", "this mode needs nodes");
  constexpr uint32_t either = MPOL_F_RELATIVE_NODES | MPOL_F_STATIC_NODES;
  if ((policy.flags & either) == either)
    return wrong("flags", "MPOL_F_RELATIVE_NODES and MPOL_F_STATIC_NODES exclude each other");
  if (policy.nodes.empty() && (policy.flags & either) != 0) return wrong("nodes", "these flags need nodes");
  return {};
}

}  // namespace

Result<std::optional<MemoryPolicy>> read_memory_policy(const JsonCursor& object) {
  if (TRY(asks_for_nothing(object, "/linux/memoryPolicy"))) return std::nullopt;
  MemoryPolicy policy;
  const JsonCursor mode = TRY(required_member(object, "mode"));
  policy.mode = TRY(read_name(mode, "mode", modes));
  policy.nodes = TRY(read_number_list(object, "nodes", "nodes", highest_node));
  if (const auto flags = TRY(object.member("flags")))
    for (const JsonCursor& flag : TRY(flags->elements()))
      policy.flags |= TRY(read_name(flag, "flag", memory_policy_flags));
  TRY(check_policy(object, policy));
  return policy;
}

std::vector<std::string_view> memory_policy_words(bool flags) {
  const std::span<const NamedNumber> rows = flags ? std::span<const NamedNumber>(memory_policy_flags) : modes;
  std::vector<std::string_view> words(rows.size());
  std::ranges::transform(rows, words.begin(), &NamedNumber::name);
  return words;
}

}  // namespace reaper
