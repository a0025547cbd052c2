// state.json: {"version":1,"length":N,"checksum":"<16 hex digits>","record":{...}}
//
// The frame is read as bytes, before any parsing, and is the same in every version to come. The checksum is over
// "<version>\n" and the record's bytes, so that a damaged version is not taken for a newer one.
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "core/json.h"
#include "store/files.h"
#include "store/store.h"

namespace reaper {
namespace {

constexpr uint32_t record_version = 1;

Error corrupt(std::string_view why) {
  return {.code = REAPER_ERR_CORRUPT,
          .sys_errno = 0,
          .message = "state.json " + std::string(why),
          .pointer = "",
          .stage = "record"};
}

std::string checksum(uint32_t version, std::string_view record) {
  return hex16(fnv1a(record, fnv1a(std::to_string(version) + "\n")));
}

// ---- the frame

bool skip(std::string_view& text, std::string_view literal) {
  if (!text.starts_with(literal)) return false;
  text.remove_prefix(literal.size());
  return true;
}

std::optional<uint32_t> take_number(std::string_view& text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || (text[0] == '0' && end != text.data() + 1)) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

struct Frame {
  uint32_t version;
  std::string_view record;
};

Result<Frame> read_frame(std::string_view text) {
  if (text.empty()) return fail(corrupt("is empty"));
  if (!skip(text, "{\"version\":")) return fail(corrupt("does not begin as a record"));
  const auto version = take_number(text);
  if (!version || !skip(text, ",\"length\":")) return fail(corrupt("has no version"));
  const auto length = take_number(text);
  if (!length || !skip(text, ",\"checksum\":\"")) return fail(corrupt("has no length"));
  const std::string_view sum = text.substr(0, 16);
  if (!skip(text, sum) || !skip(text, "\",\"record\":")) return fail(corrupt("has no checksum"));
  if (text.size() != static_cast<size_t>(*length) + 1 || text.back() != '}') {
    return fail(corrupt("is of another length than it says"));
  }
  text.remove_suffix(1);
  if (sum != checksum(*version, text)) return fail(corrupt("has a wrong checksum"));
  return Frame{*version, text};
}

// ---- what is in it

void write_identity(JsonWriter& json, const ProcessIdentity& identity) {
  json.begin_object();
  json.key("pid").integer(identity.pid);
  json.key("startTime").unsigned_integer(identity.start_time);
  json.key("bootId").string(identity.boot_id);
  json.key("pidNamespace").unsigned_integer(identity.pid_namespace);
  json.key("timeNamespace").unsigned_integer(identity.time_namespace);
  json.end_object();
}

Result<JsonCursor> need(const JsonCursor& object, std::string_view name) {
  const auto found = TRY(object.member(name));
  if (!found) return fail(corrupt("lacks " + pointer_join(object.pointer(), name)));
  return *found;
}

Result<uint64_t> need_number(const JsonCursor& object, std::string_view name, uint64_t minimum, uint64_t maximum) {
  return TRY(need(object, name)).unsigned_integer(minimum, maximum);
}

Result<std::string> need_string(const JsonCursor& object, std::string_view name) {
  return TRY(need(object, name)).string();
}

Result<ProcessIdentity> read_identity(const JsonCursor& init) {
  constexpr uint64_t any = std::numeric_limits<uint64_t>::max();
  ProcessIdentity identity;
  identity.pid = static_cast<int32_t>(TRY(need_number(init, "pid", 1, std::numeric_limits<int32_t>::max())));
  identity.start_time = TRY(need_number(init, "startTime", 0, any));
  identity.boot_id = TRY(need_string(init, "bootId"));
  identity.pid_namespace = TRY(need_number(init, "pidNamespace", 0, any));
  identity.time_namespace = TRY(need_number(init, "timeNamespace", 0, any));
  if (!plausible_identity(identity)) return fail(corrupt("has no boot id at " + init.pointer() + "/bootId"));
  return identity;
}

// Reaper itself writes no other numbers.
Status check_integers(const JsonCursor& value) {  // NOLINT(misc-no-recursion): json_max_depth bounds it
  if (value.type() == JsonType::number && !value.unsigned_integer(0, std::numeric_limits<uint64_t>::max()).has_value())
    TRY(value.signed_integer(std::numeric_limits<int64_t>::min(), -1));
  if (value.type() == JsonType::array)
    for (const JsonCursor& element : TRY(value.elements())) TRY(check_integers(element));
  if (value.type() == JsonType::object)
    for (const auto& entry : TRY(value.members())) TRY(check_integers(entry.second));
  return {};
}

Result<std::string> need_json(const JsonCursor& object, std::string_view name, JsonType type) {
  const JsonCursor value = TRY(need(object, name));
  if (value.type() != type) {
    return fail(corrupt("should hold " + std::string(json_type_name(type)) + " at " + value.pointer()));
  }
  if (name != "exec") TRY(check_integers(value));  // that holds what config.json said
  JsonWriter json;
  TRY(copy_json(json, value));
  return json.take();
}

Result<Record> read_record(std::string_view text) {
  const JsonCursor json = TRY(parse_json(text, "state.json"));
  Record record;
  record.id = TRY(need_string(json, "id"));
  if (!check_id(record.id).has_value()) return fail(corrupt("has no container id at /id"));
  record.oci_version = TRY(need_string(json, "ociVersion"));
  record.bundle = TRY(need_string(json, "bundle"));
  if (!record.bundle.starts_with('/')) return fail(corrupt("has a relative path at /bundle"));
  const JsonCursor annotations = TRY(need(json, "annotations"));
  for (const auto& [name, value] : TRY(annotations.members())) {
    record.annotations.emplace(name, TRY(value.string()));
  }
  record.created = TRY(need_string(json, "created"));
  record.owner_uid = static_cast<uint32_t>(TRY(need_number(json, "ownerUid", 0, std::numeric_limits<uint32_t>::max())));
  const JsonCursor init = TRY(need(json, "init"));
  record.init = TRY(read_identity(init));
  if (const auto supervisor = TRY(json.member("supervisor"))) record.supervisor = TRY(read_identity(*supervisor));
  const JsonCursor has_process = TRY(need(json, "hasProcess"));
  record.has_process = TRY(has_process.boolean());
  if (TRY(json.member("hooks"))) record.hooks_json = TRY(need_json(json, "hooks", JsonType::object));
  record.credentials_json = TRY(need_json(json, "credentials", JsonType::object));
  record.warnings_json = TRY(need_json(json, "warnings", JsonType::array));
  if (TRY(json.member("cgroups"))) record.cgroups_json = TRY(need_json(json, "cgroups", JsonType::object));
  if (TRY(json.member("resctrl"))) record.resctrl_json = TRY(need_json(json, "resctrl", JsonType::object));
  if (TRY(json.member("namespaces"))) record.namespaces_json = TRY(need_json(json, "namespaces", JsonType::array));
  if (TRY(json.member("listener"))) record.listener_json = TRY(need_json(json, "listener", JsonType::object));
  if (TRY(json.member("exec"))) record.exec_json = TRY(need_json(json, "exec", JsonType::object));
  return record;
}

}  // namespace

std::string encode_record(const Record& record) {
  JsonWriter json;
  json.begin_object();
  json.key("id").string(record.id);
  json.key("ociVersion").string(record.oci_version);
  json.key("bundle").string(record.bundle);
  json.key("annotations").begin_object();
  for (const auto& [name, value] : record.annotations) json.key(name).string(value);
  json.end_object();
  json.key("created").string(record.created);
  json.key("ownerUid").unsigned_integer(record.owner_uid);
  json.key("init");
  write_identity(json, record.init);
  if (record.supervisor) {
    json.key("supervisor");
    write_identity(json, *record.supervisor);
  }
  json.key("hasProcess").boolean(record.has_process);
  if (!record.hooks_json.empty()) json.key("hooks").raw(record.hooks_json);
  json.key("credentials").raw(record.credentials_json.empty() ? "{}" : record.credentials_json);
  json.key("warnings").raw(record.warnings_json.empty() ? "[]" : record.warnings_json);
  if (!record.cgroups_json.empty()) json.key("cgroups").raw(record.cgroups_json);
  if (!record.resctrl_json.empty()) json.key("resctrl").raw(record.resctrl_json);
  if (!record.namespaces_json.empty()) json.key("namespaces").raw(record.namespaces_json);
  if (!record.listener_json.empty()) json.key("listener").raw(record.listener_json);
  if (!record.exec_json.empty()) json.key("exec").raw(record.exec_json);
  json.end_object();
  const std::string& text = json.text();
  return "{\"version\":" + std::to_string(record_version) + ",\"length\":" + std::to_string(text.size()) +
         ",\"checksum\":\"" + checksum(record_version, text) + "\",\"record\":" + text + "}";
}

Result<Record> decode_record(std::string_view text) {
  const Frame frame = TRY(read_frame(text));
  if (frame.version > record_version) {
    return fail({.code = REAPER_ERR_UNSUPPORTED,
                 .sys_errno = 0,
                 .message = "state.json was written by a newer version of Reaper (its format is " +
                            std::to_string(frame.version) + ", and this version reads up to " +
                            std::to_string(record_version) + ")",
                 .pointer = "",
                 .stage = "record"});
  }
  if (frame.version == 0) return fail(corrupt("has version 0"));
  auto record = read_record(frame.record);
  if (record.has_value() || record.error().code == REAPER_ERR_NO_MEMORY) return record;
  if (record.error().code == REAPER_ERR_CORRUPT) return record;
  return fail(corrupt("is wrong: " + record.error().message));  // a type, a range or the syntax
}

}  // namespace reaper
