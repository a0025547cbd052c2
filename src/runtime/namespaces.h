// The namespaces of a container that are not its creator's: in the record, and in its state.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "core/result.h"
#include "store/store.h"

namespace reaper {

// For Record::namespaces_json: [{"type": "network", "path": "/run/netns/blue"}, {"type": "pid"}...].
std::string encode_namespaces(const std::vector<Namespace>& namespaces);

// The CLONE_NEW* flags of them.
Result<uint64_t> namespace_flags(const Record& record);

// `reaper.namespaces` of state: the same, and "inode" of each while the container has a process.
Result<std::string> namespaces_json(const Record& record, int status);

}  // namespace reaper
