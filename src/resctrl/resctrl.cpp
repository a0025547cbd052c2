#include "resctrl/resctrl.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fd.h"
#include "host/facts.h"

namespace reaper {

namespace {

constexpr const char* section = "/linux/intelRdt";
constexpr size_t max_file_bytes = 1U << 20;

Error refused(int code, int number, std::string_view pointer, std::string_view message) {
  Error error = config_error(code, pointer, message);
  error.stage = "resctrl";
  error.sys_errno = number;
  return error;
}

Error failed(const std::string& what, int number = errno) {
  Error error = system_error("resctrl", what, number);
  error.pointer = section;
  error.message = std::string(section) + ": " + error.message;
  return error;
}

int open_directory(int parent, const char* name) {
  return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

Result<std::string> read_at(int directory, const char* name) {
  const Fd file(openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return fail(failed(std::string("open ") + name));
  std::string text;
  for (;;) {
    char part[4096];
    const ssize_t got = read(file.get(), part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(failed(std::string("read ") + name));
    if (got == 0 || text.size() > max_file_bytes) return text;
    text.append(part, static_cast<size_t>(got));
  }
}

// In one piece: the kernel takes each write(2) for itself. 0, or an errno.
int write_at(int directory, const char* name, const std::string& text) {
  const Fd file(openat(directory, name, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return errno;
  ssize_t written;
  do written = write(file.get(), text.data(), text.size());
  while (written < 0 && errno == EINTR);
  if (written < 0) return errno;
  return static_cast<size_t>(written) == text.size() ? 0 : EIO;
}

// What resctrl itself says of the last change that it refused.
std::string last_status(const std::string& mount_point) {
  const Fd info(open((mount_point + "/info").c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!info) return "";
  const auto text = read_at(info.get(), "last_cmd_status");
  if (!text.has_value()) return "";
  const std::string line = text->substr(0, text->find('\n'));
  return line.empty() || line == "ok" ? "" : " (" + line + ")";
}

Result<Fd> open_mount(const std::string& mount_point) {
  Fd root(open(mount_point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return fail(failed("open " + mount_point));
  return root;
}

// The class's directory; an empty one: it is not there.
Result<Fd> open_class(const ResctrlPlace& place) {
  Fd root = TRY(open_mount(place.mount_point));
  if (place.name.empty()) return root;
  Fd found(open_directory(root.get(), place.name.c_str()));
  if (!found && errno != ENOENT) return fail(failed("open " + place.directory()));
  return found;
}

uint64_t inode_at(int directory, const char* name) {
  struct stat status = {};
  return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status.st_ino : 0;
}

Status may_write_at(int directory, const char* name, const std::string& path) {
  if (faccessat(directory, name, W_OK, AT_EACCESS) == 0) return {};
  return fail(failed("write to " + path));
}

Status look_at_class(const ResctrlPlace& place, const Fd& found) {
  if (place.own)
    return fail(refused(REAPER_ERR_INVALID, EEXIST, section,
                        "there is a class of service \"" + place.name +
                            "\" that is not this container's; /linux/intelRdt/closID would join it"));
  const std::string schemata = TRY(read_at(found.get(), "schemata"));
  if (const auto other = first_other_line(place.lines, schemata))
    return fail(refused(REAPER_ERR_INVALID, 0, place.pointers[*other],
                        "the class of service \"" + place.directory() + "\" is there and has other schemata"));
  return may_write_at(found.get(), "tasks", place.directory() + "/tasks");
}

Status look_at_group(const ResctrlPlace& place, int parent, const char* path) {
  const Fd groups(open_directory(parent, path));
  constexpr const char* pointer = "/linux/intelRdt/enableMonitoring";
  if (!groups && errno == ENOENT)
    return fail(refused(REAPER_ERR_UNSUPPORTED, ENOENT, pointer, "resctrl has no groups for monitoring here"));
  if (!groups) return fail(failed("open " + place.directory() + "/mon_groups"));
  if (inode_at(groups.get(), place.group.c_str()) == 0) return {};
  return fail(refused(REAPER_ERR_INVALID, EEXIST, pointer,
                      "there is a group \"" + place.group_directory() + "\" that is not this container's"));
}

Status make_directory(int parent, const std::string& name, const std::string& path, uint64_t& inode,
                      const std::string& mount_point) {
  constexpr mode_t mode = 0755;
  if (mkdirat(parent, name.c_str(), mode) != 0) {
    Error error = failed("mkdir " + path);
    error.message += last_status(mount_point);
    return fail(std::move(error));
  }
  inode = inode_at(parent, name.c_str());
  return {};
}

// rmdir(2) of what was made, if it is still that. What has gone is as good.
Status remove_directory(int parent, const std::string& name, uint64_t inode, const std::string& path) {
  const uint64_t found = inode_at(parent, name.c_str());
  if (found == 0 || (inode != 0 && found != inode)) return {};
  if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
  return fail(failed("rmdir " + path));
}

bool is_empty(int directory) {
  const auto tasks = read_at(directory, "tasks");
  return tasks.has_value() && tasks->empty();
}

Status remove_group(const Resctrl& resctrl, const Fd& directory) {
  const Fd groups(open_directory(directory.get(), "mon_groups"));
  if (!groups) return {};
  const ResctrlPlace& place = resctrl.place;
  if (resctrl.group_inode == 0) {  // of a create that was killed: made just now, or another's
    const Fd group(open_directory(groups.get(), place.group.c_str()));
    if (!group || !is_empty(group.get())) return {};
  }
  return remove_directory(groups.get(), place.group, resctrl.group_inode, place.group_directory());
}

}  // namespace

Result<Resctrl> look_at_resctrl(const ResctrlPlace& place) {
  Resctrl resctrl;
  resctrl.place = place;
  resctrl.boot_id = TRY(read_boot_id());
  const Fd root = TRY(open_mount(place.mount_point));
  const Fd found = TRY(open_class(place));
  if (found) {
    TRY(look_at_class(place, found));
  } else {
    if (!place.own && place.lines.empty())
      return fail(refused(
          REAPER_ERR_INVALID, ENOENT, "/linux/intelRdt/closID",
          "there is no class of service \"" + place.directory() + "\", and nothing is said of what it should be"));
    TRY(may_write_at(root.get(), ".", place.mount_point));
    resctrl.made_class = true;
  }
  if (!place.group.empty()) {
    // A class that is to be made has what the default one has.
    TRY(look_at_group(place, found ? found.get() : root.get(), "mon_groups"));
    resctrl.made_group = true;
  }
  return resctrl;
}

Status make_resctrl(Resctrl& resctrl) {
  const ResctrlPlace& place = resctrl.place;
  const Fd root = TRY(open_mount(place.mount_point));
  if (resctrl.made_class) {
    const Status made =
        make_directory(root.get(), place.name, place.directory(), resctrl.class_inode, place.mount_point);
    // Somebody was faster: then it is theirs, and has been judged by nobody.
    if (!made.has_value()) resctrl.made_class = resctrl.made_group = false;
    TRY(made);
  }
  const Fd directory = TRY(open_class(place));
  if (!directory) return fail(failed("open " + place.directory(), ENOENT));
  if (resctrl.made_class && !place.lines.empty()) {
    std::string text;
    for (const std::string& line : place.lines) text += line + "\n";
    if (const int number = write_at(directory.get(), "schemata", text); number != 0) {
      Error error = failed("write to " + place.directory() + "/schemata", number);
      error.message += last_status(place.mount_point);
      return fail(std::move(error));
    }
  }
  if (!resctrl.made_group) return {};
  const Fd groups(open_directory(directory.get(), "mon_groups"));
  const Status made = groups ? make_directory(groups.get(), place.group, place.group_directory(), resctrl.group_inode,
                                              place.mount_point)
                             : Status(fail(failed("open " + place.directory() + "/mon_groups")));
  if (!made.has_value()) resctrl.made_group = false;
  return made;
}

Status place_in_resctrl(const Resctrl& resctrl, int32_t pid) {
  const ResctrlPlace& place = resctrl.place;
  const Fd directory = TRY(open_class(place));
  if (!directory) return fail(failed("open " + place.directory(), ENOENT));
  const std::string text = std::to_string(pid) + "\n";
  if (const int number = write_at(directory.get(), "tasks", text); number != 0)
    return fail(failed("write to " + place.directory() + "/tasks", number));
  if (place.group.empty()) return {};
  // Second: a group takes the tasks of its own class alone.
  const Fd groups(open_directory(directory.get(), "mon_groups"));
  const Fd group(groups ? open_directory(groups.get(), place.group.c_str()) : -1);
  if (!group) return fail(failed("open " + place.group_directory()));
  if (const int number = write_at(group.get(), "tasks", text); number != 0)
    return fail(failed("write to " + place.group_directory() + "/tasks", number));
  return {};
}

Status remove_resctrl(const Resctrl& resctrl, bool failed_create) {
  if (!resctrl.made_class && !resctrl.made_group) return {};
  if (resctrl.boot_id != TRY(read_boot_id())) return {};
  const ResctrlPlace& place = resctrl.place;
  const Fd root(open(place.mount_point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root && errno == ENOENT) return {};
  const Fd directory = TRY(open_class(place));
  if (!directory) return {};  // gone, with all below it
  if (resctrl.made_group) TRY(remove_group(resctrl, directory));
  if (!resctrl.made_class) return {};
  const bool ours = place.own && resctrl.class_inode != 0;
  if (!ours && (!failed_create || !is_empty(directory.get()))) return {};
  return remove_directory(root.get(), place.name, resctrl.class_inode, place.directory());
}

}  // namespace reaper
