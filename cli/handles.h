// Owners of the library's handles, and the way from a command line to them.
#pragma once

#include <memory>

#include "arguments.h"
#include "reaper.h"

namespace reaper::cli {

struct HandleFree {
  void operator()(reaper_runtime* runtime) const { reaper_runtime_free(runtime); }
  void operator()(reaper_container* container) const { reaper_container_free(container); }
  void operator()(reaper_process* process) const { reaper_process_free(process); }
  void operator()(char* string) const { reaper_free(string); }
};
using Runtime = std::unique_ptr<reaper_runtime, HandleFree>;
using Container = std::unique_ptr<reaper_container, HandleFree>;
using Process = std::unique_ptr<reaper_process, HandleFree>;
using Text = std::unique_ptr<char, HandleFree>;

// Each returns 0, or an exit code after it has reported the error.
int open_runtime(const Arguments& arguments, Runtime& out);
int open_container(const Arguments& arguments, Runtime& runtime, Container& out);

}  // namespace reaper::cli
