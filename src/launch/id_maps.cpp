// The id maps of a new user namespace, by whoever may write them from outside (user_namespaces(7)).
#include <fcntl.h>

#include "launch/frames.h"
#include "launch/launch.h"

namespace reaper {

namespace {

Error map_error(std::string_view pointer, const std::string& what, int number) {
  Error error = system_error("user_namespace", what, number);
  error.pointer = pointer;
  return error;
}

Status write_file(const Launched& launched, const char* name, const char* pointer, std::string_view text) {
  const std::string path = "/proc/" + std::to_string(launched.pid) + "/" + name;
  const Fd file(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return fail(map_error(pointer, "open " + path, errno));
  // The file is of the process that it was opened for, or of nobody.
  if (const int number = write_id_map(file, text)) return fail(map_error(pointer, "write " + path, number));
  return {};
}

}  // namespace

int write_id_map(const Fd& file, std::string_view map) {
  ssize_t written;
  do written = write(file.get(), map.data(), map.size());
  while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(map.size())) return 0;
  return written < 0 ? errno : EIO;
}

Status write_id_maps(const Launched& launched, const UserNamespaceMaps& maps, const MapHelper& helper) {
  constexpr const char* uids = "/linux/uidMappings";
  constexpr const char* gids = "/linux/gidMappings";
  if (maps.deny_setgroups) TRY(write_file(launched, "setgroups", gids, "deny"));
  if (maps.gid_helper.empty())
    TRY(write_file(launched, "gid_map", gids, maps.gid_map));
  else
    TRY(helper(maps.gid_helper, maps.gid_map, gids));
  if (maps.uid_helper.empty())
    TRY(write_file(launched, "uid_map", uids, maps.uid_map));
  else
    TRY(helper(maps.uid_helper, maps.uid_map, uids));
  return send_frame(launched, wire::Frame::mapped);
}

}  // namespace reaper
