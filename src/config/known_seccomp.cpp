#include "config/known_seccomp.h"

#include <algorithm>

namespace reaper {

KnownSeccomp::Sections KnownSeccomp::all() const {
  const std::lock_guard lock(mutex_);
  return sections_;
}

void KnownSeccomp::use(const std::shared_ptr<const Section>& section) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(sections_, section);
  if (found != sections_.end()) std::rotate(found, found + 1, sections_.end());
}

void KnownSeccomp::add(std::string_view text, std::shared_ptr<const Seccomp> seccomp) {
  if (text.empty() || text.size() > most_bytes) return;
  auto section = std::make_shared<const Section>(std::string(text), std::move(seccomp));
  const std::lock_guard lock(mutex_);
  // Two threads have read the same at once; or it stood elsewhere, too, and the document was read as if unknown.
  if (std::ranges::any_of(sections_, [&](const auto& known) { return known->text == text; })) return;
  if (sections_.size() == most) sections_.erase(sections_.begin());
  sections_.push_back(std::move(section));
}

}  // namespace reaper
