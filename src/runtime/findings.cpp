#include "runtime/findings.h"

#include <algorithm>

#include "core/json.h"
#include "runtime/report.h"

namespace reaper {

namespace {

std::string_view level_name(Level level) {
  switch (level) {
    case Level::error:
      return "error";
    case Level::warning:
      return "warning";
    case Level::note:
      break;
  }
  return "note";
}

}  // namespace

void Findings::note(std::string_view pointer, std::string_view message) {
  Error error = config_error(REAPER_OK, pointer, message);
  error.stage = "check";
  list_.push_back({Level::note, std::move(error)});
}

bool Findings::has_errors() const {
  return std::ranges::any_of(list_, [](const Finding& finding) { return finding.level == Level::error; });
}

const Error* Findings::without_memory() const {
  const auto found =
      std::ranges::find_if(list_, [](const Finding& finding) { return finding.error.code == REAPER_ERR_NO_MEMORY; });
  return found != list_.end() ? &found->error : nullptr;
}

std::string Findings::text() const {
  std::string text;
  // printable() once more: a message may quote a path, and a finding is one line.
  for (const Finding& finding : list_)
    text += std::string(level_name(finding.level)) + ": " + printable(finding.error.message) + "\n";
  return text;
}

std::string Findings::json() const {
  JsonWriter out;
  out.begin_object();
  out.key("ok").boolean(!has_errors());
  out.key("findings").begin_array();
  for (const Finding& finding : list_) {
    out.begin_object();
    out.key("level").string(level_name(finding.level));
    out.key("code").string(code_name(finding.error.code));
    out.key("pointer").string(finding.error.pointer);
    out.key("stage").string(finding.error.stage);
    out.key("message").string(finding.error.message);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return out.take();
}

}  // namespace reaper
