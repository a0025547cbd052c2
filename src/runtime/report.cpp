#include "runtime/report.h"

#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <iterator>

#include "core/json.h"
#include "runtime/status.h"
#include "runtime/version.h"

namespace reaper {

namespace {

void write_hex(JsonWriter& out, uint64_t set) {
  char text[17];
  snprintf(text, sizeof text, "%" PRIx64, set);
  out.string(text);
}

void write_masks(JsonWriter& out, std::string_view name, const CapabilitySets& sets) {
  out.key(name).begin_array();
  for (const uint64_t set : {sets.bounding, sets.effective, sets.inheritable, sets.permitted, sets.ambient})
    write_hex(out, set);
  out.end_array();
}

Error bad_credentials(std::string_view pointer) {
  return {REAPER_ERR_CORRUPT, 0, "the record's credentials cannot be read: " + std::string(pointer), "", "record"};
}

Result<JsonCursor> wanted_member(const JsonCursor& object, std::string_view name) {
  const auto member = TRY(object.member(name));
  if (!member) return fail(bad_credentials(name));
  return *member;
}

Result<uint32_t> wanted_number(const JsonCursor& object, std::string_view name) {
  const JsonCursor member = TRY(wanted_member(object, name));
  return static_cast<uint32_t>(TRY(member.unsigned_integer(0, UINT32_MAX)));
}

Result<std::vector<JsonCursor>> wanted_elements(const JsonCursor& object, std::string_view name) {
  const JsonCursor member = TRY(wanted_member(object, name));
  return member.elements();
}

Result<CapabilitySets> read_masks(const JsonCursor& object, std::string_view name) {
  CapabilitySets sets;
  uint64_t* const order[] = {&sets.bounding, &sets.effective, &sets.inheritable, &sets.permitted, &sets.ambient};
  const auto elements = TRY(wanted_elements(object, name));
  if (elements.size() != std::size(order)) return fail(bad_credentials(name));
  for (size_t i = 0; i < std::size(order); ++i) {
    const std::string text = TRY(elements[i].string());
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *order[i], 16);
    if (error != std::errc() || end != text.data() + text.size()) return fail(bad_credentials(name));
  }
  return sets;
}

Result<PlannedIdentity> decode_credentials(std::string_view encoded) {
  const JsonCursor object = TRY(parse_json(encoded, "credentials"));
  PlannedIdentity identity;
  identity.uid = TRY(wanted_number(object, "uid"));
  identity.gid = TRY(wanted_number(object, "gid"));
  for (const JsonCursor& gid : TRY(wanted_elements(object, "groups")))
    identity.groups.push_back(static_cast<uint32_t>(TRY(gid.unsigned_integer(0, UINT32_MAX))));
  const JsonCursor no_new_privs = TRY(wanted_member(object, "noNewPrivileges"));
  identity.no_new_privs = TRY(no_new_privs.boolean());
  identity.securebits = TRY(wanted_number(object, "securebits"));
  identity.before_exec = TRY(read_masks(object, "beforeExec"));
  identity.after_exec = TRY(read_masks(object, "afterExec"));
  return identity;
}

}  // namespace

std::string encode_credentials(const PlannedIdentity& identity) {
  JsonWriter out;
  out.begin_object();
  out.key("uid").unsigned_integer(identity.uid).key("gid").unsigned_integer(identity.gid);
  out.key("groups").begin_array();
  for (const uint32_t gid : identity.groups) out.unsigned_integer(gid);
  out.end_array();
  out.key("noNewPrivileges").boolean(identity.no_new_privs);
  out.key("securebits").unsigned_integer(identity.securebits);
  write_masks(out, "beforeExec", identity.before_exec);
  write_masks(out, "afterExec", identity.after_exec);
  out.end_object();
  return out.take();
}

Result<std::string> credentials_json(std::string_view encoded) {
  const auto decoded = decode_credentials(encoded);
  if (!decoded.has_value() && decoded.error().code == REAPER_ERR_NO_MEMORY) return fail(decoded.error());
  if (!decoded.has_value()) return fail(bad_credentials(decoded.error().message));
  return identity_to_json(*decoded);
}

void write_state(JsonWriter& out, const Record& record, int status) {
  out.key("ociVersion").string(spec_version);
  out.key("id").string(record.id);
  out.key("status").string(status_name(status));
  if (status != REAPER_STATUS_STOPPED) out.key("pid").integer(record.init.pid);
  out.key("bundle").string(record.bundle);
  if (!record.annotations.empty()) {
    out.key("annotations").begin_object();
    for (const auto& [name, value] : record.annotations) out.key(name).string(value);
    out.end_object();
  }
}

std::string warning_line(const Warning& warning) {
  return warning.pointer.empty() ? warning.message : warning.pointer + ": " + warning.message;
}

}  // namespace reaper
