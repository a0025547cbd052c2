#include "runtime/exec_defaults.h"

#include "core/json.h"

namespace reaper {

std::string encode_exec_defaults(const ExecDefaults& defaults) {
  JsonWriter out;
  out.begin_object();
  if (!defaults.process_json.empty()) out.key("process").raw(defaults.process_json);
  if (defaults.personality) out.key("personality").unsigned_integer(*defaults.personality);
  out.key("keyring").boolean(defaults.new_keyring);
  if (defaults.has_filter) out.key("seccomp").boolean(true);
  out.end_object();
  return out.take();
}

static Result<ExecDefaults> read_defaults(const std::string& text) {
  ExecDefaults defaults;
  const JsonCursor object = TRY(parse_json(text, "exec"));
  if (const auto process = TRY(object.member("process"))) {
    JsonWriter out;
    TRY(copy_json(out, *process));
    defaults.process_json = out.take();
  }
  if (const auto personality = TRY(object.member("personality")))
    defaults.personality = static_cast<uint32_t>(TRY(personality->unsigned_integer(0, UINT32_MAX)));
  if (const auto keyring = TRY(object.member("keyring"))) defaults.new_keyring = TRY(keyring->boolean());
  if (const auto filter = TRY(object.member("seccomp"))) defaults.has_filter = TRY(filter->boolean());
  return defaults;
}

Result<ExecDefaults> decode_exec_defaults(const std::string& text) {
  if (text.empty()) return ExecDefaults{};
  auto defaults = read_defaults(text);
  if (defaults.has_value() || defaults.error().code == REAPER_ERR_NO_MEMORY) return defaults;
  return fail({REAPER_ERR_CORRUPT, 0,
               "the record of the container's process cannot be read: " + defaults.error().message, "", "record"});
}

}  // namespace reaper
