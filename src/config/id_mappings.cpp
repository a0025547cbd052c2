// linux.uidMappings and gidMappings (config-linux.md, User namespace mappings). The kernel's rules, user_namespaces(7):
// no range may overlap another one on either side, and there is an end to their number.
#include <algorithm>

#include "config/parse.h"

namespace reaper {
namespace {

constexpr size_t most = 340;  // UID_GID_MAP_MAX_EXTENTS, since Linux 4.15

Result<uint32_t> read_number(const JsonCursor& object, std::string_view name, uint64_t least) {
  auto value = TRY(required_member(object, name));
  return static_cast<uint32_t>(TRY(value.unsigned_integer(least, max_id)));
}

bool overlap(uint32_t a, uint32_t b, const IdMapping& first, const IdMapping& second) {
  return uint64_t{a} < uint64_t{b} + second.size && uint64_t{b} < uint64_t{a} + first.size;
}

Result<IdMapping> read_mapping(const JsonCursor& object) {
  IdMapping mapping;
  mapping.container = TRY(read_number(object, "containerID", 0));
  mapping.host = TRY(read_number(object, "hostID", 0));
  mapping.size = TRY(read_number(object, "size", 1));
  if (uint64_t{std::max(mapping.container, mapping.host)} + mapping.size - 1 > max_id)
    return fail(config_error(REAPER_ERR_INVALID, pointer_join(object.pointer(), "size"),
                             "the range ends beyond 4294967294, the last id"));
  return mapping;
}

}  // namespace

Result<std::vector<IdMapping>> read_id_mappings(const JsonCursor& array, Refusals& refusals) {
  std::vector<IdMapping> mappings;
  const auto elements = TRY(array.elements());
  if (elements.size() > most)
    return fail(config_error(REAPER_ERR_INVALID, array.pointer(), "more than the 340 ranges that Linux allows"));
  for (const JsonCursor& element : elements) {
    std::optional<IdMapping> mapping;
    KEEP(refusals, mapping, read_mapping(element));
    if (!mapping) continue;
    for (const IdMapping& other : mappings) {
      const bool inside = overlap(mapping->container, other.container, *mapping, other);
      if (!inside && !overlap(mapping->host, other.host, *mapping, other)) continue;
      TRY(refusals.refuse(config_error(REAPER_ERR_INVALID,
                                       pointer_join(element.pointer(), inside ? "containerID" : "hostID"),
                                       "the range overlaps an earlier one")));
      break;
    }
    mappings.push_back(*mapping);
  }
  return mappings;
}

}  // namespace reaper
