// Locks on a container's directory: flock(2), with a time limit and never a wait inside the kernel.
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <chrono>

#include "store/files.h"
#include "store/store.h"

namespace reaper {
namespace {

constexpr std::chrono::nanoseconds shortest_sleep = std::chrono::milliseconds(1);
constexpr std::chrono::nanoseconds longest_sleep = std::chrono::milliseconds(20);

// A signal may cut it short: the next look is only earlier then.
void sleep_at_most(std::chrono::nanoseconds time) {
  const auto count = std::max<int64_t>(time.count(), 1);
  const timespec span{.tv_sec = count / 1'000'000'000, .tv_nsec = count % 1'000'000'000};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &span, nullptr);
}

}  // namespace

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) flock(fd_, LOCK_UN);
}

Result<DirectoryLock> ContainerDirectory::lock(const StateRoot& root, Deadline deadline) const {
  auto pause = shortest_sleep;
  while (flock(directory_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return fail(system_error("lock", container_label(id_) + ": flock"));
    const std::chrono::nanoseconds left = deadline - std::chrono::steady_clock::now();
    if (left <= std::chrono::nanoseconds::zero()) {
      return fail({.code = REAPER_ERR_BUSY,
                   .sys_errno = 0,
                   .message = container_label(id_) + " is busy: another operation holds it",
                   .pointer = "",
                   .stage = "lock"});
    }
    sleep_at_most(std::min(pause, left));
    pause = std::min(pause * 2, longest_sleep);
  }
  DirectoryLock held(directory_.get());
  // A lock on a directory that was removed, and even made anew under its name, is granted like any other.
  struct stat mine{}, named{};
  if (fstat(directory_.get(), &mine) != 0) return fail(system_error("lock", container_label(id_) + ": stat"));
  if (mine.st_nlink == 0) return fail(no_such_container(id_));
  if (fstatat(root.fd(), id_.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return fail(no_such_container(id_));
    return fail(system_error("lock", container_label(id_) + ": stat"));
  }
  if (named.st_dev != mine.st_dev || named.st_ino != mine.st_ino) return fail(no_such_container(id_));
  return held;
}

}  // namespace reaper
