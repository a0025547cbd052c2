// SIGKILL for all that lives in a container's cgroups. Linux 5.14 has cgroup.kill, which no fork(2) escapes. Before,
// and in version 1, a process can fork and end faster than a pid is read and signalled; so forking is stopped first.
#include <signal.h>
#include <time.h>

#include <algorithm>

#include "cgroup/cgroup.h"
#include "cgroup/directory.h"
#include "cgroup/found.h"
#include "cgroup/members.h"

namespace reaper {

namespace {

using namespace cgroup;

// ENOENT: the kernel is older; EOPNOTSUPP: threaded; ENODEV: removed meanwhile.
Result<bool> kernel_kills(int directory) {
  if (write_control(directory, "cgroup.kill", "1") == 0) return true;
  if (errno == ENOENT || errno == EOPNOTSUPP || errno == ENODEV) return false;
  return fail(system_error("kill", "write cgroup.kill of the container's cgroup"));
}

// What keeps a cgroup from growing. A frozen process of version 2 can be killed; one of version 1 has to be thawed, but
// by then every one has got its signal. Everybody in it is about to die: nobody is there to be surprised.
struct Brake {
  const char* hierarchy;
  const char* file;
  const char* stop;
};
constexpr Brake brakes[] = {
    {"unified", "cgroup.freeze", "1"}, {"pids", "pids.max", "0"}, {"freezer", "freezer.state", "FROZEN"}};

struct Applied {
  Fd directory;
  const char* file = nullptr;
  std::string before;
};

// Whether it could be done is not asked: without it, it takes longer.
Result<Applied> stop_forks(const Finder& finder, const Cgroups& cgroups) {
  for (const Brake& brake : brakes) {
    const auto found =
        std::ranges::find_if(cgroups.list, [&](const Cgroup& cgroup) { return is_of(cgroup, brake.hierarchy); });
    if (found == cgroups.list.end()) continue;
    Applied applied = {TRY(find_cgroup(finder, *found)), brake.file, ""};
    if (!applied.directory || read_control(applied.directory.get(), brake.file, applied.before) != 0) continue;
    if (write_control(applied.directory.get(), brake.file, brake.stop) == 0) return applied;
  }
  return Applied{};
}

void release(const Applied& applied) {
  if (applied.directory) (void)write_control(applied.directory.get(), applied.file, applied.before);
}

// Of version 1 the only state in which SIGKILL does not end a process, whoever has frozen it.
Status thaw(const Finder& finder, const Cgroups& cgroups) {
  for (const Cgroup& cgroup : cgroups.list) {
    if (!is_of(cgroup, "freezer")) continue;
    const Fd directory = TRY(find_cgroup(finder, cgroup));
    const auto write = [&](int at) -> Status {
      if (write_control(at, "freezer.state", "THAWED") == 0 || errno == ENOENT || errno == ENODEV) return {};
      return fail(place_error("thaw", cgroup.place));
    };
    if (directory) TRY(walk_tree(directory.get(), write, nullptr));
  }
  return {};
}

}  // namespace

void cgroup::nap() {
  constexpr timespec moment = {0, 1'000'000};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, nullptr);
}

Status cgroup::kill_members(int directory, bool unified, CgroupDeadline deadline) {
  if (unified && TRY(kernel_kills(directory))) return {};
  TRY(signal_members(directory, SIGKILL, deadline));
  return {};
}

Status cgroup::kill_by_signals(const Finder& finder, const Cgroups& cgroups, CgroupDeadline deadline) {
  const Cgroup& cgroup = best_of(cgroups.list);
  const Fd directory = TRY(find_cgroup(finder, cgroup));
  if (!directory) return {};
  const Applied applied = TRY(stop_forks(finder, cgroups));
  const auto sent = signal_members(directory.get(), SIGKILL, deadline);
  release(applied);
  TRY(thaw(finder, cgroups));
  return sent.has_value() ? Status{} : fail(sent.error());
}

Status cgroup::end_members(int directory, const CgroupPlace& place, CgroupDeadline deadline) {
  while (TRY(has_processes(directory))) {
    TRY(kill_members(directory, place.unified, deadline));
    if (std::chrono::steady_clock::now() >= deadline)
      return fail({REAPER_ERR_TIMEOUT, ETIMEDOUT,
                   "processes in the cgroup \"" + place.directory() + "\" did not end in time after SIGKILL", "",
                   "kill"});
    nap();
  }
  return {};
}

Status kill_cgroups(const Cgroups& cgroups, CgroupDeadline deadline) {
  if (cgroups.list.empty()) return {};
  const Finder finder = TRY(make_finder(cgroups));
  const Cgroup& cgroup = best_of(cgroups.list);
  const Fd directory = TRY(find_cgroup(finder, cgroup));
  if (!directory) return {};
  if (!cgroup.place.unified || !TRY(kernel_kills(directory.get())))
    TRY(kill_by_signals(finder, cgroups, deadline));
  else
    TRY(thaw(finder, cgroups));
  return end_members(directory.get(), cgroup.place, deadline);
}

}  // namespace reaper
