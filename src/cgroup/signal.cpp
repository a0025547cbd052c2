// Signals to every process of a container's cgroups. One of them may fork while we look, so the look is repeated until
// it finds nobody new.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <span>
#include <unordered_map>

#include "cgroup/cgroup.h"
#include "cgroup/directory.h"
#include "cgroup/found.h"
#include "cgroup/members.h"
#include "host/facts.h"

namespace reaper {

namespace {

using namespace cgroup;

constexpr size_t batch_size = 64;  // descriptors that are open at a time

struct Round {
  int signal;
  std::unordered_map<int32_t, uint64_t> reached;  // pid and start time of those that have got it
  bool found_new = false;
  std::optional<Error> error;  // the first
};

struct Member {
  int32_t pid;
  uint64_t start_time;
  Fd pidfd;
};

std::optional<Member> open_member(int32_t pid, Round& round) {
  const auto stat = read_process_stat(pid);
  if (!stat.has_value()) return std::nullopt;  // it ended meanwhile
  const auto known = round.reached.find(pid);
  if (known != round.reached.end() && known->second == stat->start_time) return std::nullopt;
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (pidfd) return Member{pid, stat->start_time, std::move(pidfd)};
  if (!is_nobodys_pid(errno) && !round.error) round.error = system_error("pidfd_open", "pidfd_open");
  return std::nullopt;
}

// The descriptors first, then the list again: a pid that was reused in between is not in it.
Status signal_batch(int directory, std::span<const int32_t> pids, Round& round) {
  std::vector<Member> members;
  for (const int32_t pid : pids) {
    auto member = open_member(pid, round);
    if (member) members.push_back(std::move(*member));
  }
  if (members.empty()) return {};
  const auto still = TRY(read_processes(directory));
  const std::unordered_set<int32_t> inside(still.begin(), still.end());
  for (const Member& member : members) {
    if (!inside.contains(member.pid)) continue;
    round.reached[member.pid] = member.start_time;
    round.found_new = true;
    if (syscall(SYS_pidfd_send_signal, member.pidfd.get(), round.signal, nullptr, 0) == 0 || errno == ESRCH) continue;
    if (!round.error)
      round.error = system_error("kill", "pidfd_send_signal " + signal_name(round.signal) + " to process " +
                                             std::to_string(member.pid) + " of the container's cgroup");
  }
  return {};
}

Status signal_listed(int directory, Round& round) {
  const auto pids = TRY(read_processes(directory));
  for (size_t at = 0; at < pids.size(); at += batch_size)
    TRY(signal_batch(directory, std::span(pids).subspan(at, std::min(batch_size, pids.size() - at)), round));
  return {};
}

}  // namespace

bool cgroup::is_of(const Cgroup& cgroup, std::string_view controller) {
  return ("," + cgroup.place.hierarchy + ",").find("," + std::string(controller) + ",") != std::string::npos;
}

const Cgroup& cgroup::best_of(const std::vector<Cgroup>& list) {
  const auto unified = std::ranges::find_if(list, [](const Cgroup& cgroup) { return cgroup.place.unified; });
  if (unified != list.end()) return *unified;
  for (const char* controller : {"pids", "freezer"}) {
    const auto found = std::ranges::find_if(list, [&](const Cgroup& cgroup) { return is_of(cgroup, controller); });
    if (found != list.end()) return *found;
  }
  return list.front();
}

Result<std::unordered_set<int32_t>> cgroup::signal_members(int directory, int signal, CgroupDeadline deadline) {
  Round round = {signal, {}, false, std::nullopt};
  do {
    round.found_new = false;
    const auto look = [&](int at) { return signal_listed(at, round); };
    TRY(walk_tree(directory, look, nullptr));
    if (round.found_new && std::chrono::steady_clock::now() >= deadline)
      return fail({REAPER_ERR_TIMEOUT, ETIMEDOUT,
                   "in the container's cgroup there were new processes as fast as " + signal_name(signal) + " was sent",
                   "", "kill"});
  } while (round.found_new);
  if (round.error) return fail(*round.error);
  std::unordered_set<int32_t> reached;
  for (const auto& [pid, start_time] : round.reached) reached.insert(pid);
  return reached;
}

Result<std::unordered_set<int32_t>> signal_cgroups(const Cgroups& cgroups, int signal, CgroupDeadline deadline) {
  if (cgroups.list.empty()) return std::unordered_set<int32_t>{};
  const Finder finder = TRY(make_finder(cgroups));
  const Fd directory = TRY(find_cgroup(finder, best_of(cgroups.list)));
  if (!directory) return std::unordered_set<int32_t>{};
  return signal_members(directory.get(), signal, deadline);
}

}  // namespace reaper
