// Where the master of a program's terminal goes.
#pragma once

#include "config/config.h"
#include "launch/launch.h"
#include "runtime/runtime.h"

namespace reaper {

// INVALID: a terminal that nobody takes, or somebody who waits for one that is not made.
Status check_console(const CreateRequest& request, const Config& config);

// The same of the console socket's path, as far as can be told without connecting.
Status check_console_socket(const CreateRequest& request);

// A connection to the request's console socket; empty when it names none. INVALID: there is no socket.
Result<Fd> connect_console(const CreateRequest& request, Deadline deadline);

// The slave's path and the master, as one message.
Status send_terminal(const Fd& console, const Launched& launched);

}  // namespace reaper
