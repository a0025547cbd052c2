#include "runtime/mount_ids.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace reaper {

namespace {

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

Error with_pointer(Error error, const std::string& pointer) {
  error.pointer = pointer;
  error.stage = "mount_ids";
  error.message = pointer + ": mount_ids: " + error.message;
  return error;
}

// What the errnos of mount_setattr(2) mean here.
std::string reason(int number) {
  if (number == EINVAL) return ": its file system takes no mapping of ids, or has this one already";
  if (number == EPERM) return ": it has a mapping already, or its file system belongs to another user namespace";
  return "";
}

Result<Fd> mapped_copy(const Operation& mount, const Operation& ids, const Fd& user_namespace) {
  const std::string& source = mount.strings[1];
  const uint64_t flags = mount.numbers[0];
  const unsigned below = (flags & wire::mount_recursive) != 0 ? AT_RECURSIVE : 0U;
  Fd copy(
      static_cast<int>(syscall(SYS_open_tree, AT_FDCWD, source.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | below)));
  if (!copy) return fail(system_error("mount_ids", "open_tree \"" + printable(source, 1024) + "\""));
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<uint64_t>(user_namespace.get());
  const unsigned all = (ids.numbers[0] & wire::mount_ids_below) != 0 ? AT_RECURSIVE : 0U;
  if (syscall(SYS_mount_setattr, copy.get(), "", AT_EMPTY_PATH | all, &attributes, sizeof attributes) == 0) return copy;
  const int number = errno;
  return fail(system_error("mount_ids", "mount_setattr \"" + printable(source, 1024) + "\"" + reason(number), number));
}

// A new one: the process is in it from its birth.
Result<Fd> namespace_of(const Launched& launched, const Operation& ids) {
  if ((ids.numbers[0] & wire::mount_ids_container) == 0) return make_user_namespace(ids.strings[0], ids.strings[1]);
  const std::string path = "/proc/" + std::to_string(launched.pid) + "/ns/user";
  Fd opened(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) return fail(system_error("mount_ids", "open " + path));
  return opened;
}

Status send_one(const Launched& launched, const Operation& ids, const Operation& mount, const Fd& joined) {
  const bool is_joined = joined && (ids.numbers[0] & wire::mount_ids_container) != 0;
  const Fd made = is_joined ? Fd() : TRY(namespace_of(launched, ids));
  const Fd& user_namespace = is_joined ? joined : made;
  if ((mount.numbers[0] & wire::mount_bind) == 0)
    return send_descriptor(launched, wire::Frame::mapped_mount, user_namespace);
  const Fd copy = TRY(mapped_copy(mount, ids, user_namespace));
  return send_descriptor(launched, wire::Frame::mapped_mount, copy);
}

}  // namespace

Status send_mapped_mounts(Launched& launched, const Plan& plan, const Fd& joined) {
  for (size_t i = 0; i + 1 < plan.operations.size(); ++i) {
    const Operation& ids = plan.operations[i];
    if (ids.op != wire::Op::mount_ids) continue;
    TRY(send_unsent(launched));
    const Status sent = send_one(launched, ids, plan.operations[i + 1], joined);
    if (!sent.has_value()) return fail(with_pointer(sent.error(), ids.pointer));
  }
  return {};
}

}  // namespace reaper
