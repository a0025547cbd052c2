// The commands. Each does one thing through reaper.h, reports its own errors and returns the exit code.
#pragma once

#include "arguments.h"

namespace reaper::cli {

int command_create(const Arguments& arguments);
int command_start(const Arguments& arguments);
int command_run(const Arguments& arguments);
int command_exec(const Arguments& arguments);
int command_state(const Arguments& arguments);
int command_kill(const Arguments& arguments);
int command_wait(const Arguments& arguments);
int command_delete(const Arguments& arguments);
int command_list(const Arguments& arguments);
int command_plan(const Arguments& arguments);
int command_check(const Arguments& arguments);
int command_spec(const Arguments& arguments);
int command_features(const Arguments& arguments);

}  // namespace reaper::cli
