// The filters that were compiled last: a host that makes many containers pays once for a profile.
#include <algorithm>

#include "seccomp/seccomp.h"

namespace reaper {

Result<std::shared_ptr<const SeccompFilter>> FilterCache::get(const Seccomp& seccomp, const FilterMaker& make) {
  const std::string digest = seccomp_digest(seccomp);
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(filters_, digest, [](const auto& filter) { return filter->digest; });
    if (found != filters_.end()) {
      std::rotate(found, found + 1, filters_.end());
      return filters_.back();
    }
  }
  // Without the lock: others need not wait. Two that compile the same at once both do.
  auto filter = std::make_shared<const SeccompFilter>(TRY(make(seccomp, digest)));
  const std::lock_guard lock(mutex_);
  if (filters_.size() == most) filters_.erase(filters_.begin());
  filters_.push_back(filter);
  return filter;
}

}  // namespace reaper
