// reaper-init's side of the talk: launch, GO, the gate, signals while it waits, descriptors; and bytes that are none of
// these.
#include <asm/unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "init/kernel.h"
#include "init/run.h"
#include "unit/cmocka_cpp.h"

using namespace reaper;
using namespace reaper::test;

namespace {

bool called(const Kernel& k, long number) {
  for (const Call& call : k.calls)
    if (call.number == number) return true;
  return false;
}

// Every proper prefix of what the library sends is a creator that died: init ends and nothing was executed.
void creator_dies_at_every_byte(void**) {
  const std::string whole = full_kernel().to_read;
  for (size_t size = 0; size < whole.size(); ++size) {
    Kernel k = full_kernel();
    k.to_read = whole.substr(0, size);
    const Ending ending = run_init(k);
    if (ending.executed || ending.status == 0) fail_msg("cut at byte %zu, init went on", size);
    assert_false(called(k, __NR_accept4));
  }
}

// Every byte of the plan turned: no crash, and what still runs has passed VERIFY with the plan's own numbers.
void every_byte_turned(void**) {
  const std::string plan = encode(full_plan());
  for (size_t at = 0; at < plan.size(); ++at) {
    for (const int bit : {0x01, 0x80}) {
      std::string turned = plan;
      turned[at] = static_cast<char>(turned[at] ^ bit);
      Kernel k = full_kernel();
      k.to_read = launch_bytes(turned);
      run_init(k);
    }
  }
}

void truncated_plans(void**) {
  const std::string plan = encode(full_plan());
  for (size_t size = 0; size < plan.size(); ++size) {
    Kernel k = full_kernel();
    k.to_read = launch_bytes(plan.substr(0, size));
    assert_false(run_init(k).executed);
  }
}

// Init waits for the library's word, `awaited`, and goes on by that alone.
void waits_for(const Operation& operation, wire::Frame awaited) {
  auto plan = full_plan();
  plan.insert(plan.begin() + 1, operation);
  const std::string launched = launch_bytes(encode(plan));
  const size_t go_at = launched.size() - sizeof(wire::FrameHeader);
  const std::string good = frame_bytes(awaited);
  const auto told = [&](const std::string& word) { return launched.substr(0, go_at) + word + launched.substr(go_at); };
  Kernel k = full_kernel();
  k.to_read = told(good);
  assert_true(run_init(k).executed);
  std::string other_magic = good;
  other_magic[0] = static_cast<char>(other_magic[0] ^ 1);
  for (const std::string& word :
       {std::string(), frame_bytes(wire::Frame::ready), frame_bytes(awaited, "x"), other_magic}) {
    k = full_kernel();
    k.to_read = told(word);
    assert_false(run_init(k).executed);
    assert_false(called(k, __NR_bind));
  }
  for (size_t size = go_at; size < go_at + good.size(); ++size) {  // the library died
    k = full_kernel();
    k.to_read = told(good).substr(0, size);
    assert_false(run_init(k).executed);
    assert_false(called(k, __NR_bind));
  }
}

void waits_for_its_placement(void**) {
  waits_for({wire::Op::cgroup, "/linux/cgroupsPath", {2}, {"/sys/fs/cgroup/a", "/b"}}, wire::Frame::placed);
  waits_for({wire::Op::resctrl, "/linux/intelRdt", {1}, {"/sys/fs/resctrl/a"}}, wire::Frame::classed);
}

// It says that it waits for the hooks of create; a library that cannot be told is gone.
void waits_for_hooks(void**) {
  const Operation hooks = {wire::Op::hooks, "/hooks", {}, {}};
  waits_for(hooks, wire::Frame::hooked);
  auto plan = full_plan();
  plan.insert(plan.begin() + 1, hooks);
  Kernel k = full_kernel();
  k.to_read = launch_bytes(encode(plan));
  Kernel deaf = k;
  (void)run_init(k);
  assert_true(k.sent.starts_with(frame_bytes(wire::Frame::mounted)));
  deaf.deny[__NR_sendto] = -EPIPE;
  assert_int_equal(run_init(deaf).status, 1);
  assert_true(deaf.sent.empty());
}

void length_fields_lie(void**) {
  const std::string good = full_kernel().to_read;
  for (const uint32_t size : {0U, 1U, 7U, 8U, 0x7fffffffU, 0xffffffffU}) {
    Kernel k = full_kernel();
    memcpy(&k.to_read[8], &size, sizeof size);  // FrameHeader::size
    assert_false(run_init(k).executed);
  }
  for (const uint32_t count : {1U, 1024U, 1025U, 0xffffffffU}) {
    Kernel k = full_kernel();
    memcpy(&k.to_read[sizeof(wire::FrameHeader) + 16], &count, sizeof count);  // LaunchHeader::extra_count
    assert_false(run_init(k).executed);
  }
}

void arguments(void**) {
  Kernel k;
  kernel = &k;
  char name[] = "reaper-init";
  for (const char* text : {"", "x", "7x", "-1", "99999999999"}) {
    std::string word = text;
    char* argv[] = {name, word.data(), nullptr};
    assert_int_not_equal(init::run(2, argv), 0);
  }
  char* argv[] = {name, nullptr};
  assert_int_not_equal(init::run(1, argv), 0);
  assert_true(k.calls.empty());
}

void gate_takes_only_a_start(void**) {
  const std::string start = frame_bytes(wire::Frame::start);
  std::string other_version = start;
  other_version[4] = 9;
  const std::string bad[] = {"",
                             "x",
                             start.substr(0, 5),
                             std::string(64, 'A'),
                             other_version,
                             "silent",
                             frame_bytes(wire::Frame::go),
                             frame_bytes(wire::Frame::start, "payload")};
  for (const std::string& words : bad) {
    Kernel k = full_kernel();
    k.connections = {words};
    const Ending ending = run_init(k);
    assert_false(ending.executed);
    assert_int_equal(ending.status, -2);  // it waits on
    assert_true(k.replied.empty());
    k = full_kernel();
    k.connections = {words, start};
    assert_true(run_init(k).executed);
  }
}

void signals_that_end_a_process_end_it(void**) {
  for (const uint32_t number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGALRM, 34, 64}) {
    Kernel k = full_kernel();
    k.signals = {number};
    const Ending ending = run_init(k);
    assert_false(ending.executed);
    assert_int_equal(ending.status, 128 + static_cast<int>(number));  // the model's kill does nothing, as in pid 1
    bool killed_itself = false;
    for (const Call& call : k.calls)
      killed_itself = killed_itself || (call.number == __NR_kill && call.arguments[1] == static_cast<long>(number));
    assert_true(killed_itself);
  }
}

