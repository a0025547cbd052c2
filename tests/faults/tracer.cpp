#include "faults/tracer.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "faults/calls.h"
#include "faults/registers.h"

namespace reaper::walk {

namespace {

constexpr int orphan_limit_s = 2;  // a parent tells of its child at once
constexpr int hang_limit_s = 60;   // without a single event; only a defect reaches it
constexpr long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL;
constexpr auto seize = PTRACE_SEIZE;

struct Process {
  std::string role;
  int births = 0;
  int execs = 0;
  int number = 0;
  bool stopped = false;  // by its group, with PTRACE_LISTEN
  bool held = false;     // the caller, at one of its marks
  int result = 0;        // of a call that fails: the negative errno, to be set at its exit
};

[[noreturn]] void give_up(const char* what) {
  perror(what);
  abort();
}

void tick(int) {}  // it interrupts waitpid(2)

// Through all ticks.
bool await(pid_t pid, int& status) {
  pid_t got;
  do got = waitpid(pid, &status, __WALL);
  while (got < 0 && errno == EINTR);
  return got == pid;
}

class Tracer {
 public:
  Tracer(const Target& target, const Judge& judge) : target_(target), judge_(judge) {}
  Trace run(const std::function<void()>& body);

 private:
  void begin(const std::function<void()>& body);
  void handle(pid_t pid, int status);
  void handle_stop(pid_t pid, int status);
  void handle_event(pid_t pid, int event, int signal);
  void handle_birth(pid_t pid);
  void handle_call(pid_t pid);
  void handle_mark();
  void enter(pid_t pid, Process& process, const __ptrace_syscall_info& info);
  bool strike(pid_t pid, Process& process, const __ptrace_syscall_info& info);
  void adopt(pid_t pid, const Process& parent, int number);
  bool is_stepped(pid_t pid) const;
  void go_on(pid_t pid, int signal = 0);
  void let_go(pid_t pid, int signal = 0);
  bool awaits_rest() const;
  bool all_rest() const;
  void proceed_when_all_rest();
  void interrupt_and_let_go(pid_t pid);
  void let_orphans_go();
  void let_all_go();
  void kill_all();
  void await_caller(time_t last);

