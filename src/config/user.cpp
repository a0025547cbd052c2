// process.user: numbers only, exact, and never 4294967295, which system calls take as "leave unchanged" and which has
// been root in three CVEs.
#include "config/parse.h"

namespace reaper {
namespace {

constexpr uint64_t max_umask = 0777;  // JSON knows decimal only: 18 is octal 022
constexpr size_t max_groups = 65536;  // NGROUPS_MAX, limits.h of the kernel

Result<uint32_t> read_id(const JsonCursor& id) {
  return static_cast<uint32_t>(TRY(id.unsigned_integer(0, max_id)));
}

Result<uint32_t> read_required_id(const JsonCursor& object, std::string_view name) {
  auto id = TRY(required_member(object, name));
  return read_id(id);
}

Result<std::vector<uint32_t>> read_groups(const JsonCursor& groups, Refusals& refusals) {
  auto elements = TRY(groups.elements());
  if (elements.size() > max_groups)
    return fail(config_error(REAPER_ERR_INVALID, groups.pointer(), "more than the 65536 groups that Linux allows"));
  std::vector<uint32_t> ids;
  ids.reserve(elements.size());
  for (const JsonCursor& element : elements) KEEP(refusals, ids.emplace_back(), read_id(element));
  return ids;
}

}  // namespace

Result<User> read_user(const JsonCursor& object, Notes& notes) {
  User user;
  Refusals& refusals = notes.refusals;
  KEEP(refusals, user.uid, read_required_id(object, "uid"));
  KEEP(refusals, user.gid, read_required_id(object, "gid"));
  if (auto umask = TRY(object.member("umask"))) KEEP(refusals, user.umask, umask->unsigned_integer(0, max_umask));
  if (auto groups = TRY(object.member("additionalGids")))
    KEEP(refusals, user.additional_gids, read_groups(*groups, refusals));
  // config.md defines it for Windows alone. Whoever sets it should know that it chooses nobody here.
  if (auto name = TRY(object.member("username")))
    if (auto text = name->string(); text && !text->empty())
      add_warning(notes, name->pointer(), [] { return "username is for Windows and is ignored: uid and gid decide"; });
  return user;
}

}  // namespace reaper
