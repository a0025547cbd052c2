// process.execCPUAffinity (config.md, Linux Process): lists of CPUs such as "0-3,7", for exec; and such lists.
#include <charconv>

#include "config/parse.h"

namespace reaper {
namespace {

constexpr uint32_t highest_cpu = 8191;  // the largest NR_CPUS that Linux can be built with is 8192

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<uint32_t> list_number(std::string_view text, uint32_t highest) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > highest) return std::nullopt;
  return number;
}

// "7", "0-3".
std::optional<CpuRange> list_range(std::string_view text, uint32_t highest) {
  const size_t dash = text.find('-');
  const auto first = list_number(text.substr(0, dash), highest);
  const auto last = dash == std::string_view::npos ? first : list_number(text.substr(dash + 1), highest);
  if (!first || !last || *first > *last) return std::nullopt;
  return CpuRange{*first, *last};
}

}  // namespace

// The schema allows blanks beside the commas.
Result<std::vector<CpuRange>> read_number_list(const JsonCursor& object, std::string_view name, std::string_view what,
                                               uint32_t highest) {
  std::vector<CpuRange> ranges;
  const auto member = TRY(object.member(name));
  if (!member) return ranges;
  const std::string text = TRY(member->string());
  std::string_view rest = trimmed(text);
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    const auto range = list_range(trimmed(rest.substr(0, comma)), highest);
    if (!range || comma == rest.size() - 1)
      return fail(config_error(REAPER_ERR_INVALID, member->pointer(),
                               quoted(text) + " is no list of " + std::string(what) +
                                   ", such as \"0-3,7\" with numbers up to " + std::to_string(highest)));
    ranges.push_back(*range);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  return ranges;
}

Result<ExecCpuAffinity> read_exec_cpu_affinity(const JsonCursor& object) {
  ExecCpuAffinity affinity;
  affinity.initial = TRY(read_number_list(object, "initial", "CPUs", highest_cpu));
  affinity.final = TRY(read_number_list(object, "final", "CPUs", highest_cpu));
  return affinity;
}

}  // namespace reaper
