#include "runtime/container.h"

#include "runtime/process.h"

namespace reaper {

namespace {

bool is_deleted(const Container& container) {
  const std::lock_guard lock(container.mutex);
  return container.deleted;
}

// A root that does not exist holds no container; that is no other error than an id that is not in it.
Result<StateRoot> open_root(const Runtime& runtime, std::string_view id) {
  auto root = StateRoot::open(runtime.root, false);
  if (!root.has_value() && root.error().code == REAPER_ERR_NOT_FOUND) return fail(no_such_container(id));
  return root;
}

}  // namespace

Error status_error(std::string message) {
  return {REAPER_ERR_STATUS, 0, std::move(message), "", "status"};
}

Result<Place> find_place(const Runtime& runtime, std::string_view id) {
  TRY(check_id(id));
  StateRoot root = TRY(open_root(runtime, id));
  ContainerDirectory directory = TRY(ContainerDirectory::open(root, id));
  return Place{std::move(root), std::move(directory)};
}

Result<Place> find_place(const Container& container) {
  if (is_deleted(container)) return fail(no_such_container(container.id));
  return find_place(*container.runtime, container.id);
}

Result<Standing> read_standing(const Container& container) {
  const Place place = TRY(find_place(container));
  Standing standing = TRY(read_standing(place.root, place.directory));
  if (container.record && standing.record && !(container.record->init == standing.record->init))
    return fail(no_such_container(container.id));
  return standing;
}

std::optional<ExitStatus> learn_exit(const Container& container, const Fd& pidfd, int32_t pid, bool reap) {
  const std::lock_guard lock(container.mutex);
  if (!container.exit) {
    // The handle's own pidfd first: it may be older than the reaping, and then it can tell (PIDFD_GET_INFO).
    container.exit = read_exit_status(container.pidfd, pid, reap);
    if (!container.exit) container.exit = read_exit_status(pidfd, pid, false);
    if (container.exit) container.exit->started_ns = container.started_ns;
  }
  return container.exit;
}

Result<ContainerPtr> open_container(const std::shared_ptr<Runtime>& runtime, std::string_view id) {
  const Place place = TRY(find_place(*runtime, id));
  Standing standing = TRY(read_standing(place.root, place.directory));
  auto container = std::make_unique<Container>();
  container->runtime = runtime;
  container->id = id;
  container->record = std::move(standing.record);
  container->pidfd = std::move(standing.pidfd);
  container->started_ns = standing.started_ns;
  return container;
}

Result<int> container_status(const Container& container) {
  return TRY(read_standing(container)).status;
}

Result<int> container_pid(const Container& container) {
  const Standing standing = TRY(read_standing(container));
  if (!standing.record)
    return fail(status_error("container \"" + container.id + "\" is being created: it has no process yet"));
  return standing.record->init.pid;
}

Result<Fd> container_pidfd(const Container& container) {
  Standing standing = TRY(read_standing(container));
  if (!standing.pidfd) return fail(status_error("container not running: its process has ended and was reaped"));
  return std::move(standing.pidfd);
}

}  // namespace reaper
