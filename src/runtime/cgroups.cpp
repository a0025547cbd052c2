#include "runtime/cgroups.h"

#include "core/json.h"

namespace reaper {

Status make_container_cgroups(const ContainerDirectory& directory, Cgroups& cgroups) {
  if (cgroups.list.empty()) return {};
  TRY(directory.write_cgroups(encode_cgroups(cgroups)));
  TRY(make_cgroups(cgroups));
  return directory.write_cgroups(encode_cgroups(cgroups));
}

Result<Cgroups> recorded_cgroups(const Record& record) {
  return record.cgroups_json.empty() ? Cgroups{} : decode_cgroups(record.cgroups_json);
}

Result<Cgroups> written_cgroups(const ContainerDirectory& directory) {
  const auto text = directory.read_cgroups();
  if (!text.has_value() && text.error().code == REAPER_ERR_NOT_FOUND) return Cgroups{};
  if (!text.has_value()) return fail(text.error());
  return decode_cgroups(*text);
}

Status remove_with_cgroups(const StateRoot& root, const ContainerDirectory& directory, const Cgroups& cgroups,
                           Deadline deadline) {
  TRY(remove_cgroups(cgroups, deadline));
  return directory.remove(root);
}

Result<std::string> cgroups_json(const Record& record) {
  JsonWriter out;
  out.begin_array();
  for (const Cgroup& cgroup : TRY(recorded_cgroups(record)).list) {
    out.begin_object();
    out.key("hierarchy").string(cgroup.place.hierarchy);
    out.key("path").string(cgroup.place.directory());
    out.key("made").boolean(!cgroup.made.empty());
    out.end_object();
  }
  out.end_array();
  return out.take();
}

}  // namespace reaper
