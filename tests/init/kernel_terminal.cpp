// The model kernel's pseudo-terminal: what init asks of the descriptors that /dev/ptmx gives it.
#include <asm/unistd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "init/kernel.h"

namespace reaper::test {

namespace {

constexpr int master_fd = 103;  // what the model's open(2) gives
constexpr int slave_fd = 104;

long descriptor_status(const Kernel& k, const Call& call) {
  struct stat status = {};
  status.st_mode = S_IFCHR | 0620;
  status.st_uid = call.arguments[0] == slave_fd ? k.pty.owner : 0;
  status.st_rdev = k.pty.device;
  memcpy(reinterpret_cast<void*>(call.arguments[1]), &status, sizeof status);
  return 0;
}

// ioctl_tty(2), for the master that /dev/ptmx gave and for its slave.
long terminal_call(Kernel& k, const Call& call) {
  const bool is_master = call.arguments[0] == master_fd;
  if (!k.open.contains(static_cast<int>(call.arguments[0]))) return -EBADF;
  switch (call.arguments[1]) {
    case TIOCSPTLCK:
      if (!is_master) return -ENOTTY;
      k.pty.locked = *reinterpret_cast<const int*>(call.arguments[2]) != 0;
      return 0;
    case TIOCGPTN:
      if (!is_master) return -ENOTTY;
      *reinterpret_cast<uint32_t*>(call.arguments[2]) = k.pty.number;
      return 0;
    case TIOCGPTPEER:
      if (!is_master || k.pty.locked) return -EIO;
      k.open.insert(slave_fd);
      return slave_fd;
    case TIOCSWINSZ: {
      const auto* size = reinterpret_cast<const winsize*>(call.arguments[2]);
      k.pty.rows = size->ws_row;
      k.pty.columns = size->ws_col;
      return 0;
    }
    case TIOCSCTTY:
      if (is_master) return -EIO;
      k.pty.has_session = true;
      return 0;
    default:
      return -ENOTTY;
  }
}

}  // namespace

long handle_terminal(Kernel& k, const Call& call) {
  switch (call.number) {
    case __NR_fstat:
      return descriptor_status(k, call);
    case __NR_fchown:
      k.pty.owner = static_cast<uint32_t>(call.arguments[1]);
      return 0;
    case __NR_ioctl:
      return terminal_call(k, call);
    default:
      throw std::runtime_error("no call of a terminal: " + std::to_string(call.number));
  }
}

}  // namespace reaper::test
