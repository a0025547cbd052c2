#include "relay.h"

#include <fcntl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "report.h"
#include "terminal.h"

namespace reaper::cli {

namespace {

// stdin and stdout are shared with others, so that O_NONBLOCK is not ours to set. After POLLOUT a write of this size
// does not block: a pipe has room for PIPE_BUF bytes (pipe(7)), a pty for a buffer, a serial line for most of a page.
constexpr size_t most_at_once = 1024;
constexpr int idle_look_ms = 100;
// What the kernel can hold of a program that has ended, several times: others may write for ever.
constexpr size_t most_after_end = 1 << 20;

bool ends_a_process(int number) {
  return number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT;
}

// Whether a signal has come that should end us.
bool is_told_to_end(int signals) {
  signalfd_siginfo info;
  bool told = false;
  while (read(signals, &info, sizeof info) == static_cast<ssize_t>(sizeof info))
    told = told || ends_a_process(static_cast<int>(info.ssi_signo));
  return told;
}

}  // namespace

Relay::Relay(int master) : master_(master) {
  if (master_ >= 0) fcntl(master_, F_SETFL, O_RDWR | O_NONBLOCK);  // this one is ours alone
}

Relay::~Relay() {
  leave_raw_mode();
  hang_up();
}

void Relay::begin() {
  is_interactive_ = isatty(STDIN_FILENO);
  takes_input_ = !is_interactive_;
  resume();
}

void Relay::resume() {
  if (!has_terminal()) return;
  if (is_interactive_) takes_input_ = enter_raw_mode();
  copy_window_size(master_);
}

// As a terminal that is closed: the program gets SIGHUP.
void Relay::hang_up() {
  if (master_ >= 0) close(master_);
  master_ = -1;
  input_ = {};
  output_ = {};
}

void Relay::want(std::span<pollfd, descriptors> fds) const {
  for (pollfd& fd : fds) fd = {-1, 0, 0};
  if (!has_terminal()) return;
  if (takes_input_ && input_.empty()) fds[0] = {STDIN_FILENO, POLLIN, 0};
  if (!output_.empty()) fds[1] = {STDOUT_FILENO, POLLOUT, 0};
  const int events = (output_.empty() && !is_idle_ ? POLLIN : 0) | (!input_.empty() ? POLLOUT : 0);
  // Not without an event: a hang-up would be reported over and over.
  if (events != 0) fds[2] = {master_, static_cast<short>(events), 0};
}

int Relay::limit_ms() const {
  return has_terminal() && is_idle_ ? idle_look_ms : -1;
}

void Relay::serve(std::span<const pollfd, descriptors> fds) {
  if (!has_terminal()) return;
  if (fds[0].revents != 0) read_input(fds[0].revents);
  if (fds[1].revents != 0) write_output();
  if (!has_terminal()) return;
  if (!input_.empty()) write_input();
  if (output_.empty() && (fds[2].revents != 0 || is_idle_)) read_output();
}

void Relay::read_input(short events) {
  const ssize_t got = read(STDIN_FILENO, input_.bytes, sizeof input_.bytes);
  if (got > 0) {
    input_.begin = 0;
    input_.end = static_cast<size_t>(got);
    last_ = input_.bytes[got - 1];
    return;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (!is_interactive_) return end_input();
  if ((events & POLLHUP) != 0) return hang_up();  // the person's terminal is gone, and so is the program's
  // EIO: in the background by now, where SIGTTIN would stop us if it were not blocked.
  if (got < 0 && !enter_raw_mode()) takes_input_ = false;
  if (got == 0) end_input();
}

// What a person types at the end of the input. In the middle of a line, the first one only ends the line (termios(3),
// VEOF).
void Relay::end_input() {
  takes_input_ = is_interactive_;
  termios modes = {};
  if (tcgetattr(master_, &modes) != 0 || modes.c_cc[VEOF] == _POSIX_VDISABLE) return;
  const bool is_in_line = (modes.c_lflag & ICANON) != 0 && last_ != '\n';
  input_.begin = 0;
  input_.end = is_in_line ? 2 : 1;
  std::fill_n(input_.bytes, input_.end, static_cast<char>(modes.c_cc[VEOF]));
  last_ = '\n';
}

void Relay::write_input() {
  const ssize_t put = write(master_, input_.bytes + input_.begin, input_.end - input_.begin);
  if (put > 0)
    input_.begin += static_cast<size_t>(put);
  else if (put < 0 && errno != EAGAIN && errno != EINTR)
    input_ = {};  // EIO: no process has the terminal open
}

void Relay::read_output() {
  const ssize_t got = read(master_, output_.bytes, sizeof output_.bytes);
  // EIO: no process has the terminal open; one may open it again (pty(7)).
  is_idle_ = got < 0 && errno != EAGAIN && errno != EINTR;
  output_.begin = 0;
  output_.end = got > 0 ? static_cast<size_t>(got) : 0;
}

void Relay::write_output() {
  const ssize_t put =
      write(STDOUT_FILENO, output_.bytes + output_.begin, std::min(output_.end - output_.begin, most_at_once));
  if (put >= 0) {
    output_.begin += static_cast<size_t>(put);
  } else if (errno != EAGAIN && errno != EINTR) {
    // Nobody can see the program any more.
    const int number = errno;
    leave_raw_mode();
    errno = number;
    warn_errno("write to stdout");
    hang_up();
  }
}

void Relay::finish(int signals) {
  for (size_t total = 0; has_terminal() && total < most_after_end;) {
    if (output_.empty()) {
      read_output();  // the kernel brings everything forward that was written before (n_tty_read)
      total += output_.end;
      if (output_.empty()) break;
    }
    pollfd fds[2] = {{STDOUT_FILENO, POLLOUT, 0}, {signals, POLLIN, 0}};
    if (poll(fds, 2, 0) == 0) {
      leave_raw_mode();  // ^C must reach us now: we may wait for ever
      if (poll(fds, 2, -1) < 0 && errno != EINTR) break;
    }
    if (fds[1].revents != 0 && is_told_to_end(signals)) break;
    if (fds[0].revents != 0) write_output();
  }
  leave_raw_mode();
  hang_up();
}

}  // namespace reaper::cli
