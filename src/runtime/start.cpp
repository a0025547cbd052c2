// start: through the gate that init holds open.
#include <signal.h>
#include <unistd.h>

#include "launch/launch.h"
#include "runtime/clock.h"
#include "runtime/container.h"
#include "runtime/process.h"

namespace reaper {

namespace {

constexpr std::chrono::seconds start_limit{30};  // an execve(2) from a slow network file system is within it
constexpr std::chrono::seconds end_limit{5};

}  // namespace

Status start_container(Container& container) {
  const Place place = TRY(find_place(container));
  const DirectoryLock lock = TRY(place.directory.lock(place.root, container.runtime->lock_deadline()));
  const Standing standing = TRY(read_standing(container));
  if (standing.status != REAPER_STATUS_CREATED)
    return fail(status_error("container \"" + container.id + "\" is " + std::string(status_name(standing.status)) +
                             ", not created: it cannot be started"));
  if (!standing.record->has_process)
    return fail({REAPER_ERR_INVALID, 0, "/process: config.json has none, so there is no program to start", "/process",
                 "start"});
  const Status started = start_through_gate(place.directory.fd(), standing.pidfd.get(), start_limit);
  if (!started.has_value()) {
    // init exits by itself after an error; one that did not answer is ended. So the status is `stopped` when we return.
    if (started.error().code == REAPER_ERR_TIMEOUT) (void)signal_process(standing.pidfd, SIGKILL, "reaper-init");
    (void)await_end(standing.pidfd, std::chrono::steady_clock::now() + end_limit);
    return started;
  }
  {
    const std::lock_guard guard(container.mutex);
    container.started_ns = realtime_ns();
  }
  if (unlinkat(place.directory.fd(), "gate", 0) != 0 && errno != ENOENT)
    return fail(system_error("start", "unlinkat gate"));
  return {};
}

}  // namespace reaper