  const Target& target_;
  const Judge& judge_;
  Trace trace_;
  pid_t caller_ = 0;
  bool caller_ended_ = false;
  bool window_ = false;
  bool closed_ = false;
  bool judged_ = false;  // and carried out: nobody has to stop any more
  std::map<pid_t, Process> processes_;
  std::map<pid_t, int> early_;  // children whose first stop came before their parent's event
};

// The caller has no stops before the window: it waits at its mark to be given some. Who sleeps in a call could not be
// given any later without disturbing the call, and has them from its birth.
bool Tracer::is_stepped(pid_t pid) const {
  if (target_.role.empty()) return true;
  const auto process = processes_.find(pid);
  return !judged_ && (pid != caller_ || window_) && process != processes_.end() && process->second.role == target_.role;
}

void Tracer::go_on(pid_t pid, int signal) {
  const auto how = is_stepped(pid) ? PTRACE_SYSCALL : PTRACE_CONT;
  // ESRCH: it was killed meanwhile, and waitpid(2) will say so.
  if (ptrace(how, pid, nullptr, static_cast<long>(signal)) != 0 && errno != ESRCH) give_up("PTRACE_SYSCALL");
}

void Tracer::let_go(pid_t pid, int signal) {
  if (ptrace(PTRACE_DETACH, pid, nullptr, static_cast<long>(signal)) == 0)
    processes_.erase(pid);
  else if (errno != ESRCH)  // killed meanwhile: its exit stops it once more
    give_up("PTRACE_DETACH");
}

void Tracer::begin(const std::function<void()>& body) {
  int turn[2];
  if (pipe(turn) != 0) give_up("pipe");
  fflush(nullptr);
  caller_ = fork();
  if (caller_ < 0) give_up("fork");
  if (caller_ == 0) {
    close(turn[1]);
    char byte;
    if (read(turn[0], &byte, 1) != 1) _exit(125);
    close(turn[0]);
    body();
    _exit(0);
  }
  close(turn[0]);
  if (ptrace(seize, caller_, nullptr, options) != 0) give_up("PTRACE_SEIZE");
  if (ptrace(PTRACE_INTERRUPT, caller_, nullptr, nullptr) != 0) give_up("PTRACE_INTERRUPT");
  int status = 0;
  if (!await(caller_, status) || !WIFSTOPPED(status)) give_up("the first stop");
  processes_[caller_].role = "caller";
  go_on(caller_);
  if (write(turn[1], "", 1) != 1) give_up("write");
  close(turn[1]);
}

void Tracer::adopt(pid_t pid, const Process& parent, int number) {
  Process child;
  child.role = parent.role + "/" + std::to_string(number);
  child.execs = parent.execs;
  processes_[pid] = child;
  const auto early = early_.find(pid);
  if (early == early_.end()) return;  // its first stop is still to come
  early_.erase(early);
  go_on(pid);
}

void Tracer::handle_birth(pid_t pid) {
  unsigned long born = 0;
  if (ptrace(PTRACE_GETEVENTMSG, pid, nullptr, &born) != 0) return;
  Process& parent = processes_[pid];
  adopt(static_cast<pid_t>(born), parent, ++parent.births);
  go_on(pid);
}

void Tracer::handle_event(pid_t pid, int event, int signal) {
  switch (event) {
    case PTRACE_EVENT_CLONE:
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
      return handle_birth(pid);
    case PTRACE_EVENT_EXEC:
      // reaper-init is the first that the library executes; the second is a program, whose calls are its own business.
      if (++processes_[pid].execs == 2) return let_go(pid);
      return go_on(pid);
    case PTRACE_EVENT_EXIT:
      // A pidfd tells of its death at once, but its parent could not reap it before its tracer has.
      return pid == caller_ ? go_on(pid) : let_go(pid);
    case PTRACE_EVENT_STOP:
      if (signal == SIGTRAP) return go_on(pid);
      processes_[pid].stopped = true;
      if (ptrace(PTRACE_LISTEN, pid, nullptr, nullptr) != 0 && errno != ESRCH) give_up("PTRACE_LISTEN");
      return;
    default:
      return go_on(pid);
  }
}

void Tracer::handle_mark() {
  closed_ = window_;
  processes_[caller_].held = true;
}

// False: it is dead, and its next stop is at its exit.
bool Tracer::strike(pid_t pid, Process& process, const __ptrace_syscall_info& info) {
  Call call;
  call.role = process.role;
  call.who = process.execs != 0 ? Who::init : pid == caller_ ? Who::library : Who::child;
  call.number = process.number;
  call.call = static_cast<long>(info.entry.nr);
  describe(pid, info.entry.args, call);
  const Verdict verdict = judge_(call);
  judged_ = verdict.what != Verdict::fail;
  if (verdict.what == Verdict::kill) kill(pid, SIGKILL);
  if (judged_) return verdict.what != Verdict::kill;
  process.result = -verdict.error;
  if (!verdict.carried_out && !take_call_back(pid) && errno != ESRCH) give_up("no system call");
  return true;
}

void Tracer::enter(pid_t pid, Process& process, const __ptrace_syscall_info& info) {
  const bool mark = pid == caller_ && info.entry.nr == SYS_tgkill && info.entry.args[2] == SIGTRAP;
  if (window_ && !mark) {
    ++process.number;
    if (target_.role.empty())
      trace_.counts[process.role] = process.number;
    else if (process.number == target_.number && !strike(pid, process, info))
      return;
  }
  go_on(pid);
}

void Tracer::handle_call(pid_t pid) {
  __ptrace_syscall_info info = {};
  if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0) return go_on(pid);
  Process& process = processes_[pid];
  if (info.op == PTRACE_SYSCALL_INFO_ENTRY) return enter(pid, process, info);
  if (process.result != 0) {
    if (!set_result(pid, process.result) && errno != ESRCH) give_up("the result");
    process.result = 0;
    judged_ = true;
  }
  go_on(pid);
}

void Tracer::handle_stop(pid_t pid, int status) {
  processes_[pid].stopped = false;
  const int signal = WSTOPSIG(status);
  const int event = status >> 16;
  if (event != 0) return handle_event(pid, event, signal);
  if (signal == (SIGTRAP | 0x80)) return handle_call(pid);
  if (signal == SIGTRAP && pid == caller_) return handle_mark();
  go_on(pid, signal);
}

void Tracer::handle(pid_t pid, int status) {
  if (!WIFSTOPPED(status)) {
    processes_.erase(pid);
    early_.erase(pid);
    if (pid != caller_) return;
    caller_ended_ = true;
    trace_.status = status;
    return;
  }
  if (processes_.contains(pid)) return handle_stop(pid, status);
  early_[pid] = status;
  if (status >> 16 != PTRACE_EVENT_EXIT) return;
  early_.erase(pid);
  let_go(pid);
}

// A parent that is killed while it clones does not tell of its child: nobody will adopt it.
void Tracer::let_orphans_go() {
  for (const auto& [pid, status] : std::exchange(early_, {})) let_go(pid);
}

bool Tracer::awaits_rest() const {
  const auto caller = processes_.find(caller_);
  return caller_ended_ || (caller != processes_.end() && caller->second.held);
}

// Asleep in a call, or stopped by somebody. Who was woken is not asleep any more, whoever runs first.
bool Tracer::all_rest() const {
  for (const auto& [pid, process] : processes_)
    if (pid != caller_ && !process.stopped && state_of(pid) != 'S') return false;
  return early_.empty();
}

void Tracer::proceed_when_all_rest() {
  if (!awaits_rest() || !all_rest()) return;
  if (caller_ended_ || closed_) return let_all_go();
  window_ = true;
  processes_[caller_].held = false;
  go_on(caller_);
}

// Stops what sleeps, to let it go. Whatever stop comes first is as good; a signal is handed on.
void Tracer::interrupt_and_let_go(pid_t pid) {
  ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr);  // ESRCH: it is dead, and its parent must hear of it
  int status = 0;
  if (!await(pid, status) || !WIFSTOPPED(status)) return handle(pid, status);
  const bool plain = status >> 16 == 0 && WSTOPSIG(status) != (SIGTRAP | 0x80);
  let_go(pid, plain ? WSTOPSIG(status) : 0);
}

