#include "runtime/report.h"

#include "core/json.h"

namespace reaper {

namespace {

void write_set(JsonWriter& out, std::string_view name, uint64_t set) {
  out.key(name).begin_array();
  for (int number = 0; number < 64; ++number)
    if ((set >> number & 1) != 0) out.string(capability_name(number));
  out.end_array();
}

void write_sets(JsonWriter& out, std::string_view name, const CapabilitySets& sets) {
  out.key(name).begin_object();
  write_set(out, "bounding", sets.bounding);
  write_set(out, "effective", sets.effective);
  write_set(out, "inheritable", sets.inheritable);
  write_set(out, "permitted", sets.permitted);
  write_set(out, "ambient", sets.ambient);
  out.end_object();
}

}  // namespace

std::string credentials_json(const PlannedIdentity& identity) {
  JsonWriter out;
  out.begin_object();
  out.key("uid").unsigned_integer(identity.uid);
  out.key("gid").unsigned_integer(identity.gid);
  out.key("additionalGids").begin_array();
  for (const uint32_t gid : identity.groups) out.unsigned_integer(gid);
  out.end_array();
  out.key("noNewPrivileges").boolean(identity.no_new_privs);
  out.key("securebits").unsigned_integer(identity.securebits);
  write_sets(out, "capabilities", identity.before_exec);
  write_sets(out, "capabilitiesAfterExec", identity.after_exec);
  out.end_object();
  return out.take();
}

std::string warnings_json(const std::vector<Warning>& warnings) {
  JsonWriter out;
  out.begin_array();
  for (const Warning& warning : warnings)
    out.begin_object().key("pointer").string(warning.pointer).key("message").string(warning.message).end_object();
  out.end_array();
  return out.take();
}

std::string warning_line(const Warning& warning) {
  return warning.pointer.empty() ? warning.message : warning.pointer + ": " + warning.message;
}

}  // namespace reaper
