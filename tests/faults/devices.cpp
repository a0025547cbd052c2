// Network devices that a container is to be given, in a network namespace of the test's own.
#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <cstring>

#include "faults/walk.h"

extern "C" {
#include "devices.h"
}

namespace reaper::walk {

namespace {

struct Pair {
  const char* given;
  const char* kept;
  const char* inside;  // its name in the container
};
constexpr Pair pairs[] = {{"walk0", "kept0", "eth0"}, {"walk1", "kept1", "eth1"}};
constexpr const char* address = "192.0.2.7";  // of the first

bool is_here(const char* name) {
  return if_nametoindex(name) != 0;
}

bool has_address(const char* name) {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return false;
  bool found = false;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET || strcmp(one->ifa_name, name) != 0) continue;
    sockaddr_in internet = {};
    memcpy(&internet, one->ifa_addr, sizeof internet);
    char text[INET_ADDRSTRLEN] = "";
    found = found || strcmp(inet_ntop(AF_INET, &internet.sin_addr, text, sizeof text), address) == 0;
  }
  freeifaddrs(all);
  return found;
}

bool is_up(const char* name) {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return false;
  bool up = false;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next)
    up = up || (strcmp(one->ifa_name, name) == 0 && (one->ifa_flags & IFF_UP) != 0);
  freeifaddrs(all);
  return up;
}

// In a child, which may go anywhere.
int look_inside(void* argument) {
  const auto pid = *static_cast<const int32_t*>(argument);
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/net";
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  CHECK(file >= 0 && setns(file, CLONE_NEWNET) == 0);
  for (const Pair& pair : pairs) CHECK(!is_here(pair.given) && is_here(pair.inside) && is_up(pair.inside));
  CHECK(has_address(pairs[0].inside));
  return 0;
}

bool make(const Pair& pair) {
  if (ip((std::string("link add ") + pair.given + " type veth peer name " + pair.kept).c_str()) != 0) return false;
  return &pair != &pairs[0] || ip((std::string("address add ") + address + "/24 dev " + pair.given).c_str()) == 0;
}

}  // namespace

const char* const devices_wanted = "{\"walk0\":{\"name\":\"eth0\"},\"walk1\":{\"name\":\"eth%d\"}}";

const char* enter_network() {
  if (!holds_capability("CapEff:", CAP_NET_ADMIN)) return "CAP_NET_ADMIN is not held";
  if (ip_program() == nullptr) return "no ip(8) here";
  if (unshare(CLONE_NEWNET) != 0) return "making namespaces needs CAP_SYS_ADMIN";
  for (const Pair& pair : pairs)
    if (!make(pair)) return "network devices cannot be made here";
  return nullptr;
}

void make_devices() {
  for (const Pair& pair : pairs) REQUIRE(is_here(pair.given) || make(pair));
}

std::string judge_devices() {
  std::string wrong;
  for (const Pair& pair : pairs)
    if (is_here(pair.given) != is_here(pair.kept)) wrong += std::string("; ") + pair.given + " is in between";
  if (wrong.empty() && is_here(pairs[0].given) && !has_address(pairs[0].given))
    wrong = "; the host's device is changed";
  return wrong;
}

std::string judge_devices_of(int32_t pid) {
  for (const Pair& pair : pairs)
    if (is_here(pair.given) || !is_here(pair.kept))
      return std::string("a wrong success: ") + pair.given + " is not moved";
  return in_child(look_inside, &pid) == 0 ? "" : "a wrong success: a device is not as it is to be";
}

}  // namespace reaper::walk
