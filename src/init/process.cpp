// The only place where init clones: the child carries on with the plan, and this process stays. As the supervisor it
// keeps watch over the container until nothing of it runs; for a hook it tells the library how that ended. For an exec
// into a pid namespace it has nothing more to do.
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "init/frames.h"
#include "init/signals.h"
#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

struct Usage {  // rusage, getrusage(2)
  int64_t user_seconds, user_microseconds, system_seconds, system_microseconds;
  int64_t max_rss_kib;
  int64_t rest[13];
};

struct Child {
  long pid;  // 0 in the child itself
  int pidfd = -1;
};

// As fork(2), and a pidfd. The stack goes on where it is, in memory of the child's own. `flags`: CLONE_NEWPID,
// CLONE_PARENT or 0.
Child clone_child(uint64_t flags) {
  Child child = {};
  child.pid = call(__NR_clone, CLONE_PIDFD | SIGCHLD | flags, nullptr, &child.pidfd);
  return child;
}

// Waits for any child, whoever it was made by: what a dead process leaves behind becomes ours (PR_SET_CHILD_SUBREAPER).
// The child stays a zombie until reap().
long next_ended(WaitInfo& info, Usage& usage) {
  return call_again(__NR_waitid, P_ALL, 0, &info, WEXITED | WNOWAIT, &usage);
}

void reap(int32_t pid) {
  call_again(__NR_waitid, P_PID, pid, nullptr, WEXITED, nullptr);
}

