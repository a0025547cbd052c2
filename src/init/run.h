// reaper-init: receives a plan and carries it out.
#pragma once

namespace reaper::init {

// argv[1] is the number of the handshake socket. Returns the exit status of a failure; success is execve.
int run(int argc, char** argv);

}  // namespace reaper::init
