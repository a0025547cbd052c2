// The clone itself, and the way back from everything after it.
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <charconv>
#include <vector>

#include "launch/child.h"
#include "launch/ended.h"
#include "launch/launch.h"

namespace reaper {

namespace {

// Blocks every signal of this thread, those too that glibc keeps for itself (pthread_sigmask leaves 32 and 33 out): a
// handler of the host must not run in the child, in the host's memory.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    const uint64_t all = ~uint64_t{0};
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, sizeof all);
  }
  ~AllSignalsBlocked() { syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  uint64_t before_ = 0;
};

struct Child {
  int (*run)(void*);
  void* work;
  int exit_signal;
  std::span<std::byte> stack;  // of one that runs beside us; or none
};

long clone_by_clone3(uint64_t flags, int* pidfd, const Child& child) {
  clone_args arguments = {};
  arguments.flags = flags;
  arguments.pidfd = reinterpret_cast<uint64_t>(pidfd);
  arguments.exit_signal = static_cast<uint64_t>(child.exit_signal);
  arguments.stack = reinterpret_cast<uint64_t>(child.stack.data());
  arguments.stack_size = child.stack.size();
  return raw_vfork(SYS_clone3, reinterpret_cast<long>(&arguments), sizeof arguments, 0, child.run, child.work);
}

// Container engines' seccomp profiles deny clone3 with ENOSYS, because filters cannot look into its argument.
long clone_by_clone(uint64_t flags, int* pidfd, const Child& child) {
  return raw_vfork(SYS_clone, static_cast<long>(flags) | child.exit_signal,
                   reinterpret_cast<long>(child.stack.data() + child.stack.size()), reinterpret_cast<long>(pidfd),
                   child.run, child.work);
}

// The pid, or a negative errno. A child without a stack of its own has executed something, or has ended, by then.
long clone_child(uint64_t extra_flags, int* pidfd, const Child& child) {
  const uint64_t flags = CLONE_VM | CLONE_PIDFD | extra_flags | (child.stack.empty() ? CLONE_VFORK : 0);
  const AllSignalsBlocked blocked;
  const long pid = clone_by_clone3(flags, pidfd, child);
  return pid == -ENOSYS || pid == -EPERM ? clone_by_clone(flags, pidfd, child) : pid;
}

// False: it lives on, as far as we know.
bool kill_now(const Fd& pidfd) {
  return syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0) == 0 || errno == ESRCH;
}

void reap(const Fd& pidfd) {
  siginfo_t info;
  // ECHILD: a host that ignores SIGCHLD or waits for everybody was faster.
  while (waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED) != 0 && errno == EINTR) {
  }
}

// In a new user namespace the child holds everything there is, and its exec would take that from whoever is not root
// there: without a map, nobody is.
void carry(const LaunchRequest& request, ChildWork& work) {
  const ProcessFacts& facts = *request.facts;
  if ((request.namespaces & CLONE_NEWUSER) != 0) {
    const uint64_t all = ~uint64_t{0} >> (63 - facts.last_capability);
    work.raise = work.permitted = work.effective = work.inheritable = all;
    return;
  }
  const CarriedCapabilities carried = carried_capabilities(facts);
  work.raise = carried.ambient;
  work.permitted = facts.capabilities.permitted;
  work.effective = facts.capabilities.effective;
  work.inheritable = carried.inheritable;
}

// What would help, where it is the user namespace that the kernel does not want to make (clone(2)).
Error clone_error(uint64_t namespaces, int number) {
  Error error = system_error("clone", "clone3", number);
  if ((namespaces & CLONE_NEWUSER) == 0) return error;
  error.pointer = "/linux/namespaces";
  if (number == ENOSPC || number == EUSERS)
    error.message += "; this user may have no more user namespaces (user.max_user_namespaces), or they are too deep";
  if (number == EPERM)
    error.message +=
        "; this process may make no user namespace: it is in a chroot, or a policy of this host forbids it";
  return error;
}

// Whoever is in the process group of a child of ours, which led it: killed and reaped. While the leader is a zombie
// nobody else's group can have its number.
void end_group(pid_t leader, const Fd& pidfd) {
  siginfo_t info;
  while (waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOWAIT) != 0)
    if (errno != EINTR) return;  // ECHILD: the host reaps everybody
  kill(-leader, SIGKILL);
  while (waitid(P_PGID, static_cast<id_t>(leader), &info, WEXITED) == 0 || errno == EINTR) {
  }
}

}  // namespace

