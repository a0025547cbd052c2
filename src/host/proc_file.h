// Files of /proc: their size is not known before they are read, and a process may go at any time.
#pragma once

#include <string>

#include "core/result.h"

namespace reaper {

// The whole file. Errors: SYSTEM, PERMISSION, NO_MEMORY.
Result<std::string> read_proc_file(const std::string& path);

// /proc/<pid>/<name>. NOT_FOUND when there is no such process.
Result<std::string> read_process_file(int32_t pid, const char* name);

// The error for a process that is not there.
Error no_process(int32_t pid, int number);

}  // namespace reaper
