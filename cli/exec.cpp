// exec: a further process in a running container, in the foreground or left to itself.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string>

#include "attendance.h"
#include "commands.h"
#include "creation.h"
#include "exec_document.h"
#include "pidfd_socket.h"
#include "report.h"
#include "terminal.h"

namespace reaper::cli {

namespace {

constexpr Opt of_the_document[] = {Opt::cwd, Opt::env,      Opt::user,         Opt::additional_gids,
                                   Opt::cap, Opt::apparmor, Opt::process_label};

// As config.json is read: what is no regular file must not hang us.
int read_file(const char* path, std::string& out) {
  constexpr size_t most = 16U << 20;
  const int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return fail_errno(std::string("open ") + path);
  struct stat status = {};
  std::string problem;
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) problem = " is not a regular file";
  char buffer[65536];
  while (problem.empty()) {
    const ssize_t got = read(file, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) break;
    if (got < 0) problem = " cannot be read";
    out.append(buffer, static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (out.size() > most) problem = " is larger than 16 MiB";
  }
  close(file);
  return problem.empty() ? 0 : fail(path + problem);
}

// What the option struct points at.
struct Execution {
  std::string document;
  std::vector<int32_t> extra_fds;
  reaper_exec_options options = {};
};

int read_execution(const Arguments& arguments, Execution& out) {
  if (arguments.has(Opt::process)) {
    for (const Opt opt : of_the_document)
      if (arguments.has(opt) || arguments.word_count != 0)
        return fail("with --process, its FILE says what is executed: no COMMAND and no option that describes it");
    if (int code = read_file(arguments.text(Opt::process), out.document)) return code;
  } else {
    if (!write_document(arguments, out.document)) return fail(out.document);
    out.options.flags |= REAPER_EXEC_LAY_OVER;
  }
  for (int64_t i = 0; i < preserved(arguments); i++) out.extra_fds.push_back(static_cast<int32_t>(3 + i));
  reaper_exec_options& options = out.options;
  options.size = sizeof options;
  options.flags |= REAPER_EXEC_STDIO;
  if (arguments.has(Opt::ignore_paused)) options.flags |= REAPER_EXEC_IGNORE_PAUSED;
  if (arguments.has(Opt::no_new_privs)) options.flags |= REAPER_EXEC_NO_NEW_PRIVS;
  options.process = out.document.c_str();
  options.process_length = out.document.size();
  options.pid_file = arguments.text(Opt::pid_file);
  options.console_socket = arguments.text(Opt::console_socket);
  options.extra_fds = out.extra_fds.empty() ? nullptr : out.extra_fds.data();
  options.extra_fd_count = static_cast<uint32_t>(out.extra_fds.size());
  for (int fd = 0; fd < 3; fd++) options.stdio[fd] = fd;
  return 0;
}

// Nobody watches over a process whose monitor has not got its pidfd: it is ended.
int give_up(reaper_process* process, int code) {
  reaper_exit_status status = {};
  status.size = sizeof status;
  (void)reaper_process_kill(process, SIGKILL, nullptr);
  (void)reaper_process_wait(process, -1, &status, nullptr);
  reaper_process_free(process);
  return code;
}

}  // namespace

int command_exec(const Arguments& arguments) {
  Execution execution;
  if (int code = read_execution(arguments, execution)) return code;
  const bool detached = arguments.has(Opt::detach);
  if (detached && isatty(STDIN_FILENO)) execution.options.stdio[0] = -1;
  const int signals = detached ? -1 : block_signals();
  if (!detached && signals < 0) return fail_errno("signalfd");
  Runtime runtime;
  Container container;
  if (int code = open_container(arguments, runtime, container)) return code;
  PidfdSocket monitor;
  if (int code = monitor.connect(arguments)) return code;
  int32_t console = -1;
  reaper_process* made = nullptr;
  reaper_error* error = nullptr;
  int code = reaper_exec(container.get(), &execution.options, &made, &error);
  if (!detached && wants_console(code, error, execution.options.console_socket)) {
    reaper_error_free(error);
    error = nullptr;
    execution.options.console = &console;
    code = reaper_exec(container.get(), &execution.options, &made, &error);
  }
  if (code != REAPER_OK) return fail(error);
  code = monitor.send(made);
  if (code != 0) return give_up(made, code);
  if (detached) {
    // Not freed: that would take the zombie of a program that has ended already from whoever is going to adopt it. In a
    // place that the compiler does not leave out, so that LeakSanitizer sees it.
    [[maybe_unused]] static reaper_process* volatile left_behind;
    left_behind = made;
    return 0;
  }
  const Process process(made);
  Relay relay(console);
  relay.begin();
  return attend({container.get(), process.get()}, signals, relay);
}

}  // namespace reaper::cli