// What both need before they clone: to be told of every end. A host that ignores SIGCHLD hands that on, and the kernel
// would reap for us (sigaction(2)).
Outcome adopt_descendants() {
  if (const long result = set_default_disposition(SIGCHLD); result < 0) return failed_call(result, "rt_sigaction");
  return checked(call(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl(PR_SET_CHILD_SUBREAPER)");
}

// Ends every child, and the children that they leave to us, until there is none. What is in the list is ours and not
// reaped: no pid in it can mean another process.
[[noreturn]] void end_all_children() {
  for (;;) {
    char list[4096] = {};
    const long file = call(__NR_openat, AT_FDCWD, "/proc/thread-self/children", O_RDONLY | O_CLOEXEC, 0);
    const long size = call_again(__NR_read, file, list, sizeof list);
    call(__NR_close, file);
    int pid = 0;
    for (long i = 0; i < size; ++i) {
      if (list[i] >= '0' && list[i] <= '9') {
        pid = pid * 10 + (list[i] - '0');
      } else {
        if (pid > 0) call(__NR_kill, pid, SIGKILL);
        pid = 0;
      }
    }
    WaitInfo info = {};
    if (call_again(__NR_waitid, P_ALL, 0, &info, WEXITED, nullptr) < 0) exit_now(1);
  }
}

// Clones and tells the library. In the child the answer is no process.
Outcome clone_and_tell(const State& state, uint64_t flags, Child& child) {
  int turn[2] = {-1, -1};
  if (const long result = call(__NR_pipe2, turn, O_CLOEXEC); result < 0) return failed_call(result, "pipe2");
  child = clone_child(flags);
  if (child.pid < 0) return failed_call(child.pid, "clone");
  if (child.pid == 0) {
    // The library hears of us before it hears anything from us. End of file: who should have said so is dead.
    char byte = 0;
    call(__NR_close, turn[1]);
    if (call_again(__NR_read, turn[0], &byte, 1) != 1) exit_now(1);
    call(__NR_close, turn[0]);
    return {};
  }
  const wire::Cloned cloned = {static_cast<int32_t>(child.pid)};
  // Before the library: what it takes for the container's process has to be that of the supervisor too.
  if (state.supervisor >= 0) call_again(__NR_write, state.supervisor, &cloned.pid, sizeof cloned.pid);
  // A library that has not heard of the child, or half of it, waits for more: at our end it knows that nothing will
  // come. The child reads its own end of file, and exits.
  if (send_frame_with_descriptor(state.handshake, wire::Frame::cloned, &cloned, sizeof cloned, child.pidfd) < 0)
    exit_now(1);
  call_again(__NR_write, turn[1], "", 1);
  call(__NR_close, turn[0]);
  call(__NR_close, turn[1]);
  return {};
}

// Whom the child clones beside itself; 0 where it comes to no such thing.
int32_t await_other(int told) {
  int32_t other = 0;
  const long got = read_exactly(told, &other, sizeof other);
  call(__NR_close, told);
  return got == 1 ? other : 0;
}

[[noreturn]] void watch(int state_directory, int record, int32_t container) {
  for (;;) {
    WaitInfo info = {};
    Usage usage = {};
    if (next_ended(info, usage) < 0) exit_now(0);  // ECHILD: nothing of the container is left
    if (info.pid == container)
      // Before it is reaped: while it is a zombie nobody takes its pid for another process.
      write_exit_record(state_directory, record,
                        {info.code, info.status, usage.user_seconds * 1000000 + usage.user_microseconds,
                         usage.system_seconds * 1000000 + usage.system_microseconds, usage.max_rss_kib});
    reap(info.pid);
  }
}

// The supervisor's part, once its child is born.
[[noreturn]] void stay(State& state, int record, int32_t container) {
  // From here on nobody is told of a failure, and there is none that would be a reason to leave the container alone:
  // what cannot be closed stays open. Every signal has been blocked since before the clone (launch/clone.cpp).
  call(__NR_prctl, PR_SET_NAME, wire::supervisor_name);
  call(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  call(__NR_chdir, "/");
  (void)keep_only(state.state_directory, record);
  release_setup();
  watch(state.state_directory, record, container);
}

}  // namespace

Outcome supervise(State& state, const Operation& operation) {
  int record = prepare_exit_record(state.state_directory);
  if (record < 0) return failed_call(record, "open the exit record");
  if (const Outcome outcome = adopt_descendants(); !outcome.ok()) return outcome;
  Child child = {};
  const Outcome outcome = clone_and_tell(state, operation.number(0), child);
  if (child.pid == 0) call(__NR_close, record);
  if (child.pid <= 0) return outcome;
  stay(state, record, static_cast<int32_t>(child.pid));
}

// It joins nothing itself: it keeps the caller's rights, which it writes its record with.
Outcome supervise_beside(State& state) {
  int record = prepare_exit_record(state.state_directory);
  if (record < 0) return failed_call(record, "open the exit record");
  if (const Outcome outcome = adopt_descendants(); !outcome.ok()) return outcome;
  int told[2] = {-1, -1};
  if (const long result = call(__NR_pipe2, told, O_CLOEXEC); result < 0) return failed_call(result, "pipe2");
  Child child = {};
  const Outcome outcome = clone_and_tell(state, 0, child);
  if (child.pid == 0) {
    call(__NR_close, record);
    call(__NR_close, told[0]);
    state.supervisor = told[1];
  }
  if (child.pid <= 0) return outcome;
  call(__NR_close, told[1]);
  stay(state, record, await_other(told[0]));
}

// Until the library knows of the child, it stays in our process group: there it is found if both of us are killed.
static Outcome carry_on_in_child(State& state, uint64_t namespaces) {
  Child child = {};
  const Outcome outcome = clone_and_tell(state, CLONE_PARENT | namespaces, child);
  if (!outcome.ok()) return outcome;  // and there may be no child, whose pid would be 0 here too
  if (child.pid > 0) exit_now(0);
  if (state.supervisor >= 0) call(__NR_close, state.supervisor);
  state.supervisor = -1;
  return await_frame(state.handshake, wire::Frame::placed);
}

Outcome carry_on_beside(State& state) {
  return carry_on_in_child(state, 0);
}

Outcome carry_on_inside(State& state, const Operation& operation) {
  return carry_on_in_child(state, operation.number(0));
}

Outcome report(State& state) {
  if (const Outcome outcome = adopt_descendants(); !outcome.ok()) return outcome;
  Child child = {};
  const Outcome outcome = clone_and_tell(state, 0, child);
  if (child.pid <= 0) return outcome;
  for (;;) {
    // The library says nothing more: what can be read there is the end of file, its own end or its time limit.
    pollfd fds[2] = {{child.pidfd, POLLIN, 0}, {state.handshake, POLLIN, 0}};
    if (call(__NR_ppoll, fds, 2, nullptr, nullptr, 0) < 0) continue;
    if (fds[0].revents == 0) end_all_children();
    WaitInfo info = {};
    if (call_again(__NR_waitid, P_PID, child.pid, &info, WEXITED, nullptr) < 0) exit_now(1);
    const wire::Ended ended = {info.code, info.status};
    send_frame(state.handshake, wire::Frame::ended, &ended, sizeof ended);
    exit_now(0);  // what it left running goes to whoever adopts it: a hook may start a daemon
  }
}

}  // namespace reaper::init