void Tracer::let_all_go() {
  window_ = false;
  std::map<pid_t, Process> all = processes_;
  for (const auto& [pid, process] : all) {
    if (pid == caller_)
      let_go(pid);
    else
      interrupt_and_let_go(pid);
  }
}

void Tracer::kill_all() {
  trace_.hung = true;
  for (const auto& [pid, process] : processes_) {
    trace_.stuck +=
        (trace_.stuck.empty() ? "" : "; ") + process.role + " in " + call_of(pid) + " (" + state_of(pid) + ")";
    kill(pid, SIGKILL);
  }
}

void Tracer::await_caller(time_t last) {
  while (!caller_ended_) {
    int status = 0;
    const pid_t pid = waitpid(caller_, &status, 0);
    if (pid == caller_ || (pid < 0 && errno != EINTR)) handle(caller_, status);
    if (pid < 0 && time(nullptr) - last > hang_limit_s) {
      trace_.hung = true;
      trace_.stuck = "the caller, after the window";
      kill(caller_, SIGKILL);
    }
  }
}

Trace Tracer::run(const std::function<void()>& body) {
  constexpr long longest_nap_ns = 2'000'000;
  timespec nap = {0, 0};
  begin(body);
  time_t last = time(nullptr);
  while (!processes_.empty() || !early_.empty()) {
    proceed_when_all_rest();
    if (processes_.empty() && early_.empty()) break;
    int status = 0;
    // Nobody says that he has fallen asleep.
    const pid_t pid = waitpid(-1, &status, awaits_rest() ? __WALL | WNOHANG : __WALL);
    if (pid < 0 && errno == ECHILD) break;
    if (pid > 0) {
      handle(pid, status);
      last = time(nullptr);
      nap.tv_nsec = 100'000;
      continue;
    }
    if (pid == 0) nanosleep(&nap, nullptr);
    nap.tv_nsec = std::min(2 * nap.tv_nsec, longest_nap_ns);
    if (time(nullptr) - last > orphan_limit_s) let_orphans_go();
    if (time(nullptr) - last > hang_limit_s && !trace_.hung) kill_all();
  }
  await_caller(last);
  return trace_;
}

// Lets waitpid(2) return now and then.
class Ticks {
 public:
  Ticks() {
    struct sigaction action = {};
    action.sa_handler = tick;
    sigaction(SIGALRM, &action, &before_);
    set(100'000);
  }
  ~Ticks() {
    set(0);
    sigaction(SIGALRM, &before_, nullptr);
  }
  Ticks(const Ticks&) = delete;
  Ticks& operator=(const Ticks&) = delete;

 private:
  static void set(suseconds_t microseconds) {
    const itimerval often = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &often, nullptr);
  }
  struct sigaction before_ = {};
};

}  // namespace

const char* name_of(Who who) {
  return who == Who::library ? "library" : who == Who::child ? "child" : "init";
}

namespace {

pid_t marked;  // asked for once: it would be a call of the window's

void mark() {
  syscall(SYS_tgkill, marked, marked, SIGTRAP);
}

}  // namespace

void open_window() {
  marked = getpid();
  mark();
}

void close_window() {
  mark();
}

Trace trace(const std::function<void()>& body, const Target& target, const Judge& judge) {
  const Ticks ticks;
  return Tracer(target, judge).run([&] {
    signal(SIGALRM, SIG_DFL);
    body();
  });
}

bool can_trace() {
  const pid_t child = fork();
  if (child < 0) give_up("fork");
  if (child == 0) {
    for (;;) ::pause();
  }
  bool can = ptrace(seize, child, nullptr, options & ~PTRACE_O_TRACEEXIT) == 0 &&
             ptrace(PTRACE_INTERRUPT, child, nullptr, nullptr) == 0;
  int status = 0;
  can = can && waitpid(child, &status, __WALL) == child;
  __ptrace_syscall_info info = {};
  can = can && ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) > 0;
  kill(child, SIGKILL);
  waitpid(child, &status, __WALL);
  return can;
}

}  // namespace reaper::walk
