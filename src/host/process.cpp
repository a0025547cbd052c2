// The calling thread's identity, capabilities and limits. On the path of every create, so system calls only: about
// sixty of them, some microseconds.
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "host/facts.h"

namespace reaper {

static_assert(RLIM_NLIMITS == resource_count);

namespace {

constexpr std::string_view stage = "facts";

Status read_ids(ProcessFacts& facts) {
  if (getresuid(&facts.real_uid, &facts.effective_uid, &facts.saved_uid) != 0)
    return fail(system_error(stage, "getresuid"));
  if (getresgid(&facts.real_gid, &facts.effective_gid, &facts.saved_gid) != 0)
    return fail(system_error(stage, "getresgid"));
  return {};
}

Status read_groups(ProcessFacts& facts) {
  facts.groups.resize(32);  // enough for nearly everybody, and saves the call that asks for the count
  int count = getgroups(static_cast<int>(facts.groups.size()), facts.groups.data());
  while (count < 0) {
    if (errno != EINVAL) return fail(system_error(stage, "getgroups"));
    const int wanted = getgroups(0, nullptr);
    if (wanted < 0) return fail(system_error(stage, "getgroups"));
    facts.groups.resize(static_cast<size_t>(wanted) + 1);
    count = getgroups(static_cast<int>(facts.groups.size()), facts.groups.data());
  }
  facts.groups.resize(static_cast<size_t>(count));
  std::sort(facts.groups.begin(), facts.groups.end());
  return {};
}

uint64_t joined(uint32_t low, uint32_t high) {
  return uint64_t{high} << 32 | low;
}

Status read_capabilities(ProcessFacts& facts) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capget, &header, data) != 0) return fail(system_error(stage, "capget"));
  CapabilitySets& sets = facts.capabilities;
  sets.permitted = joined(data[0].permitted, data[1].permitted);
  sets.effective = joined(data[0].effective, data[1].effective);
  sets.inheritable = joined(data[0].inheritable, data[1].inheritable);
  // PR_CAPBSET_READ is EINVAL above the kernel's last capability, so one walk gives both. libcap-ng's idea of the last
  // one ends where its table does, /proc/sys/kernel/cap_last_cap may not be mounted.
  int number = 0;
  for (; number < 64; ++number) {
    const int in_bounding = prctl(PR_CAPBSET_READ, number, 0, 0, 0);
    if (in_bounding < 0 && (errno != EINVAL || number == 0)) return fail(system_error(stage, "prctl PR_CAPBSET_READ"));
    if (in_bounding < 0) break;
    sets.bounding |= static_cast<uint64_t>(in_bounding) << number;
  }
  facts.last_capability = number - 1;
  // The kernel keeps ambient inside permitted & inheritable (capabilities(7)), which is mostly empty.
  for (uint64_t rest = sets.permitted & sets.inheritable; rest != 0; rest &= rest - 1) {
    const int bit = __builtin_ctzll(rest);
    const int in_ambient = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, bit, 0, 0);
    if (in_ambient < 0) return fail(system_error(stage, "prctl PR_CAP_AMBIENT_IS_SET"));
    sets.ambient |= static_cast<uint64_t>(in_ambient) << bit;
  }
  return {};
}

Status read_flags(ProcessFacts& facts) {
  const int securebits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
  if (securebits < 0) return fail(system_error(stage, "prctl PR_GET_SECUREBITS"));
  facts.securebits = static_cast<uint32_t>(securebits);
  const int no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
  if (no_new_privs < 0) return fail(system_error(stage, "prctl PR_GET_NO_NEW_PRIVS"));
  facts.no_new_privs = no_new_privs != 0;
  return {};
}

Status read_rlimits(ProcessFacts& facts) {
  for (size_t resource = 0; resource < resource_count; ++resource) {
    rlimit limit = {};
    if (syscall(SYS_prlimit64, 0, resource, nullptr, &limit) != 0) return fail(system_error(stage, "prlimit64"));
    facts.rlimits[resource] = {limit.rlim_cur, limit.rlim_max};
  }
  return {};
}

}  // namespace

Result<ProcessFacts> read_process_facts() {
  ProcessFacts facts;
  TRY(read_ids(facts));
  TRY(read_groups(facts));
  TRY(read_capabilities(facts));
  TRY(read_flags(facts));
  TRY(read_rlimits(facts));
  return facts;
}

CarriedCapabilities carried_capabilities(const ProcessFacts& facts) {
  const CapabilitySets& sets = facts.capabilities;
  const bool root_exec = facts.effective_uid == 0 && (facts.securebits & SECBIT_NOROOT) == 0;
  const bool forbidden = (facts.securebits & SECBIT_NO_CAP_AMBIENT_RAISE) != 0;
  CarriedCapabilities carried = {sets.inheritable, sets.ambient};
  if (root_exec || forbidden) return carried;
  carried.inheritable |= sets.permitted & sets.bounding;
  carried.ambient = sets.permitted & carried.inheritable;
  return carried;
}

}  // namespace reaper
