// A user namespace that this process was cloned into, or has joined (user_namespaces(7)).
#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/prctl.h>

#include "init/frames.h"
#include "init/mounts.h"
#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

// Whatever the namespace of its creator made of it, this process is root here then, with nothing that its program could
// inherit: neither groups, where they may be given up, nor capabilities that were raised to come through execve(2).
Outcome be_root(uint64_t capabilities, bool without_groups) {
  if (without_groups)
    if (const long result = call(__NR_setgroups, 0, nullptr); result < 0) return failed_call(result, "setgroups");
  if (const long result = call(__NR_setresgid, 0, 0, 0); result < 0) return failed_call(result, "setresgid");
  if (const long result = call(__NR_setresuid, 0, 0, 0); result < 0) return failed_call(result, "setresuid");
  if (const long result = set_capability_sets(capabilities, capabilities, 0); result < 0)
    return failed_call(result, "capset");
  // With the maps there are others who might have the same ids (CVE-2016-9962).
  return checked(call(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl(PR_SET_DUMPABLE)");
}

// The ranges of a map, one after the other: "inside outside size" in every line.
struct MapReader {
  long file = -1;
  long error = 0;
  long size = 0, at = 0;
  char buffer[512] = {};

  // -1: the end of the file.
  int next_character() {
    if (at == size) {
      size = call_again(__NR_read, file, buffer, sizeof buffer);
      at = 0;
      if (size < 0) error = size;
      if (size <= 0) return size = 0, -1;
    }
    return static_cast<unsigned char>(buffer[at++]);
  }

  bool next_number(uint64_t& number) {
    int character = next_character();
    while (character == ' ' || character == '\n') character = next_character();
    if (character < '0' || character > '9') return false;
    for (number = 0; character >= '0' && character <= '9'; character = next_character())
      number = number * 10 + static_cast<uint64_t>(character - '0');
    return true;
  }

  bool next(uint64_t (&range)[3]) { return next_number(range[0]) && next_number(range[1]) && next_number(range[2]); }
};

const char* map_path(const Operation& operation) {
  return operation.number(0) == 0 ? "/proc/thread-self/uid_map" : "/proc/thread-self/gid_map";
}

// Calls `each` with every range of this process's user namespace.
template <class Each>
Outcome read_map(const char* path, Each each) {
  MapReader reader;
  reader.file = call(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
  if (reader.file < 0) return failed_call(reader.file, path);
  const long file_system = file_system_of(static_cast<int>(reader.file));
  if (file_system != PROC_SUPER_MAGIC) reader.error = file_system < 0 ? file_system : -EXDEV;
  uint64_t range[3] = {};
  while (reader.error == 0 && reader.next(range)) each(range);
  call(__NR_close, reader.file);
  return reader.error == 0 ? Outcome{} : failed_call(reader.error, path);
}

}  // namespace

Outcome enter_user_namespace(State& state, const Operation& operation) {
  if (const Outcome outcome = await_frame(state.handshake, wire::Frame::mapped); !outcome.ok()) return outcome;
  return be_root(operation.number(0), operation.number(1) != 0);
}

// Who has no groups need not be allowed to give them up.
Outcome become_root(const Operation& operation) {
  const long groups = call(__NR_getgroups, 0, nullptr);
  if (groups < 0) return failed_call(groups, "getgroups");
  return be_root(operation.number(0), operation.number(1) != 0 && groups > 0);
}

Outcome check_mapped(const Operation& operation) {
  for (uint32_t i = 1; i < operation.number_count(); ++i) {
    const uint64_t id = operation.number(i);
    bool found = false;
    const Outcome outcome = read_map(map_path(operation), [&](const uint64_t(&range)[3]) {
      found = found || (id >= range[0] && id - range[0] < range[2]);
    });
    if (!outcome.ok()) return outcome;
    if (!found) return {wire::Fault::system_call, ERANGE, id, 0, ""};
  }
  return {};
}

Outcome check_id_map(const Operation& operation) {
  const uint32_t wanted = (operation.number_count() - 1) / 3;
  if (operation.number_count() != 1 + 3 * wanted) return malformed(0);
  uint32_t found = 0;
  bool same = true;
  const Outcome outcome = read_map(map_path(operation), [&](const uint64_t(&range)[3]) {
    bool listed = false;
    for (uint32_t i = 1; i < operation.number_count(); i += 3)
      listed = listed || (operation.number(i) == range[0] && operation.number(i + 1) == range[1] &&
                          operation.number(i + 2) == range[2]);
    same = same && listed;
    ++found;
  });
  if (!outcome.ok()) return outcome;
  return same && found == wanted ? Outcome{} : failed_call(-ERANGE);
}

}  // namespace reaper::init
