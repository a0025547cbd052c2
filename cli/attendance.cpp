#include "attendance.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <span>

#include "report.h"
#include "terminal.h"

namespace reaper::cli {

namespace {

int signal_program(const Attended& program, int number, reaper_error** error) {
  return program.process != nullptr ? reaper_process_kill(program.process, number, error)
                                    : reaper_kill(program.container, number, 0, error);
}

int pidfd_of(const Attended& program, int32_t* pidfd, reaper_error** error) {
  return program.process != nullptr ? reaper_process_pidfd(program.process, pidfd, error)
                                    : reaper_pidfd(program.container, pidfd, error);
}

int await_end(const Attended& program, reaper_exit_status* status, reaper_error** error) {
  return program.process != nullptr ? reaper_process_wait(program.process, -1, status, error)
                                    : reaper_wait(program.container, -1, status, error);
}

void send(const Attended& program, int number) {
  reaper_error* error = nullptr;
  int code = signal_program(program, number, &error);
  // It may have ended meanwhile; the poll is about to tell.
  if (code != REAPER_OK && code != REAPER_ERR_STATUS) warn(reaper_error_message(error));
  reaper_error_free(error);
}

void forward(const Attended& program, const signalfd_siginfo& info, Relay& relay) {
  int number = static_cast<int>(info.ssi_signo);
  if (number == SIGCHLD) return;
  // Raised by our own write to a closed pipe, it is nobody's message to the container.
  if (number == SIGPIPE && info.ssi_pid == static_cast<uint32_t>(getpid())) return;
  if (number == SIGTSTP || number == SIGTTIN || number == SIGTTOU) {
    // The program leads a session of its own, and there the kernel discards the stop signals of a terminal (setpgid(2),
    // orphaned process groups). A person who types ^Z means both of us; SIGCONT is passed on when it comes.
    send(program, SIGSTOP);
    leave_raw_mode();
    raise(SIGSTOP);
    return;
  }
  if (relay.has_terminal()) {
    // The kernel tells the program of a new size.
    if (number == SIGWINCH && copy_window_size(relay.master())) return;
    if (number == SIGCONT) relay.resume();
  }
  send(program, number);
}

// Returns when the process of `pidfd` has ended.
int pass_on(const Attended& program, int pidfd, int signals, Relay& relay) {
  for (;;) {
    pollfd wanted[2 + Relay::descriptors] = {{pidfd, POLLIN, 0}, {signals, POLLIN, 0}};
    const std::span<pollfd, Relay::descriptors> relayed(wanted + 2, Relay::descriptors);
    relay.want(relayed);
    if (poll(wanted, 2 + Relay::descriptors, relay.limit_ms()) < 0 && errno != EINTR) {
      leave_raw_mode();
      return fail_errno("poll");
    }
    signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) forward(program, info, relay);
    if (wanted[0].revents != 0) return 0;
    relay.serve(relayed);
  }
}

}  // namespace

int block_signals() {
  // Inherited as ignored, SIGCHLD would take the exit status away.
  signal(SIGCHLD, SIG_DFL);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  return signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
}

int attend(const Attended& program, int signals, Relay& relay) {
  reaper_error* error = nullptr;
  int32_t pidfd = -1;
  int code = pidfd_of(program, &pidfd, &error);
  if (code == REAPER_OK) {
    int failed = pass_on(program, pidfd, signals, relay);
    close(pidfd);
    if (failed != 0) return failed;
  } else if (code != REAPER_ERR_STATUS) {  // STATUS: it has ended already
    leave_raw_mode();
    return fail(error);
  }
  reaper_error_free(error);
  error = nullptr;
  relay.finish(signals);
  reaper_exit_status status = {};
  status.size = sizeof status;
  if (await_end(program, &status, &error) != REAPER_OK) return fail(error);
  return status.signal != 0 ? 128 + status.signal : status.exit_code;
}

}  // namespace reaper::cli
