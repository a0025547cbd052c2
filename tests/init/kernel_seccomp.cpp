// The model kernel's filters: what seccomp(2) takes, what it asks for, and the page that init shares before it.
#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/mman.h>

#include <cerrno>

#include "init/kernel.h"

namespace reaper::test {

namespace {

constexpr int memory_fd = 300;
constexpr int listener_fd = 301;
constexpr long thread_number = 77;

long load(Kernel& k, const Call& call) {
  if (call.arguments[0] != 1) return -EINVAL;  // SECCOMP_SET_MODE_FILTER
  if (!k.no_new_privs && (k.capabilities.effective >> CAP_SYS_ADMIN & 1) == 0) return -EACCES;
  const auto* program = reinterpret_cast<const sock_fprog*>(call.arguments[2]);
  const auto* first = reinterpret_cast<const uint64_t*>(program->filter);
  k.filter.assign(first, first + program->len);
  k.filter_flags = call.arguments[1];
  k.deny.insert(k.filter_denies.begin(), k.filter_denies.end());
  if ((k.filter_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) == 0) return 0;
  k.open.insert(listener_fd);
  return listener_fd;
}

}  // namespace

std::optional<long> handle_seccomp(Kernel& k, const Call& call) {
  switch (call.number) {
    case __NR_seccomp:
      return load(k, call);
    case __NR_clone:
      // A thread, which the model never runs by itself: see process_thread.cpp.
      if ((call.arguments[0] & CLONE_THREAD) == 0) return std::nullopt;
      return thread_number;
    case __NR_memfd_create:
      k.open.insert(memory_fd);
      return memory_fd;
    case __NR_mmap: {
      if (call.arguments[4] != memory_fd) return std::nullopt;
      void* page = mmap(nullptr, static_cast<size_t>(call.arguments[1]), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      k.page = static_cast<const char*>(page);
      return static_cast<long>(reinterpret_cast<intptr_t>(page));
    }
    default:
      return std::nullopt;
  }
}

}  // namespace reaper::test
