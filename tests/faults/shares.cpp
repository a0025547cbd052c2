// A walk in several processes.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "faults/walk.h"

namespace reaper::walk {

namespace {

constexpr int most = 4;

}  // namespace

Shared run_in_shares(const Scenario& scenario, const std::function<int(Share share, int& total)>& program) {
  Shared all;
  if (!scenario.devices) {
    all.status = program({}, all.total);
    return all;
  }
  void* memory = mmap(nullptr, most * sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  int* totals = static_cast<int*>(memory);
  std::array<pid_t, most> children = {};
  fflush(nullptr);
  for (int i = 0; i < most; ++i) {
    children[static_cast<size_t>(i)] = fork();
    REQUIRE(children[static_cast<size_t>(i)] >= 0);
    if (children[static_cast<size_t>(i)] != 0) continue;
    const int status = program({1 + i, most}, totals[i]);
    fflush(nullptr);
    _exit(status);
  }
  for (int i = 0; i < most; ++i) {
    int status = 0;
    REQUIRE(waitpid(children[static_cast<size_t>(i)], &status, 0) == children[static_cast<size_t>(i)]);
    all.status = std::max(all.status, WIFEXITED(status) ? WEXITSTATUS(status) : 1);
    all.total += totals[i];
  }
  munmap(memory, most * sizeof(int));
  return all;
}

}  // namespace reaper::walk
