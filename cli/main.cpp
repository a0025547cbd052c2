// reaper-runtime: the command line over reaper.h, and the first example of its use.
#include <fcntl.h>
#include <unistd.h>

#include <new>
#include <string>

#include "arguments.h"
#include "commands.h"
#include "creation.h"
#include "report.h"

namespace reaper::cli {

namespace {

// Before anything is opened: 0, 1 and 2 that the caller closed become /dev/null, or the next file of ours would be the
// container's stdin.
bool open_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) return false;
  }
  return true;
}

// `docker info` takes the line with the word "version", so there is one; 1.3.0 is the specification's.
int print_version() {
  return print(std::string("reaper-runtime version ") + reaper_version() + "\ncommit: " + reaper_commit() +
               "\nspec: 1.3.0\n");
}

int dispatch(const Arguments& arguments) {
  switch (arguments.command) {
    case Command::create:
      return command_create(arguments);
    case Command::start:
      return command_start(arguments);
    case Command::run:
      return command_run(arguments);
    case Command::exec:
      return command_exec(arguments);
    case Command::state:
      return command_state(arguments);
    case Command::kill:
      return command_kill(arguments);
    case Command::wait:
      return command_wait(arguments);
    case Command::remove:
      return command_delete(arguments);
    case Command::list:
      return command_list(arguments);
    case Command::plan:
      return command_plan(arguments);
    case Command::check:
      return command_check(arguments);
    case Command::spec:
      return command_spec(arguments);
    case Command::features:
      return command_features(arguments);
    case Command::none:
      break;
  }
  return fail("missing command");
}

int run_line(int argc, char** argv) {
  Arguments arguments = parse_arguments(argc, argv);
  bool helps = arguments.error.empty() && (arguments.has(Opt::help) || arguments.has(Opt::version));
  const std::string problem = descriptors_problem(arguments);
  if (!helps && !open_report(arguments)) return 1;
  if (!arguments.error.empty()) return fail(arguments.error);
  if (arguments.has(Opt::help)) return print(help_text(arguments.row));
  if (arguments.has(Opt::version)) return print_version();
  if (std::string sentence = unsupported_option(arguments); !sentence.empty()) return fail(sentence);
  if (!problem.empty()) return fail(problem);
  return dispatch(arguments);
}

}  // namespace

}  // namespace reaper::cli

int main(int argc, char** argv) {
  if (!reaper::cli::open_standard_descriptors()) return 1;
  try {
    return reaper::cli::run_line(argc, argv);
  } catch (const std::bad_alloc&) {
    return reaper::cli::fail_out_of_memory();
  }
}
