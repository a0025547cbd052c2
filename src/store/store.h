// The state directory: <root>/<id>/{owner,identity,supervisor,cgroup,pid,state.json,gate,started,exit}. Knows ids,
// locks, atomic writes, recovery and listing; knows nothing of plans. docs/state.md describes the files.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/fd.h"
#include "core/result.h"

namespace reaper {

// [A-Za-z0-9_][A-Za-z0-9_.+-]{0,254}. INVALID otherwise, without repeating bytes that are not printable.
Status check_id(std::string_view id);

// NOT_FOUND, `container "ID" does not exist`: callers search for these words (callers.md), so they are said here only.
Error no_such_container(std::string_view id);

// Who a process is: a pid alone may be reused.
struct ProcessIdentity {
  int32_t pid = 0;
  uint64_t start_time = 0;  // field 22 of /proc/PID/stat
  std::string boot_id;
  uint64_t pid_namespace = 0;   // inode of the pid namespace that the pid was read in
  uint64_t time_namespace = 0;  // start_time depends on it
  bool operator==(const ProcessIdentity&) const = default;
};

// How a container ended. A supervisor writes all of it down; in other ways less may be known.
struct ExitRecord {
  int32_t exit_code = -1;  // or -1: `signal`
  int32_t signal = 0;
  bool core_dumped = false;
  int64_t finished_ns = 0;                                 // CLOCK_REALTIME; 0: not known
  int64_t user_us = -1, system_us = -1, max_rss_kib = -1;  // -1: not known
  bool operator==(const ExitRecord&) const = default;
};

// state.json: what create commits. Text of `warnings` and `credentials` is JSON made by the runtime.
// The empty initializers let designated initializers leave members out without a warning of gcc 12.
// NOLINTBEGIN(readability-redundant-member-init)
struct Record {
  std::string id;
  std::string oci_version;
  std::string bundle;  // absolute
  std::map<std::string, std::string> annotations;
  std::string created;  // RFC 3339, UTC, nanoseconds
  uint32_t owner_uid = 0;
  ProcessIdentity init;
  std::optional<ProcessIdentity> supervisor = {};  // none: nobody stays
  std::string hooks_json = {};                     // what hooks_from_json() takes; empty: the container has none
  bool has_process = true;                         // false: config.json had no `process`, start is an error
  std::string credentials_json;                    // what `reaper.credentials` of state is made from
  std::string warnings_json;                       // the array `reaper.warnings` of state
  std::string cgroups_json = {};                   // an object of the runtime's; empty: no cgroups of its own
  std::string resctrl_json = {};                   // an object of the runtime's; empty: no class of service
  std::string namespaces_json = {};                // an array of the runtime's; empty: all are the creator's
  std::string listener_json = {};                  // an object of the runtime's; empty: no filter notifies anybody
  std::string exec_json = {};  // an object of the runtime's, for further processes; empty: of an older version
};
// NOLINTEND(readability-redundant-member-init)

// Versioned, length-checked, checksummed JSON. decode: CORRUPT with a message that says what is wrong; UNSUPPORTED for
// a whole record that a newer version wrote. Whether its id is the directory's is for read_record().
std::string encode_record(const Record& record);
Result<Record> decode_record(std::string_view text);

// "--root", else the chain of the design. Reads the environment only when `given` is null. Always absolute; ".." is
// kept, for the kernel to resolve. INVALID: empty, "/" or too long.
Result<std::string> resolve_root(const char* given);

// The directory of all containers. Opened, never followed: openat2(RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS) below it.
class StateRoot {
 public:
  // Makes the directory (0700) and missing parents (0755 by the umask, u=rwx always) when `make`; NOT_FOUND when it is
  // absent and `make` is not set. PERMISSION when everybody may write to it, or when a directory on the way to it may
  // be written by everybody (/tmp) and what stands there is a symbolic link, not ours, or (the root itself) not 0700.
  static Result<StateRoot> open(const std::string& path, bool make);
  // Whether open() would make or find it, and a container could be made in it. Makes nothing.
  static Status check(const std::string& path);
  int fd() const { return directory_.get(); }
  const std::string& path() const { return path_; }
  // Every name in it that is a valid id, sorted.
  Result<std::vector<std::string>> ids() const;

 private:
  StateRoot(Fd directory, std::string path) : directory_(std::move(directory)), path_(std::move(path)) {}
  Fd directory_;
  std::string path_;
};

using Deadline = std::chrono::steady_clock::time_point;

// An flock(2) on a container's directory, held until the end of its life. LOCK_UN explicitly: a forked child of the
// host may hold a duplicate of the descriptor. It belongs to the open ContainerDirectory that made it, which must
// outlive it, and which can hold one lock at a time; two ContainerDirectory objects of one process do exclude each
// other.
class DirectoryLock {
 public:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

