// Which descriptors are open: the program's own and, until execve, the one that init talks through.
#include <asm/errno.h>
#include <linux/fcntl.h>

#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

constexpr unsigned no_limit = ~0U;

// Where close_range(2) (Linux 5.9) is missing or denied: the numbers in /proc/self/fd.
Outcome close_by_walk(unsigned first, int keep_a, int keep_b) {
  const long directory = call(__NR_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (directory < 0) return failed_call(directory, "open /proc/self/fd");
  struct Entry {  // linux_dirent64, getdents64(2)
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
  };
  alignas(8) char buffer[1024] = {};
  long got;
  while ((got = call(__NR_getdents64, directory, buffer, sizeof buffer)) > 0) {
    for (long at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const Entry*>(buffer + at);
      at += entry->size;
      unsigned number = 0;
      bool digits = entry->name[0] != '\0';
      for (const char* c = entry->name; *c != '\0'; ++c) {
        digits = digits && *c >= '0' && *c <= '9';
        number = number * 10 + static_cast<unsigned>(*c - '0');
      }
      const int fd = static_cast<int>(number);
      if (digits && number >= first && fd != keep_a && fd != keep_b && fd != directory) call(__NR_close, fd);
    }
  }
  call(__NR_close, directory);
  return checked(got, "getdents64 /proc/self/fd");
}

// Closes everything from `first` on but two descriptors (-1: none).
Outcome close_from(unsigned first, int keep_a, int keep_b) {
  const int keeps[] = {keep_a < keep_b ? keep_a : keep_b, keep_a < keep_b ? keep_b : keep_a};
  unsigned from = first;
  for (const int keep : keeps) {
    if (keep < 0 || static_cast<unsigned>(keep) < from) continue;
    const auto number = static_cast<unsigned>(keep);
    if (number > from && call(__NR_close_range, from, number - 1, 0) < 0) return close_by_walk(first, keep_a, keep_b);
    from = number + 1;
  }
  return call(__NR_close_range, from, no_limit, 0) < 0 ? close_by_walk(first, keep_a, keep_b) : Outcome{};
}

// A duplicate of `fd` at or above `floor`, unless it lies there already.
long lift(int fd, unsigned floor) {
  return static_cast<unsigned>(fd) >= floor ? fd : call(__NR_fcntl, fd, F_DUPFD_CLOEXEC, floor);
}

// Puts `source` at `target`, open across execve.
long place(int source, int target) {
  return source == target ? call(__NR_fcntl, target, F_SETFD, 0) : call(__NR_dup3, source, target, 0);
}

}  // namespace

Outcome place_descriptors(State& state, const wire::LaunchHeader& launch, const int32_t* extra) {
  const unsigned floor = 3 + launch.extra_count;
  int32_t sources[3 + wire::max_extra_fds];
  for (unsigned i = 0; i < floor; ++i) sources[i] = i < 3 ? launch.stdio[i] : extra[i - 3];

  // First everything that lies where a target will be is lifted out of the way, then each is put in its place.
  const long handshake = lift(state.handshake, floor);
  if (handshake < 0) return failed_call(handshake, "fcntl F_DUPFD_CLOEXEC");
  state.handshake = static_cast<int>(handshake);
  if (launch.state_directory >= 0) {
    const long directory = lift(launch.state_directory, floor);
    if (directory < 0) return failed_call(directory, "fcntl F_DUPFD_CLOEXEC");
    state.state_directory = static_cast<int>(directory);
  }
  int null = -1;
  for (unsigned i = 0; i < floor; ++i) {
    if (sources[i] < 0) {
      if (null < 0) {
        const long opened = call(__NR_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
        if (opened < 0) return failed_call(opened, "open /dev/null");
        const long lifted = lift(static_cast<int>(opened), floor);
        if (lifted < 0) return failed_call(lifted, "fcntl F_DUPFD_CLOEXEC");
        null = static_cast<int>(lifted);
      }
      sources[i] = null;
    } else if (sources[i] != static_cast<int32_t>(i)) {
      const long lifted = lift(sources[i], floor);
      if (lifted < 0) return failed_call(lifted, "fcntl F_DUPFD_CLOEXEC");
      sources[i] = static_cast<int32_t>(lifted);
    }
  }
  for (unsigned i = 0; i < floor; ++i)
    if (const long placed = place(sources[i], static_cast<int>(i)); placed < 0) return failed_call(placed, "dup3");
  state.extra_fds = launch.extra_count;
  return close_from(floor, state.handshake, state.state_directory);
}

Outcome close_others(State& state, const Operation& operation) {
  if (operation.number(0) != state.extra_fds) return malformed(0);
  if (state.connection >= 0) return close_from(3 + state.extra_fds, state.connection, -1);
  // The handshake of a hook came through an execve; it must not go through the next.
  if (const long result = call(__NR_fcntl, state.handshake, F_SETFD, FD_CLOEXEC); result < 0)
    return failed_call(result, "fcntl F_SETFD");
  return close_from(3 + state.extra_fds, state.handshake, -1);
}

Outcome keep_only(int& third, int& fourth) {
  constexpr int count = 5;
  const long null = call(__NR_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
  if (null < 0) return failed_call(null, "open /dev/null");
  long sources[count] = {null, null, null, third, fourth};
  for (long& source : sources)
    if ((source = lift(static_cast<int>(source), count)) < 0) return failed_call(source, "fcntl F_DUPFD_CLOEXEC");
  for (int target = 0; target < count; ++target)
    if (const long placed = call(__NR_dup3, sources[target], target, 0); placed < 0) return failed_call(placed, "dup3");
  third = 3;
  fourth = 4;
  return close_from(count, -1, -1);
}

}  // namespace reaper::init
