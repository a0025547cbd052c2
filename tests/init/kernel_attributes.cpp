// What the model kernel knows of schedulers, I/O priorities, personalities and keyrings.
#include <asm/unistd.h>
#include <linux/keyctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "init/kernel.h"

namespace reaper::test {

namespace {

const char* text_at(long address) {
  return reinterpret_cast<const char*>(address);
}

// struct sched_attr: size and policy, flags, nice and priority, runtime, deadline, period.
long set_scheduler(Kernel& k, const Call& call) {
  memcpy(k.scheduler, reinterpret_cast<const void*>(call.arguments[1]), sizeof k.scheduler);
  const bool deadline = k.scheduler[0] >> 32 == 6;
  if (deadline && k.scheduler[5] == 0) k.scheduler[5] = k.scheduler[4];  // sched_setattr(2)
  constexpr uint64_t keep = 0x18;                                        // SCHED_FLAG_KEEP_*
  k.scheduler[1] &= ~keep;
  return 0;
}

long get_scheduler(const Kernel& k, const Call& call) {
  memcpy(reinterpret_cast<void*>(call.arguments[1]), k.scheduler, sizeof k.scheduler);
  return 0;
}

long persona(Kernel& k, uint32_t wanted) {
  const uint32_t before = k.personality;
  if (wanted != 0xffffffff) k.personality = wanted;
  return before;
}

long key_control(Kernel& k, const Call& call) {
  if (call.arguments[0] == KEYCTL_JOIN_SESSION_KEYRING) {
    k.joined_keyrings.emplace_back(call.arguments[1] == 0 ? "" : text_at(call.arguments[1]));
    return static_cast<long>(1000 + k.joined_keyrings.size());
  }
  if (call.arguments[0] != KEYCTL_DESCRIBE) return -EOPNOTSUPP;
  const std::string& name = k.joined_keyrings.back();
  std::string text = "keyring;" + std::to_string(k.uid[0]) + ";" + std::to_string(k.gid[0]) + ";3f130000;" + name;
  if (!k.foreign_keyring.empty() && !name.empty()) text = k.foreign_keyring;
  // keyctl(2): what does not fit is not copied, and the size is told.
  if (static_cast<long>(text.size() + 1) <= call.arguments[3])
    memcpy(reinterpret_cast<void*>(call.arguments[2]), text.c_str(), text.size() + 1);
  return static_cast<long>(text.size() + 1);
}

}  // namespace

std::optional<long> handle_attribute(Kernel& k, const Call& call) {
  const long* a = call.arguments;
  switch (call.number) {
    case __NR_sched_setattr:
      return set_scheduler(k, call);
    case __NR_sched_getattr:
      return get_scheduler(k, call);
    case __NR_ioprio_set:
      k.io_priority = a[2];
      return 0;
    case __NR_ioprio_get:
      return k.io_priority;
    case __NR_personality:
      return persona(k, static_cast<uint32_t>(a[0]));
    case __NR_sched_setaffinity:
      memcpy(k.affinity, reinterpret_cast<const void*>(a[2]),
             std::min<size_t>(sizeof k.affinity, static_cast<size_t>(a[1])));
      k.affinity[0] &= k.cpuset;
      return 0;
    case __NR_sched_getaffinity:
      memcpy(reinterpret_cast<void*>(a[2]), k.affinity, std::min<size_t>(sizeof k.affinity, static_cast<size_t>(a[1])));
      return sizeof k.affinity;
    case __NR_set_mempolicy:
      k.memory_mode = static_cast<int>(a[0]);
      k.memory_nodes = a[1] == 0 ? 0 : *reinterpret_cast<const uint64_t*>(a[1]) & k.online_nodes;
      return 0;
    case __NR_get_mempolicy:
      *reinterpret_cast<int*>(a[0]) = k.memory_mode;
      memset(reinterpret_cast<void*>(a[1]), 0, static_cast<size_t>(a[2]) / 8);
      *reinterpret_cast<uint64_t*>(a[1]) = k.memory_nodes;
      return 0;
    case __NR_keyctl:
      return key_control(k, call);
    default:
      return std::nullopt;
  }
}

}  // namespace reaper::test