Status await_beside(Launched& launched) {
  if (launched.keeper_pidfd) {  // a supervisor, whose child clones: both are its own to reap
    const pid_t keeper = launched.keeper;
    Fd keeper_pidfd = std::move(launched.keeper_pidfd);
    const Status cloned = await_cloned(launched);
    launched.keeper = keeper;
    launched.keeper_pidfd = std::move(keeper_pidfd);
    TRY(cloned);
    return send_frame(launched, wire::Frame::placed);
  }
  launched.may_have_beside = true;
  TRY(await_cloned(launched));
  launched.may_have_beside = false;
  TRY(send_frame(launched, wire::Frame::placed));
  // It ends now that it has told us.
  reap(launched.keeper_pidfd);
  launched.keeper_pidfd.reset();
  launched.keeper = -1;
  return {};
}

Result<Launched> clone_init(const LaunchRequest& request) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return fail(system_error("launch", "socketpair"));
  const Fd theirs(pair[1]);
  Launched launched;
  launched.handshake = Fd(pair[0]);

  std::vector<int> inherit = {theirs.get()};
  for (const int fd : {request.state_directory, request.stdio[0], request.stdio[1], request.stdio[2]})
    if (fd >= 0) inherit.push_back(fd);
  inherit.insert(inherit.end(), request.extra_fds.begin(), request.extra_fds.end());
  char number[12] = {};
  std::to_chars(number, number + sizeof number - 1, theirs.get());
  const char* const argv[] = {"reaper-init", number, nullptr};

  ChildWork work = {};
  work.init_image = request.init_image;
  work.argv = argv;
  work.inherit = inherit.data();
  work.inherit_count = inherit.size();
  carry(request, work);

  // Said before it is born: it need not wait for this thread to be woken.
  launched.unsent = launch_frame(request);
  const ssize_t sent =
      send(launched.handshake.get(), launched.unsent.data(), launched.unsent.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) launched.unsent.erase(0, static_cast<size_t>(sent));

  int pidfd = -1;
  const long pid = clone_child(request.namespaces, &pidfd, {run_child, &work, SIGCHLD, {}});
  if (pid < 0) return fail(clone_error(request.namespaces, static_cast<int>(-pid)));
  launched.pid = static_cast<pid_t>(pid);
  launched.pidfd = Fd(pidfd);
  if (work.failed_call != nullptr) {
    reap(launched.pidfd);
    return fail(system_error(work.failed_call, std::string(work.failed_call) + " of reaper-init", work.error));
  }
  return launched;
}

Result<Ended> clone_ended(uint64_t namespaces) {
  int pidfd = -1;
  const long pid = clone_child(namespaces, &pidfd, {end_child, nullptr, 0, {}});
  if (pid < 0) return fail(clone_error(namespaces, static_cast<int>(-pid)));
  return Ended{static_cast<pid_t>(pid), Fd(pidfd)};
}

Result<Ended> clone_beside(int (*main)(void*), void* work, std::span<std::byte> stack) {
  int pidfd = -1;
  const long pid = clone_child(CLONE_FILES, &pidfd, {main, work, 0, stack});
  if (pid < 0) return fail(clone_error(0, static_cast<int>(-pid)));
  return Ended{static_cast<pid_t>(pid), Fd(pidfd)};
}

void reap_ended(const Ended& ended) {
  siginfo_t info;
  int reaped;
  do reaped = waitid(P_PIDFD, static_cast<id_t>(ended.pidfd.get()), &info, WEXITED | __WALL);
  while (reaped != 0 && errno == EINTR);
  if (reaped == 0) return;
  // Somebody else has reaped it, or a filter does not let us: what it works with is not given up before it has ended.
  (void)ends_within(ended.pidfd, -1);
}

bool ends_within(const Fd& pidfd, int limit_ms) {
  pollfd ended = {pidfd.get(), POLLIN, 0};
  int ready;
  do ready = poll(&ended, 1, limit_ms);
  while (ready < 0 && errno == EINTR);
  return ready > 0;
}

void end_launched(Launched& launched) {
  if (!launched.pidfd) return;
  // Not close alone: a child that the host forked meanwhile may hold our end. A keeper whose clone we have not heard of
  // leaves a process that reads this end of file.
  shutdown(launched.handshake.get(), SHUT_RDWR);
  const bool killed = kill_now(launched.pidfd);
  // A keeper reaps its child and ends by itself, unless somebody has stopped it. Whom we may not signal (a filter)
  // reads the end of file too; if it has been stopped, it is not waited for, since that might be for ever.
  if (launched.keeper_pidfd) {
    if (ends_within(launched.keeper_pidfd, end_limit_ms) || kill_now(launched.keeper_pidfd))
      reap(launched.keeper_pidfd);
  } else if (killed || ends_within(launched.pidfd, end_limit_ms)) {
    if (launched.may_have_beside) end_group(launched.pid, launched.pidfd);
    reap(launched.pidfd);
  }
  launched.handshake.reset();
  launched.pidfd.reset();
  launched.keeper_pidfd.reset();
}

}  // namespace reaper
