// The filters that were compiled last: a host that makes many containers pays once for a profile.
#include <algorithm>

#include "seccomp/seccomp.h"

namespace reaper {

// The same object, which nothing else can be called while somebody remembers it.
static bool is_same(const std::weak_ptr<const Seccomp>& a, const std::shared_ptr<const Seccomp>& b) {
  return !a.owner_before(b) && !b.owner_before(a);
}

template <class Is>
std::shared_ptr<const SeccompFilter> FilterCache::find(const std::shared_ptr<const Seccomp>& seccomp, const Is& is) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(entries_, is);
  if (found == entries_.end()) return nullptr;
  std::rotate(found, found + 1, entries_.end());
  entries_.back().seccomp = seccomp;
  return entries_.back().filter;
}

Result<std::shared_ptr<const SeccompFilter>> FilterCache::get(const std::shared_ptr<const Seccomp>& seccomp,
                                                              const FilterMaker& make) {
  if (auto same = find(seccomp, [&](const Entry& entry) { return is_same(entry.seccomp, seccomp); })) return same;
  const std::string digest = seccomp_digest(*seccomp);
  if (auto equal = find(seccomp, [&](const Entry& entry) { return entry.filter->digest == digest; })) return equal;
  // Without the lock: others need not wait. Two that compile the same at once both do.
  auto filter = std::make_shared<const SeccompFilter>(TRY(make(*seccomp, digest)));
  const std::lock_guard lock(mutex_);
  if (entries_.size() == most) entries_.erase(entries_.begin());
  entries_.push_back({filter, seccomp});
  return filter;
}

}  // namespace reaper
