// The linux.seccomp sections that were read last: most containers of a host have the same profile, and its names are
// most of what config.json has to say.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace reaper {

// Any thread may use it at any time.
class KnownSeccomp {
 public:
  // Sections, and bytes of one of them: podman's profile has 15 KiB. What is read of a text takes some ten times as
  // much.
  static constexpr size_t most = 8;
  static constexpr size_t most_bytes = 64 << 10;

  // What was read of `text`, without a warning. Another text of the same meaning is another section.
  struct Section {
    std::string text;
    std::shared_ptr<const Seccomp> seccomp;
  };
  using Sections = std::vector<std::shared_ptr<const Section>>;

  Sections all() const;  // that which was used last, last
  void use(const std::shared_ptr<const Section>& section);
  void add(std::string_view text, std::shared_ptr<const Seccomp> seccomp);

 private:
  mutable std::mutex mutex_;
  Sections sections_;
};

}  // namespace reaper
