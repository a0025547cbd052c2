// Plans and warnings as the JSON that `state` shows.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.h"

namespace reaper {

std::string credentials_json(const PlannedIdentity& identity);
std::string warnings_json(const std::vector<Warning>& warnings);
// "/process/capabilites: unknown property ...".
std::string warning_line(const Warning& warning);

}  // namespace reaper
