// A user namespace, which this process was cloned into or has entered (user_namespaces(7)).
#include <linux/prctl.h>

#include "init/frames.h"
#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

// Whatever the namespace of its creator made of it, this process is root here then, with nothing that its program could
// inherit: neither groups, where they may be given up, nor capabilities that were raised to come through execve(2).
Outcome become_root(const Operation& operation) {
  if (operation.number(1) != 0)
    if (const long result = call(__NR_setgroups, 0, nullptr); result < 0) return failed_call(result, "setgroups");
  if (const long result = call(__NR_setresgid, 0, 0, 0); result < 0) return failed_call(result, "setresgid");
  if (const long result = call(__NR_setresuid, 0, 0, 0); result < 0) return failed_call(result, "setresuid");
  const uint64_t all = operation.number(0);
  if (const long result = set_capability_sets(all, all, 0); result < 0) return failed_call(result, "capset");
  // With the maps there are others who might have the same ids (CVE-2016-9962).
  return checked(call(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl(PR_SET_DUMPABLE)");
}

Outcome enter_user_namespace(State& state, const Operation& operation) {
  if (const Outcome outcome = await_frame(state.handshake, wire::Frame::mapped); !outcome.ok()) return outcome;
  return become_root(operation);
}

}  // namespace reaper::init
