// The loopback device of a network namespace that was just made: programs take 127.0.0.1 for granted, and every runtime
// leaves it up (netdevice(7)). For reaper-init, and for the child of src/launch/child.cpp.
#pragma once

#include "init/sys.h"

namespace reaper::init {

// A socket of the caller's network namespace, or a negative errno. A kernel without IPv4 (EAFNOSUPPORT) has no such
// interface flags.
[[gnu::always_inline]] static inline long network_socket() {
  constexpr int af_inet = 2;                        // AF_INET, socket(2); the kernel's headers do not export these
  constexpr int sock_dgram_cloexec = 2 | 02000000;  // SOCK_DGRAM | SOCK_CLOEXEC
  return call(__NR_socket, af_inet, sock_dgram_cloexec, 0);
}

// `failed`: what of it, if the result is negative.
[[gnu::always_inline]] static inline long raise_loopback(long socket, const char*& failed) {
  constexpr unsigned get_interface_flags = 0x8913;  // SIOCGIFFLAGS, netdevice(7)
  constexpr unsigned set_interface_flags = 0x8914;  // SIOCSIFFLAGS
  constexpr int16_t interface_up = 1;               // IFF_UP
  struct InterfaceRequest {                         // struct ifreq
    char name[16];
    int16_t flags;
    char rest[22];
  };
  static_assert(sizeof(InterfaceRequest) == 40);
  InterfaceRequest request = {};
  request.name[0] = 'l';
  request.name[1] = 'o';
  failed = "ioctl SIOCGIFFLAGS";
  long result = call(__NR_ioctl, socket, get_interface_flags, &request);
  if (result < 0) return result;
  request.flags = static_cast<int16_t>(request.flags | interface_up);
  failed = "ioctl SIOCSIFFLAGS";
  return call(__NR_ioctl, socket, set_interface_flags, &request);
}

}  // namespace reaper::init
