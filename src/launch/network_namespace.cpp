#include "launch/network_namespace.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <array>

#include "launch/child.h"
#include "launch/ended.h"

#ifndef SIOCGSKNS
#define SIOCGSKNS 0x894C  // Linux 4.9: the network namespace of a socket
#endif

namespace reaper {

namespace {

Error network_error(const std::string& call, int number) {
  constexpr const char* pointer = "/linux/namespaces";
  Error error = system_error("network", call, number);
  error.pointer = pointer;
  error.message = std::string(pointer) + ": network: " + error.message;
  if (number == EPERM) error.message += "; needs CAP_SYS_ADMIN";
  if (number == ENOSPC) error.message += "; this user may have no more network namespaces (user.max_net_namespaces)";
  return error;
}

}  // namespace

struct NetworkNamespace::Making {
  static constexpr size_t stack_bytes = 16U << 10;

  Ended maker;
  NetworkWork work = {-1, "unshare", ECANCELED};  // of a maker that was ended by somebody
  alignas(16) std::array<std::byte, stack_bytes> stack;

  // The child's sockets are ours: a namespace is found by one of its sockets, without /proc.
  Fd reap() {
    reap_ended(maker);
    maker.pidfd.reset();
    return Fd(work.socket);
  }
};

NetworkNamespace::NetworkNamespace() = default;

NetworkNamespace::~NetworkNamespace() {
  if (making_ && making_->maker.pidfd) (void)making_->reap();
}

Status NetworkNamespace::begin() {
  making_.reset(new Making);  // the stack is not to be cleared
  auto maker = clone_beside(make_network, &making_->work, making_->stack);
  if (!maker.has_value()) return fail(network_error("clone3", maker.error().sys_errno));
  making_->maker = std::move(*maker);
  return {};
}

Result<Fd> NetworkNamespace::take() {
  const Fd socket = making_->reap();
  if (making_->work.failed_call != nullptr) return fail(network_error(making_->work.failed_call, making_->work.error));
  Fd made(ioctl(socket.get(), SIOCGSKNS));
  if (!made) return fail(network_error("ioctl SIOCGSKNS", errno));
  return made;
}

}  // namespace reaper
