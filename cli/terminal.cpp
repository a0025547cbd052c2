#include "terminal.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <initializer_list>

namespace reaper::cli {

namespace {

// What ends this process without a return from main. Every other signal is blocked and read from a descriptor
// (run.cpp).
constexpr int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};

termios saved;
volatile sig_atomic_t is_raw = 0;

// Without a controlling terminal there is no job control, and so no background.
bool is_in_background() {
  const pid_t foreground = tcgetpgrp(STDIN_FILENO);
  return foreground >= 0 && foreground != getpgrp();
}

// Of async-signal-safe calls only. The signal is blocked while its handler runs, and comes again right after.
void put_back_and_die(int number) {
  leave_raw_mode();
  raise(number);
}

void watch_for_crashes() {
  static char stack[64 << 10];  // a crash may be the end of the other one
  stack_t alternative = {};
  alternative.ss_sp = stack;
  alternative.ss_size = sizeof stack;
  sigaltstack(&alternative, nullptr);
  struct sigaction action = {};
  action.sa_handler = put_back_and_die;
  action.sa_flags = SA_RESETHAND | SA_ONSTACK;
  sigset_t unblocked;
  sigemptyset(&unblocked);
  for (const int number : crashes) {
    sigaction(number, &action, nullptr);
    sigaddset(&unblocked, number);
  }
  sigprocmask(SIG_UNBLOCK, &unblocked, nullptr);
}

// Stops this process, by the kernel's SIGTTOU, while it is in the background. False: nobody could bring it forward (an
// orphaned process group, setpgid(2)).
bool await_foreground() {
  sigset_t stop, before;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTTOU);
  sigprocmask(SIG_UNBLOCK, &stop, &before);
  // In the foreground this changes nothing. ENOTTY: a terminal, but not our controlling one.
  const bool is_ours = tcsetpgrp(STDIN_FILENO, getpgrp()) == 0 || errno == ENOTTY;
  sigprocmask(SIG_SETMASK, &before, nullptr);
  return is_ours;
}

}  // namespace

bool enter_raw_mode() {
  if (!isatty(STDIN_FILENO) || !await_foreground()) return false;
  // Stopped by SIGSTOP, we could not put anything back: what was saved before is still what is wanted.
  if (is_raw == 0 && tcgetattr(STDIN_FILENO, &saved) != 0) return false;
  termios raw = saved;
  cfmakeraw(&raw);
  watch_for_crashes();
  is_raw = 1;
  return tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void leave_raw_mode() {
  if (is_raw == 0) return;
  is_raw = 0;
  // In the background the terminal is somebody else's by now.
  if (!is_in_background()) tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

bool copy_window_size(int master) {
  winsize size = {};
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (!isatty(fd)) continue;
    // 0 times 0 is a terminal that does not know: consoleSize may.
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && (size.ws_row != 0 || size.ws_col != 0)) ioctl(master, TIOCSWINSZ, &size);
    return true;
  }
  return false;
}

}  // namespace reaper::cli
