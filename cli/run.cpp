// run: create, start, pass signals and a terminal's bytes on until the program ends, delete, and end as it did.
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <span>
#include <string>

#include "commands.h"
#include "creation.h"
#include "relay.h"
#include "report.h"
#include "terminal.h"

namespace reaper::cli {

namespace {

// Every signal waits in a descriptor from before create on, so that none is lost and none ends this process while
// the container lives. The container's own mask is empty: the library sees to that.
int block_signals() {
  // Inherited as ignored, SIGCHLD would take the exit status away.
  signal(SIGCHLD, SIG_DFL);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  return signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
}

void send(const reaper_container* container, int number) {
  reaper_error* error = nullptr;
  int code = reaper_kill(container, number, 0, &error);
  // It may have ended meanwhile; the poll is about to tell.
  if (code != REAPER_OK && code != REAPER_ERR_STATUS) warn(reaper_error_message(error));
  reaper_error_free(error);
}

void forward(const reaper_container* container, const signalfd_siginfo& info, Relay& relay) {
  int number = static_cast<int>(info.ssi_signo);
  if (number == SIGCHLD) return;
  // Raised by our own write to a closed pipe, it is nobody's message to the container.
  if (number == SIGPIPE && info.ssi_pid == static_cast<uint32_t>(getpid())) return;
  if (number == SIGTSTP || number == SIGTTIN || number == SIGTTOU) {
    // The program leads a session of its own, and there the kernel discards the stop signals of a terminal (setpgid(2),
    // orphaned process groups). A person who types ^Z means both of us; SIGCONT is passed on when it comes.
    send(container, SIGSTOP);
    leave_raw_mode();
    raise(SIGSTOP);
    return;
  }
  if (relay.has_terminal()) {
    // The kernel tells the program of a new size.
    if (number == SIGWINCH && copy_window_size(relay.master())) return;
    if (number == SIGCONT) relay.resume();
  }
  send(container, number);
}

// Returns when the process of `pidfd` has ended.
int pass_on(const reaper_container* container, int pidfd, int signals, Relay& relay) {
  for (;;) {
    pollfd wanted[2 + Relay::descriptors] = {{pidfd, POLLIN, 0}, {signals, POLLIN, 0}};
    const std::span<pollfd, Relay::descriptors> relayed(wanted + 2, Relay::descriptors);
    relay.want(relayed);
    if (poll(wanted, 2 + Relay::descriptors, relay.limit_ms()) < 0 && errno != EINTR) {
      leave_raw_mode();
      return fail_errno("poll");
    }
    signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) forward(container, info, relay);
    if (wanted[0].revents != 0) return 0;
    relay.serve(relayed);
  }
}

int attend(const reaper_container* container, int signals, Relay& relay) {
  reaper_error* error = nullptr;
  int32_t pidfd = -1;
  int code = reaper_pidfd(container, &pidfd, &error);
  if (code == REAPER_OK) {
    int failed = pass_on(container, pidfd, signals, relay);
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
  if (reaper_wait(container, -1, &status, &error) != REAPER_OK) return fail(error);
  return status.signal != 0 ? 128 + status.signal : status.exit_code;
}

// What a failed start leaves, and says why it failed.
int give_up(reaper_container* container, reaper_error* error) {
  int code = fail(error);
  reaper_error* leftover = nullptr;
  int deleted = reaper_delete(container, REAPER_DELETE_FORCE, &leftover);
  // A start that failed by a hook has destroyed the container.
  if (deleted != REAPER_OK && deleted != REAPER_ERR_NOT_FOUND) warn(reaper_error_message(leftover));
  reaper_error_free(leftover);
  return code;
}

int run_detached(const Arguments& arguments) {
  const int32_t stdio[3] = {isatty(STDIN_FILENO) ? -1 : STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  Runtime runtime;
  Container container;
  if (int code = create_container(arguments, stdio, runtime, container)) return code;
  reaper_error* error = nullptr;
  return reaper_start(container.get(), &error) == REAPER_OK ? 0 : give_up(container.get(), error);
}

}  // namespace

int command_run(const Arguments& arguments) {
  if (arguments.has(Opt::detach)) return run_detached(arguments);
  int signals = block_signals();
  if (signals < 0) return fail_errno("signalfd");
  const int32_t stdio[3] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  Runtime runtime;
  Container container;
  int32_t console = -1;
  if (int code = create_container(arguments, stdio, runtime, container, &console)) return code;
  Relay relay(console);
  relay.begin();
  reaper_error* error = nullptr;
  if (reaper_start(container.get(), &error) != REAPER_OK) {
    leave_raw_mode();
    return give_up(container.get(), error);
  }
  int code = attend(container.get(), signals, relay);
  if (arguments.has(Opt::keep)) return code;
  // The program has had its say: what is left behind is told, and its exit code stays what it is.
  if (reaper_delete(container.get(), 0, &error) != REAPER_OK) warn(reaper_error_message(error));
  reaper_error_free(error);
  return code;
}

}  // namespace reaper::cli
