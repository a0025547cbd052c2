#include "host/resctrl.h"

#include "core/take.h"
#include "core/utf8.h"
#include "host/mountinfo.h"
#include "host/proc_file.h"

namespace reaper {

Result<std::optional<std::string>> read_resctrl_mount() {
  const std::string mountinfo = TRY(read_proc_file("/proc/thread-self/mountinfo"));
  for (std::string_view rest = mountinfo; !rest.empty();) {
    const MountLine mount = TRY(parse_mount_line(take_until(rest, '\n')));
    // A part of it, bind-mounted, has no classes below.
    const bool whole = mount.type == "resctrl" && mount.root == "/" && is_utf8(mount.point);
    if (whole && is_reachable_mount(mount.id, mount.point)) return mount.point;
  }
  return std::nullopt;
}

}  // namespace reaper
