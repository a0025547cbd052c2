// The program's terminal: a new pseudo-terminal (pty(7)). Its slave is reached by its master and never by a path, which
// could lead elsewhere by then (CVE-2025-52565).
#include <asm/errno.h>
#include <asm/ioctls.h>
#include <asm/stat.h>
#include <asm/termios.h>
#include <linux/fcntl.h>

#include "init/frames.h"
#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

constexpr uint32_t type_mask = 0170000;  // S_IFMT, inode(7)
constexpr uint32_t type_character_device = 0020000;
constexpr uint64_t multiplexer = 0x502;  // major 5, minor 2 (Documentation/admin-guide/devices.txt)

// /dev/ptmx may be a link to pts/ptmx. Whatever it leads to, it must be the device that makes terminals.
Outcome open_master(int& master) {
  const long opened = call(__NR_openat, AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
  if (opened < 0) return failed_call(opened, "open /dev/ptmx");
  struct stat status = {};
  if (const long result = call(__NR_fstat, opened, &status); result < 0) return failed_call(result, "fstat /dev/ptmx");
  if ((status.st_mode & type_mask) != type_character_device || status.st_rdev != multiplexer)
    return failed_call(-ENOTTY, "/dev/ptmx is not the device that makes terminals");
  master = static_cast<int>(opened);
  return {};
}

Outcome open_slave(int master, int& slave) {
  const int locked = 0;
  if (const long result = call(__NR_ioctl, master, TIOCSPTLCK, &locked); result < 0)
    return failed_call(result, "ioctl TIOCSPTLCK");
  const long opened = call(__NR_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (opened < 0) return failed_call(opened, "ioctl TIOCGPTPEER");
  slave = static_cast<int>(opened);
  return {};
}

// The group stays as the mount option gid= of devpts has it: that of tty, for write(1).
Outcome give_to(int slave, uint32_t owner) {
  struct stat status = {};
  if (const long result = call(__NR_fstat, slave, &status); result < 0) return failed_call(result, "fstat");
  if (status.st_uid == owner) return {};
  return checked(call(__NR_fchown, slave, owner, -1), "fchown");
}

// TIOCSCTTY: it becomes the controlling terminal of the session that `session` has made.
Outcome make_standard(int slave, uint64_t rows, uint64_t columns) {
  const winsize size = {static_cast<uint16_t>(rows), static_cast<uint16_t>(columns), 0, 0};
  if (rows != 0 || columns != 0)
    if (const long result = call(__NR_ioctl, slave, TIOCSWINSZ, &size); result < 0)
      return failed_call(result, "ioctl TIOCSWINSZ");
  if (const long result = call(__NR_ioctl, slave, TIOCSCTTY, 0); result < 0)
    return failed_call(result, "ioctl TIOCSCTTY");
  for (int target = 0; target < 3; ++target)
    if (const long placed = call(__NR_dup3, slave, target, 0); placed < 0) return failed_call(placed, "dup3");
  call(__NR_close, slave);
  return {};
}

// "/dev/pts/N", as ptsname(3) has it: a name for people.
Outcome send_master(int handshake, int master) {
  uint32_t number = 0;
  if (const long result = call(__NR_ioctl, master, TIOCGPTN, &number); result < 0)
    return failed_call(result, "ioctl TIOCGPTN");
  char path[24] = "/dev/pts/";
  uint32_t size = sizeof "/dev/pts/" - 1;
  uint32_t power = 1;
  while (number / power >= 10) power *= 10;
  for (; power != 0; power /= 10) path[size++] = static_cast<char>('0' + number / power % 10);
  const long sent = send_frame_with_descriptor(handshake, wire::Frame::terminal, path, size, master);
  call(__NR_close, master);
  return checked(sent, "sendmsg");
}

}  // namespace

Outcome open_terminal(const State& state, const Operation& operation) {
  int master = -1;
  int slave = -1;
  Outcome outcome = open_master(master);
  if (outcome.ok()) outcome = open_slave(master, slave);
  if (outcome.ok()) outcome = give_to(slave, static_cast<uint32_t>(operation.number(0)));
  if (outcome.ok()) outcome = make_standard(slave, operation.number(1), operation.number(2));
  return outcome.ok() ? send_master(state.handshake, master) : outcome;
}

}  // namespace reaper::init
