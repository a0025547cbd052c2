// A Plan as JSON, for programs: the same fields as in its text (fields.h).
#include "core/json.h"
#include "plan/fields.h"

namespace reaper {

namespace {

using planning::Field;
using planning::Form;

void write_names(JsonWriter& out, uint64_t set) {
  out.begin_array();
  for (int number = 0; number < 64; ++number)
    if ((set >> number & 1) != 0) out.string(capability_name(number));
  out.end_array();
}

void write_sets(JsonWriter& out, std::string_view name, const CapabilitySets& sets) {
  out.key(name).begin_object();
  write_names(out.key("bounding"), sets.bounding);
  write_names(out.key("effective"), sets.effective);
  write_names(out.key("inheritable"), sets.inheritable);
  write_names(out.key("permitted"), sets.permitted);
  write_names(out.key("ambient"), sets.ambient);
  out.end_object();
}

void write_value(JsonWriter& out, const Operation& operation, const Field& field) {
  const std::vector<uint64_t>& n = operation.numbers;
  switch (field.form) {
    case Form::number:
    case Form::octal:
    case Form::hexadecimal:
    case Form::limit:
      out.unsigned_integer(n[field.index]);
      return;
    case Form::signed_number:
      out.integer(static_cast<int64_t>(n[field.index]));
      return;
    case Form::resource:
      out.string(planning::resource_name(n[field.index]));
      return;
    case Form::word:
      out.string(planning::word_of(operation, field));
      return;
    case Form::set:
      write_names(out, n[field.index]);
      return;
    case Form::boolean:
      out.boolean(n[field.index] != 0);
      return;
    case Form::flag:
      out.boolean((n[field.index] & field.mask) != 0);
      return;
    case Form::numbers:
      out.begin_array();
      for (size_t i = field.index; i < n.size(); ++i) out.unsigned_integer(n[i]);
      out.end_array();
      return;
    case Form::first_closed:
      out.unsigned_integer(3 + n[field.index]);
      return;
    case Form::how_many:
      out.unsigned_integer(n.size() - field.index);
      return;
    case Form::string:
    case Form::search_path:
      out.string(operation.strings[field.index]);
      return;
    case Form::strings:
      out.begin_array();
      for (size_t i = 0; i < n[field.index]; ++i) out.string(operation.strings[i]);
      out.end_array();
      return;
    case Form::rest:
      out.begin_array();
      for (size_t i = field.index; i < operation.strings.size(); ++i) out.string(operation.strings[i]);
      out.end_array();
      return;
    case Form::other_strings:
      out.unsigned_integer(operation.strings.size() - n[field.index]);
      return;
  }
}

void write_operation(JsonWriter& out, const Operation& operation) {
  const planning::Description description = planning::describe(operation.op);
  out.begin_object();
  out.key("op").string(description.name);
  out.key("pointer").string(operation.pointer);
  out.key("arguments").begin_object();
  for (const Field& field : description.fields)
    if (planning::has_field(operation, field)) write_value(out.key(field.name), operation, field);
  out.end_object();
  out.end_object();
}

// The environment may hold secrets: it is counted, as for execve.
void write_hook(JsonWriter& out, HookKind kind, size_t index, const Hook& hook) {
  out.begin_object();
  out.key("kind").string(hook_kind_name(kind));
  out.key("pointer").string(hook_pointer(kind, index));
  out.key("path").string(hook.path);
  out.key("args").begin_array();
  for (const std::string& argument : hook.args) out.string(argument);
  out.end_array();
  out.key("environmentEntries").unsigned_integer(hook.env.size());
  if (hook.timeout_s != 0) out.key("timeout").unsigned_integer(hook.timeout_s);
  out.end_object();
}

void write_hooks(JsonWriter& out, const Hooks& hooks) {
  out.begin_array();
  for (size_t number = 0; number < hook_kind_count; ++number) {
    const auto kind = static_cast<HookKind>(number);
    for (size_t i = 0; i < hooks.of(kind).size(); ++i) write_hook(out, kind, i, hooks.of(kind)[i]);
  }
  out.end_array();
}

}  // namespace

std::string identity_to_json(const PlannedIdentity& identity) {
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

std::string warnings_to_json(const std::vector<Warning>& warnings) {
  JsonWriter out;
  out.begin_array();
  for (const Warning& warning : warnings)
    out.begin_object().key("pointer").string(warning.pointer).key("message").string(warning.message).end_object();
  out.end_array();
  return out.take();
}

std::string plan_to_json(const Plan& plan) {
  JsonWriter out;
  out.begin_object();
  out.key("operations").begin_array();
  for (const Operation& operation : plan.operations) write_operation(out, operation);
  out.end_array();
  write_hooks(out.key("hooks"), plan.hooks);
  out.key("identity").raw(identity_to_json(plan.identity));
  out.key("warnings").raw(warnings_to_json(plan.warnings));
  out.end_object();
  return out.take();
}

}  // namespace reaper
