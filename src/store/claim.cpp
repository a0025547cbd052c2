// The claim of an id, and the sweeping of what a killed create or delete left (docs/decisions/0002-claim.md).
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "store/files.h"
#include "store/store.h"

namespace reaper {
namespace {

constexpr timespec short_sleep{.tv_sec = 0, .tv_nsec = 500'000};

Error in_use() {
  return {.code = REAPER_ERR_EXISTS,
          .sys_errno = 0,
          .message = "container with given ID already exists",
          .pointer = "",
          .stage = "claim"};
}

Error busy(std::string_view id) {
  return {.code = REAPER_ERR_BUSY,
          .sys_errno = 0,
          .message = container_label(id) + " is busy: other operations keep claiming it",
          .pointer = "",
          .stage = "claim"};
}

bool has(const ContainerDirectory& directory, const char* name) {
  struct stat status{};
  return fstatat(directory.fd(), name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

// This may meet a directory that is no longer the one we made, but swept and made anew by another: as long as it is
// empty its maker has not written `owner`, finds it gone, and makes another.
Error undo(const StateRoot& root, const std::string& name, Error error) {
  unlinkat(root.fd(), name.c_str(), AT_REMOVEDIR);
  return error;
}

// Nullopt: swept by another before we had the lock. A lock that is taken is either a sweeper's, for a moment, or that
// of another claim, which wrote `owner` in the directory first: also when it was we who made it.
Result<std::optional<DirectoryLock>> lock_claimed(const StateRoot& root, const ContainerDirectory& directory,
                                                  Deadline deadline) {
  for (;;) {
    auto lock = directory.lock(root, std::chrono::steady_clock::now());
    if (lock.has_value()) {
      if (has(directory, owner_name) || has(directory, record_name) || has(directory, identity_name)) {
        return fail(in_use());
      }
      return std::move(*lock);
    }
    if (lock.error().code == REAPER_ERR_NOT_FOUND) return std::nullopt;
    if (lock.error().code != REAPER_ERR_BUSY) return fail(undo(root, directory.id(), std::move(lock).error()));
    if (has(directory, owner_name)) return fail(in_use());
    if (std::chrono::steady_clock::now() >= deadline) return fail(undo(root, directory.id(), busy(directory.id())));
    clock_nanosleep(CLOCK_MONOTONIC, 0, &short_sleep, nullptr);
  }
}

// One try. Nullopt: a sweep came between mkdir and lock.
Result<std::optional<Claim>> try_claim(const StateRoot& root, const std::string& name, std::string_view owner_line,
                                       Deadline deadline) {
  if (mkdirat(root.fd(), name.c_str(), 0700) != 0) {
    if (errno == EEXIST) return fail(in_use());
    return fail(system_error("claim", container_label(name) + ": make its directory"));
  }
  auto directory = ContainerDirectory::open(root, name);
  if (!directory.has_value()) {
    if (directory.error().code == REAPER_ERR_NOT_FOUND) return std::nullopt;
    return fail(undo(root, name, std::move(directory).error()));
  }
  auto lock = TRY(lock_claimed(root, *directory, deadline));
  if (!lock) return std::nullopt;
  if (fchmod(directory->fd(), 0700) != 0) {
    return fail(undo(root, name, system_error("claim", container_label(name) + ": fchmod its directory")));
  }
  auto written = create_file({directory->fd(), owner_name, name, "claim"}, owner_line);
  if (!written.has_value()) return fail(undo(root, name, std::move(written).error()));
  return Claim{std::move(*directory), std::move(lock)};
}

}  // namespace

Result<Claim> claim(const StateRoot& root, std::string_view id, const ProcessIdentity& owner, Deadline deadline) {
  TRY(check_id(id));
  const std::string line = TRY(encode_identity(owner));
  const std::string name(id);
  do {
    auto made = TRY(try_claim(root, name, line, deadline));
    if (made) return std::move(*made);
  } while (std::chrono::steady_clock::now() < deadline);
  return fail(busy(id));
}

Result<bool> sweep(const StateRoot& root, std::string_view id, const Abandoned& abandoned) {
  const auto gone = [](const Error& error) { return error.code == REAPER_ERR_NOT_FOUND; };
  auto directory = ContainerDirectory::open(root, id);
  if (!directory.has_value()) {
    if (gone(directory.error())) return true;
    return fail(std::move(directory).error());
  }
  // A living create holds the lock but for its hooks, so that there is nothing to wait for.
  const auto lock = directory->lock(root, std::chrono::steady_clock::now());
  if (!lock.has_value()) {
    if (gone(lock.error())) return true;
    if (lock.error().code == REAPER_ERR_BUSY) return false;
    return fail(lock.error());
  }
  if (TRY(directory->phase()) == Phase::committed) return false;
  const auto owner = directory->read_owner();
  if (owner.has_value()) {
    if (!TRY(abandoned(*directory, *owner))) return false;
  } else if (!gone(owner.error())) {
    return fail(owner.error());
  }
  // Without an owner: `owner` is written under the lock that we hold, before anything is cloned.
  TRY(directory->remove(root));
  return true;
}

}  // namespace reaper
