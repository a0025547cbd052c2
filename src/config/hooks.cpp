// hooks: programs that run at given moments of the container's life (config.md, POSIX-platform Hooks).
#include <algorithm>
#include <limits>

#include "config/parse.h"

namespace reaper {
namespace {

constexpr std::array<std::string_view, hook_kind_count> names = {"prestart",       "createRuntime", "createContainer",
                                                                 "startContainer", "poststart",     "poststop"};

Result<Hook> read_hook(const JsonCursor& object, Refusals& refusals) {
  Hook hook;
  KEEP(refusals, hook.path, read_absolute_path(object, "path"));
  if (auto args = TRY(object.member("args"))) KEEP(refusals, hook.args, read_strings(*args));
  // "the same semantics as execv's argv": the first is a name that the program takes for its own.
  if (hook.args.empty()) hook.args.push_back(hook.path);
  if (auto env = TRY(object.member("env"))) KEEP(refusals, hook.env, read_env(*env, refusals));
  // "If set, timeout MUST be greater than zero."
  if (auto timeout = TRY(object.member("timeout")))
    KEEP(refusals, hook.timeout_s, timeout->unsigned_integer(1, std::numeric_limits<int64_t>::max()));
  return hook;
}

void write_strings(JsonWriter& json, std::string_view name, const std::vector<std::string>& strings) {
  json.key(name).begin_array();
  for (const std::string& text : strings) json.string(text);
  json.end_array();
}

}  // namespace

std::string_view hook_kind_name(HookKind kind) {
  return names[static_cast<size_t>(kind)];
}

std::string hook_pointer(HookKind kind, size_t index) {
  return pointer_join(pointer_join("/hooks", hook_kind_name(kind)), index);
}

bool Hooks::empty() const {
  return std::ranges::all_of(lists, [](const std::vector<Hook>& list) { return list.empty(); });
}

Result<Hooks> read_hooks(const JsonCursor& object, Refusals& refusals) {
  Hooks hooks;
  for (size_t kind = 0; kind < hook_kind_count; ++kind) {
    auto list = TRY(object.member(names[kind]));
    if (!list) continue;
    std::vector<JsonCursor> elements;
    KEEP(refusals, elements, list->elements());
    for (const JsonCursor& element : elements) {
      Hook hook;
      KEEP(refusals, hook, read_hook(element, refusals));
      hooks.lists[kind].push_back(std::move(hook));
    }
  }
  return hooks;
}

std::string hooks_to_json(const Hooks& hooks) {
  JsonWriter json;
  json.begin_object();
  for (size_t kind = 0; kind < hook_kind_count; ++kind) {
    if (hooks.lists[kind].empty()) continue;
    json.key(names[kind]).begin_array();
    for (const Hook& hook : hooks.lists[kind]) {
      json.begin_object();
      json.key("path").string(hook.path);
      write_strings(json, "args", hook.args);
      write_strings(json, "env", hook.env);
      if (hook.timeout_s != 0) json.key("timeout").unsigned_integer(hook.timeout_s);
      json.end_object();
    }
    json.end_array();
  }
  json.end_object();
  return json.take();
}

Result<Hooks> hooks_from_json(std::string_view text) {
  auto object = TRY(parse_json(text, "hooks"));
  Refusals refusals;
  return read_hooks(object, refusals);
}

}  // namespace reaper