void descriptors_are_placed(void**) {
  auto plan = full_plan();
  plan[19].numbers = {3};
  Kernel k = full_kernel();
  k.open = {0, 1, 2, 3, 4, 7, 8, 9, 30, 55};
  // The handshake lies where an extra descriptor belongs; extras are in an order that a naive dup3 would clobber.
  k.to_read = launch_bytes(encode(plan), {5, 3, 4});
  k.open.insert(5);
  assert_true(run_init(k).executed);
  assert_true((k.open == std::set<int>{0, 1, 2, 3, 4, 5, 102}));
  for (int fd = 0; fd <= 5; ++fd) assert_false(k.close_on_exec.contains(fd));
}

void close_range_denied(void**) {
  for (const long error : {-ENOSYS, -EPERM}) {
    Kernel k = full_kernel();
    k.open.insert({40, 41, 500});
    k.deny[__NR_close_range] = error;
    assert_true(run_init(k).executed);
    assert_true(called(k, __NR_getdents64));
    k.open.erase(103);
    assert_true((k.open == std::set<int>{0, 1, 2, 102}));
  }
}

// Of a newer library, or of bytes that went wrong: it is never passed over.
void an_unknown_operation_stops(void**) {
  const auto good = full_plan();
  for (size_t position = 0; position < good.size(); ++position) {
    auto plan = good;
    plan.insert(plan.begin() + static_cast<long>(position), {static_cast<wire::Op>(999), "/process/newer", {}, {}});
    Kernel k = full_kernel();
    k.to_read = launch_bytes(encode(plan));
    const Ending ending = run_init(k);
    assert_false(ending.executed);
    assert_true(last_error(k.replied.empty() ? k.sent : k.replied).present);
  }
}

void the_client_dies_after_it_won(void**) {
  Kernel good = full_kernel();
  run_init(good);
  size_t last = 0;
  for (size_t i = 0; i < good.calls.size(); ++i)
    if (good.calls[i].number == __NR_sendto) last = i;
  Kernel k = full_kernel();
  k.fail_at = last;  // EXEC cannot be told
  k.fail_with = -EPIPE;
  assert_true(run_init(k).executed);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(creator_dies_at_every_byte),
      cmocka_unit_test(every_byte_turned),
      cmocka_unit_test(truncated_plans),
      cmocka_unit_test(waits_for_its_placement),
      cmocka_unit_test(length_fields_lie),
      cmocka_unit_test(arguments),
      cmocka_unit_test(gate_takes_only_a_start),
      cmocka_unit_test(signals_that_end_a_process_end_it),
      cmocka_unit_test(descriptors_are_placed),
      cmocka_unit_test(waits_for_hooks),
      cmocka_unit_test(close_range_denied),
      cmocka_unit_test(an_unknown_operation_stops),
      cmocka_unit_test(the_client_dies_after_it_won),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
