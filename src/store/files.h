// Shared by the parts of the store: opening below a directory, small files written and read whole, names.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/fd.h"
#include "core/result.h"
#include "store/store.h"

namespace reaper {

inline constexpr const char* owner_name = "owner";
inline constexpr const char* identity_name = "identity";
inline constexpr const char* pid_name = "pid";
inline constexpr const char* cgroup_name = "cgroup";
inline constexpr const char* cgroup_temporary_name = ".cgroup.new";
inline constexpr const char* resctrl_name = "resctrl";
inline constexpr const char* resctrl_temporary_name = ".resctrl.new";
inline constexpr const char* record_name = "state.json";
inline constexpr const char* record_temporary_name = ".state.json.new";
inline constexpr const char* starting_name = "starting";
inline constexpr const char* gate_name = "gate";        // bound by init
inline constexpr const char* started_name = "started";  // the gate after the start
inline constexpr const char* supervisor_name = "supervisor";
inline constexpr const char* exit_name = "exit";  // written by the supervisor (init/exit_record.cpp), and
inline constexpr const char* exit_temporary_name = ".exit.new";

// `container "ID"`
std::string container_label(std::string_view id);

// openat of a single name that never follows a symbolic link, not even a magic one. -1 and errno.
int open_beneath(int directory, const char* name, int flags);
// chmod of what an O_PATH descriptor names: fchmod(2) answers EBADF there, and fchmodat2 is of Linux 6.6. -1 and errno.
int chmod_opened(int descriptor, unsigned mode);
// Whether names can be made in an opened directory. False and errno, EROFS for instance.
bool may_write(int directory);

// The names in a directory but "." and "..", one after the other. Allocates nothing.
class NameReader {
 public:
  explicit NameReader(int directory);  // whose offset it does not move
  const char* next();                  // nullptr: no more, or error()
  int error() const { return error_; }

 private:
  Fd own_;
  int error_ = 0;
  ssize_t bytes_ = 0, at_ = 0;
  alignas(8) char buffer_[4096];
};

// The names in a directory but "." and "..". Moves no offset of `directory`. `what` is for the message.
Result<std::vector<std::string>> list_names(int directory, std::string_view stage, std::string_view what);

// A file in a container's directory; `id` is for messages.
struct FilePlace {
  int directory;
  const char* name;
  std::string_view id;
  std::string_view stage;
};

// Makes a file that must be new: 0600 whatever the umask. Nothing is left of it when that fails.
Status create_file(const FilePlace& place, std::string_view text);
// The same where an old one may stand, which is unlinked first.
Status write_anew(const FilePlace& place, std::string_view text);
// The whole of a regular file of at most `limit` bytes. NOT_FOUND, CORRUPT (not a regular file, too long).
Result<std::string> read_file(const FilePlace& place, size_t limit);

// "pid start_time boot_id pid_ns time_ns checksum\n"
Result<std::string> encode_identity(const ProcessIdentity& identity);
// nullopt with `why` set when it is not exactly that.
std::optional<ProcessIdentity> decode_identity(std::string_view line, std::string& why);
// pid above 0, and a boot id that is one.
bool plausible_identity(const ProcessIdentity& identity);

// "EXIT_CODE SIGNAL CORE_DUMPED FINISHED_NS USER_US SYSTEM_US MAX_RSS_KIB CHECKSUM\n", as init writes it.
std::optional<ExitRecord> decode_exit(std::string_view line);

// 64-bit FNV-1a: every change of a single byte changes it.
uint64_t fnv1a(std::string_view text, uint64_t state = 0xcbf29ce484222325U);
std::string hex16(uint64_t value);

}  // namespace reaper
