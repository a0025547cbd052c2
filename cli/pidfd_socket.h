// --pidfd-socket: who listens there gets a pidfd of the container's process, or of a further one, as the engines' exit
// monitors want it.
#pragma once

#include "arguments.h"
#include "reaper.h"

namespace reaper::cli {

class PidfdSocket {
 public:
  PidfdSocket() = default;
  PidfdSocket(const PidfdSocket&) = delete;
  PidfdSocket& operator=(const PidfdSocket&) = delete;
  ~PidfdSocket();
  // Before anything is made. Returns 0, or an exit code after it has reported the error.
  int connect(const Arguments& arguments);
  // Sends it, if it was asked for; the same.
  int send(const reaper_container* container) const;
  int send(const reaper_process* process) const;

 private:
  int pass(int32_t pidfd) const;  // and closes it
  int socket_ = -1;
};

}  // namespace reaper::cli
