// For tests with real cgroups: a /sys/fs/cgroup of this program's own, with the hierarchies that a test wants and
// without those that the machine depends on, and a cgroup in it that is gone at the end.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace reaper::test {

// "" for version 2 alone, or controllers of version 1. Each call replaces the view before; "": it is there.
inline std::string show_cgroups(const std::vector<const char*>& controllers) {
  static const bool own = unshare(CLONE_NEWNS) == 0 && mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  if (!own) return "no mount namespace of our own can be made here";
  if (controllers.empty())
    return mount("none", "/sys/fs/cgroup", "cgroup2", 0, nullptr) == 0 ? "" : "cgroup2 cannot be mounted here";
  if (mount("none", "/sys/fs/cgroup", "tmpfs", 0, "mode=755") != 0) return "no tmpfs can be mounted here";
  for (const char* name : controllers) {
    const std::string point = std::string("/sys/fs/cgroup/") + name;
    if (mkdir(point.c_str(), 0755) != 0 || mount("none", point.c_str(), "cgroup", 0, name) != 0)
      return std::string("the cgroup controller ") + name + " cannot be mounted here";
  }
  return "";
}

inline std::vector<std::string> cgroup_roots() {
  std::error_code error;
  if (std::filesystem::exists("/sys/fs/cgroup/cgroup.procs", error)) return {"/sys/fs/cgroup"};
  std::vector<std::string> roots;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/fs/cgroup", error)) roots.push_back(entry.path());
  return roots;
}

inline void write_text(const std::string& path, const std::string& text) {
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  (void)!write(file, text.data(), text.size());
  close(file);
}

inline std::vector<int> pids_in(const std::string& directory) {
  std::vector<int> pids;
  std::ifstream file(directory + "/cgroup.procs");
  for (int pid; file >> pid;) pids.push_back(pid);
  return pids;
}

// A cgroup of the test's own in every hierarchy of the view.
class TestCgroup {
 public:
  TestCgroup() {
    for (const std::string& root : cgroup_roots()) made_ = mkdir((root + path_).c_str(), 0755) == 0;
  }
  TestCgroup(const TestCgroup&) = delete;
  TestCgroup& operator=(const TestCgroup&) = delete;
  ~TestCgroup() { remove(); }
  // Also as the teardown of a test: an assertion that fails jumps over destructors.
  static void remove() {
    for (const std::string& root : cgroup_roots())
      for (int attempt = 0; attempt < 2000 && !removed(root + own_path()); ++attempt)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  bool made() const { return made_; }
  const std::string& path() const { return path_; }
  // In the first hierarchy.
  std::string directory(const std::string& below) const { return cgroup_roots().front() + path_ + below; }
  // Every cgroup below it, in every hierarchy.
  std::vector<std::string> below() const {
    std::vector<std::string> found;
    for (const std::string& root : cgroup_roots()) add_below(root + path_, found);
    return found;
  }

 private:
  static void add_below(const std::string& directory, std::vector<std::string>& found) {
    std::error_code error;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, error))
      if (entry.is_directory(error)) found.push_back(entry.path());
  }
  static std::string own_path() { return "/reaper-test-unit-" + std::to_string(getpid()); }
  static bool removed(const std::string& directory) {
    if (std::error_code error; !std::filesystem::exists(directory, error)) return true;
    std::vector<std::string> all = {directory};
    add_below(directory, all);
    std::sort(all.begin(), all.end(), std::greater<>());
    bool gone = true;
    for (const std::string& one : all) {
      write_text(one + "/cgroup.freeze", "0");
      write_text(one + "/freezer.state", "THAWED");
      for (const int pid : pids_in(one))
        if (pid > 1) kill(pid, SIGKILL);
      gone = rmdir(one.c_str()) == 0 && gone;
    }
    return gone;
  }
  std::string path_ = own_path();
  bool made_ = false;
};

inline int remove_test_cgroup(void**) {
  TestCgroup::remove();
  return 0;
}

}  // namespace reaper::test
