// reaper-init against a model kernel: what the library makes for it. Mounts with other ids, network devices; and
// labels.
#include <asm/unistd.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "init/kernel.h"
#include "unit/cmocka_cpp.h"

using namespace reaper;
using namespace reaper::test;

namespace {

using wire::Frame;
using wire::Op;

const Operation root = {Op::root, "/root/path", {}, {"/srv/root"}};
const Operation ids = {Op::mount_ids, "/mounts/0", {0}, {"0 1000 1", "0 1000 1"}};
const Operation net_devices = {Op::net_devices, "/linux/netDevices", {}, {"eth0", "net0"}};

Operation mount(uint64_t flags, std::vector<std::string> strings, uint64_t set = 0) {
  return {Op::mount, "/mounts/0", {flags | wire::mount_mapped, set, 0, 0, 0, 0}, std::move(strings)};
}

// What the library says comes between the plan and GO.
Kernel kernel_for(const std::vector<Operation>& operations, const std::string& words) {
  std::vector<Operation> plan = full_plan();
  plan.insert(plan.begin() + 1, operations.begin(), operations.end());
  Kernel k = full_kernel();
  k.files["/srv/root"] = 040755;
  k.inside["/data"] = S_IFDIR | 0755;
  k.proc_magic = 0;
  const std::string launched = launch_bytes(encode(plan));
  const size_t go_at = launched.size() - sizeof(wire::FrameHeader);
  k.to_read = launched.substr(0, go_at) + words + launched.substr(go_at);
  return k;
}

Kernel with_descriptor(const std::vector<Operation>& operations) {
  Kernel k = kernel_for(operations, frame_bytes(Frame::mapped_mount));
  k.given = {150};
  k.places[150] = "of the library";
  return k;
}

SentError failure_of(Kernel& k) {
  assert_false(run_init(k).executed);
  return last_error(k.sent);
}

bool has(const std::vector<std::string>& list, const std::string& wanted) {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}

// A bind mount is the library's; its attributes are init's business. Nothing is opened by its path.
void a_mount_of_the_library(void**) {
  Kernel k = with_descriptor({root, ids, mount(wire::mount_bind, {"/data", "/srv/data", "bind"}, MOUNT_ATTR_RDONLY)});
  (void)run_init(k);
  assert_true(has(k.mounts, "of the library on /data"));
  assert_true(has(k.mounts, "attributes of of the library: 1 0 0"));
  for (const std::string& one : k.mounts) assert_true(one.find("/srv/data") == std::string::npos);
  assert_false(k.open.contains(150));
}

void a_new_file_system(void**) {
  Kernel k = with_descriptor({root, ids, mount(0, {"/data", "tmpfs", "tmpfs"})});
  (void)run_init(k);
  assert_true(has(k.mounts, "attributes of new tmpfs: " + std::to_string(MOUNT_ATTR_IDMAP) + " 0 0 ids of 150"));
  assert_true(has(k.mounts, "new tmpfs on /data"));
  assert_false(k.open.contains(150));
  Kernel refuses = with_descriptor({root, ids, mount(0, {"/data", "tmpfs", "tmpfs"})});
  refuses.deny[__NR_mount_setattr] = -EINVAL;
  const SentError error = failure_of(refuses);
  assert_int_equal(error.header.error, EINVAL);
  assert_string_equal(error.text.c_str(), "mount_setattr MOUNT_ATTR_IDMAP");
}

// Nothing came, or something else, or no descriptor with it.
void what_is_not_believed(void**) {
  const Operation one = mount(wire::mount_bind, {"/data", "/srv/data", "bind"});
  Kernel full = kernel_for({root, ids, one}, frame_bytes(Frame::mapped_mount));
  const SentError error = failure_of(full);
  assert_int_equal(error.header.error, EMFILE);
  assert_string_equal(error.pointer.c_str(), "/mounts/0");
  const auto malformed = static_cast<uint16_t>(wire::Fault::malformed);
  Kernel other = kernel_for({root, ids, one}, frame_bytes(Frame::mapped));
  assert_int_equal(failure_of(other).header.fault, malformed);
  Kernel twice = kernel_for({root, ids, ids}, frame_bytes(Frame::mapped_mount) + frame_bytes(Frame::mapped_mount));
  twice.given = {150, 151};
  assert_int_equal(failure_of(twice).header.fault, malformed);
  Kernel without = kernel_for({root, one}, "");
  assert_int_equal(failure_of(without).header.fault, malformed);
  Kernel unknown = with_descriptor({root, {Op::mount_ids, "/mounts/0", {4}, {"", ""}}, one});
  assert_int_equal(failure_of(unknown).header.fault, malformed);
  Kernel fails = with_descriptor({root, ids, one});
  fails.deny[__NR_recvmsg] = -ENOMEM;
  assert_int_equal(failure_of(fails).header.error, ENOMEM);
  Kernel gone = with_descriptor({root, ids, one});
  gone.deny[__NR_recvmsg] = 0;
  assert_int_equal(run_init(gone).status, 1);
}

// A netlink socket goes out; the plan goes on at the library's word.
void network_devices(void**) {
  Kernel k = kernel_for({net_devices}, frame_bytes(Frame::networked));
  k.proc_magic = 0x9fa0;  // for oom_score_adj
  (void)run_init(k);
  assert_int_equal(k.passed.size(), 1);
  assert_true(std::any_of(k.calls.begin(), k.calls.end(), [](const Call& c) {
    return c.number == __NR_socket && c.arguments[0] == 16;  // AF_NETLINK
  }));
  const auto reached = [](const Kernel& of) {
    return std::any_of(of.calls.begin(), of.calls.end(), [](const Call& c) { return c.number == __NR_setresuid; });
  };
  assert_true(reached(k));
  Kernel other = kernel_for({net_devices}, frame_bytes(Frame::placed));
  assert_false(run_init(other).executed);
  assert_false(reached(other));
  for (const long number : {__NR_socket, __NR_sendmsg}) {
    Kernel fails = kernel_for({net_devices}, frame_bytes(Frame::networked));
    fails.deny[number] = -ENOBUFS;
    const SentError error = failure_of(fails);
    assert_int_equal(error.header.error, ENOBUFS);
    assert_string_equal(error.pointer.c_str(), "/linux/netDevices");
  }
}

// The library makes it meanwhile, and gives it away; a mount may come after it, and after the change of roots.
void a_network_of_the_library(void**) {
  const Operation network = {Op::network, "/linux/namespaces", {}, {}};
  const auto kernel_with = [&](const std::vector<Operation>& operations, Frame frame) {
    Kernel k = kernel_for(operations, frame_bytes(frame));
    k.given = {150};
    return k;
  };
  Kernel k = kernel_with({network}, Frame::network_made);
  (void)run_init(k);
  const auto joined =
      std::find_if(k.calls.begin(), k.calls.end(), [](const Call& c) { return c.number == __NR_setns; });
  assert_true(joined != k.calls.end());
  assert_int_equal(joined->arguments[0], 150);
  assert_int_equal(joined->arguments[1], CLONE_NEWNET);
  assert_false(k.open.contains(150));
  Kernel refused = kernel_with({network}, Frame::network_made);
  refused.deny[__NR_setns] = -EPERM;
  const SentError error = failure_of(refused);
  assert_int_equal(error.header.error, EPERM);
  assert_string_equal(error.pointer.c_str(), "/linux/namespaces");
  assert_false(refused.open.contains(150));
  Kernel other = kernel_with({network}, Frame::placed);
  assert_int_equal(failure_of(other).header.fault, static_cast<uint16_t>(wire::Fault::malformed));
  Kernel without = kernel_for({network}, frame_bytes(Frame::network_made));
  assert_int_equal(failure_of(without).header.error, EMFILE);
}

// That this process has joined: its descriptor goes out, and the plan goes on.
void the_user_namespace_is_shown(void**) {
  const Operation show = {Op::show_user, "/linux/namespaces/0/path", {}, {}};
  constexpr const char* link = "/proc/self/ns/user";
  Kernel k = kernel_for({show, root}, "");
  k.files[link] = 0100444;
  (void)run_init(k);
  assert_int_equal(k.passed.size(), 1);
  const auto shown = std::ranges::find(k.calls, __NR_sendmsg, &Call::number);
  const auto opened = std::ranges::find_if(k.calls, [&](const Call& c) {
    return c.number == __NR_openat && std::string(reinterpret_cast<const char*>(c.arguments[1])) == link;
  });
  const auto entered = std::ranges::find(k.calls, __NR_open_tree, &Call::number);
  assert_true(opened < shown && shown < entered && entered != k.calls.end());
  assert_int_equal(opened->result, k.passed[0]);
  assert_false(k.open.contains(static_cast<int>(opened->result)));
  Kernel missing = kernel_for({show, root}, "");
  const SentError error = failure_of(missing);
  assert_int_equal(error.header.error, ENOENT);
  assert_string_equal(error.pointer.c_str(), "/linux/namespaces/0/path");
  assert_string_equal(error.text.c_str(), link);
  Kernel deaf = kernel_for({show, root}, "");
  deaf.files[link] = 0100444;
  deaf.deny[__NR_sendmsg] = -ENOBUFS;
  const SentError unsent = failure_of(deaf);
  assert_int_equal(unsent.header.error, ENOBUFS);
  assert_string_equal(unsent.text.c_str(), "sendmsg");
}

// Message queues take no option for a label; a hidden directory does.
void labels(void**) {
  const Operation label = {Op::label, "/mounts/0", {}, {"/data", "u:r:t"}};
  Kernel k = kernel_for({root, label}, "");
  (void)run_init(k);
  assert_true(has(k.labels, "/data: security.selinux=u:r:t"));
  Kernel fails = kernel_for({root, label}, "");
  fails.deny[__NR_fsetxattr] = -EOPNOTSUPP;
  assert_int_equal(failure_of(fails).header.error, EOPNOTSUPP);
  Kernel missing = kernel_for({root, {Op::label, "/mounts/0", {}, {"/not", "u:r:t"}}}, "");
  assert_int_equal(failure_of(missing).header.error, ENOENT);
  Kernel early = kernel_for({label}, "");
  assert_int_equal(failure_of(early).header.fault, static_cast<uint16_t>(wire::Fault::malformed));
  Kernel masked = kernel_for({{Op::mask, "/linux/maskedPaths/0", {}, {"/sys/firmware", "u:r:t"}}}, "");
  masked.files["/sys/firmware"] = 040755;
  (void)run_init(masked);
  assert_true(has(masked.options, "context=u:r:t"));
  Kernel nothing = kernel_for({{Op::mask, "/linux/maskedPaths/0", {}, {}}}, "");
  assert_int_equal(failure_of(nothing).header.fault, static_cast<uint16_t>(wire::Fault::malformed));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_mount_of_the_library),
      cmocka_unit_test(a_new_file_system),
      cmocka_unit_test(what_is_not_believed),
      cmocka_unit_test(network_devices),
      cmocka_unit_test(a_network_of_the_library),
      cmocka_unit_test(the_user_namespace_is_shown),
      cmocka_unit_test(labels),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
