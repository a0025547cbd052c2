// reaper-init's `terminal` against the model kernel: what it makes, in which order, and what each failure says.
#include <asm/unistd.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>

#include "init/kernel.h"
#include "unit/cmocka_cpp.h"

using namespace reaper;
using namespace reaper::test;

namespace {

constexpr size_t place = 2;  // behind session and gate

Kernel terminal_kernel(const std::vector<uint64_t>& numbers = {1000, 24, 80}) {
  auto plan = full_plan();
  plan.insert(plan.begin() + place, {wire::Op::terminal, "/process/terminal", numbers, {}});
  Kernel k = full_kernel();
  k.files["/dev/ptmx"] = 020666;
  k.to_read = launch_bytes(encode(plan));
  return k;
}

// The index of a call, or that of the first one after it.
size_t position(const Kernel& k, long number, long argument = -1, size_t which = 1) {
  const auto found = std::find_if(k.calls.begin(), k.calls.end(), [&](const Call& call) {
    return call.number == number && (argument < 0 || call.arguments[which] == argument);
  });
  if (found == k.calls.end()) fail_msg("no system call %ld with %ld", number, argument);
  return static_cast<size_t>(found - k.calls.begin());
}

void a_terminal_of_its_own(void**) {
  Kernel k = terminal_kernel();
  assert_true(run_init(k).executed);
  assert_int_equal(k.pty.owner, 1000);
  assert_int_equal(k.pty.rows, 24);
  assert_int_equal(k.pty.columns, 80);
  assert_true(k.pty.has_session);
  assert_true((k.passed == std::vector<long>{103}));  // the master
  assert_true(k.sent == frame_bytes(wire::Frame::terminal, "/dev/pts/7") + frame_bytes(wire::Frame::ready));
  assert_true((k.open == std::set<int>{0, 1, 2, 102}));  // neither end stays but as 0, 1 and 2
  for (int target = 0; target < 3; ++target) assert_false(k.close_on_exec.contains(target));
  // A controlling terminal needs a session that has none; the slave is owned before anybody else has the master.
  assert_true(position(k, __NR_setsid) < position(k, __NR_ioctl, TIOCSCTTY));
  assert_true(position(k, __NR_ioctl, TIOCSPTLCK) < position(k, __NR_ioctl, TIOCGPTPEER));
  assert_true(position(k, __NR_fchown) < position(k, __NR_sendmsg));
  assert_true(position(k, __NR_sendmsg) < position(k, __NR_setresuid));
}

void names_of_every_length(void**) {
  const struct {
    uint32_t number;
    const char* path;
  } rows[] = {{0, "/dev/pts/0"},
              {9, "/dev/pts/9"},
              {10, "/dev/pts/10"},
              {1048575, "/dev/pts/1048575"},
              {UINT32_MAX, "/dev/pts/4294967295"}};
  for (const auto& row : rows) {
    Kernel k = terminal_kernel();
    k.pty.number = row.number;
    assert_true(run_init(k).executed);
    assert_true(k.sent.starts_with(frame_bytes(wire::Frame::terminal, row.path)));
  }
}

void what_is_not_asked_for_is_left_alone(void**) {
  Kernel k = terminal_kernel({0, 0, 0});
  assert_true(run_init(k).executed);
  for (const Call& call : k.calls) {
    assert_int_not_equal(call.number, __NR_fchown);  // its owner already: no privilege is needed
    assert_false(call.number == __NR_ioctl && call.arguments[1] == TIOCSWINSZ);
  }
  Kernel wide = terminal_kernel({0, 0, 65535});
  assert_true(run_init(wide).executed);
  assert_int_equal(wide.pty.columns, 65535);
}

// Whatever else lies at /dev/ptmx is not asked to make a terminal.
void only_the_multiplexer(void**) {
  Kernel k = terminal_kernel();
  k.pty.device = 0x501;  // /dev/console
  assert_false(run_init(k).executed);
  const SentError sent = last_error(k.sent);
  assert_int_equal(sent.header.error, ENOTTY);
  assert_string_equal(sent.pointer.c_str(), "/process/terminal");
  for (const Call& call : k.calls) assert_int_not_equal(call.number, __NR_ioctl);
}

void every_failure_is_told(void**) {
  Kernel good = terminal_kernel();
  assert_true(run_init(good).executed);
  const size_t first = position(good, __NR_fstat) - 1;  // the opening of /dev/ptmx
  const size_t last = position(good, __NR_sendmsg);
  int tried = 0;
  for (size_t index = first; index <= last; ++index) {
    if (good.calls[index].number == __NR_close) continue;
    Kernel k = terminal_kernel();
    k.fail_at = index;
    k.fail_with = -EIO;
    if (run_init(k).executed)
      fail_msg("call %zu (number %ld) failed, and the program ran", index, k.calls[index].number);
    const SentError sent = last_error(k.sent);
    assert_true(sent.present);
    assert_int_equal(sent.header.op, static_cast<uint16_t>(wire::Op::terminal));
    assert_int_equal(sent.header.error, EIO);
    assert_string_equal(sent.pointer.c_str(), "/process/terminal");
    assert_true(sent.text != "");
    ++tried;
  }
  assert_int_equal(tried, 13);
}

void malformed_operations(void**) {
  for (const std::vector<uint64_t>& numbers : {std::vector<uint64_t>{}, {1000}, {1000, 24}, {1000, 24, 80, 1}}) {
    Kernel k = terminal_kernel(numbers);
    assert_false(run_init(k).executed);
    assert_int_equal(last_error(k.sent).header.fault, static_cast<uint16_t>(wire::Fault::malformed));
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_terminal_of_its_own),
      cmocka_unit_test(names_of_every_length),
      cmocka_unit_test(what_is_not_asked_for_is_left_alone),
      cmocka_unit_test(only_the_multiplexer),
      cmocka_unit_test(every_failure_is_told),
      cmocka_unit_test(malformed_operations),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
