// reaper-init against a model kernel: a container in the pid and user namespaces of others. Who clones, who is told,
// and what is compared there.
#include <asm/unistd.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>

#include "init/kernel.h"
#include "store/files.h"
#include "unit/cmocka_cpp.h"

using namespace reaper;
using namespace reaper::test;

namespace {

constexpr uint64_t all = (uint64_t{1} << 41) - 1;
constexpr int32_t child = 4242;
constexpr int32_t grandchild = 4243;

Kernel kernel_with(const std::vector<Operation>& first, bool placed) {
  auto plan = full_plan();
  plan.insert(plan.begin() + 1, first.begin(), first.end());
  Kernel k = full_kernel();
  const std::string launched = launch_bytes(encode(plan));
  const size_t go_at = launched.size() - sizeof(wire::FrameHeader);
  k.to_read = launched.substr(0, go_at) + (placed ? frame_bytes(wire::Frame::placed) : "") + launched.substr(go_at);
  return k;
}

const Operation joins{wire::Op::join, "/linux/namespaces/0/path", {CLONE_NEWPID}, {"/dev/null"}};
Operation beside(uint64_t flags) {
  return {wire::Op::beside_into, "/linux/namespaces", {flags}, {}};
}

std::string cloned_frame(int32_t pid) {
  const wire::Cloned cloned = {pid};
  return frame_bytes(wire::Frame::cloned, {reinterpret_cast<const char*>(&cloned), sizeof cloned});
}

std::string bytes_of(int32_t pid) {
  return {reinterpret_cast<const char*>(&pid), sizeof pid};
}

const Call* first(const Kernel& k, long number) {
  for (const Call& call : k.calls)
    if (call.number == number) return &call;
  return nullptr;
}

void is_born_beside(void**) {
  for (const uint64_t flags : {uint64_t{0}, uint64_t{CLONE_NEWPID | CLONE_NEWUSER}}) {
    Kernel k = kernel_with({joins, beside(flags)}, true);
    assert_true(run_init(k).executed);
    assert_int_equal(k.joined, CLONE_NEWPID);
    const auto given = static_cast<uint64_t>(first(k, __NR_clone)->arguments[0]);
    assert_int_equal(given & (CLONE_PARENT | CLONE_NEWPID | CLONE_NEWUSER), CLONE_PARENT | flags);
    assert_true(k.sent == frame_bytes(wire::Frame::ready));
    assert_true((k.open == std::set<int>{0, 1, 2, 102}));
  }
}

// Until the library knows of it, it does nothing; and nothing at all without it.
void waits_for_the_library(void**) {
  Kernel k = kernel_with({joins, beside(0)}, false);
  k.to_read.resize(k.to_read.size() - sizeof(wire::FrameHeader));
  assert_false(run_init(k).executed);
  assert_null(first(k, __NR_bind));
  Kernel alone = kernel_with({joins, beside(0)}, true);
  alone.told_to_go_on = false;
  assert_false(run_init(alone).executed);
  assert_null(first(alone, __NR_bind));
}

void the_one_before_ends(void**) {
  Kernel k = kernel_with({joins, beside(0)}, true);
  k.clone_result = child;
  const Ending ending = run_init(k);
  assert_false(ending.executed);
  assert_int_equal(ending.status, 0);
  assert_true(k.sent == cloned_frame(child));
  assert_true(k.told_to_supervisor.empty());
  assert_null(first(k, __NR_bind));
}

const Operation supervises{wire::Op::supervise_beside, "", {}, {}};

// The supervisor's child goes on as one that is not supervised, and tells of whom it has cloned before the library
// hears of it.
void tells_its_supervisor(void**) {
  Kernel k = kernel_with({supervises, joins, beside(0)}, true);
  bool both_born = false;
  k.tamper = [&](const Call& call) {
    if (call.number == __NR_clone) k.clone_result = child;  // of the next clone
    if (call.number == __NR_sendmsg) both_born = !k.told_to_supervisor.empty();
  };
  assert_int_equal(run_init(k).status, 0);
  assert_true(k.told_to_supervisor == bytes_of(child));
  assert_true(both_born);
}

void nothing_of_it_stays_open(void**) {
  Kernel k = kernel_with({supervises, joins, beside(0)}, true);
  assert_true(run_init(k).executed);
  assert_true((k.open == std::set<int>{0, 1, 2, 102}));
}

// What it writes down is the end of the container's process, not of its own child.
void supervises_the_other(void**) {
  for (const bool told : {true, false}) {
    Kernel k = kernel_with({supervises, joins, beside(0)}, true);
    k.clone_result = child;
    k.told_to_supervisor = told ? bytes_of(grandchild) : "";
    k.ended = {{child, CLD_EXITED, 1}, {grandchild, CLD_EXITED, 7}};
    assert_int_equal(run_init(k).status, 0);
    assert_true((k.reaped == std::vector<long>{child, grandchild}));
    assert_int_equal(k.joined, 0);  // its rights are its caller's
    assert_string_equal(k.record_name.c_str(), told ? "exit" : "");
    if (!told) continue;
    const auto record = decode_exit(k.record);
    assert_true(record.has_value());
    assert_int_equal(record->exit_code, 7);
  }
}

void failures_are_told(void**) {
  const struct {
    long number;
    wire::Op op;
  } rows[] = {{__NR_clone, wire::Op::beside_into}, {__NR_pipe2, wire::Op::beside_into}, {__NR_setns, wire::Op::join}};
  for (const auto& row : rows) {
    Kernel k = kernel_with({joins, beside(0)}, true);
    k.deny[row.number] = -EPERM;
    assert_false(run_init(k).executed);
    const SentError error = last_error(k.sent);
    assert_int_equal(error.header.op, static_cast<uint16_t>(row.op));
    assert_int_equal(error.header.error, EPERM);
    for (const Call& call : k.calls) assert_true(call.number != __NR_bind);
  }
}

// ---- A user namespace ----

Kernel in_user_namespace(std::vector<Operation> operations) {
  Kernel k = kernel_with(operations, false);
  for (int i = 0; i < 3; ++i) k.uid[i] = k.gid[i] = 65534;
  k.capabilities = {all, all, 0, 0, all};
  return k;
}

void becomes_root(void**) {
  const Operation root{wire::Op::become_root, "/linux/namespaces/0/path", {all, 1}, {}};
  Kernel k = in_user_namespace({root});
  k.groups = {65534};
  assert_true(run_init(k).executed);
  assert_int_equal(first(k, __NR_setgroups)->arguments[0], 0);
  assert_int_equal(first(k, __NR_setresuid)->arguments[0], 0);
  assert_int_equal(first(k, __NR_prctl)->arguments[0], PR_SET_NAME);
  // Who has none does not ask for the right to give them up.
  Kernel none = in_user_namespace({root});
  none.groups.clear();
  run_init(none);
  assert_int_not_equal(first(none, __NR_setgroups)->arguments[0], 0);  // the plan's own
  for (const long call : {__NR_setgroups, __NR_setresgid, __NR_setresuid, __NR_capset, __NR_getgroups}) {
    Kernel denied = in_user_namespace({root});
    denied.groups = {65534};
    denied.deny[call] = -EPERM;
    assert_false(run_init(denied).executed);
    assert_null(first(denied, __NR_bind));
    assert_int_equal(last_error(denied.sent).header.op, static_cast<uint16_t>(wire::Op::become_root));
  }
}

struct MapCase {
  wire::Op op;
  std::vector<uint64_t> numbers;
  int error;  // 0: it goes on
  uint64_t id;
};

void compares_maps(void**) {
  const std::string map = "         0     100000         10\n        20     300000          5\n";
  const MapCase cases[] = {
      {wire::Op::mapped, {0, 0, 9, 20, 24}, 0, 0},
      {wire::Op::mapped, {0, 3, 10}, ERANGE, 10},
      {wire::Op::mapped, {0, 19}, ERANGE, 19},
      {wire::Op::mapped, {0, 25}, ERANGE, 25},
      {wire::Op::mapped, {0, UINT64_MAX}, ERANGE, UINT64_MAX},
      {wire::Op::mapped, {1, 25}, 0, 0},  // groups have another map
      {wire::Op::id_map, {0, 20, 300000, 5, 0, 100000, 10}, 0, 0},
      {wire::Op::id_map, {0, 0, 100000, 10}, ERANGE, 0},
      {wire::Op::id_map, {0, 0, 100000, 10, 20, 300000, 4}, ERANGE, 0},
      {wire::Op::id_map, {0, 0, 100000, 10, 20, 300000, 5, 30, 1, 1}, ERANGE, 0},
      {wire::Op::id_map, {0, 0, 100000, 10, 20}, EPROTO, 0},
  };
  for (const MapCase& row : cases) {
    Kernel k =
        kernel_with({{row.op, "/here", row.numbers,
                      row.op == wire::Op::id_map ? std::vector<std::string>{"..."} : std::vector<std::string>{}}},
                    false);
    k.maps[0] = map;
    assert_int_equal(run_init(k).executed, row.error == 0);
    if (row.error == 0) continue;
    const SentError error = last_error(k.sent);
    assert_int_equal(error.header.op, static_cast<uint16_t>(row.op));
    if (row.error == EPROTO)
      assert_int_equal(error.header.fault, static_cast<uint16_t>(wire::Fault::malformed));
    else
      assert_int_equal(error.header.error, row.error);
    if (row.op == wire::Op::mapped) assert_true(error.header.a == row.id);
    assert_string_equal(error.pointer.c_str(), "/here");
  }
}

// In one piece or in many, and only from procfs.
void reads_whole_maps(void**) {
  std::string map;
  std::vector<uint64_t> numbers = {0};
  for (uint64_t i = 0; i < wire::max_id_ranges; ++i) {
    map += "  " + std::to_string(2 * i) + " " + std::to_string(4000000000 + 2 * i) + " 1\n";
    numbers.insert(numbers.end(), {2 * i, 4000000000 + 2 * i, 1});
  }
  Kernel k =
      kernel_with({{wire::Op::id_map, "/here", numbers, {"..."}}, {wire::Op::mapped, "/here", {0, 678}, {}}}, false);
  k.maps[0] = map;
  assert_true(run_init(k).executed);
  Kernel other = kernel_with({{wire::Op::mapped, "/here", {0, 0}, {}}}, false);
  other.proc_magic = 0x1021994;
  assert_false(run_init(other).executed);
  assert_int_equal(last_error(other.sent).header.error, EXDEV);
  for (const long call : {__NR_openat, __NR_fstatfs}) {
    Kernel denied = kernel_with({{wire::Op::mapped, "/here", {0, 0}, {}}}, false);
    denied.deny[call] = -EACCES;
    assert_false(run_init(denied).executed);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(is_born_beside),
      cmocka_unit_test(waits_for_the_library),
      cmocka_unit_test(the_one_before_ends),
      cmocka_unit_test(tells_its_supervisor),
      cmocka_unit_test(nothing_of_it_stays_open),
      cmocka_unit_test(supervises_the_other),
      cmocka_unit_test(failures_are_told),
      cmocka_unit_test(becomes_root),
      cmocka_unit_test(compares_maps),
      cmocka_unit_test(reads_whole_maps),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
