// Compares the whole document with the table of properties: JSON types, names that are not known, and values that this
// build cannot apply.
#include <algorithm>

#include "config/parse.h"
#include "config/properties.h"

namespace reaper {
namespace {

constexpr size_t max_free_name_bytes = 255;

struct Walk {
  Notes& notes;
  std::vector<Error> unsupported;  // the first one in the document's order, or all
  bool inside = false;             // of a value that is one of them
};

// Whether a value in a section without rows of its own asks for anything.
Result<bool> asks_at_all(const JsonCursor& value) {
  switch (value.type()) {
    case JsonType::boolean:
      return value.boolean();
    case JsonType::string:
      return !TRY(value.string()).empty();
    case JsonType::array:
      return !TRY(value.elements()).empty();
    case JsonType::object:
      for (const auto& [name, member] : TRY(value.members()))
        if (TRY(asks_at_all(member))) return true;
      return false;
    default:
      return true;  // every number means something: pids.limit 0 is a real limit
  }
}

// Whether a value asks for anything: `"maskedPaths": []` and `"readonly": false` do not. What stands in an array or
// under a free name asks by being there: `"netDevices": {"eth0": {}}` moves eth0.
Result<bool> asks(const JsonCursor& value, const Property& row) {
  if (row.pattern.ends_with("/*")) return true;
  if (row.type != JsonType::object || value.type() != JsonType::object) return asks_at_all(value);
  auto members = TRY(value.members());
  if (find_free(&row) != nullptr) return !members.empty();
  if (!has_members(&row)) return asks_at_all(value);
  for (const auto& [name, member] : members) {
    const Property* known = find_member(&row, name);
    if (known != nullptr && TRY(asks(member, *known))) return true;
  }
  return false;
}

Error wrong_type(const JsonCursor& value, const Property& row) {
  return config_error(
      REAPER_ERR_INVALID, value.pointer(),
      std::string(json_type_name(row.type)) + " is wanted here, not " + std::string(json_type_name(value.type())));
}

Error not_supported(const JsonCursor& value, const Property& row) {
  std::string message = "not supported by this version of Reaper";
  if (!row.note.empty()) message += ": " + std::string(row.note);
  return config_error(REAPER_ERR_UNSUPPORTED, value.pointer(), message);
}

// Where a name that is unknown here is at home, if that is one place only: {"user": {}} at the top belongs to process.
std::string_view other_home(std::string_view name) {
  std::string_view home;
  if (name.find_first_of("/*~") != std::string_view::npos) return home;
  for (const Property& row : known_properties()) {
    if (row.pattern.find('*') != std::string_view::npos || property_name(row.pattern) != name) continue;
    if (!home.empty()) return {};
    home = row.pattern;
  }
  return home;
}

std::string unknown_name(std::string_view parent, std::string_view name) {
  auto names = member_names(parent);
  std::string_view nearest = nearest_word(name, names);
  std::string hint = did_you_mean(nearest);
  if (nearest.empty()) {
    std::string_view home = other_home(name);
    if (!home.empty()) hint = "; its place is " + std::string(home);
  }
  return "unknown property " + quoted(name) + hint;
}

Status walk_value(const JsonCursor& value, const Property& row, Walk& walk);

// `parent`: the row of the object; null for the whole document.
Status walk_members(const JsonCursor& object, const Property* parent, Walk& walk) {
  for (const auto& entry : TRY(object.members())) {
    const std::string& name = entry.first;
    const JsonCursor& member = entry.second;
    const Property* row = find_member(parent, name);
    if (row == nullptr) {
      const std::string_view pattern = parent != nullptr ? parent->pattern : "";
      add_warning(walk.notes, member.pointer(), [&] { return unknown_name(pattern, name); });
      continue;
    }
    // Every cursor below repeats the name in its pointer. No device has such a name (IFNAMSIZ is 16).
    if (row->type == JsonType::object && name.size() > max_free_name_bytes) {
      TRY(walk.notes.refusals.refuse(
          config_error(REAPER_ERR_INVALID, member.pointer(), "a name of more than 255 bytes")));
      continue;
    }
    TRY(walk_value(member, *row, walk));
  }
  return {};
}

Status walk_inside(const JsonCursor& value, const Property& row, Walk& walk) {
  if (row.type != JsonType::array && row.type != JsonType::object) return {};
  const Property* free_row = find_free(&row);
  if (row.type == JsonType::array && free_row != nullptr)
    for (const JsonCursor& element : TRY(value.elements())) TRY(walk_value(element, *free_row, walk));
  if (row.type == JsonType::object && has_members(&row)) return walk_members(value, &row, walk);
  return {};
}

Status walk_value(const JsonCursor& value, const Property& row, Walk& walk) {
  if (value.type() != row.type) return walk.notes.refusals.refuse(wrong_type(value, row));
  const bool was_inside = walk.inside;
  const bool wanted = !was_inside && (walk.unsupported.empty() || walk.notes.refusals.collecting());
  if (row.disposition == Disposition::refused && wanted && walk.unsupported.size() < Refusals::most &&
      TRY(asks(value, row))) {
    walk.unsupported.push_back(not_supported(value, row));
    walk.inside = true;
  }
  TRY(walk_inside(value, row, walk));
  walk.inside = was_inside;
  return {};
}

}  // namespace

Result<bool> asks_for_nothing(const JsonCursor& object, std::string_view pattern) {
  const Property* const section = find_property(pattern);
  for (const auto& [name, member] : TRY(object.members())) {
    if (member.type() == JsonType::string && TRY(member.string()).empty()) continue;
    if (member.type() == JsonType::array && TRY(member.elements()).empty()) continue;
    if (find_member(section, name) != nullptr) return false;
  }
  return true;
}

Result<std::vector<Error>> walk_document(const JsonCursor& document, Notes& notes) {
  Walk walk{notes, {}};
  TRY(walk_members(document, nullptr, walk));
  return std::move(walk.unsupported);
}

}  // namespace reaper
