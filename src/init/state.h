// What init knows while it carries out a plan, and what an operation answers.
#pragma once

#include <stdint.h>

#include "plan/wire.h"

namespace reaper::init {

// The answer of an operation. fault 0 is success.
struct Outcome {
  wire::Fault fault = wire::Fault{};
  int32_t error = 0;  // errno
  uint64_t a = 0;
  uint64_t b = 0;
  const char* text = "";
  bool ok() const { return static_cast<uint16_t>(fault) == 0; }
};

inline Outcome failed_call(long result, const char* text = "") {
  return {wire::Fault::system_call, static_cast<int32_t>(-result), 0, 0, text};
}
inline Outcome malformed(uint64_t offset) {
  return {wire::Fault::malformed, 0, offset, 0, ""};
}
// For a system call whose success says all.
inline Outcome checked(long result, const char* text = "") {
  return result < 0 ? failed_call(result, text) : Outcome{};
}

inline constexpr uint32_t max_path = 4096;  // PATH_MAX

class Operation;

struct State {
  int handshake = -1;         // until GO; of a hook, which has no gate, until execve
  int state_directory = -1;   // until the gate is bound; a hook has none, exec a pidfd, until `enter`
  int gate = -1;              // until START
  int connection = -1;        // from START until execve
  int root = -1;              // of the container, from `root` until `pivot`
  bool changed_root = false;  // it is "/" by now
  int mapped = -1;            // what `mount_ids` has got for the mount that follows
  uint32_t umask = 0;         // the caller's, meanwhile
  int parent = -1;            // the directory of the last device or link, until the next mount
  const char* parent_path = nullptr;
  uint64_t parent_size = 0;   // of the path's part that leads to it
  int supervisor = -1;        // from `supervise_beside` until `beside_into`: it waits there for a pid
  char* arguments = nullptr;  // argv[0] and all behind it, in one piece: what /proc/PID/cmdline shows
  uint64_t arguments_size = 0;
  uint32_t extra_fds = 0;             // 3 ... 3 + extra_fds - 1 are the program's
  const Operation* filter = nullptr;  // to be loaded right before the program
  const Operation* blamed = nullptr;  // what fails, when it is not the operation that is carried out
  char* error_page = nullptr;         // once a filter is going to be loaded: see wire::ErrorPage
  bool has_dispositions = false;      // those of signals were set already, with this outcome
  Outcome dispositions;
  char executable[max_path] = {};
  char listen_pid[32] = {};  // "LISTEN_PID=17", or empty: the environment's last entry
};

// Who is to hear of a failure: the client of the start, before it the library that launched us. -1: nobody is left.
inline int peer_of(const State& state) {
  return state.connection >= 0 ? state.connection : state.handshake;
}

}  // namespace reaper::init
