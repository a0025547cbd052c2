// start: through the gate that init holds open.
#include <signal.h>
#include <unistd.h>

#include "launch/launch.h"
#include "runtime/clock.h"
#include "runtime/container.h"
#include "runtime/process.h"
#include "runtime/status.h"

namespace reaper {

namespace {

constexpr std::chrono::seconds start_limit{30};  // an execve(2) from a slow network file system is within it
constexpr std::chrono::seconds end_limit{1};

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

}  // namespace

Status start_container(Container& container) {
  if (!TRY(container.directory.exists())) return fail(no_such_container(container.id()));
  if (!container.record) return fail(still_creating(container.id()));
  const ContainerDirectory directory = TRY(container.directory.reopen());
  const auto root = TRY(open_root(*container.runtime, false));
  const DirectoryLock lock = TRY(directory.lock(*root, container.runtime->lock_deadline()));
  TRY(check_startable(container, directory));
  // Taken before, or a short program would have ended before it was started.
  const int64_t now = realtime_ns();
  const Status started = start_through_gate(directory.fd(), container.pidfd.get(), start_limit);
  if (!started.has_value()) {
    if (started.error().code == REAPER_ERR_STATUS) return fail(not_created(container, directory));
    // init exits by itself after an error; what did not answer, or is not init, is ended. So the status is `stopped`
    // when we return.
    const bool answered = started.error().code != REAPER_ERR_TIMEOUT;
    const auto ended = await_end(container.pidfd, deadline_in(answered ? end_limit : std::chrono::seconds(0)));
    if (ended.has_value() && *ended) return started;
    (void)signal_process(container.pidfd, SIGKILL, "the container's process");
    (void)await_end(container.pidfd, deadline_in(kill_limit));
    return started;
  }
  TRY(directory.mark_started(now));
  const std::lock_guard guard(container.mutex);
  container.started_ns = now;
  return {};
}

}  // namespace reaper
