#include "config/known_seccomp.h"

#include <algorithm>

namespace reaper {

KnownSeccomp::Sections KnownSeccomp::all() const {
  const std::lock_guard lock(mutex_);
  return sections_;
}

void KnownSeccomp::add(std::string_view text, std::shared_ptr<const Seccomp> seccomp) {
  if (text.empty() || text.size() > most_bytes) return;
  auto section = std::make_shared<const Section>(std::string(text), std::move(seccomp));
  const std::lock_guard lock(mutex_);
  // Two threads have read the same at once.
  if (std::ranges::any_of(sections_, [&](const auto& known) { return known->text == text; })) return;
  if (sections_.size() == most) sections_.erase(sections_.begin());
  sections_.push_back(std::move(section));
}

}  // namespace reaper
