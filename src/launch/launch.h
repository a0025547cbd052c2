// The caller's side of a container's birth and start: clone, handshake, gate.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "core/fd.h"
#include "core/result.h"
#include "host/facts.h"
#include "plan/plan.h"
#include "plan/wire.h"

namespace reaper {

// The program reaper-init as an executable descriptor: a sealed memfd, or the installed file where memfds may not be
// executed (vm.memfd_noexec=2).
Result<Fd> open_init_image();

// What reaper-init says of a failure.
struct InitReport {
  wire::ErrorHeader header = {};
  std::string pointer;
  std::string text;
  wire::Op op() const { return static_cast<wire::Op>(header.op); }
};
// The sentence for it.
Error error_of(const InitReport& report);

struct LaunchRequest {
  int init_image = -1;
  std::string_view plan;     // encode_plan()
  int state_directory = -1;  // init binds its gate in it; a hook has none; of exec: a pidfd, see wire.h
  int stdio[3] = {-1, -1, -1};
  std::span<const int32_t> extra_fds;
  const ProcessFacts* facts = nullptr;  // what the child may carry through execveat
  uint64_t namespaces = 0;              // CLONE_NEWPID, CLONE_NEWUSER; of a supervisor 0: its child has the namespaces
};

struct Launched {
  pid_t pid = -1;  // the container's process, or a hook's
  Fd pidfd;
  pid_t keeper = -1;  // the reaper-init that stays: a supervisor, or the one that reports a hook's end; -1: none
  Fd keeper_pidfd;
  Fd handshake;
  Fd terminal;                   // the master of the program's terminal; empty: it has none
  std::string terminal_path;     // of its slave
  std::string unsent;            // what of the LAUNCH frame did not fit into the socket before the clone
  bool may_have_beside = false;  // of a plan with `beside`: whom `pid` clones is our child too, in its process group
};

// The LAUNCH frame: descriptors and plan.
std::string launch_frame(const LaunchRequest& request);
// Clones, and returns when the process exists and its image is executed. It finds its plan in the socket already.
Result<Launched> clone_init(const LaunchRequest& request);
// For a plan with `supervise` or `report`: what clone_init() gave is the process that stays, and becomes `keeper`.
// Waits for it to say which process it has cloned.
Status await_cloned(Launched& launched);
// For a plan with `cgroup` (wire::Frame::placed) one with `user_namespace` (mapped) and one with `hooks` (hooked): what
// the process waits for is done.
Status send_frame(const Launched& launched, wire::Frame type);
Status send_unsent(Launched& launched);  // before these
// For a plan with `mount_ids` (mapped_mount) and one with `network` (network_made): the same with a descriptor of ours.
Status send_descriptor(const Launched& launched, wire::Frame type, const Fd& descriptor);
// What the process sends of its own: NETWORK, for a plan with `net_devices`: a netlink socket of its network namespace;
// USER_NAMESPACE, for one with `show_user`: the one that it is in.
Result<Fd> await_descriptor(Launched& launched, wire::Frame type);
// user_namespace.cpp: a user namespace that is there for its maps alone, without any process in it.
Result<Fd> make_user_namespace(const std::string& uid_map, const std::string& gid_map);
// For a plan with `user_namespace`, after send_unsent(): writes the maps and says so. `helper` runs a program that
// writes one in our place.
using MapHelper = std::function<Status(const std::string& program, const std::string& map, std::string_view pointer)>;
Status write_id_maps(const Launched& launched, const UserNamespaceMaps& maps, const MapHelper& helper);
// One map, in one piece or not at all, as the kernel takes it (user_namespaces(7)). 0, or an errno.
int write_id_map(const Fd& file, std::string_view map);
// For a plan with `hooks`: waits for MOUNTED. The hooks of create are run then.
Status await_mounted(Launched& launched);
// For a plan with `beside` or `beside_into`: what clone_init() gave, or its supervisor's child, has cloned the process
// that `launched` is about from now on, and is gone.
Status await_beside(Launched& launched);
// Gives the listener of a filter that notifies to whoever waits for it.
using ListenerTaker = std::function<Status(const Fd& listener)>;
// For a plan with `ready`, after send_go(): waits until the program runs.
Status await_exec(const Launched& launched, std::chrono::steady_clock::time_point deadline, const ListenerTaker& taker);
// Waits for READY: everything but the program is in place. Takes its terminal on the way.
Status await_ready(Launched& launched);
// For a plan with `report`, after await_cloned(): waits for the end of the process. An error of a step before its
// execve is returned as it is; TIMEOUT at the deadline; SYSTEM when its keeper has ended without a word.
struct ProcessEnd {
  int code = 0;    // CLD_EXITED, CLD_KILLED or CLD_DUMPED (waitid(2))
  int status = 0;  // the exit status, or the signal
};
Result<ProcessEnd> await_ended(const Launched& launched, std::chrono::steady_clock::time_point deadline);
// Tells init that its record is committed. Without it, init exits at end of file.
Status send_go(const Launched& launched);
// SIGKILL, then reaps it; a keeper too. For every failure between clone and commit.
void end_launched(Launched& launched);

using StartDeadline = std::chrono::steady_clock::time_point;
// The gate in the container's directory. STATUS: nobody listens (already started).
Result<Fd> connect_gate(int state_directory, StartDeadline deadline);
// Sees the start of process `pid` through.
Status start_through_gate(const Fd& gate, int pidfd, pid_t pid, StartDeadline deadline, const ListenerTaker& taker);

}  // namespace reaper
