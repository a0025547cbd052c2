// linux.sysctl and linux.timeOffsets (config-linux.md, Sysctl, Time offset). Which of them a container may set depends
// on its namespaces, and is the plan's question.
#include <algorithm>

#include "config/parse.h"

namespace reaper {
namespace {

// sysctl(8): the first separator decides whether it is the dot or the slash; the other one is an ordinary character
// ("net.ipv4.conf.eth0/100.rp_filter" is of the interface eth0.100).
Result<std::string> path_of(std::string_view name, const std::string& pointer) {
  std::string path(name);
  const size_t first = path.find_first_of("./");
  if (first != std::string::npos && path[first] == '.')
    std::ranges::transform(path, path.begin(), [](char c) { return c == '.' ? '/' : c == '/' ? '.' : c; });
  bool sound = !path.empty() && path.size() < 512;
  for (std::string_view rest = path; sound && !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    sound = !part.empty() && part != "." && part != ".." && part.size() + 1 != rest.size();
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
  }
  if (sound) return path;
  return fail(config_error(REAPER_ERR_INVALID, pointer, quoted(name) + " is no name of a kernel parameter"));
}

Result<Sysctl> read_parameter(const std::pair<std::string, JsonCursor>& member) {
  Sysctl parameter;
  parameter.name = member.first;
  parameter.path = TRY(path_of(member.first, member.second.pointer()));
  parameter.value = TRY(member.second.string());
  if (parameter.value.size() > 4095)
    return fail(config_error(REAPER_ERR_INVALID, member.second.pointer(), "has more than 4095 bytes"));
  return parameter;
}

}  // namespace

Result<std::vector<Sysctl>> read_sysctl(const JsonCursor& object, Refusals& refusals) {
  std::vector<Sysctl> parameters;
  for (const auto& member : TRY(object.members())) {
    std::optional<Sysctl> parameter;
    KEEP(refusals, parameter, read_parameter(member));
    if (!parameter) continue;
    // Which of two would be written last is nobody's promise.
    if (std::ranges::find(parameters, parameter->path, &Sysctl::path) != parameters.end())
      TRY(refusals.refuse(
          config_error(REAPER_ERR_INVALID, member.second.pointer(), "an earlier entry sets the same parameter")));
    parameters.push_back(std::move(*parameter));
  }
  return parameters;
}

Result<TimeOffset> read_time_offset(const JsonCursor& object) {
  TimeOffset offset;
  // include/linux/time64.h: the kernel takes no more either way (clock_gettime(2) could not show it).
  constexpr int64_t most = 4611686018;  // KTIME_SEC_MAX / 2
  if (auto secs = TRY(object.member("secs"))) offset.seconds = TRY(secs->signed_integer(-most, most));
  if (auto nanosecs = TRY(object.member("nanosecs")))
    offset.nanoseconds = static_cast<uint32_t>(TRY(nanosecs->unsigned_integer(0, 999999999)));
  return offset;
}

}  // namespace reaper
