#include "runtime/tree.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "core/memory.h"
#include "host/facts.h"
#include "runtime/process.h"

namespace reaper {

namespace {

struct Descendant {
  int32_t pid;
  uint64_t start_time;  // with the pid, who it is
};

struct Tree {
  std::vector<Descendant> found;
  std::unordered_map<int32_t, uint64_t> known;  // start times by pid: a pid may be used again
  std::optional<Error> error;                   // the first
};

// Who cannot be looked at may hide others; who has gone does not.
void note(Tree& tree, const Error& error) {
  if (!tree.error && error.code != REAPER_ERR_NOT_FOUND) tree.error = error;
}

bool is_dead(char state) {
  return state == 'Z' || state == 'X';
}

// Empty when there is no such process; `tree` has the error otherwise.
Fd open_pid(int32_t pid, Tree& tree) {
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd && !is_nobodys_pid(errno) && !tree.error) tree.error = system_error("pidfd_open", "pidfd_open");
  return pidfd;
}

// The children of that very process; none when it has ended, whoever has its pid now.
std::vector<int32_t> children_of(const Descendant& parent, const Fd& pidfd, Tree& tree) {
  const auto stat = read_process_stat(parent.pid);
  if (!stat.has_value()) note(tree, stat.error());
  if (!pidfd || !stat.has_value() || stat->start_time != parent.start_time) return {};
  auto children = read_children(parent.pid);
  // Asked last: alive now, it had its pid all the while.
  const auto ended = has_ended(pidfd);
  if (!ended.has_value()) note(tree, ended.error());
  if (!ended.has_value() || *ended) return {};
  if (!children.has_value()) note(tree, children.error());
  return children.has_value() ? std::move(*children) : std::vector<int32_t>();
}

// Adds those below `root` that are alive and not in `tree` yet. True: there were some. `stop`: each is stopped as it is
// found, since what is stopped does not fork.
bool find_descendants(const Descendant& root, const Fd& root_pidfd, bool stop, Tree& tree) {
  const size_t before = tree.found.size();
  std::unordered_set<int32_t> looked_at;
  std::vector<Descendant> pending = {root};
  while (!pending.empty()) {
    const Descendant parent = pending.back();
    pending.pop_back();
    if (!looked_at.insert(parent.pid).second) continue;
    const Fd opened = parent.pid == root.pid ? Fd() : open_pid(parent.pid, tree);
    for (const int32_t pid : children_of(parent, parent.pid == root.pid ? root_pidfd : opened, tree)) {
      const Fd pidfd = open_pid(pid, tree);
      // Opened first, read second: a pid that was reused meanwhile has another parent.
      const auto stat = read_process_stat(pid);
      if (!stat.has_value()) note(tree, stat.error());
      if (!pidfd || !stat.has_value() || stat->parent != parent.pid || is_dead(stat->state)) continue;
      const Descendant child = {pid, stat->start_time};
      pending.push_back(child);
      const auto known = tree.known.find(pid);
      if (known != tree.known.end() && known->second == child.start_time) continue;
      tree.known[pid] = child.start_time;
      tree.found.push_back(child);                                     // first: whoever is stopped is known
      if (stop) (void)signal_process(pidfd, SIGSTOP, "a descendant");  // not ours to stop: then it is not stopped
    }
  }
  return tree.found.size() != before;
}

// Who bears the pid of `pidfd`; nullopt when it has ended.
std::optional<Descendant> root_of(int32_t pid, const Fd& pidfd, Tree& tree) {
  const auto stat = read_process_stat(pid);
  const auto ended = has_ended(pidfd);
  if (!stat.has_value()) note(tree, stat.error());
  if (!ended.has_value()) note(tree, ended.error());
  if (!stat.has_value() || !ended.has_value() || *ended) return std::nullopt;
  return Descendant{pid, stat->start_time};
}

Status signal_descendant(const Descendant& descendant, int signal) {
  const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, descendant.pid, 0)));
  if (!pidfd) return is_nobodys_pid(errno) ? Status{} : fail(system_error("pidfd_open", "pidfd_open"));
  const auto stat = read_process_stat(descendant.pid);
  if (!stat.has_value() && stat.error().code != REAPER_ERR_NOT_FOUND) return fail(stat.error());
  if (!stat.has_value() || stat->start_time != descendant.start_time) return {};  // it ended meanwhile
  const Status sent = signal_process(pidfd, signal, "descendant " + std::to_string(descendant.pid));
  return !sent.has_value() && sent.error().sys_errno == ESRCH ? Status{} : sent;
}

