// linux.seccomp -> a filter, by libseccomp, which is loaded when the first one is asked for.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "seccomp/filter.h"

namespace reaper {

// Whether this build can compile filters at all.
bool has_seccomp();

// SCMP_ARCH_*, of those that a filter of this machine can have.
std::vector<std::string_view> seccomp_architectures();

// What a filter is known by: the same for the same section and machine, whatever libseccomp makes of it.
std::string seccomp_digest(const Seccomp& seccomp);

// Errors: UNSUPPORTED (a build without libseccomp, or none where it was found then; an architecture that it does not
// know, or whose byte order is not this machine's), INVALID (more than the kernel takes).
Result<SeccompFilter> compile_filter(const Seccomp& seccomp);

// The filters that were compiled last, by their digests. Any thread may use it at any time.
class FilterCache {
 public:
  static constexpr size_t most = 8;  // at 32 KiB each, the kernel's limit
  Result<std::shared_ptr<const SeccompFilter>> get(const Seccomp& seccomp);

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<const SeccompFilter>> filters_;  // that which was used last comes last
};

}  // namespace reaper
