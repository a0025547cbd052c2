#include "runtime/supervisor.h"

#include <signal.h>
#include <sys/wait.h>

#include <thread>

#include "runtime/process.h"
#include "runtime/tree.h"

namespace reaper {

namespace {

constexpr std::chrono::milliseconds pace{1};
constexpr std::chrono::seconds record_limit{2};    // for a supervisor that somebody has stopped
constexpr std::chrono::seconds farewell_limit{2};  // for one with nothing left to watch

Error did_not_end(int32_t pid) {
  return {REAPER_ERR_TIMEOUT, ETIMEDOUT,
          "process " + std::to_string(pid) + " did not end in time after SIGKILL: nothing was removed", "", "delete"};
}

// With nothing left to watch it ends by itself, unless it is stopped.
Status end_supervisor(const Processes& processes, Deadline deadline) {
  const auto patience = std::min(deadline, std::chrono::steady_clock::now() + farewell_limit);
  (void)signal_process(processes.supervisor, SIGCONT, "the supervisor");
  if (TRY(await_end(processes.supervisor, patience))) return {};
  const Status killed = signal_process(processes.supervisor, SIGKILL, "the supervisor");
  if (!killed.has_value() && killed.error().sys_errno != ESRCH) return killed;
  if (TRY(await_end(processes.supervisor, deadline))) return {};
  return fail(did_not_end(processes.supervisor_pid));
}

}  // namespace

Result<Fd> open_supervisor(const Record& record) {
  return record.supervisor ? open_process(*record.supervisor) : Fd();
}

std::optional<ExitStatus> recorded_exit(const ContainerDirectory& directory) {
  const auto found = directory.read_exit();
  if (!found.has_value() || !*found) return std::nullopt;
  return ExitStatus{**found};
}

std::optional<ExitStatus> await_recorded_exit(const Container& container) {
  const Deadline deadline = std::chrono::steady_clock::now() + record_limit;
  for (;;) {
    const auto ended = has_ended(container.supervisor);
    if (const auto exit = recorded_exit(container.directory)) return exit;
    if (!ended.has_value() || *ended || std::chrono::steady_clock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(pace);
  }
}

Result<Supervision> supervision_of(const Container& container) {
  if (!container.record->supervisor) return Supervision::none;
  const bool gone = TRY(has_ended(container.supervisor));
  if (!gone || recorded_exit(container.directory)) return Supervision::active;
  return Supervision::lost;
}

Processes processes_of(const Record& record, const Fd& pidfd, const Fd& supervisor) {
  return {record.init.pid, pidfd, record.supervisor ? record.supervisor->pid : 0, supervisor};
}

Status end_processes(const Processes& processes, Deadline deadline) {
  if (!TRY(has_ended(processes.supervisor))) {
    const Status ended = signal_below(processes.supervisor_pid, processes.supervisor, SIGKILL, deadline);
    if (!ended.has_value()) return ended;
    TRY(end_supervisor(processes, deadline));
  }
  if (TRY(has_ended(processes.pidfd))) return {};
  const Status killed = signal_tree(processes.pid, processes.pidfd, SIGKILL);
  if (!killed.has_value()) return killed;
  if (TRY(await_end(processes.pidfd, deadline))) return {};
  return fail(did_not_end(processes.pid));
}

Status end_uncommitted(const ContainerDirectory& directory, Deadline deadline) {
  const auto init = directory.read_identity();
  const auto keeper = directory.read_supervisor();
  for (const auto* found : {&init, &keeper})
    if (!found->has_value() && found->error().code != REAPER_ERR_NOT_FOUND) return fail(found->error());
  const Fd pidfd = init.has_value() ? TRY(open_process(*init)) : Fd();
  const Fd supervisor = keeper.has_value() ? TRY(open_process(*keeper)) : Fd();
  const Processes processes = {init.has_value() ? init->pid : 0, pidfd, keeper.has_value() ? keeper->pid : 0,
                               supervisor};
  TRY(end_processes(processes, deadline));
  (void)read_exit_status(pidfd, processes.pid, true);  // children of ours must not stay zombies
  reap_supervisor(supervisor);
  return {};
}

void reap_supervisor(const Fd& supervisor) {
  siginfo_t info = {};
  if (supervisor) (void)waitid(P_PIDFD, static_cast<id_t>(supervisor.get()), &info, WEXITED | WNOHANG);
}

}  // namespace reaper
