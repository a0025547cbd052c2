// Cgroups for the walks: in a mount namespace of our own, whose /sys/fs/cgroup shows version 2 alone.
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "faults/walk.h"

namespace reaper::walk {

namespace {

constexpr const char* mount_point = "/sys/fs/cgroup";
bool entered;

std::string base() {
  return "/reaper-test-walk-" + std::to_string(getpid());
}

int walk_cgroups(const std::string& directory, bool remove) {
  int count = 0;
  DIR* entries = opendir(directory.c_str());
  if (entries == nullptr) return 0;
  while (const dirent* entry = readdir(entries))
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
      count += 1 + walk_cgroups(directory + "/" + entry->d_name, remove);
  closedir(entries);
  if (!remove) return count;
  const int file = open((directory + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC);
  if (file >= 0 && write(file, "1", 1) != 1) perror("cgroup.kill");
  if (file >= 0) close(file);
  for (int i = 0; i < 1000 && rmdir(directory.c_str()) != 0 && errno == EBUSY; ++i) sleep_ms(2);
  return count;
}

const char* make_view() {
  static bool made;
  if (made) return nullptr;
  if (!is_root()) return "needs root: mounts of its own";
  if (unshare(CLONE_NEWNS) != 0 || mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return "no mount namespace of our own can be made here";
  if (mount("none", mount_point, "cgroup2", 0, nullptr) != 0) return "cgroup2 cannot be mounted here";
  made = true;
  return nullptr;
}

}  // namespace

const char* enter_cgroups() {
  if (const char* why = make_view()) return why;
  if (mkdir((mount_point + base()).c_str(), 0755) != 0 && errno != EEXIST) return "no cgroup can be made here";
  entered = true;
  return nullptr;
}

void leave_cgroups() {
  if (entered) walk_cgroups(mount_point + base(), true);
  entered = false;
}

int count_cgroups() {
  return entered ? walk_cgroups(mount_point + base(), false) : 0;
}

std::string cgroup_path() {
  return base() + "/container";
}

}  // namespace reaper::walk
