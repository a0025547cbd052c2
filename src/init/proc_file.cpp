// The one helper that writes to /proc.
#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>

#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

Outcome open_proc(const char* path, int& fd) {
  const long opened = call(__NR_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0);
  if (opened < 0) return failed_call(opened, path);
  struct {
    long type;
    long rest[64];  // struct statfs is 120 bytes on both architectures
  } file_system = {};
  Outcome outcome = checked(call(__NR_fstatfs, opened, &file_system), path);
  if (outcome.ok() && file_system.type != PROC_SUPER_MAGIC) outcome = failed_call(-EXDEV, path);
  if (outcome.ok())
    fd = static_cast<int>(opened);
  else
    call(__NR_close, opened);
  return outcome;
}

Outcome write_proc(int fd, const char* text, uint64_t size, const char* what) {
  const long written = call_again(__NR_write, fd, text, size);
  call(__NR_close, fd);
  if (written < 0) return failed_call(written, what);
  return static_cast<uint64_t>(written) == size ? Outcome{} : failed_call(-EIO, what);
}

}  // namespace reaper::init
