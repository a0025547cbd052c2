#include "store/kept.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

#include "core/file_size.h"
#include "store/files.h"

namespace reaper {

namespace {

constexpr const char* directory_name = ".kept";  // no container's id begins with a dot

// Ours, and nobody else's to change.
bool is_private(const struct stat& status) {
  return status.st_uid == geteuid() && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

Fd open_directory(const StateRoot& root, bool make) {
  Fd directory(open_beneath(root.fd(), directory_name, O_RDONLY | O_DIRECTORY));
  if (!directory && errno == ENOENT && make && mkdirat(root.fd(), directory_name, 0700) == 0)
    directory = Fd(open_beneath(root.fd(), directory_name, O_RDONLY | O_DIRECTORY));
  struct stat status{};
  if (!directory || fstat(directory.get(), &status) != 0 || !is_private(status)) return {};
  return directory;
}

// Of those that are there; empty: none.
std::string oldest_of(int directory, const std::vector<std::string>& names) {
  std::string oldest;
  timespec when{};
  for (const std::string& name : names) {
    struct stat status{};
    if (fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    const timespec& its = status.st_mtim;
    const bool older = its.tv_sec < when.tv_sec || (its.tv_sec == when.tv_sec && its.tv_nsec < when.tv_nsec);
    if (!oldest.empty() && !older) continue;
    oldest = name;
    when = its;
  }
  return oldest;
}

// What was left half-written by those who were killed counts too. False: there is no room to be made.
bool make_room(int directory) {
  for (;;) {
    const auto names = list_names(directory, "kept", "read");
    if (!names.has_value()) return false;
    if (names->size() < max_kept_files) return true;
    const std::string oldest = oldest_of(directory, *names);
    if (oldest.empty() || unlinkat(directory, oldest.c_str(), 0) != 0) return false;
  }
}

}  // namespace

std::optional<std::string> read_kept(const StateRoot& root, const std::string& name) {
  const Fd directory = open_directory(root, false);
  if (!directory) return std::nullopt;
  const Fd file(open_beneath(directory.get(), name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY));
  struct stat status{};
  if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) || !is_private(status)) return std::nullopt;
  if (status.st_nlink != 1 || status.st_size <= 0 || static_cast<size_t>(status.st_size) > max_kept_bytes)
    return std::nullopt;
  std::string text(static_cast<size_t>(status.st_size), '\0');
  const ssize_t got = read(file.get(), text.data(), text.size());
  if (got != static_cast<ssize_t>(text.size())) return std::nullopt;
  return text;
}

void keep(const StateRoot& root, const std::string& name, std::string_view text) {
  static std::atomic<unsigned> counter{0};
  if (text.size() > max_kept_bytes || !fits_file_size_limit(text.size())) return;
  const Fd directory = open_directory(root, true);
  if (!directory || !make_room(directory.get())) return;
  const std::string temporary =
      ".new-" + std::to_string(getpid()) + "-" + std::to_string(counter.fetch_add(1, std::memory_order_relaxed));
  // A umask that takes our own bits makes a file that is not read, and is written again.
  const Fd file(openat(directory.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return;
  const bool whole = pwrite(file.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
  if (!whole || renameat(directory.get(), temporary.c_str(), directory.get(), name.c_str()) != 0)
    unlinkat(directory.get(), temporary.c_str(), 0);
}

}  // namespace reaper
