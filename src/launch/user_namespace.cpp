// A user namespace that stands for a mapping of ids (mount_setattr(2), MOUNT_ATTR_IDMAP). It lives by its descriptor
// alone: the process that was born into it has ended before its maps are written.
#include <fcntl.h>
#include <linux/sched.h>

#include "launch/ended.h"
#include "launch/launch.h"

namespace reaper {

namespace {

Result<Fd> open_of(const Ended& ended, const char* name, int flags) {
  const std::string path = "/proc/" + std::to_string(ended.pid) + "/" + name;
  Fd file(open(path.c_str(), flags | O_CLOEXEC));
  if (!file) return fail(system_error("mount_ids", "open " + path));
  return file;
}

Status write_map(const Fd& file, const std::string& map) {
  if (const int number = write_id_map(file, map))
    return fail(system_error("mount_ids", "write of a map of ids", number));
  return {};
}

Result<Fd> map_and_open(const Ended& ended, const std::string& uid_map, const std::string& gid_map) {
  const Fd uids = TRY(open_of(ended, "uid_map", O_WRONLY));
  const Fd gids = TRY(open_of(ended, "gid_map", O_WRONLY));
  TRY(write_map(uids, uid_map));
  TRY(write_map(gids, gid_map));
  return open_of(ended, "ns/user", O_RDONLY);
}

}  // namespace

Result<Fd> make_user_namespace(const std::string& uid_map, const std::string& gid_map) {
  const Ended ended = TRY(clone_ended(CLONE_NEWUSER));
  auto made = map_and_open(ended, uid_map, gid_map);
  reap_ended(ended);
  return made;
}

}  // namespace reaper
