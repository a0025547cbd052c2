// A container's class of service as the JSON that stands in its directory.
#include "core/json.h"
#include "resctrl/resctrl.h"

namespace reaper {

namespace {

Error unreadable(const std::string& why) {
  return {REAPER_ERR_CORRUPT, 0, "the record of the container's class of service cannot be read: " + why, "", "record"};
}

Result<JsonCursor> need(const JsonCursor& object, std::string_view name) {
  const auto member = TRY(object.member(name));
  if (!member) return fail(unreadable("it lacks " + pointer_join(object.pointer(), name)));
  return *member;
}

Result<std::string> need_text(const JsonCursor& object, std::string_view name) {
  const JsonCursor member = TRY(need(object, name));
  return member.string();
}

Result<bool> need_bool(const JsonCursor& object, std::string_view name) {
  const JsonCursor member = TRY(need(object, name));
  return member.boolean();
}

Result<uint64_t> need_number(const JsonCursor& object, std::string_view name) {
  const JsonCursor member = TRY(need(object, name));
  return member.unsigned_integer(0, UINT64_MAX);
}

// One name of a directory: what is removed later must lie where it says.
bool is_name(const std::string& name) {
  return name != "." && name != ".." && name.find('/') == std::string::npos;
}

Result<Resctrl> read_resctrl(std::string_view text) {
  const JsonCursor object = TRY(parse_json(text, "resctrl"));
  Resctrl resctrl;
  resctrl.boot_id = TRY(need_text(object, "bootId"));
  resctrl.place.mount_point = TRY(need_text(object, "mountPoint"));
  resctrl.place.name = TRY(need_text(object, "class"));
  resctrl.place.group = TRY(need_text(object, "group"));
  resctrl.place.own = TRY(need_bool(object, "own"));
  resctrl.made_class = TRY(need_bool(object, "madeClass"));
  resctrl.made_group = TRY(need_bool(object, "madeGroup"));
  resctrl.class_inode = TRY(need_number(object, "classInode"));
  resctrl.group_inode = TRY(need_number(object, "groupInode"));
  const ResctrlPlace& place = resctrl.place;
  const bool whole = place.mount_point.starts_with('/') && is_name(place.name) && is_name(place.group) &&
                     (!resctrl.made_class || !place.name.empty()) && (!resctrl.made_group || !place.group.empty());
  if (!whole) return fail(unreadable("a name in it is none"));
  return resctrl;
}

}  // namespace

std::string encode_resctrl(const Resctrl& resctrl) {
  JsonWriter out;
  out.begin_object();
  out.key("bootId").string(resctrl.boot_id);
  out.key("mountPoint").string(resctrl.place.mount_point);
  out.key("class").string(resctrl.place.name);
  out.key("group").string(resctrl.place.group);
  out.key("own").boolean(resctrl.place.own);
  out.key("madeClass").boolean(resctrl.made_class).key("madeGroup").boolean(resctrl.made_group);
  out.key("classInode").unsigned_integer(resctrl.class_inode);
  out.key("groupInode").unsigned_integer(resctrl.group_inode);
  out.end_object();
  return out.take();
}

Result<Resctrl> decode_resctrl(std::string_view text) {
  auto resctrl = read_resctrl(text);
  if (resctrl.has_value() || resctrl.error().code == REAPER_ERR_NO_MEMORY) return resctrl;
  if (resctrl.error().code == REAPER_ERR_CORRUPT) return resctrl;
  return fail(unreadable(resctrl.error().message));
}

}  // namespace reaper
