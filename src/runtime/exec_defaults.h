// What a container's record keeps for further processes, so that nothing is read from its bundle again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "config/config.h"
#include "core/result.h"
#include "seccomp/filter.h"

namespace reaper {

struct ExecDefaults {
  std::string process_json;                   // Config::process_json; empty: it has none
  std::optional<uint32_t> personality;        // linux.personality
  std::optional<MemoryPolicy> memory_policy;  // linux.memoryPolicy
  bool new_keyring = false;                   // a session keyring of its own
  bool has_filter = false;                    // linux.seccomp, which a further process has to have too
  // As it was compiled for the container's own process (docs/decisions/0014); none without one, or by older versions.
  std::shared_ptr<const SeccompFilter> filter;
};

// For Record::exec_json.
std::string encode_exec_defaults(const ExecDefaults& defaults);
// Nothing of it for "", which older versions wrote. CORRUPT; UNSUPPORTED: a filter that this version cannot load.
Result<ExecDefaults> decode_exec_defaults(const std::string& text);

}  // namespace reaper
