#include "runtime/container.h"

#include <sys/stat.h>

#include "launch/launch.h"
#include "runtime/process.h"
#include "runtime/status.h"
#include "runtime/supervisor.h"

namespace reaper {

Result<std::shared_ptr<const StateRoot>> open_root(const Runtime& runtime, bool make) {
  const std::lock_guard lock(runtime.root_mutex);
  struct stat status = {};
  const bool stands = runtime.open_root && fstat(runtime.open_root->fd(), &status) == 0 && status.st_nlink != 0;
  if (!stands) runtime.open_root = std::make_shared<const StateRoot>(TRY(StateRoot::open(runtime.root, make)));
  return runtime.open_root;
}

Result<ContainerDirectory> find_directory(const Runtime& runtime, std::string_view id) {
  TRY(check_id(id));
  const auto root = open_root(runtime, false);
  if (!root.has_value() && root.error().code == REAPER_ERR_NOT_FOUND) return fail(no_such_container(id));
  if (!root.has_value()) return fail(root.error());
  return ContainerDirectory::open(**root, id);
}

Result<int> init_image(Runtime& runtime) {
  const std::lock_guard lock(runtime.image_mutex);
  if (!runtime.image) runtime.image = TRY(open_init_image());
  return runtime.image.get();
}

Result<ProcessIdentity> own_identity_once(Runtime& runtime) {
  const std::lock_guard lock(runtime.self_mutex);
  if (!runtime.self) runtime.self = TRY(own_identity());
  return *runtime.self;
}

Result<ContainerPtr> look_again(const Container& container) {
  auto now = std::make_unique<Container>(container.runtime, TRY(container.directory.reopen()));
  Snapshot snapshot = TRY(read_snapshot(now->directory));
  now->record = snapshot.record ? std::move(snapshot.record) : std::move(snapshot.staged);
  if (!now->record) return fail(still_creating(container.id()));
  now->pidfd = std::move(snapshot.pidfd);
  now->supervisor = std::move(snapshot.supervisor);
  return now;
}

std::optional<ExitStatus> learn_exit(const Container& container, bool reap) {
  const std::lock_guard lock(container.mutex);
  if (!container.record) return container.exit;
  // Known from a look at the zombie (state does that), it still is to be reaped.
  if (container.exit && (!reap || container.reaped)) return container.exit;
  // A supervisor's record says most, and whoever adopted a lost supervisor's container may still reap it.
  std::optional<ExitStatus> exit;
  if (container.record->supervisor) exit = recorded_exit(container.directory);
  const bool recorded = exit.has_value();
  if (!recorded) exit = read_exit_status(container.pidfd, container.record->init.pid, reap);
  container.reaped = reap;
  if (!exit || (container.exit && exit->user_us < 0)) return container.exit;  // somebody else was faster: less is known
  exit->started_ns = container.started_ns;
  if (exit->started_ns == 0)
    if (const auto started = container.directory.started_at(); started.has_value() && *started)
      exit->started_ns = **started;
  if (container.exit && !recorded) exit->finished_ns = container.exit->finished_ns;
  container.exit = exit;
  return container.exit;
}

// Without a record and without an owner, a directory is about to be claimed or almost removed: no container yet, or
// none any more.
static Status check_owned(const ContainerDirectory& directory) {
  const auto owner = directory.read_owner();
  if (!owner.has_value() && owner.error().code == REAPER_ERR_NOT_FOUND) return fail(no_such_container(directory.id()));
  return {};
}

Result<ContainerPtr> open_container(const std::shared_ptr<Runtime>& runtime, std::string_view id) {
  auto container = std::make_unique<Container>(runtime, TRY(find_directory(*runtime, id)));
  Snapshot snapshot = TRY(read_snapshot(container->directory));
  if (!snapshot.record) TRY(check_owned(container->directory));
  container->record = std::move(snapshot.record);
  container->pidfd = std::move(snapshot.pidfd);
  container->supervisor = std::move(snapshot.supervisor);
  return container;
}

Result<int> container_status(const Container& container) {
  return read_status(container);
}

Result<int> container_pid(const Container& container) {
  if (!TRY(container.directory.exists())) return fail(no_such_container(container.id()));
  if (!container.record) return TRY(look_again(container))->record->init.pid;
  return container.record->init.pid;
}

Result<Fd> container_pidfd(const Container& container) {
  if (!TRY(container.directory.exists())) return fail(no_such_container(container.id()));
  if (!container.record) return container_pidfd(*TRY(look_again(container)));
  // Opened anew and compared, not duplicated: a duplicate of a reaped process' descriptor would be no use to anybody.
  Fd pidfd = TRY(open_process(container.record->init));
  if (!pidfd) return fail(status_error("container not running: its process has ended and was reaped"));
  return pidfd;
}

}  // namespace reaper