 private:
  int fd_;
};

enum class Phase { creating, committed };

class ContainerDirectory {
 public:
  // NOT_FOUND: no_such_container(). CORRUPT: something that is no directory stands there.
  static Result<ContainerDirectory> open(const StateRoot& root, std::string_view id);
  int fd() const { return directory_.get(); }
  const std::string& id() const { return id_; }

  // The same directory again, with a lock of its own: threads that share one object would share its lock.
  Result<ContainerDirectory> reopen() const;
  // False: it was removed. A directory that bears its name then is another container's.
  Result<bool> exists() const;

  // BUSY at the deadline; NOT_FOUND when the directory was removed meanwhile (a lock on it would still be granted).
  Result<DirectoryLock> lock(const StateRoot& root, Deadline deadline) const;
  // creating: no state.json (yet, or no longer: see remove()).
  Result<Phase> phase() const;
  Result<Record> read_record() const;               // NOT_FOUND while creating, CORRUPT, UNSUPPORTED
  Result<ProcessIdentity> read_owner() const;       // who creates it; NOT_FOUND: nobody got so far as to say, CORRUPT
  Result<ProcessIdentity> read_identity() const;    // who init is; NOT_FOUND before it is known, CORRUPT
  Result<ProcessIdentity> read_supervisor() const;  // NOT_FOUND: there is none, or it is not known yet; CORRUPT
  Status write_supervisor(const ProcessIdentity& supervisor) const;
  Result<std::optional<ExitRecord>> read_exit() const;  // nullopt: none was written (yet); CORRUPT
  // The gate's name becomes `started`.
  Status mark_started(int64_t when_ns) const;
  // CLOCK_REALTIME, as mark_started() was told; nullopt: not started, or its start was killed before it.
  Result<std::optional<int64_t>> started_at() const;
  // What write_cgroups() wrote; NOT_FOUND: nothing, CORRUPT.
  Result<std::string> read_cgroups() const;
  // Writes `cgroup`, or writes it anew: JSON of the runtime's.
  Status write_cgroups(std::string_view json) const;
  // The same of `resctrl`.
  Result<std::string> read_resctrl() const;
  Status write_resctrl(std::string_view json) const;
  // Writes `identity` and `pid`.
  Status write_identity(const ProcessIdentity& init) const;
  // Writes state.json under a temporary name, whole: what a container that is being created tells of itself.
  Status stage(const Record& record) const;
  // Renames what was staged to state.json: the commit.
  Status commit_staged() const;
  // What was staged; nullopt: nothing, or it is still being written.
  Result<std::optional<Record>> read_staged() const;
  // `starting`: who is about to start the container and runs its hooks, without the lock. Under the lock that file is
  // whole, or left by one who died over it; nullopt: none, or that.
  Result<std::optional<ProcessIdentity>> read_starter() const;
  Status write_starter(const ProcessIdentity& starter) const;
  // By the starter itself: with or without the lock.
  Status remove_starter() const;
  // Removes every file that Reaper makes, then the directory. Under the lock, when every process of the container has
  // ended. A foreign file is an error that names it, and then nothing at all was removed. The order is such that a
  // removal which is cut short leaves either a container that can still be read, or a directory without `owner`, which
  // sweep() takes.
  Status remove(const StateRoot& root) const;

 private:
  Status clear() const;
  Result<std::string> read_note(const char* name) const;
  Status write_note(const char* name, const char* temporary, std::string_view json) const;
  ContainerDirectory(Fd directory, std::string id) : directory_(std::move(directory)), id_(std::move(id)) {}
  Fd directory_;
  std::string id_;
};

// A new container's directory, already locked. The lock goes first: keep the order when taking it apart.
struct Claim {
  ContainerDirectory directory;
  std::optional<DirectoryLock> lock;  // none while hooks run
};

// mkdir of <id> (0700), whatever the umask, then its lock, then `owner` (docs/decisions/0002-claim.md).
// EXISTS: `container with given ID already exists`; ask sweep() then, and try again if it says so.
Result<Claim> claim(const StateRoot& root, std::string_view id, const ProcessIdentity& owner, Deadline deadline);

// Asked under the lock about a directory in `creating`: has its owner died? Before it answers yes, it ends the init
// that `identity` may name.
using Abandoned = std::function<Result<bool>(const ContainerDirectory& directory, const ProcessIdentity& owner)>;

// Removes what a create or a delete that was killed left at `id`. True: the id is free. False: it is in use: committed,
// locked by a living operation, or `abandoned` said no. CORRUPT: its owner cannot be read, and nothing was removed.
Result<bool> sweep(const StateRoot& root, std::string_view id, const Abandoned& abandoned);

// Writes `text` to `path` under a temporary name in the same directory and renames it (0644 by the umask). For
// --pid-file: the target's directory is opened once, a symbolic link at the name itself is replaced, not followed.
// INVALID when something else than a regular file or a link stands there (nobody wants /dev/null replaced).
Status write_file_atomically(const std::string& path, std::string_view text);
// Whether that could be done, as far as can be told without doing it.
Status check_file_target(const std::string& path);

}  // namespace reaper
