// Capability names, by libcap-ng's tables. Only its two look-ups are used: they keep no state of a thread.
#include <cap-ng.h>
#include <linux/capability.h>

#include <algorithm>
#include <cctype>

#include "host/facts.h"

namespace reaper {

namespace {

constexpr std::string_view prefix = "CAP_";

bool is_name_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

int capability_number(std::string_view name) {
  // libcap-ng compares without case and without the prefix. Names of the specification are upper case.
  if (!name.starts_with(prefix)) return -1;
  name.remove_prefix(prefix.size());
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_name_character)) return -1;
  const int number = capng_name_to_capability(std::string(name).c_str());
  return number >= 0 && number < 64 ? number : -1;
}

std::string capability_name(int number) {
  // For a number without a name, libcap-ng frees and allocates one buffer of the whole process: no thread of ours may
  // ask it for one. Its tables have always had every name of the kernel headers that it was released with.
  const char* name = nullptr;
  if (number >= 0 && number <= CAP_LAST_CAP) name = capng_capability_to_name(static_cast<unsigned int>(number));
  std::string text(prefix);
  if (name == nullptr) return text + std::to_string(number);
  for (; *name != '\0'; ++name) text += static_cast<char>(std::toupper(static_cast<unsigned char>(*name)));
  return text;
}

}  // namespace reaper
