// Cgroups as the JSON that stands in a container's directory.
#include <cstdint>

#include "cgroup/cgroup.h"
#include "cgroup/directory.h"
#include "core/json.h"

namespace reaper {

namespace {

Error unreadable(const std::string& why) {
  return {REAPER_ERR_CORRUPT, 0, "the record of the container's cgroups cannot be read: " + why, "", "record"};
}

Result<JsonCursor> need(const JsonCursor& object, std::string_view name) {
  const auto member = TRY(object.member(name));
  if (!member) return fail(unreadable("it lacks " + pointer_join(object.pointer(), name)));
  return *member;
}

Result<uint64_t> need_number(const JsonCursor& object, std::string_view name) {
  return TRY(need(object, name)).unsigned_integer(0, UINT64_MAX);
}

Result<std::string> need_path(const JsonCursor& object, std::string_view name) {
  const JsonCursor member = TRY(need(object, name));
  std::string path = TRY(member.string());
  if (!path.starts_with('/')) return fail(unreadable(member.pointer() + " is no path"));
  return path;
}

Result<Cgroup> read_cgroup(const JsonCursor& object) {
  Cgroup cgroup;
  const JsonCursor hierarchy = TRY(need(object, "hierarchy"));
  cgroup.place.hierarchy = TRY(hierarchy.string());
  cgroup.place.unified = cgroup.place.hierarchy == "unified";
  cgroup.place.mount_point = TRY(need_path(object, "mountPoint"));
  cgroup.place.mount_root = TRY(need_path(object, "mountRoot"));
  cgroup.place.path = TRY(need_path(object, "path"));
  cgroup.existing = TRY(need_number(object, "existing"));
  cgroup.inode = TRY(need_number(object, "inode"));
  const JsonCursor made = TRY(need(object, "made"));
  for (const JsonCursor& inode : TRY(made.elements()))
    cgroup.made.push_back(TRY(inode.unsigned_integer(0, UINT64_MAX)));
  const auto names = cgroup::names_of(cgroup.place.path);
  for (const std::string& name : names)
    if (name == "." || name == "..") return fail(unreadable("a path in it has \"" + name + "\""));
  if (names.empty() || cgroup.existing > names.size() || cgroup.made.size() > names.size() - cgroup.existing)
    return fail(unreadable("its numbers do not fit"));
  return cgroup;
}

Result<Cgroups> read_cgroups(std::string_view text) {
  const JsonCursor object = TRY(parse_json(text, "cgroup"));
  Cgroups cgroups;
  const JsonCursor boot = TRY(need(object, "bootId"));
  cgroups.boot_id = TRY(boot.string());
  cgroups.cgroup_namespace = TRY(need_number(object, "cgroupNamespace"));
  const JsonCursor intended = TRY(need(object, "intended"));
  cgroups.intended = TRY(intended.boolean());
  const JsonCursor list = TRY(need(object, "cgroups"));
  for (const JsonCursor& element : TRY(list.elements())) cgroups.list.push_back(TRY(read_cgroup(element)));
  return cgroups;
}

}  // namespace

std::string encode_cgroups(const Cgroups& cgroups) {
  JsonWriter out;
  out.begin_object();
  out.key("bootId").string(cgroups.boot_id);
  out.key("cgroupNamespace").unsigned_integer(cgroups.cgroup_namespace);
  out.key("intended").boolean(cgroups.intended);
  out.key("cgroups").begin_array();
  for (const Cgroup& cgroup : cgroups.list) {
    out.begin_object();
    out.key("hierarchy").string(cgroup.place.hierarchy);
    out.key("mountPoint").string(cgroup.place.mount_point);
    out.key("mountRoot").string(cgroup.place.mount_root);
    out.key("path").string(cgroup.place.path);
    out.key("existing").unsigned_integer(cgroup.existing);
    out.key("inode").unsigned_integer(cgroup.inode);
    out.key("made").begin_array();
    for (const uint64_t inode : cgroup.made) out.unsigned_integer(inode);
    out.end_array().end_object();
  }
  out.end_array().end_object();
  return out.take();
}

Result<Cgroups> decode_cgroups(std::string_view text) {
  auto cgroups = read_cgroups(text);
  if (cgroups.has_value() || cgroups.error().code == REAPER_ERR_NO_MEMORY) return cgroups;
  if (cgroups.error().code == REAPER_ERR_CORRUPT) return cgroups;
  return fail(unreadable(cgroups.error().message));
}

}  // namespace reaper
