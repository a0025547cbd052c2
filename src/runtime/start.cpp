// start: through the gate that init holds open.
#include <signal.h>
#include <unistd.h>

#include <exception>

#include "core/memory.h"
#include "launch/launch.h"
#include "runtime/clock.h"
#include "runtime/container.h"
#include "runtime/hooks.h"
#include "runtime/listener.h"
#include "runtime/process.h"
#include "runtime/status.h"
#include "store/files.h"

namespace reaper {

namespace {

constexpr std::chrono::seconds start_limit{30};  // an execve(2) from a slow network file system is within it
constexpr std::chrono::seconds failed_start_limit{1};

constexpr std::chrono::seconds kill_limit{5};

Deadline deadline_in(std::chrono::seconds time) {
  return std::chrono::steady_clock::now() + time;
}

Error not_created(const Container& container, const ContainerDirectory& directory) {
  const auto found = read_status(directory, container.record->init.pid, container.pidfd);
  const std::string status(found.has_value() ? status_name(*found) : "in an unknown status");
  return status_error("container \"" + container.id() + "\" is " + status + ", not created: it cannot be started");
}

// Whether somebody waits behind the gate is asked by going there: only what cannot be started is looked at before.
Status check_startable(const Container& container, const ContainerDirectory& directory) {
  if (TRY(has_ended(container.pidfd))) return fail(not_created(container, directory));
  if (container.record->has_process) return {};
  return fail(
      {REAPER_ERR_INVALID, 0, "/process: config.json has none, so there is no program to start", "/process", "start"});
}

// Under the lock: who is told of success here is the one to start the container, and runs hooks without the lock first.
Status claim_start(const Container& container, const ContainerDirectory& directory) {
  if (TRY(read_status(directory, container.record->init.pid, container.pidfd)) != REAPER_STATUS_CREATED)
    return fail(not_created(container, directory));
  const auto starter = TRY(directory.read_starter());
  if (starter) {
    const Fd other = TRY(open_process(*starter));
    if (!TRY(has_ended(other)))
      return fail(status_error("container \"" + container.id() + "\" is being started by process " +
                               std::to_string(starter->pid)));
  }
  return directory.write_starter(TRY(own_identity_once(*container.runtime)));
}

// Takes `starting` back.
class Starter {
 public:
  explicit Starter(const ContainerDirectory& directory) : directory_(directory) {}
  Starter(const Starter&) = delete;
  Starter& operator=(const Starter&) = delete;
  ~Starter() {
    // Left behind, it keeps others from starting while we live.
    (void)as_memory_allows([&] { (void)directory_.remove_starter(); });
  }

 private:
  const ContainerDirectory& directory_;
};

// A hook that fails takes the container with it (runtime.md, Lifecycle, steps 8 and 10).
Status run_hooks_or_destroy(Container& container, const ContainerDirectory& directory, HookKind kind) {
  const Moment moment = [&]() -> Result<int> {
    if (!TRY(directory.exists())) return fail(no_such_container(container.id()));
    const int status = TRY(read_status(directory, container.record->init.pid, container.pidfd));
    if (kind == HookKind::start_container && status != REAPER_STATUS_CREATED)
      return fail(not_created(container, directory));
    return status;
  };
  Status ran = run_hooks(*container.runtime, *container.record, container.pidfd, kind, moment);
  if (ran.has_value() || ran.error().code != REAPER_ERR_HOOK) return ran;
  const Status destroyed = delete_container(container.runtime, container.id(), true, &container);
  if (!destroyed.has_value() && destroyed.error().code != REAPER_ERR_NOT_FOUND)
    ran.error().message += "; and the container could not be destroyed: " + destroyed.error().message;
  return ran;
}

void kill_and_wait(const Fd& pidfd) {
  (void)signal_process(pidfd, SIGKILL, "the container's process");
  (void)await_end(pidfd, deadline_in(kill_limit));
}

// Lack of memory may end a start anywhere. Who is told of a failure must not find the program running.
class EndedWithoutMemory {
 public:
  explicit EndedWithoutMemory(const Fd& pidfd) : pidfd_(pidfd) {}
  EndedWithoutMemory(const EndedWithoutMemory&) = delete;
  EndedWithoutMemory& operator=(const EndedWithoutMemory&) = delete;
  ~EndedWithoutMemory() {
    if (std::uncaught_exceptions() != before_) (void)as_memory_allows([&] { kill_and_wait(pidfd_); });
  }

