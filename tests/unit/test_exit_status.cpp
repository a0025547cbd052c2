// How a process ended, where somebody else reaps it: before, meanwhile and after.
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "runtime/process.h"
#include "unit/cmocka_cpp.h"
#include "unit/store_faults.h"

using namespace reaper;
using namespace reaper::test;

namespace {

struct PidfdInfo {  // of PIDFD_GET_INFO, linux/pidfd.h of 6.15
  uint64_t mask, cgroup_id;
  uint32_t ids[11];
  int32_t exit_code;
};

pid_t looked_at = 0;  // its exit status is asked for, and it is reaped when the first question was answered
int looks = 0;

}  // namespace

// In the place of libc's.
extern "C" int ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  if (looked_at == 0) return static_cast<int>(syscall(SYS_ioctl, fd, request, argument));
  auto* const info = static_cast<PidfdInfo*>(argument);
  if (++looks == 1) return waitpid(looked_at, nullptr, 0) == looked_at ? (info->mask = 0, 0) : -1;
  info->exit_code = 7 << 8;  // a wait status
  return 0;
}

namespace {

struct Child {
  pid_t pid;
  Fd pidfd;
};

// One that ends as soon as the other end of the pipe is closed. Without a pidfd: it could not be made.
Child start_child(int exit_code) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {-1, Fd()};
  fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    char byte = 0;
    close(ends[1]);
    (void)!read(ends[0], &byte, 1);
    _exit(exit_code);
  }
  Child child = {pid, Fd(pid < 0 ? -1 : static_cast<int>(syscall(SYS_pidfd_open, pid, 0)))};
  close(ends[0]);
  close(ends[1]);
  return child;
}

// PIDFD_GET_INFO, Linux 6.15.
bool kernel_tells_of_the_reaped() {
  const Child child = start_child(5);
  assert_true(static_cast<bool>(child.pidfd));
  assert_int_equal(wait_for(child.pid), 5);
  const auto exit = read_exit_status(child.pidfd, child.pid, true);
  if (exit) assert_int_equal(exit->exit_code, 5);
  return exit.has_value();
}

void own_child(void**) {
  const Child child = start_child(7);
  assert_true(static_cast<bool>(child.pidfd));
  assert_true(await_end(child.pidfd, Deadline::max()).value());
  assert_int_equal(read_exit_status(child.pidfd, child.pid, false)->exit_code, 7);
  assert_int_equal(read_exit_status(child.pidfd, child.pid, true)->exit_code, 7);
  assert_int_equal(waitpid(child.pid, nullptr, 0), -1);
}

// A host's thread may take the status at the very moment at which we ask.
void reaped_meanwhile(void**) {
  const bool told = kernel_tells_of_the_reaped();
  int unknown = 0;
  for (int round = 0; round < 200; ++round) {
    std::atomic<bool> ready = false;
    std::atomic<pid_t> pid = 0;
    std::thread reaper([&] {
      ready = true;
      while (pid == 0) continue;
      while (waitpid(pid, nullptr, WNOHANG) == 0) continue;
    });
    while (!ready) continue;
    const Child child = start_child(7);
    assert_true(static_cast<bool>(child.pidfd));
    pid = child.pid;
    while (!has_ended(child.pidfd).value()) continue;
    const auto exit = read_exit_status(child.pidfd, child.pid, true);
    reaper.join();
    if (exit) assert_int_equal(exit->exit_code, 7);
    if (!exit) ++unknown;
  }
  if (told && unknown != 0) fail_msg("%d of 200 were not known", unknown);
}

// The same moment drawn out: taken when the first look has seen nothing, gone at the second.
int reaped_at_the_first_look() {
  const Child child = start_child(7);
  CHECK(child.pidfd && await_end(child.pidfd, Deadline::max()).value());
  if (!deny(SYS_waitid, ECHILD)) return skipped;  // as when somebody else has it
  looked_at = child.pid;
  const auto exit = read_exit_status(child.pidfd, child.pid, true);
  CHECK(looks == 2);
  CHECK(exit && exit->exit_code == 7);
  return 0;
}

void reaped_between_two_looks(void**) {
  assert_child(in_child(reaped_at_the_first_look), "seccomp filters are not allowed here");
}

// The pid of one that is gone may be somebody else's by now, whose end is not its own.
int believes_only_its_own_line() {
  const Child former = start_child(5);
  CHECK(former.pidfd && wait_for(former.pid) == 5);
  const Child latter = start_child(9);
  CHECK(latter.pidfd && await_end(latter.pidfd, Deadline::max()).value());
  if (!deny(SYS_ioctl, ENOTTY)) return skipped;  // as before Linux 6.15
  CHECK(!read_exit_status(former.pidfd, latter.pid, true));
  // Not ours to wait for: then the zombie's own line tells, and only of itself.
  if (!deny(SYS_waitid, ECHILD)) return skipped;
  const auto exit = read_exit_status(latter.pidfd, latter.pid, true);
  CHECK(exit && exit->exit_code == 9);
  return 0;
}

void a_pid_used_again(void**) {
  assert_child(in_child(believes_only_its_own_line), "seccomp filters are not allowed here");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(own_child), cmocka_unit_test(reaped_meanwhile),
                              cmocka_unit_test(reaped_between_two_looks), cmocka_unit_test(a_pid_used_again)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
