// run: create, start, pass signals and a terminal's bytes on until the program ends, delete, and end as it did.
#include <unistd.h>

#include <string>

#include "attendance.h"
#include "commands.h"
#include "creation.h"
#include "relay.h"
#include "report.h"
#include "terminal.h"

namespace reaper::cli {

namespace {

// What a failed start leaves, and says why it failed.
int give_up(reaper_container* container, reaper_error* error) {
  int code = fail(error);
  reaper_error* leftover = nullptr;
  int deleted = reaper_delete(container, REAPER_DELETE_FORCE, &leftover);
  // A start that failed by a hook has destroyed the container.
  if (deleted != REAPER_OK && deleted != REAPER_ERR_NOT_FOUND) warn(reaper_error_message(leftover));
  reaper_error_free(leftover);
  return code;
}

int run_detached(const Arguments& arguments) {
  const int32_t stdio[3] = {isatty(STDIN_FILENO) ? -1 : STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  Runtime runtime;
  Container container;
  if (int code = create_container(arguments, stdio, runtime, container)) return code;
  reaper_error* error = nullptr;
  return reaper_start(container.get(), &error) == REAPER_OK ? 0 : give_up(container.get(), error);
}

}  // namespace

int command_run(const Arguments& arguments) {
  if (arguments.has(Opt::detach)) return run_detached(arguments);
  int signals = block_signals();
  if (signals < 0) return fail_errno("signalfd");
  const int32_t stdio[3] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  Runtime runtime;
  Container container;
  int32_t console = -1;
  if (int code = create_container(arguments, stdio, runtime, container, &console)) return code;
  Relay relay(console);
  relay.begin();
  reaper_error* error = nullptr;
  if (reaper_start(container.get(), &error) != REAPER_OK) {
    leave_raw_mode();
    return give_up(container.get(), error);
  }
  int code = attend({container.get(), nullptr}, signals, relay);
  if (arguments.has(Opt::keep)) return code;
  // The program has had its say: what is left behind is told, and its exit code stays what it is.
  if (reaper_delete(container.get(), 0, &error) != REAPER_OK) warn(reaper_error_message(error));
  reaper_error_free(error);
  return code;
}

}  // namespace reaper::cli
