// Plans and warnings as the JSON that `state` shows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "plan/plan.h"
#include "store/store.h"

namespace reaper {

// For the record: sets as hexadecimal masks, so that it stays small. A line of our own making, read by nobody else.
std::string encode_credentials(const PlannedIdentity& identity);
// The object `reaper.credentials` of state, with names. CORRUPT when `encoded` is not ours.
Result<std::string> credentials_json(std::string_view encoded);
// The members of the specification's state object (runtime.md, State); `status` is REAPER_STATUS_*.
void write_state(JsonWriter& out, const Record& record, int status);
// "/process/capabilites: unknown property ...".
std::string warning_line(const Warning& warning);

}  // namespace reaper
