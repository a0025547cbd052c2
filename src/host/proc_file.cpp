// Reads files of /proc whole.
#include "host/proc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/fd.h"

namespace reaper {

Result<std::string> read_proc_file(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail(system_error("facts", "open " + path));
  std::string text;
  size_t size = 0;
  for (;;) {
    // One page takes nearly every file in one piece: a seq_file is consistent inside one read(2) only.
    text.resize(size + 4096);
    const ssize_t got = read(fd.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(system_error("facts", "read " + path));
    size += static_cast<size_t>(got);
    text.resize(size);
    if (got == 0) return text;
  }
}

Error no_process(int32_t pid, int number) {
  Error error;
  error.code = REAPER_ERR_NOT_FOUND;
  error.sys_errno = number;
  error.message = "no process has the pid " + std::to_string(pid);
  error.stage = "facts";
  return error;
}

Result<std::string> read_process_file(int32_t pid, const char* name) {
  Result<std::string> text = read_proc_file("/proc/" + std::to_string(pid) + "/" + name);
  // ENOENT: gone before open(2). ESRCH: between open and read.
  if (!text.has_value() && (text.error().sys_errno == ENOENT || text.error().sys_errno == ESRCH))
    return fail(no_process(pid, text.error().sys_errno));
  return text;
}

}  // namespace reaper
