// check: what create and start would fail with, here and for this user. Exits with 1 if they would.
#include <string_view>

#include "commands.h"
#include "creation.h"
#include "handles.h"
#include "report.h"

namespace reaper::cli {

namespace {

// In either form that reaper.h describes.
bool has_errors(std::string_view findings, uint32_t format) {
  if (format == REAPER_FORMAT_JSON) return !findings.starts_with("{\"ok\":true");
  return findings.starts_with("error: ") || findings.find("\nerror: ") != std::string_view::npos;
}

}  // namespace

int command_check(const Arguments& arguments) {
  Runtime runtime;
  if (int code = open_runtime(arguments, runtime)) return code;
  Creation creation;
  read_creation(arguments, creation);
  const uint32_t format = read_format(arguments);
  char* text = nullptr;
  reaper_error* error = nullptr;
  if (reaper_check(runtime.get(), &creation.options, format, &text, &error) != REAPER_OK) return fail(error);
  const Text findings(text);
  const int code = format == REAPER_FORMAT_JSON ? print_line(findings.get()) : print(findings.get());
  return code != 0 ? code : static_cast<int>(has_errors(findings.get(), format));
}

}  // namespace reaper::cli
