// Namespaces of the container's own or of others, and what is set in a fresh one (namespaces(7)).
#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/sched.h>

#include "init/frames.h"
#include "init/loopback.h"
#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

Outcome unshare_namespaces(const Operation& operation) {
  return checked(call(__NR_unshare, operation.number(0)));
}

Outcome check_first_process() {
  const long pid = call(__NR_getpid);
  return pid == 1 ? Outcome{} : failed_call(-ESRCH, "this process is not the first of its pid namespace");
}

// setns(2) compares the type: a file of another one is EINVAL.
Outcome join_namespace(const Operation& operation) {
  const char* const path = operation.string(0);
  const long opened = call(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  if (opened < 0) return failed_call(opened, path);
  const long joined = call(__NR_setns, opened, operation.number(0));
  call(__NR_close, opened);
  return checked(joined, path);
}

// The descriptor is ours alone: the program that follows gets none above 2.
Outcome join_process(State& state, const Operation& operation) {
  state.extra_fds = 0;
  return checked(call(__NR_setns, operation.number(1), operation.number(0)));
}

// With the rights of the caller, which it has in none of them once it is in another user namespace.
Outcome enter_outer_namespaces(const State& state, const Operation& operation) {
  return checked(call(__NR_setns, state.state_directory, operation.number(0)));
}

// All at once: the user namespace first, whose rights the others may take (setns(2), Linux 5.8).
Outcome enter_namespaces(State& state, const Operation& operation) {
  const long joined = call(__NR_setns, state.state_directory, operation.number(0));
  call(__NR_close, state.state_directory);
  state.state_directory = -1;
  return checked(joined);
}

Outcome set_hostname(const Operation& operation) {
  const char* const name = operation.string(0);
  return checked(call(__NR_sethostname, name, length_of(name)));
}

Outcome set_domainname(const Operation& operation) {
  const char* const name = operation.string(0);
  return checked(call(__NR_setdomainname, name, length_of(name)));
}

Outcome set_loopback_up() {
  const long socket = network_socket();
  if (socket == -EAFNOSUPPORT) return {};
  if (socket < 0) return failed_call(socket, "socket");
  const char* failed = nullptr;
  const long result = raise_loopback(socket, failed);
  call(__NR_close, socket);
  return checked(result, failed);
}

// The library has made it in the meantime, with its loopback device up.
Outcome enter_new_network(State& state) {
  int made = -1;
  if (const Outcome outcome = await_descriptor(state.handshake, wire::Frame::network_made, made); !outcome.ok())
    return outcome;
  const long entered = call(__NR_setns, made, CLONE_NEWNET);
  call(__NR_close, made);
  return checked(entered, "setns");
}

// The library, which has rights over the devices of the host's network, speaks for both sides.
Outcome await_net_devices(State& state) {
  constexpr int af_netlink = 16;  // AF_NETLINK, netlink(7)
  constexpr int sock_raw_cloexec = 3 | O_CLOEXEC;
  const long socket = call(__NR_socket, af_netlink, sock_raw_cloexec, 0);
  if (socket < 0) return failed_call(socket, "socket AF_NETLINK");
  const long sent =
      send_frame_with_descriptor(state.handshake, wire::Frame::network, nullptr, 0, static_cast<int>(socket));
  call(__NR_close, socket);
  if (sent < 0) return failed_call(sent, "sendmsg");
  return await_frame(state.handshake, wire::Frame::networked);
}

// The library maps the ids of mounts for it (mount_setattr(2)), which it has the rights for. That it was joined by a
// path does not say that the path leads there still.
Outcome show_user_namespace(const State& state) {
  constexpr const char* path = "/proc/self/ns/user";
  const long opened = call(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  if (opened < 0) return failed_call(opened, path);
  const long sent =
      send_frame_with_descriptor(state.handshake, wire::Frame::user_namespace, nullptr, 0, static_cast<int>(opened));
  call(__NR_close, opened);
  return sent < 0 ? failed_call(sent, "sendmsg") : Outcome{};
}

Outcome set_propagation(const Operation& operation) {
  return checked(call(__NR_mount, "", "/", "", operation.number(0), nullptr), "/");
}

}  // namespace reaper::init
