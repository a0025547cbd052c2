// What create, run, plan and check share: from arguments to reaper_create_options.
#pragma once

#include <string>
#include <vector>

#include "arguments.h"
#include "handles.h"
#include "reaper.h"

namespace reaper::cli {

// What is wrong with the descriptors that LISTEN_FDS and --preserve-fds pass on, or "". To be asked before anything
// else is opened: a file of ours would take the number of one that is not open.
std::string descriptors_problem(const Arguments& arguments);

// --preserve-fds, or 0.
int64_t preserved(const Arguments& arguments);

// Whether the document asks for a terminal, which only the library has read: nobody was there to take it, and nothing
// was made.
bool wants_console(int code, const reaper_error* error, const char* console_socket);

// Keeps what the option struct points at.
struct Creation {
  std::vector<int32_t> extra_fds;
  reaper_create_options options = {};
};
void read_creation(const Arguments& arguments, Creation& out);

// REAPER_FORMAT_* of --format text|json.
uint32_t read_format(const Arguments& arguments);

// reaper_create() with these descriptors as the program's 0, 1 and 2. Returns 0, or an exit code after reporting.
// `console`, for who can show the program's terminal: receives its master where config.json asks for a terminal and no
// --console-socket takes it.
int create_container(const Arguments& arguments, const int32_t (&stdio)[3], Runtime& runtime, Container& out,
                     int32_t* console = nullptr);

}  // namespace reaper::cli
