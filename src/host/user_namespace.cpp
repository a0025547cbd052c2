// The user namespace of another process: its maps, and what belongs to it.
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "core/fd.h"
#include "host/facts.h"
#include "host/numbers.h"
#include "host/proc_file.h"

namespace reaper {

namespace {

constexpr std::string_view stage = "facts";

Result<std::vector<IdRange>> read_ranges(int32_t pid, const char* name) {
  const std::string text = TRY(read_process_file(pid, name));
  std::vector<IdRange> ranges;
  std::string_view left = text;
  for (std::string_view word = next_word(left); !word.empty(); word = next_word(left)) {
    const auto inside = parse_number<uint32_t>(word);
    const auto outside = parse_number<uint32_t>(next_word(left));
    const auto size = parse_number<uint32_t>(next_word(left));
    if (!inside || !outside || !size)
      return fail({REAPER_ERR_SYSTEM, 0, std::string(name) + " of process " + std::to_string(pid) + " is no map", "",
                   std::string(stage)});
    ranges.push_back({*inside, *outside, *size});
  }
  return ranges;
}

// Whether the namespace at `path` belongs to this user namespace. One whose owner we may not see does not.
Result<bool> belongs_to(const std::string& path, const struct stat& user) {
  const Fd opened(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) return fail(system_error(stage, "open " + path));
  const Fd owner(ioctl(opened.get(), NS_GET_USERNS));
  if (!owner && errno == EPERM) return false;
  struct stat status = {};
  if (!owner || fstat(owner.get(), &status) != 0) return fail(system_error(stage, "ioctl NS_GET_USERNS on " + path));
  return status.st_dev == user.st_dev && status.st_ino == user.st_ino;
}

}  // namespace

Result<UserNamespaceFacts> read_user_namespace(int32_t pid) {
  UserNamespaceFacts facts;
  facts.uids = TRY(read_ranges(pid, "uid_map"));
  facts.gids = TRY(read_ranges(pid, "gid_map"));
  const std::string word = TRY(read_process_file(pid, "setgroups"));
  facts.setgroups_denied = !word.starts_with("allow");
  return facts;
}

Result<uint64_t> outer_namespaces(int32_t pid, uint64_t flags) {
  static constexpr struct {
    const char* name;
    uint64_t flag;
  } types[] = {{"pid", CLONE_NEWPID}, {"net", CLONE_NEWNET},       {"mnt", CLONE_NEWNS},   {"ipc", CLONE_NEWIPC},
               {"uts", CLONE_NEWUTS}, {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME}};
  const std::string directory = "/proc/" + std::to_string(pid) + "/ns/";
  struct stat user = {};
  if (stat((directory + "user").c_str(), &user) != 0) return fail(system_error(stage, "stat " + directory + "user"));
  uint64_t outer = 0;
  for (const auto& type : types)
    if ((flags & type.flag) != 0 && !TRY(belongs_to(directory + type.name, user))) outer |= type.flag;
  return outer;
}

}  // namespace reaper