 private:
  const Fd& pidfd_;
  int before_ = std::uncaught_exceptions();
};

// init exits by itself after it has told an error, and its end of the gate is closed (which is no error of a call) by
// its exit; what did not answer, is not init or waits on for what this process could not say, is ended. So the status
// is `stopped` afterwards.
void await_stopped(const Fd& pidfd, const Error& error) {
  const bool ends = error.by_init || error.sys_errno == 0;
  const auto ended = await_end(pidfd, deadline_in(ends ? failed_start_limit : std::chrono::seconds(0)));
  if (!ended.has_value() || !*ended) kill_and_wait(pidfd);
}

Status start_program(Container& container, const ContainerDirectory& directory) {
  // Asked before: once the program runs, it is too late to fail for want of a note that it does.
  if (!may_write(directory.fd()))
    return fail(system_error("start", "container \"" + container.id() + "\": write to its directory"));
  // Taken before, or a short program would have ended before it was started.
  const int64_t now = realtime_ns();
  const Deadline deadline = deadline_in(start_limit);
  const auto gate = connect_gate(directory.fd(), deadline);
  if (!gate.has_value() && gate.error().code == REAPER_ERR_STATUS) return fail(not_created(container, directory));
  // Before anything is said: without an agent the container stays as it is.
  const Record& record = *container.record;
  Fd agent = gate.has_value() ? TRY(connect_listener(record, deadline)) : Fd();
  const auto taker = [&](const Fd& listener) {
    return send_listener(record, {record.init.pid, REAPER_STATUS_CREATED}, std::move(agent), listener, deadline);
  };
  const EndedWithoutMemory guard(container.pidfd);
  const Status started = gate.has_value()
                             ? start_through_gate(*gate, container.pidfd.get(), record.init.pid, deadline, taker)
                             : Status(fail(gate.error()));
  if (!started.has_value()) {
    if (started.error().code == REAPER_ERR_STATUS) return fail(not_created(container, directory));
    await_stopped(container.pidfd, started.error());
    return started;
  }
  TRY(directory.mark_started(now));
  const std::lock_guard lock(container.mutex);
  container.started_ns = now;
  return {};
}

}  // namespace

Status start_container(Container& container) {
  if (!TRY(container.directory.exists())) return fail(no_such_container(container.id()));
  if (!container.record) return fail(still_creating(container.id()));
  const ContainerDirectory directory = TRY(container.directory.reopen());
  const auto root = TRY(open_root(*container.runtime, false));
  std::optional<DirectoryLock> lock = TRY(directory.lock(*root, container.runtime->lock_deadline()));
  TRY(check_startable(container, directory));
  if (has_hooks(*container.record, HookKind::start_container)) {
    TRY(claim_start(container, directory));
    const Starter starter(directory);
    lock.reset();
    TRY(run_hooks_or_destroy(container, directory, HookKind::start_container));
    lock.emplace(TRY(directory.lock(*root, container.runtime->lock_deadline())));
  }
  TRY(start_program(container, directory));
  lock.reset();
  const EndedWithoutMemory guard(container.pidfd);
  const Status ran = run_hooks_or_destroy(container, directory, HookKind::poststart);
  // Nor may it run when its hooks could not be: HOOK and NOT_FOUND mean that there is no container any more.
  if (!ran.has_value() && ran.error().code != REAPER_ERR_HOOK && ran.error().code != REAPER_ERR_NOT_FOUND)
    kill_and_wait(container.pidfd);
  return ran;
}

}  // namespace reaper
