// Resource limits and the OOM killer's score.
#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/resource.h>

#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

// The one helper that writes to /proc. A file that is not procfs (something mounted over it) is never written to.
Outcome write_proc(const char* path, const char* text, uint64_t size) {
  const long fd = call(__NR_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0);
  if (fd < 0) return failed_call(fd, path);
  struct {
    long type;
    long rest[64];  // struct statfs is 120 bytes on both architectures
  } file_system = {};
  Outcome outcome = checked(call(__NR_fstatfs, fd, &file_system), path);
  if (outcome.ok() && file_system.type != PROC_SUPER_MAGIC) outcome = failed_call(-EXDEV, path);
  if (outcome.ok()) outcome = checked(call(__NR_write, fd, text, size), path);
  call(__NR_close, fd);
  return outcome;
}

}  // namespace

Outcome set_rlimit(const Operation& operation) {
  const uint64_t limit[2] = {operation.number(1), operation.number(2)};
  return checked(call(__NR_prlimit64, 0, operation.number(0), limit, nullptr));
}

Outcome set_oom_score_adj(const Operation& operation) {
  char text[24];
  char* end = text + sizeof text;
  char* begin = end;
  const auto value = static_cast<int64_t>(operation.number(0));
  uint64_t rest = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  do {
    *--begin = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (value < 0) *--begin = '-';
  return write_proc("/proc/self/oom_score_adj", begin, static_cast<uint64_t>(end - begin));
}

}  // namespace reaper::init
