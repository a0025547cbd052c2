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

// One that ends as soon as the other end of the pipe is closed.
Child start_child(int exit_code) {
  int ends[2];
  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  fflush(nullptr);
  const pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    char byte = 0;
    close(ends[1]);
    (void)!read(ends[0], &byte, 1);
    _exit(exit_code);
  }
  close(ends[0]);
  Child child = {pid, Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)))};
  assert_true(static_cast<bool>(child.pidfd));
  close(ends[1]);
  return child;
}

void reap(const Child& child) {
  int status = 0;
  assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
}

// PIDFD_GET_INFO, Linux 6.15.
bool kernel_tells_of_the_reaped() {
  const Child child = start_child(5);
  reap(child);
  const auto exit = read_exit_status(child.pidfd, child.pid, true);
  if (exit) assert_int_equal(exit->exit_code, 5);
  return exit.has_value();
}

void own_child(void**) {
  const Child child = start_child(7);
  assert_true(await_end(child.pidfd, Deadline::max()).value());
  assert_int_equal(read_exit_status(child.pidfd, child.pid, false)->exit_code, 7);
  assert_int_equal(read_exit_status(child.pidfd, child.pid, true)->exit_code, 7);
  assert_int_equal(waitpid(child.pid, nullptr, 0), -1);
}

// Work of a process of its own, which may have filters of system calls. `filtered_out`: they cannot be had here.
constexpr int filtered_out = 99;
void runs_well(int (*work)()) {
  fflush(nullptr);
  const pid_t runner = fork();
  if (runner == 0) _exit(work());
  int status = 0;
  assert_int_equal(waitpid(runner, &status, 0), runner);
  assert_true(WIFEXITED(status));
  if (WEXITSTATUS(status) == filtered_out) {
    printf("SKIP: seccomp filters are not allowed here\n");
    skip();
  }
  assert_int_equal(WEXITSTATUS(status), 0);
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
    pid = child.pid;
    while (!has_ended(child.pidfd).value()) continue;
    const auto exit = read_exit_status(child.pidfd, child.pid, true);
    reaper.join();
    if (exit) assert_int_equal(exit->exit_code, 7);
    if (!exit) ++unknown;
  }
  if (told && unknown != 0) fail_msg("%d of 200 were not known", unknown);
}

bool await_zombie(const Child& child) {
  siginfo_t info = {};
  return waitid(P_PID, static_cast<id_t>(child.pid), &info, WEXITED | WNOWAIT) == 0;
}

// The same moment drawn out: taken when the first look has seen nothing, gone at the second.
void reaped_between_two_looks(void**) {
  runs_well([] {
    const Child child = start_child(7);
    if (!await_zombie(child)) return 1;
    if (!test::deny(SYS_waitid, ECHILD)) return filtered_out;  // as when somebody else has it
    looked_at = child.pid;
    const auto exit = read_exit_status(child.pidfd, child.pid, true);
    return looks == 2 && exit && exit->exit_code == 7 ? 0 : 2;
  });
}

// The pid of one that is gone may be somebody else's by now, whose end is not its own.
void a_pid_used_again(void**) {
  runs_well([] {
    const Child former = start_child(5);
    reap(former);
    const Child latter = start_child(9);
    if (!await_zombie(latter)) return 1;
    if (!test::deny(SYS_ioctl, ENOTTY)) return filtered_out;  // as before Linux 6.15
    if (read_exit_status(former.pidfd, latter.pid, true)) return 2;
    // Not ours to wait for: then the zombie's own line tells, and only of itself.
    if (!test::deny(SYS_waitid, ECHILD)) return filtered_out;
    const auto exit = read_exit_status(latter.pidfd, latter.pid, true);
    return exit && exit->exit_code == 9 ? 0 : 3;
  });
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(own_child), cmocka_unit_test(reaped_meanwhile),
                              cmocka_unit_test(reaped_between_two_looks), cmocka_unit_test(a_pid_used_again)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
