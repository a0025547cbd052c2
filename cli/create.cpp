// create: the container's process becomes a child of whoever adopts it when this command ends.
#include <unistd.h>

#include "commands.h"
#include "creation.h"

namespace reaper::cli {

int command_create(const Arguments& arguments) {
  // A person's terminal is no input for a program in the background; whoever wants one says `terminal: true`.
  const int32_t stdio[3] = {isatty(STDIN_FILENO) ? -1 : STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  Runtime runtime;
  Container container;
  return create_container(arguments, stdio, runtime, container);
}

}  // namespace reaper::cli
