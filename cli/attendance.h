// What run and a foreground exec share: signals and a terminal's bytes are passed on until the program ends.
#pragma once

#include "reaper.h"
#include "relay.h"

namespace reaper::cli {

// A container, or a further process in one.
struct Attended {
  const reaper_container* container;
  const reaper_process* process;  // null: the container's own
};

// Every signal waits in the descriptor that is returned from before the program exists, so that none is lost and none
// ends this process while it lives. Its own mask is empty: the library sees to that. -1, and errno.
int block_signals();

// Returns the exit code: the program's own, 128 + signal, or 1 after it has reported an error.
int attend(const Attended& program, int signals, Relay& relay);

}  // namespace reaper::cli