// Children before their parents: whom a failure leaves out can be found again.
void signal_found(Tree& tree, int signal) {
  for (auto descendant = tree.found.rbegin(); descendant != tree.found.rend(); ++descendant) {
    const Status sent = signal_descendant(*descendant, signal);
    if (!sent.has_value() && !tree.error) tree.error = sent.error();
  }
}

// Lets everybody go on whom a failed search has stopped: then nothing has happened to them.
class Stopped {
 public:
  Stopped(const Tree& tree, const Fd* root) : tree_(tree), root_(root) {}
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;
  ~Stopped() {
    if (!held_) return;
    // Without memory to look who has a pid, better stopped than an innocent's signal.
    (void)as_memory_allows([&] {
      if (root_ != nullptr) (void)signal_process(*root_, SIGCONT, "the container's process");
      for (const Descendant& descendant : tree_.found) (void)signal_descendant(descendant, SIGCONT);
    });
  }
  void hold() { held_ = true; }
  void leave() { held_ = false; }

 private:
  const Tree& tree_;
  const Fd* root_;
  bool held_ = false;
};

}  // namespace

// A tree that is being killed falls apart: the children of the dead are somebody else's. So all of it is found before
// anybody is signalled, and for SIGKILL, which nobody lives to be surprised by, it is stopped as it is found.
Status signal_tree(int32_t pid, const Fd& pidfd, int signal) {
  const bool stop = signal == SIGKILL;
  Tree tree;
  Stopped stopped(tree, &pidfd);
  if (stop) {
    stopped.hold();
    (void)signal_process(pidfd, SIGSTOP, "the container's process");
  }
  const auto root = root_of(pid, pidfd, tree);
  while (root && find_descendants(*root, pidfd, stop, tree)) {
  }
  if (tree.error) return fail(*tree.error);
  signal_found(tree, signal);
  const Status sent = signal_process(pidfd, signal, "the container's process");
  if (!sent.has_value() && sent.error().sys_errno != ESRCH) return sent;
  stopped.leave();
  return tree.error ? Status(fail(*tree.error)) : Status{};
}

// What a stop was too late for, because its fork(2) was on the way already, is found in the next round.
Status signal_below(int32_t pid, const Fd& keeper, int signal, Deadline deadline) {
  const bool stop = signal == SIGKILL;
  Tree looked;
  const auto root = root_of(pid, keeper, looked);
  if (looked.error) return fail(*looked.error);
  while (root) {
    Tree tree;
    Stopped stopped(tree, nullptr);
    if (stop) stopped.hold();
    while (find_descendants(*root, keeper, stop, tree)) {
    }
    if (tree.error) return fail(*tree.error);
    signal_found(tree, signal);
    stopped.leave();
    if (tree.error) return fail(*tree.error);
    if (!stop || tree.found.empty()) return {};
    if (std::chrono::steady_clock::now() >= deadline)
      return fail({REAPER_ERR_TIMEOUT, ETIMEDOUT,
                   "process " + std::to_string(tree.found.front().pid) +
                       " of the container did not end in time after "
                       "SIGKILL",
                   "", "kill"});
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return {};  // it ends when nothing is below it any more
}

}  // namespace reaper
