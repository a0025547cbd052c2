#include "runtime/resctrl.h"

#include "core/json.h"

namespace reaper {

Result<std::optional<Resctrl>> look_at_class_of(const Plan& plan) {
  if (!plan.resctrl) return std::nullopt;
  return TRY(look_at_resctrl(*plan.resctrl));
}

Status make_container_resctrl(const ContainerDirectory& directory, std::optional<Resctrl>& resctrl) {
  if (!resctrl || (!resctrl->made_class && !resctrl->made_group)) return {};
  TRY(directory.write_resctrl(encode_resctrl(*resctrl)));
  TRY(make_resctrl(*resctrl));
  return directory.write_resctrl(encode_resctrl(*resctrl));
}

Result<std::optional<Resctrl>> recorded_resctrl(const Record& record) {
  if (record.resctrl_json.empty()) return std::nullopt;
  return TRY(decode_resctrl(record.resctrl_json));
}

Result<std::optional<Resctrl>> written_resctrl(const ContainerDirectory& directory) {
  const auto text = directory.read_resctrl();
  if (!text.has_value() && text.error().code == REAPER_ERR_NOT_FOUND) return std::nullopt;
  if (!text.has_value()) return fail(text.error());
  return TRY(decode_resctrl(*text));
}

Status remove_class(const std::optional<Resctrl>& resctrl, bool failed) {
  return resctrl ? remove_resctrl(*resctrl, failed) : Status{};
}

Status write_resctrl(JsonWriter& out, const Record& record) {
  const auto resctrl = TRY(recorded_resctrl(record));
  if (!resctrl) return {};
  out.key("intelRdt").begin_object();
  out.key("directory").string(resctrl->place.directory());
  if (!resctrl->place.group.empty()) out.key("monGroup").string(resctrl->place.group_directory());
  out.key("made").boolean(resctrl->made_class);
  out.end_object();
  return {};
}

}  // namespace reaper
