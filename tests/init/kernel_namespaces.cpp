// Namespaces in the model kernel: which were made and joined, and what is set in them.
#include <asm/unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "init/kernel.h"

namespace reaper::test {

namespace {

std::string text_of(const Call& call) {
  return {reinterpret_cast<const char*>(call.arguments[0]), static_cast<size_t>(call.arguments[1])};
}

// netdevice(7): the flags stand behind the 16 bytes of the name.
long interface_flags(Kernel& k, const Call& call) {
  if (k.interface_error != 0) return k.interface_error;
  auto* request = reinterpret_cast<char*>(call.arguments[2]);
  if (strcmp(request, "lo") != 0) return -ENODEV;
  if (call.arguments[1] == 0x8914)
    memcpy(&k.loopback_flags, request + 16, sizeof k.loopback_flags);
  else
    memcpy(request + 16, &k.loopback_flags, sizeof k.loopback_flags);
  return 0;
}

constexpr int map_fd = 115;  // of users' ids; the next is of groups'

std::optional<long> open_map(Kernel& k, const Call& call) {
  const std::string path = reinterpret_cast<const char*>(call.arguments[1]);
  if (path != "/proc/thread-self/uid_map" && path != "/proc/thread-self/gid_map") return std::nullopt;
  const int fd = map_fd + (path.ends_with("gid_map") ? 1 : 0);
  k.open.insert(fd);
  k.map_at = 0;
  return fd;
}

// As much as fits, as seq_file does.
std::optional<long> read_map(Kernel& k, const Call& call) {
  if (call.arguments[0] != map_fd && call.arguments[0] != map_fd + 1) return std::nullopt;
  const std::string& map = k.maps[call.arguments[0] - map_fd];
  const size_t size = std::min(map.size() - k.map_at, static_cast<size_t>(call.arguments[2]));
  memcpy(reinterpret_cast<char*>(call.arguments[1]), map.data() + k.map_at, size);
  k.map_at += size;
  return static_cast<long>(size);
}

}  // namespace

std::optional<long> handle_namespaces(Kernel& k, const Call& call) {
  switch (call.number) {
    case __NR_openat:
      return open_map(k, call);
    case __NR_read:
      return read_map(k, call);
    case __NR_unshare:
      k.unshared |= call.arguments[0];
      return 0;
    case __NR_setns:
      k.joined |= call.arguments[1];
      return 0;
    case __NR_sethostname:
      k.hostname = text_of(call);
      return 0;
    case __NR_setdomainname:
      k.domainname = text_of(call);
      return 0;
    case __NR_mount:
      k.propagation = call.arguments[3];
      return 0;
    case __NR_getpid:
      return k.own_pid;
    case __NR_socket:
      if (call.arguments[0] == 2 && k.no_ipv4) return -EAFNOSUPPORT;
      return std::nullopt;
    case __NR_ioctl:
      if (call.arguments[1] == 0x8913 || call.arguments[1] == 0x8914) return interface_flags(k, call);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace reaper::test
