// wait: on the pidfd, then by whatever way the exit status can still be had.
#include "runtime/clock.h"
#include "runtime/container.h"
#include "runtime/process.h"
#include "runtime/status.h"
#include "runtime/supervisor.h"

namespace reaper {

namespace {

std::optional<ExitStatus> known_exit(const Container& container) {
  const std::lock_guard lock(container.mutex);
  return container.reaped ? container.exit : std::nullopt;
}

}  // namespace

Result<ExitStatus> wait_container(const Container& container, int64_t limit_ms) {
  if (auto exit = known_exit(container)) return *exit;
  if (!container.record) return fail(still_creating(container.id()));
  const bool was_alive = !TRY(has_ended(container.pidfd));
  if (was_alive && !TRY(await_end(container.pidfd, deadline_after(limit_ms))))
    return fail({REAPER_ERR_TIMEOUT, ETIMEDOUT, "container \"" + container.id() + "\" still runs", "", "wait"});
  const int64_t now = realtime_ns();
  if (container.record->supervisor) (void)await_recorded_exit(container);
  auto exit = learn_exit(container, true);
  if (!exit)
    return fail({REAPER_ERR_UNKNOWN, 0,
                 "container \"" + container.id() + "\" has ended, but its exit status can no longer be known", "",
                 "wait"});
  if (was_alive) {
    // Only who saw it end knows when.
    const std::lock_guard lock(container.mutex);
    if (container.exit->finished_ns == 0) container.exit->finished_ns = now;
    exit = container.exit;
  }
  return *exit;
}

}  // namespace reaper
