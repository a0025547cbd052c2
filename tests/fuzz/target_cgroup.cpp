// What is believed of cgroups. The first byte chooses: the file `cgroup` of a container's directory, by which root
// makes, empties and removes directories; or mountinfo, a NUL and /proc/PID/cgroup, where mounts and cgroups have names
// that others chose.
#include "cgroup/cgroup.h"
#include "cgroup/directory.h"
#include "fuzz/fuzz.h"
#include "host/cgroups.h"

using namespace reaper;
using namespace reaper_test;

static void record(std::string_view text) {
  const auto cgroups = decode_cgroups(text);
  if (!cgroups.has_value()) {
    promise(cgroups.error().code == REAPER_ERR_CORRUPT, "what cannot be believed is CORRUPT");
    promise(printable(cgroups.error().message, 1U << 20) == cgroups.error().message, "messages are printable");
    return;
  }
  for (const Cgroup& cgroup : cgroups->list) {
    const auto names = cgroup::names_of(cgroup.place.path);
    promise(!names.empty(), "a container's cgroup is never the hierarchy's root");
    for (const std::string& name : names) promise(name != "." && name != ".." && !name.empty(), "no path leads up");
    promise(cgroup.existing + cgroup.made.size() <= names.size(), "no more was made than the path has");
  }
  const std::string again = encode_cgroups(*cgroups);
  const auto twice = decode_cgroups(again);
  promise(twice.has_value() && encode_cgroups(*twice) == again, "what is believed survives being written again");
}

static void hierarchies(std::string_view text) {
  const size_t end = text.find('\0');
  const auto mounts = parse_cgroup_mounts(text.substr(0, end));
  if (!mounts.has_value()) {
    promise(printable(mounts.error().message, 1U << 20) == mounts.error().message, "messages are printable");
    return;
  }
  const auto facts = match_cgroups(*mounts, end == std::string_view::npos ? "" : text.substr(end + 1));
  if (!facts.has_value()) return;
  for (const CgroupHierarchy& hierarchy : facts->hierarchies) {
    promise(hierarchy.own.starts_with('/'), "our own cgroup is a path");
    const auto below = path_below(hierarchy.mount_root, hierarchy.own);
    const bool leads_up = below && (*below == "/.." || below->starts_with("/../"));
    promise(!leads_up, "nothing above our namespace is taken for something below a mount");
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text = text_of(data + 1, size - 1);
  data[0] % 2 == 0 ? record(text) : hierarchies(text);
  return 0;
}
