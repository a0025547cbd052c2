#include "runtime/process.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <thread>

#include "host/facts.h"

// Linux 6.15, linux/pidfd.h: newer than Debian 12's headers.
struct reaper_pidfd_info {
  uint64_t mask;
  uint64_t cgroup_id;
  uint32_t ids[11];
  int32_t exit_code;  // a wait status
};
#define REAPER_PIDFD_GET_INFO _IOWR(0xFF, 11, reaper_pidfd_info)
static constexpr uint64_t pidfd_info_exit = 1U << 3;

namespace reaper {

namespace {

constexpr std::chrono::microseconds reaping_pace{50};
constexpr std::chrono::seconds reaping_limit{2};  // for one who reaps and does not get the processor

ExitStatus from_wait_status(int status) {
  ExitStatus exit;
  if (WIFEXITED(status)) {
    exit.exit_code = WEXITSTATUS(status);
  } else {
    exit.signal = WTERMSIG(status);
    exit.core_dumped = WCOREDUMP(status);
  }
  return exit;
}

std::optional<ExitStatus> from_waitid(const Fd& pidfd, bool reap) {
  siginfo_t info = {};
  rusage usage = {};
  // The system call itself, since glibc's wrapper has no rusage. WNOHANG: the pidfd said that it has ended.
  const int options = WEXITED | WNOHANG | (reap ? 0 : WNOWAIT);
  while (syscall(SYS_waitid, P_PIDFD, pidfd.get(), &info, options, &usage) != 0)
    if (errno != EINTR) return std::nullopt;
  if (info.si_pid == 0) return std::nullopt;
  ExitStatus exit;
  if (info.si_code == CLD_EXITED) {
    exit.exit_code = info.si_status;
  } else {
    exit.signal = info.si_status;
    exit.core_dumped = info.si_code == CLD_DUMPED;
  }
  exit.user_us = usage.ru_utime.tv_sec * 1000000LL + usage.ru_utime.tv_usec;
  exit.system_us = usage.ru_stime.tv_sec * 1000000LL + usage.ru_stime.tv_usec;
  exit.max_rss_kib = usage.ru_maxrss;
  return exit;
}

std::optional<ExitStatus> from_pidfd_info(const Fd& pidfd) {
  reaper_pidfd_info info = {};
  info.mask = pidfd_info_exit;
  if (ioctl(pidfd.get(), REAPER_PIDFD_GET_INFO, &info) != 0 || (info.mask & pidfd_info_exit) == 0) return std::nullopt;
  return from_wait_status(info.exit_code);
}

// Whether somebody has reaped it: until then its pid is nobody else's.
bool was_reaped(const Fd& pidfd) {
  return syscall(SYS_pidfd_send_signal, pidfd.get(), 0, nullptr, 0) != 0 && errno == ESRCH;
}

// Of a process that somebody else reaps. The kernel gives a status to one who waits first, and to everybody who asks by
// PIDFD_GET_INFO only when the process is gone: between the two /proc shows it as dead.
std::optional<ExitStatus> from_others(const Fd& pidfd, int32_t pid) {
  const Deadline deadline = std::chrono::steady_clock::now() + reaping_limit;
  for (;;) {
    if (auto exit = from_pidfd_info(pidfd)) return exit;
    const auto stat = read_process_stat(pid);
    // Read first, asked second: when it is there still, what was read is of the process that we mean.
    if (was_reaped(pidfd)) return from_pidfd_info(pidfd);
    if (!stat.has_value()) return std::nullopt;
    if (stat->exit_code_visible) return from_wait_status(stat->exit_code);
    if (stat->state != 'X' || std::chrono::steady_clock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(reaping_pace);
  }
}

}  // namespace

Result<ProcessIdentity> own_identity() {
  ProcessIdentity identity;
  identity.pid = getpid();
  identity.start_time = TRY(read_process_stat(identity.pid)).start_time;
  identity.boot_id = TRY(read_boot_id());
  identity.pid_namespace = TRY(namespace_inode("pid"));
  identity.time_namespace = TRY(namespace_inode("time"));
  return identity;
}

Result<Fd> open_process(const ProcessIdentity& identity) {
  if (identity.boot_id != TRY(read_boot_id())) return Fd();
  if (identity.pid_namespace != TRY(namespace_inode("pid")))
    return fail({REAPER_ERR_UNSUPPORTED, 0,
                 "the container was created in another pid namespace: use Reaper there, its pid " +
                     std::to_string(identity.pid) + " means another process here",
                 "", "identity"});
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, identity.pid, 0)));
  if (!pidfd && is_nobodys_pid(errno)) return Fd();
  if (!pidfd) return fail(system_error("pidfd_open", "pidfd_open"));
  // Opened first, read second: when the start time fits, the descriptor is of the process that we mean.
  const auto stat = read_process_stat(identity.pid);
  if (!stat.has_value()) {
    // A living process that /proc does not show (hidepid, proc(5)) is not gone: better an error than a wrong `stopped`.
    if (TRY(has_ended(pidfd))) return Fd();
    return fail(stat.error());
  }
  // A time namespace shifts start times: between two of them only the pid and the boot can be compared.
  if (stat->start_time != identity.start_time && identity.time_namespace == TRY(namespace_inode("time"))) return Fd();
  return pidfd;
}

Result<bool> has_ended(const Fd& pidfd) {
  return await_end(pidfd, Deadline::min());
}

Result<bool> await_end(const Fd& pidfd, Deadline deadline) {
  if (!pidfd) return true;
  for (;;) {
    int limit = -1;
    if (deadline == Deadline::min()) {
      limit = 0;
    } else if (deadline != Deadline::max()) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
      limit = static_cast<int>(std::clamp<int64_t>(left, 0, INT_MAX));
    }
    pollfd fd = {pidfd.get(), POLLIN, 0};
    const int ready = poll(&fd, 1, limit);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return fail(system_error("poll", "poll on a pidfd"));
    if (ready == 0 && limit != INT_MAX) return false;
  }
}

Deadline deadline_after(int64_t limit_ms) {
  using namespace std::chrono;
  if (limit_ms < 0) return Deadline::max();
  const auto now = steady_clock::now();
  const auto most = duration_cast<milliseconds>(Deadline::max() - now).count();
  return limit_ms >= most ? Deadline::max() : now + milliseconds(limit_ms);
}

Status check_signal(int signal) {
  if (signal >= 0 && signal <= SIGRTMAX) return {};
  return fail({REAPER_ERR_INVALID, EINVAL,
               "signal " + std::to_string(signal) + " is not one of 0..." + std::to_string(SIGRTMAX), "", "arguments"});
}

Status signal_process(const Fd& pidfd, int signal, std::string_view what) {
  if (syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0) return {};
  return fail(system_error("kill", "pidfd_send_signal " + signal_name(signal) + " to " + std::string(what)));
}

std::optional<ExitStatus> read_exit_status(const Fd& pidfd, int32_t pid, bool reap) {
  if (!pidfd) return std::nullopt;
  if (auto exit = from_waitid(pidfd, reap)) return exit;
  return from_others(pidfd, pid);
}

}  // namespace reaper
