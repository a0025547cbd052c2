// Who answers for SCMP_ACT_NOTIFY: the unix socket linux.seccomp.listenerPath (config-linux.md, The Container Process
// State).
#pragma once

#include <string>

#include "config/config.h"
#include "core/fd.h"
#include "core/result.h"
#include "launch/frames.h"
#include "reaper.h"
#include "store/store.h"

namespace reaper {

// As far as can be told without connecting. INVALID: there is no socket.
Status check_listener(const Config& config);

// For the record; empty: nobody is notified.
std::string encode_listener(const Config& config);

// A connection to the agent of this container's record; empty: it needs none.
Result<Fd> connect_listener(const Record& record, Deadline deadline);

// Whose filter it is: the container's own process, or a further one, and what its container is meanwhile. runtime.md
// has no words for what is between create and start but `created`.
struct NotifiedProcess {
  int32_t pid = 0;
  int status = REAPER_STATUS_CREATED;
};

// The container process state, with the listener; then the connection is closed: the agent may wait for that.
Status send_listener(const Record& record, const NotifiedProcess& process, Fd agent, const Fd& listener,
                     Deadline deadline);

}  // namespace reaper
