// The claim of an id, and the sweeping of what a killed create or delete left (docs/decisions/0002-claim.md).
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "store/files.h"
#include "store/store.h"

namespace reaper {
namespace {

// `undo` may meet a directory that is no longer ours, swept and made anew by another: as long as it is empty its maker
// has no lock on it yet, finds it gone, and makes another.
Error undo(const StateRoot& root, const std::string& name, Error error) {
  unlinkat(root.fd(), name.c_str(), AT_REMOVEDIR);
  return error;
}

// One try. Nullopt: a sweep came between mkdir and lock.
Result<std::optional<Claim>> try_claim(const StateRoot& root, const std::string& name, std::string_view owner_line,
                                       Deadline deadline) {
  if (mkdirat(root.fd(), name.c_str(), 0700) != 0) {
    if (errno != EEXIST) return fail(system_error("claim", container_label(name) + ": make its directory"));
    return fail({.code = REAPER_ERR_EXISTS,
                 .sys_errno = 0,
                 .message = "container with given ID already exists",
                 .pointer = "",
                 .stage = "claim"});
  }
  auto directory = ContainerDirectory::open(root, name);
  if (!directory.has_value()) {
    if (directory.error().code == REAPER_ERR_NOT_FOUND) return std::nullopt;
    return fail(undo(root, name, std::move(directory).error()));
  }
  auto lock = directory->lock(root, deadline);
  if (!lock.has_value()) {
    if (lock.error().code == REAPER_ERR_NOT_FOUND) return std::nullopt;
    return fail(undo(root, name, std::move(lock).error()));
  }
  if (fchmod(directory->fd(), 0700) != 0) {
    return fail(undo(root, name, system_error("claim", container_label(name) + ": fchmod its directory")));
  }
  auto written = create_file({directory->fd(), owner_name, name, "claim"}, owner_line);
  if (!written.has_value()) return fail(undo(root, name, std::move(written).error()));
  return Claim{std::move(*directory), std::move(*lock)};
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
  return fail({.code = REAPER_ERR_BUSY,
               .sys_errno = 0,
               .message = container_label(id) + " is busy: other operations keep claiming it",
               .pointer = "",
               .stage = "claim"});
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
