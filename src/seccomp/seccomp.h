// linux.seccomp -> a filter, by libseccomp, which is loaded when the first one is asked for.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
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

// A filter as bytes, to be kept under `name`. Another libseccomp has other names; empty: it cannot be
// kept. Whatever decode_filter() does not know as written by the other under that name is none.
std::string kept_filter_name(const std::string& digest);
std::string encode_filter(const SeccompFilter& filter, const std::string& name);
std::optional<SeccompFilter> decode_filter(std::string_view text, const std::string& name, const std::string& digest);

using FilterMaker = std::function<Result<SeccompFilter>(const Seccomp&, const std::string& digest)>;

// The filters that were compiled last, by their digests. Any thread may use it at any time.
class FilterCache {
 public:
  static constexpr size_t most = 8;  // at 32 KiB each, the kernel's limit
  // `make` is asked for what is not here.
  Result<std::shared_ptr<const SeccompFilter>> get(const std::shared_ptr<const Seccomp>& seccomp,
                                                   const FilterMaker& make);

 private:
  struct Entry {
    std::shared_ptr<const SeccompFilter> filter;
    std::weak_ptr<const Seccomp> seccomp;  // whom it was for the last time: the same object needs no digest
  };
  template <class Is>
  std::shared_ptr<const SeccompFilter> find(const std::shared_ptr<const Seccomp>& seccomp, const Is& is);

  std::mutex mutex_;
  std::vector<Entry> entries_;  // that which was used last comes last
};

}  // namespace reaper
