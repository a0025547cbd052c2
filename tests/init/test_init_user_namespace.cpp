// reaper-init against a model kernel: a new user namespace, whose maps the library writes while init waits.
#include <asm/unistd.h>
#include <linux/prctl.h>

#include <cerrno>

#include "init/kernel.h"
#include "unit/cmocka_cpp.h"

using namespace reaper;
using namespace reaper::test;

namespace {

constexpr uint64_t all = (uint64_t{1} << 41) - 1;

std::vector<Operation> enters(uint64_t setgroups) {
  auto plan = full_plan();
  plan.insert(plan.begin() + 1,
              {wire::Op::user_namespace, "/linux/uidMappings", {all, setgroups}, {"0 1000 1", "0 1000 1"}});
  return plan;
}

std::string told(const std::vector<Operation>& plan, const std::string& word) {
  const std::string launched = launch_bytes(encode(plan));
  const size_t go_at = launched.size() - sizeof(wire::FrameHeader);
  return launched.substr(0, go_at) + word + launched.substr(go_at);
}

// An ordinary user's child, as the clone and the exec have left it: of ids without a name here, with everything raised.
Kernel cloned(uint64_t setgroups, const std::string& word) {
  Kernel k = full_kernel();
  for (int i = 0; i < 3; ++i) k.uid[i] = k.gid[i] = 65534;
  k.groups = {65534};
  k.capabilities = {all, all, all, all, all};
  k.to_read = told(enters(setgroups), word);
  return k;
}

const Call* first(const Kernel& k, long number) {
  for (const Call& call : k.calls)
    if (call.number == number) return &call;
  return nullptr;
}

void becomes_root(void**) {
  Kernel k = cloned(1, frame_bytes(wire::Frame::mapped));
  assert_true(run_init(k).executed);
  // Before anything of the plan's: no group, both ids, and nothing that could be inherited.
  assert_int_equal(first(k, __NR_setgroups)->arguments[0], 0);
  assert_int_equal(first(k, __NR_setresgid)->arguments[0], 0);
  assert_int_equal(first(k, __NR_setresuid)->arguments[0], 0);
  size_t calls = 0;
  for (const Call& call : k.calls) {
    if (call.number == __NR_setresuid && calls == 0) calls = 1;
    if (call.number == __NR_prctl && call.arguments[0] == PR_SET_DUMPABLE) {
      assert_int_equal(calls, 1);
      assert_int_equal(call.arguments[1], 0);
      return;
    }
    assert_int_not_equal(call.number, __NR_bind);
  }
  fail_msg("it stayed dumpable");
}

void keeps_groups_where_it_must(void**) {
  Kernel k = cloned(0, frame_bytes(wire::Frame::mapped));
  run_init(k);
  assert_int_not_equal(first(k, __NR_setgroups)->arguments[0], 0);  // the plan's own
}

// The word of the library, or its end.
void waits_for_the_maps(void**) {
  const std::string mapped = frame_bytes(wire::Frame::mapped);
  for (const std::string& word : {std::string(), frame_bytes(wire::Frame::placed),
                                  frame_bytes(wire::Frame::mapped, "x"), mapped.substr(0, mapped.size() - 1)}) {
    Kernel k = cloned(1, word);
    if (word.size() < mapped.size()) k.to_read.resize(k.to_read.size() - sizeof(wire::FrameHeader));
    assert_false(run_init(k).executed);
    assert_null(first(k, __NR_setresuid));
    assert_null(first(k, __NR_bind));
  }
}

void every_failure_stops(void**) {
  for (const long call : {__NR_setgroups, __NR_setresgid, __NR_setresuid, __NR_capset}) {
    Kernel k = cloned(1, frame_bytes(wire::Frame::mapped));
    k.deny[call] = -EPERM;
    assert_false(run_init(k).executed);
    assert_null(first(k, __NR_bind));
    const SentError error = last_error(k.sent);
    assert_int_equal(error.header.op, static_cast<uint16_t>(wire::Op::user_namespace));
    assert_int_equal(error.header.error, EPERM);
    assert_string_equal(error.pointer.c_str(), "/linux/uidMappings");
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(becomes_root),
      cmocka_unit_test(keeps_groups_where_it_must),
      cmocka_unit_test(waits_for_the_maps),
      cmocka_unit_test(every_failure_stops),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
