// A container's directory: its files, and their removal in an order that can be cut short anywhere.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "store/files.h"
#include "store/store.h"

namespace reaper {
namespace {

constexpr size_t max_identity_bytes = 256;
constexpr size_t max_exit_bytes = 256;
constexpr size_t max_cgroups_bytes = 1U << 20;  // a dozen hierarchies, each with a path or two of PATH_MAX bytes
constexpr size_t checksum_bytes = 16;

// state.json goes after `owner`: while it is there the container can be read; afterwards what is left has no owner and
// is anybody's to sweep. `identity` goes last: it finds the process of a record that cannot be read.
constexpr const char* removal_order[] = {starting_name,
                                         gate_name,
                                         started_name,
                                         pid_name,
                                         cgroup_name,
                                         cgroup_temporary_name,
                                         resctrl_name,
                                         resctrl_temporary_name,
                                         record_temporary_name,
                                         exit_temporary_name,
                                         owner_name,
                                         record_name,
                                         exit_name,
                                         supervisor_name,
                                         identity_name};

// Its index in removal_order, or the size of that for a name that is not ours.
size_t place_of(std::string_view name) {
  const auto* const found = std::find(std::begin(removal_order), std::end(removal_order), name);
  return static_cast<size_t>(found - std::begin(removal_order));
}

Error not_a_container(std::string_view id, std::string_view why) {
  return {.code = REAPER_ERR_CORRUPT,
          .sys_errno = 0,
          .message = container_label(id) + ": " + std::string(why),
          .pointer = "",
          .stage = "state-directory"};
}

// Only a hostile umask (0777) makes a directory that its maker may not open, and only a create that is killed before
// its chmod leaves one behind.
void make_readable(int root, const char* name) {
  const Fd found(open_beneath(root, name, O_PATH | O_DIRECTORY));
  struct stat status{};
  if (!found || fstat(found.get(), &status) != 0) return;
  // What fails here, the next open tells.
  if (status.st_uid == geteuid() && (status.st_mode & 0700) != 0700) chmod_opened(found.get(), 0700);
}

// ENOENT inside a directory that was removed means that the container is gone, not that it lacks the file.
Error explain_absence(int directory, std::string_view id, Error error) {
  struct stat status{};
  if (error.code == REAPER_ERR_NOT_FOUND && fstat(directory, &status) == 0 && status.st_nlink == 0) {
    return no_such_container(id);
  }
  return error;
}

// An empty file is one whose writer was killed between open and write: as good as none.
Result<ProcessIdentity> read_identity_line(const FilePlace& place) {
  auto line = read_file(place, max_identity_bytes);
  if (!line.has_value()) return fail(explain_absence(place.directory, place.id, std::move(line).error()));
  if (line->empty()) {
    return fail({.code = REAPER_ERR_NOT_FOUND,
                 .sys_errno = 0,
                 .message = container_label(place.id) + ": " + place.name + " is empty",
                 .pointer = "",
                 .stage = std::string(place.stage)});
  }
  std::string why;
  auto identity = decode_identity(*line, why);
  if (!identity) return fail(not_a_container(place.id, std::string(place.name) + " " + why));
  return std::move(*identity);
}

Result<Record> record_in(const FilePlace& place) {
  auto text = read_file(place, json_max_bytes);
  if (!text.has_value()) {
    Error error = explain_absence(place.directory, place.id, std::move(text).error());
    if (error.sys_errno == ENOENT) error.message = container_label(place.id) + " is still being created";
    return fail(std::move(error));
  }
  auto record = decode_record(*text);
  if (!record.has_value()) {
    Error error = std::move(record).error();
    error.message = container_label(place.id) + ": " + error.message;
    return fail(std::move(error));
  }
  if (record->id != place.id) {
    return fail(not_a_container(place.id, "state.json is that of " + container_label(record->id)));
  }
  return record;
}

Error foreign_file(std::string_view id, std::string_view name) {
  return {.code = REAPER_ERR_SYSTEM,
          .sys_errno = ENOTEMPTY,
          .message = container_label(id) + ": its directory holds \"" + printable(name) +
                     "\", which Reaper did not make: nothing was removed; move it away and delete again",
          .pointer = "",
          .stage = "delete"};
}

// What a killed create left before it could write anything looks like any empty directory: remove no other's.
Status check_unmarked(int directory, std::string_view id) {
  struct stat status{};
  if (fstat(directory, &status) != 0) return fail(system_error("delete", container_label(id) + ": stat"));
  if (status.st_uid == geteuid() && (status.st_mode & 0077) == 0) return {};
  return fail(not_a_container(id, "an empty directory that Reaper did not make: nothing was removed"));
}

}  // namespace

Result<ContainerDirectory> ContainerDirectory::open(const StateRoot& root, std::string_view id) {
  TRY(check_id(id));
  std::string name(id);
  Fd directory(open_beneath(root.fd(), name.c_str(), O_RDONLY | O_DIRECTORY));
  if (!directory && errno == EACCES) {
    make_readable(root.fd(), name.c_str());
    directory = Fd(open_beneath(root.fd(), name.c_str(), O_RDONLY | O_DIRECTORY));
  }
  if (directory) return ContainerDirectory(std::move(directory), std::move(name));
  if (errno == ENOENT) return fail(no_such_container(id));
  if (errno == ELOOP || errno == ENOTDIR) {
    return fail(not_a_container(id, "what stands in its place is no directory"));
  }
  return fail(system_error("state-directory", container_label(id) + ": open its directory"));
}

Result<ContainerDirectory> ContainerDirectory::reopen() const {
  Fd directory(openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory) return ContainerDirectory(std::move(directory), id_);
  if (errno == ENOENT) return fail(no_such_container(id_));
  return fail(system_error("state-directory", container_label(id_) + ": open its directory"));
}

Result<bool> ContainerDirectory::exists() const {
  struct stat status{};
  if (fstat(directory_.get(), &status) != 0)
    return fail(system_error("state-directory", container_label(id_) + ": stat"));
  return status.st_nlink != 0;
}

Result<Phase> ContainerDirectory::phase() const {
  struct stat status{};
  if (fstatat(directory_.get(), record_name, &status, AT_SYMLINK_NOFOLLOW) == 0) return Phase::committed;
  if (errno != ENOENT) return fail(system_error("record", container_label(id_) + ": stat " + record_name));
  if (fstat(directory_.get(), &status) == 0 && status.st_nlink == 0) return fail(no_such_container(id_));
  return Phase::creating;
}

Result<Record> ContainerDirectory::read_record() const {
  return record_in({directory_.get(), record_name, id_, "record"});
}

Result<std::optional<Record>> ContainerDirectory::read_staged() const {
  auto record = record_in({directory_.get(), record_temporary_name, id_, "record"});
  if (record.has_value()) return std::move(*record);
  const Error& error = record.error();
  if (error.code == REAPER_ERR_CORRUPT || error.sys_errno == ENOENT) return std::nullopt;
  return fail(error);
}

Result<std::optional<ProcessIdentity>> ContainerDirectory::read_starter() const {
  auto starter = read_identity_line({directory_.get(), starting_name, id_, "start"});
  if (starter.has_value()) return std::move(*starter);
  if (starter.error().code == REAPER_ERR_CORRUPT || starter.error().code == REAPER_ERR_NOT_FOUND) return std::nullopt;
  return fail(std::move(starter).error());
}

Status ContainerDirectory::write_starter(const ProcessIdentity& starter) const {
  const std::string line = TRY(encode_identity(starter));
  return write_anew({directory_.get(), starting_name, id_, "start"}, line);
}

Status ContainerDirectory::remove_starter() const {
  if (unlinkat(directory_.get(), starting_name, 0) == 0 || errno == ENOENT) return {};
  return fail(system_error("start", container_label(id_) + ": unlink " + starting_name));
}

Result<ProcessIdentity> ContainerDirectory::read_owner() const {
  return read_identity_line({directory_.get(), owner_name, id_, "record"});
}

Result<ProcessIdentity> ContainerDirectory::read_identity() const {
  return read_identity_line({directory_.get(), identity_name, id_, "record"});
}

Result<ProcessIdentity> ContainerDirectory::read_supervisor() const {
  return read_identity_line({directory_.get(), supervisor_name, id_, "record"});
}

Status ContainerDirectory::write_supervisor(const ProcessIdentity& supervisor) const {
  const std::string line = TRY(encode_identity(supervisor));
  return create_file({directory_.get(), supervisor_name, id_, "record"}, line);
}

Result<std::optional<ExitRecord>> ContainerDirectory::read_exit() const {
  const auto line = read_file({directory_.get(), exit_name, id_, "exit"}, max_exit_bytes);
  if (!line.has_value() && line.error().code == REAPER_ERR_NOT_FOUND) return std::nullopt;
  if (!line.has_value()) return fail(line.error());
  const auto record = decode_exit(*line);
  if (!record) return fail(not_a_container(id_, "its exit record is damaged"));
  return *record;
}

Status ContainerDirectory::mark_started(int64_t when_ns) const {
  const timespec times[2] = {{0, UTIME_OMIT}, {when_ns / 1000000000, when_ns % 1000000000}};
  if (utimensat(directory_.get(), gate_name, times, AT_SYMLINK_NOFOLLOW) != 0 && errno != ENOENT)
    return fail(system_error("start", container_label(id_) + ": utimensat " + gate_name));
  // ENOENT: marked by somebody already.
  if (renameat(directory_.get(), gate_name, directory_.get(), started_name) == 0 || errno == ENOENT) return {};
  return fail(system_error("start", container_label(id_) + ": rename " + gate_name + " to " + started_name));
}

Result<std::optional<int64_t>> ContainerDirectory::started_at() const {
  struct stat status{};
  if (fstatat(directory_.get(), started_name, &status, AT_SYMLINK_NOFOLLOW) == 0)
    return status.st_mtim.tv_sec * 1000000000LL + status.st_mtim.tv_nsec;
  if (errno == ENOENT) return std::nullopt;
  return fail(system_error("status", container_label(id_) + ": stat " + started_name));
}

// The text, a blank, its checksum and a newline. An empty file is what a power cut leaves: then what it tells of is
// gone.
Result<std::string> ContainerDirectory::read_note(const char* name) const {
  const FilePlace place{directory_.get(), name, id_, "record"};
  auto text = read_file(place, max_cgroups_bytes);
  if (!text.has_value()) return fail(explain_absence(directory_.get(), id_, std::move(text).error()));
  if (text->empty()) {
    return fail({.code = REAPER_ERR_NOT_FOUND,
                 .sys_errno = 0,
                 .message = container_label(id_) + ": " + name + " is empty",
                 .pointer = "",
                 .stage = "record"});
  }
  const size_t end = text->size() - std::min(text->size(), checksum_bytes + 2);
  const std::string sum = text->substr(end);
  text->resize(end);
  if (sum != " " + hex16(fnv1a(*text)) + "\n") {
    return fail(not_a_container(id_, std::string(name).append(" has a wrong checksum")));
  }
  return text;
}

Status ContainerDirectory::write_note(const char* name, const char* temporary, std::string_view json) const {
  const FilePlace place{directory_.get(), temporary, id_, "record"};
  TRY(write_anew(place, std::string(json) + " " + hex16(fnv1a(json)) + "\n"));
  if (renameat(directory_.get(), temporary, directory_.get(), name) == 0) return {};
  return fail(system_error("record", container_label(id_) + ": rename " + name));
}

Result<std::string> ContainerDirectory::read_cgroups() const {
  return read_note(cgroup_name);
}

Status ContainerDirectory::write_cgroups(std::string_view json) const {
  return write_note(cgroup_name, cgroup_temporary_name, json);
}

Result<std::string> ContainerDirectory::read_resctrl() const {
  return read_note(resctrl_name);
}

Status ContainerDirectory::write_resctrl(std::string_view json) const {
  return write_note(resctrl_name, resctrl_temporary_name, json);
}

Status ContainerDirectory::write_identity(const ProcessIdentity& init) const {
  const std::string line = TRY(encode_identity(init));
  TRY(create_file({directory_.get(), identity_name, id_, "record"}, line));
  return create_file({directory_.get(), pid_name, id_, "record"}, std::to_string(init.pid));
}

Status ContainerDirectory::stage(const Record& record) const {
  const std::string text = encode_record(record);
  if (text.size() > json_max_bytes) {
    return fail({.code = REAPER_ERR_INVALID,
                 .sys_errno = 0,
                 .message = container_label(id_) + ": its record would have " + std::to_string(text.size()) +
                            " bytes, and " + std::to_string(json_max_bytes) + " is the limit",
                 .pointer = record.hooks_json.size() > text.size() / 2 ? "/hooks" : "/annotations",
                 .stage = "record"});
  }
  return write_anew({directory_.get(), record_temporary_name, id_, "record"}, text);
}

Status ContainerDirectory::commit_staged() const {
  if (renameat(directory_.get(), record_temporary_name, directory_.get(), record_name) == 0) return {};
  const int number = errno;
  unlinkat(directory_.get(), record_temporary_name, 0);
  return fail(system_error("record", container_label(id_) + ": rename " + record_name, number));
}

// Unlinks what is in it, if all of it is Reaper's. Allocates nothing unless it fails.
Status ContainerDirectory::clear() const {
  bool found[std::size(removal_order)] = {};
  bool any = false;
  NameReader reader(directory_.get());
  while (const char* name = reader.next()) {
    const auto place = place_of(name);
    if (place == std::size(removal_order)) return fail(foreign_file(id_, name));
    found[place] = any = true;
  }
  if (reader.error() != 0)
    return fail(system_error("delete", container_label(id_) + ": read its directory", reader.error()));
  if (!any) TRY(check_unmarked(directory_.get(), id_));
  for (size_t place = 0; place < std::size(removal_order); ++place) {
    const char* name = removal_order[place];
    if (found[place] && unlinkat(directory_.get(), name, 0) != 0 && errno != ENOENT) {
      return fail(system_error("delete", container_label(id_) + ": unlink " + name));
    }
  }
  return {};
}

// What a create could not make for want of memory is taken back all the same: no allocation here either. A creator that
// is killed between its clone and `identity` leaves an init that nobody knows of, and that may still bind its gate
// before it sees that it is alone: then the directory is not empty, and one more look is enough.
Status ContainerDirectory::remove(const StateRoot& root) const {
  constexpr int tries = 4;
  for (int left = tries; left > 0; --left) {
    TRY(clear());
    if (unlinkat(root.fd(), id_.c_str(), AT_REMOVEDIR) == 0) return {};
    if (errno != ENOTEMPTY) break;
  }
  return fail(system_error("delete", container_label(id_) + ": remove its directory"));
}

}  // namespace reaper
