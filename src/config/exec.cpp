// The process of an exec: a document of its own, or one that is laid over the container's own process. What comes out
// is judged as `process` of config.json is.
#include <algorithm>

#include "config/parse.h"

namespace reaper {

namespace {

using Members = std::vector<std::pair<std::string, JsonCursor>>;

// The document {"process": <text>}, so that pointers are those of config.json.
Result<JsonCursor> parse_wrapped(std::string_view text) {
  // One value: nothing in it can end the object around it.
  if (auto alone = parse_json(text, "process"); !alone.has_value()) {
    Error error = std::move(alone).error();
    if (!error.pointer.empty()) error.pointer.insert(0, "/process");
    return fail(std::move(error));
  }
  return parse_json("{\"process\":" + std::string(text) + "}", "process");
}

Result<JsonCursor> process_of(const JsonCursor& document) {
  JsonCursor process = TRY(required_member(document, "process"));
  if (process.type() == JsonType::object) return process;
  return fail(config_error(REAPER_ERR_INVALID, "/process",
                           "an object is wanted here, not " + std::string(json_type_name(process.type()))));
}

const JsonCursor* find(const Members& members, std::string_view name) {
  const auto found =
      std::ranges::find(members, name, [](const auto& member) -> std::string_view { return member.first; });
  return found == members.end() ? nullptr : &found->second;
}

// Both lists, one after the other.
Status append_lists(JsonWriter& out, const JsonCursor& base, const JsonCursor& over) {
  out.begin_array();
  for (const JsonCursor* list : {&base, &over})
    for (const JsonCursor& element : TRY(list->elements())) TRY(copy_json(out, element));
  out.end_array();
  return {};
}

std::string_view name_in(std::string_view entry) {
  return entry.substr(0, entry.find('='));
}

// A variable that is given anew has its new value alone.
Status append_env(JsonWriter& out, const JsonCursor& base, const JsonCursor& over) {
  const auto added = TRY(read_strings(over));
  out.begin_array();
  for (const std::string& entry : TRY(read_strings(base)))
    if (std::ranges::none_of(added, [&](const std::string& other) { return name_in(other) == name_in(entry); }))
      out.string(entry);
  for (const std::string& entry : added) out.string(entry);
  out.end_array();
  return {};
}

// Members of `over` stand in the place of those of `base`; what is in both goes through `merge`.
template <class Merge>
Status lay_over(JsonWriter& out, const JsonCursor& base, const JsonCursor& over, Merge&& merge) {
  const Members below = TRY(base.members());
  const Members above = TRY(over.members());
  out.begin_object();
  for (const auto& [name, value] : below) {
    const JsonCursor* const other = find(above, name);
    out.key(name);
    TRY(other == nullptr ? copy_json(out, value) : merge(name, value, *other));
  }
  for (const auto& [name, value] : above) {
    if (find(below, name) != nullptr) continue;
    out.key(name);
    TRY(copy_json(out, value));
  }
  out.end_object();
  return {};
}

Status merge_member(JsonWriter& out, const std::string& name, const JsonCursor& base, const JsonCursor& over) {
  const auto append = [&](const std::string&, const JsonCursor& below, const JsonCursor& above) {
    return append_lists(out, below, above);
  };
  const auto merge_user = [&](const std::string& member, const JsonCursor& below, const JsonCursor& above) {
    return member == "additionalGids" ? append_lists(out, below, above) : copy_json(out, above);
  };
  if (name == "env") return append_env(out, base, over);
  if (name == "capabilities") return lay_over(out, base, over, append);
  if (name == "user") return lay_over(out, base, over, merge_user);
  return copy_json(out, over);
}

// The container's own process without its terminal: that is its own.
Result<std::string> without_terminal(const JsonCursor& process) {
  JsonWriter out;
  out.begin_object();
  for (const auto& [name, value] : TRY(process.members())) {
    if (name == "terminal" || name == "consoleSize") continue;
    out.key(name);
    TRY(copy_json(out, value));
  }
  out.end_object();
  return out.take();
}

Result<JsonCursor> laid_over(const JsonCursor& given, std::string_view recorded) {
  const JsonCursor whole = TRY(parse_wrapped(recorded));
  const JsonCursor own = TRY(process_of(whole));
  const std::string base_text = TRY(without_terminal(own));
  const JsonCursor base_document = TRY(parse_wrapped(base_text));
  const JsonCursor base = TRY(process_of(base_document));
  JsonWriter out;
  TRY(lay_over(out, base, given, [&](const std::string& name, const JsonCursor& below, const JsonCursor& above) {
    return merge_member(out, name, below, above);
  }));
  return parse_wrapped(out.text());
}

}  // namespace

Result<ExecProcess> parse_exec_process(std::string_view text, std::optional<std::string_view> recorded) {
  JsonCursor document = TRY(parse_wrapped(text));
  const JsonCursor given = TRY(process_of(document));
  if (recorded) document = TRY(laid_over(given, *recorded));
  Notes notes;
  auto unsupported = TRY(walk_document(document, notes));
  const JsonCursor process = TRY(process_of(document));
  ExecProcess exec;
  exec.process = TRY(read_process(process, notes));
  for (Error& error : unsupported) return fail(std::move(error));
  exec.warnings = take_warnings(notes);
  return exec;
}

}  // namespace reaper
