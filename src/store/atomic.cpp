// Small files, written whole or not at all, and read whole.
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "core/file_size.h"
#include "store/files.h"
#include "store/store.h"

namespace reaper {
namespace {

// 0 or an errno.
int write_whole(int file, std::string_view text) {
  if (!fits_file_size_limit(text.size())) return EFBIG;
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return EIO;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

struct Step {
  const char* call = nullptr;  // what failed, or null
  int number = 0;              // errno
};

// close(2) is where some file systems (NFS) report what a write could not store.
Step fill_and_close(Fd file, std::string_view text, bool exact_mode) {
  if (exact_mode && fchmod(file.get(), 0600) != 0) return {"fchmod", errno};
  if (const int number = write_whole(file.get(), text)) return {"write", number};
  if (close(file.release()) != 0 && errno != EINTR) return {"close", errno};
  return {};
}

Step make_file(int directory, const char* name, std::string_view text, mode_t mode, bool exact_mode) {
  Fd file(openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file) return {"open", errno};
  const Step failed = fill_and_close(std::move(file), text, exact_mode);
  if (failed.call != nullptr) unlinkat(directory, name, 0);
  return failed;
}

Error place_error(const FilePlace& place, const char* call, int number) {
  return system_error(place.stage, container_label(place.id) + ": " + call + " " + place.name, number);
}

Error corrupt_file(const FilePlace& place, std::string_view why) {
  return {.code = REAPER_ERR_CORRUPT,
          .sys_errno = 0,
          .message = container_label(place.id) + ": " + place.name + " " + std::string(why),
          .pointer = "",
          .stage = std::string(place.stage)};
}

// Under a hostile umask (0777) a writer that is killed before its fchmod leaves a file that even its owner may not
// read. It had written nothing yet.
bool is_unwritten(const FilePlace& place) {
  struct stat status{};
  return fstatat(place.directory, place.name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
         status.st_uid == geteuid() && (status.st_mode & 0400) == 0 && status.st_size == 0;
}

}  // namespace

int open_beneath(int directory, const char* name, int flags) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags) | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long opened = syscall(SYS_openat2, directory, name, &how, sizeof how);
  // Filters of older container managers deny the call (Linux 5.6) with either. For a single name that is no "..",
  // O_NOFOLLOW says the same.
  if (opened >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(opened);
  return openat(directory, name, flags | O_NOFOLLOW | O_CLOEXEC);
}

int chmod_opened(int descriptor, unsigned mode) {
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
  return chmod(path, mode);
}

// Linux 5.8; faccessat(3) has no AT_EMPTY_PATH, and here everything is opened with O_PATH.
bool may_write(int directory) {
  return syscall(SYS_faccessat2, directory, "", W_OK | X_OK, AT_EACCESS | AT_EMPTY_PATH) == 0 || errno == ENOSYS;
}

NameReader::NameReader(int directory) : own_(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!own_) error_ = errno;
}

const char* NameReader::next() {
  while (error_ == 0) {
    if (at_ == bytes_) {
      at_ = 0;
      bytes_ = syscall(SYS_getdents64, own_.get(), buffer_, sizeof buffer_);  // glibc has it from 2.30 on
      if (bytes_ < 0) error_ = errno;
      if (bytes_ <= 0) break;
    }
    const auto* entry = reinterpret_cast<const dirent64*>(buffer_ + at_);
    at_ += entry->d_reclen;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") return entry->d_name;
  }
  bytes_ = at_ = 0;
  return nullptr;
}

Result<std::vector<std::string>> list_names(int directory, std::string_view stage, std::string_view what) {
  NameReader reader(directory);
  std::vector<std::string> names;
  while (const char* name = reader.next()) names.emplace_back(name);
  if (reader.error() != 0) return fail(system_error(stage, what, reader.error()));
  return names;
}

Status create_file(const FilePlace& place, std::string_view text) {
  const Step failed = make_file(place.directory, place.name, text, 0600, true);
  if (failed.call != nullptr) return fail(place_error(place, failed.call, failed.number));
  return {};
}

Status write_anew(const FilePlace& place, std::string_view text) {
  Step failed = make_file(place.directory, place.name, text, 0600, true);
  if (failed.call != nullptr && failed.number == EEXIST) {  // of an operation that was killed here
    if (unlinkat(place.directory, place.name, 0) != 0) return fail(place_error(place, "unlink", errno));
    failed = make_file(place.directory, place.name, text, 0600, true);
  }
  if (failed.call != nullptr) return fail(place_error(place, failed.call, failed.number));
  return {};
}

Result<std::string> read_file(const FilePlace& place, size_t limit) {
  // O_NONBLOCK: a fifo in its place must not hold us up.
  const Fd file(open_beneath(place.directory, place.name, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  if (!file) {
    const int number = errno;
    if (number == EACCES && is_unwritten(place)) return std::string();
    if (number == ELOOP || number == ENXIO) return fail(corrupt_file(place, "is not a regular file"));
    Error error = place_error(place, "open", number);
    if (error.sys_errno == ENOENT) error.code = REAPER_ERR_NOT_FOUND;
    return fail(std::move(error));
  }
  struct stat status{};
  if (fstat(file.get(), &status) != 0) return fail(place_error(place, "stat", errno));
  if (!S_ISREG(status.st_mode)) return fail(corrupt_file(place, "is not a regular file"));
  if (static_cast<uint64_t>(status.st_size) > limit) {
    return fail(corrupt_file(place, "is longer than " + std::to_string(limit) + " bytes"));
  }
  std::string text(static_cast<size_t>(status.st_size), '\0');
  size_t have = 0;
  while (have < text.size()) {
    const ssize_t bytes = read(file.get(), text.data() + have, text.size() - have);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return fail(place_error(place, "read", errno));
    if (bytes == 0) break;  // shorter than a moment ago: the checks of its text will tell
    have += static_cast<size_t>(bytes);
  }
  text.resize(have);
  return text;
}

namespace {

// Where write_file_atomically() writes.
struct FileTarget {
  Fd directory;
  std::string name;
};

std::unexpected<Error> file_error(const std::string& path, const char* call, int number) {
  return fail(system_error("pid-file", "file \"" + printable(path) + "\": " + call, number));
}

Result<FileTarget> open_target(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  const auto refused = [&](const char* why) {
    return fail({.code = REAPER_ERR_INVALID,
                 .sys_errno = 0,
                 .message = "file \"" + printable(path) + "\" " + why,
                 .pointer = "",
                 .stage = "pid-file"});
  };
  if (name.empty() || name == "." || name == ".." || path.find('\0') != std::string::npos) {
    return refused("is not a file's name");
  }
  Fd directory(open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return file_error(path, "open its directory", errno);
  struct stat status{};
  if (fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) return refused("is not a regular file");
  } else if (errno != ENOENT) {
    return file_error(path, "stat", errno);
  }
  return FileTarget{std::move(directory), name};
}

}  // namespace

Status write_file_atomically(const std::string& path, std::string_view text) {
  static std::atomic<unsigned> counter{0};
  const FileTarget target = TRY(open_target(path));
  // The name need not be secret: O_EXCL refuses whatever stands there, and then the next one is tried.
  for (int attempt = 0;; ++attempt) {
    const std::string temporary =
        ".reaper-" + std::to_string(getpid()) + "-" + std::to_string(counter.fetch_add(1, std::memory_order_relaxed));
    const Step step = make_file(target.directory.get(), temporary.c_str(), text, 0644, false);
    if (step.call != nullptr && step.number == EEXIST && attempt < 100) continue;
    if (step.call != nullptr) return file_error(path, step.call, step.number);
    if (renameat(target.directory.get(), temporary.c_str(), target.directory.get(), target.name.c_str()) == 0)
      return {};
    const int number = errno;
    unlinkat(target.directory.get(), temporary.c_str(), 0);
    return file_error(path, "rename", number);
  }
}

Status check_file_target(const std::string& path) {
  const FileTarget target = TRY(open_target(path));
  if (may_write(target.directory.get())) return {};
  return file_error(path, "write to its directory", errno);
}

}  // namespace reaper
