// The lines of `schemata`: "L3:0=7f0;1=1f", "    MB:0=  20;1=  70".
#include <algorithm>
#include <vector>

#include "core/take.h"
#include "resctrl/resctrl.h"

namespace reaper {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "0x07F0" and "7f0" are one bit mask; a percentage has no letters.
std::string normal(std::string_view value) {
  value = trimmed(value);
  if (value.starts_with("0x") || value.starts_with("0X")) value.remove_prefix(2);
  while (value.size() > 1 && value.front() == '0') value.remove_prefix(1);
  std::string lower(value);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

struct Domain {
  std::string id, value;
  bool operator==(const Domain&) const = default;
};
struct Line {
  std::string_view resource;
  std::vector<Domain> domains;
};

Line parse_line(std::string_view text) {
  Line line;
  line.resource = trimmed(take_until(text, ':'));
  while (!text.empty()) {
    std::string_view part = take_until(text, ';');
    const std::string_view id = take_until(part, '=');
    line.domains.push_back({normal(id), normal(part)});
  }
  return line;
}

bool holds(const Line& wanted, const std::vector<Line>& found) {
  const auto line = std::ranges::find(found, wanted.resource, &Line::resource);
  if (line == found.end()) return false;
  return std::ranges::all_of(wanted.domains, [&](const Domain& domain) {
    return std::ranges::find(line->domains, domain) != line->domains.end();
  });
}

}  // namespace

std::optional<size_t> first_other_line(const std::vector<std::string>& wanted, std::string_view schemata) {
  std::vector<Line> found;
  while (!schemata.empty()) found.push_back(parse_line(take_until(schemata, '\n')));
  for (size_t i = 0; i < wanted.size(); ++i)
    if (!holds(parse_line(wanted[i]), found)) return i;
  return std::nullopt;
}

}  // namespace reaper
