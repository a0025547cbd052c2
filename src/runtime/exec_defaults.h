// What a container's record keeps for further processes, so that nothing is read from its bundle again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/result.h"

namespace reaper {

struct ExecDefaults {
  std::string process_json;             // Config::process_json; empty: it has none
  std::optional<uint32_t> personality;  // linux.personality
  bool new_keyring = false;             // a session keyring of its own
  bool has_filter = false;              // linux.seccomp, which a further process would have to have too
};

// For Record::exec_json.
std::string encode_exec_defaults(const ExecDefaults& defaults);
// Nothing of it for "", which older versions wrote. CORRUPT.
Result<ExecDefaults> decode_exec_defaults(const std::string& text);

}  // namespace reaper
