// Identity and capabilities, by raw system calls: one thread, one kernel object, nothing in between. The order is the
// plan's (plan/plan.cpp); every failure ends init.
#include <linux/capability.h>
#include <linux/prctl.h>

#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

Outcome set_keep_caps(const Operation& operation) {
  return checked(call(__NR_prctl, PR_SET_KEEPCAPS, operation.number(0), 0, 0, 0));
}

Outcome drop_bounding(const Operation& operation) {
  const uint64_t stays = operation.number(0);
  for (uint64_t number = 0; number <= operation.number(1) && number < 64; ++number) {
    if ((stays >> number & 1) != 0) continue;
    const long result = call(__NR_prctl, PR_CAPBSET_DROP, number, 0, 0, 0);
    if (result < 0) return {wire::Fault::system_call, static_cast<int32_t>(-result), number, 0, ""};
  }
  return {};
}

Outcome set_groups(const Operation& operation) {
  const uint32_t count = operation.number_count();
  uint32_t few[32];
  uint32_t* groups = few;
  if (count > sizeof few / sizeof *few) groups = static_cast<uint32_t*>(map_memory(count * sizeof *groups));
  if (groups == nullptr) return failed_call(-12);  // ENOMEM
  for (uint32_t i = 0; i < count; ++i) groups[i] = static_cast<uint32_t>(operation.number(i));
  return checked(call(__NR_setgroups, count, groups));
}

Outcome set_gid(const Operation& operation) {
  const uint64_t gid = operation.number(0);
  if (gid >= UINT32_MAX) return malformed(0);  // -1 would mean "leave unchanged"
  return checked(call(__NR_setresgid, gid, gid, gid));
}

Outcome set_uid(const Operation& operation) {
  const uint64_t uid = operation.number(0);
  if (uid >= UINT32_MAX) return malformed(0);
  return checked(call(__NR_setresuid, uid, uid, uid));
}

long set_capability_sets(uint64_t permitted, uint64_t effective, uint64_t inheritable) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2];
  for (int half = 0; half < 2; ++half) {
    data[half].permitted = static_cast<uint32_t>(permitted >> (32 * half));
    data[half].effective = static_cast<uint32_t>(effective >> (32 * half));
    data[half].inheritable = static_cast<uint32_t>(inheritable >> (32 * half));
  }
  return call(__NR_capset, &header, data);
}

Outcome set_capabilities(const Operation& operation) {
  return checked(set_capability_sets(operation.number(0), operation.number(1), operation.number(2)));
}

Outcome set_ambient(const Operation& operation) {
  const uint64_t ambient = operation.number(0);
  // Linux 4.3; every kernel that this library supports has it.
  const long cleared = call(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (cleared < 0) return failed_call(cleared);
  for (uint64_t number = 0; number < 64; ++number) {
    if ((ambient >> number & 1) == 0) continue;
    const long result = call(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0);
    if (result < 0) return {wire::Fault::system_call, static_cast<int32_t>(-result), number, 0, ""};
  }
  return {};
}

}  // namespace reaper::init
