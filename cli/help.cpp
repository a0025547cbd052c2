// --help, out of the same tables that the parser reads.
#include <algorithm>
#include <span>

#include "arguments.h"
#include "options.h"

namespace reaper::cli {

namespace {

constexpr size_t help_column = 34;

void append_line(std::string& text, std::string left, const char* right) {
  // Two spaces at least: by them the completions (cli/completions) tell the columns.
  left.resize(std::max(help_column, left.size() + 2), ' ');
  text += left;
  text += right;
  text += '\n';
}

std::string option_words(const OptionRow& row) {
  std::string words = "  ";
  if (row.letter != 0) {
    words += '-';
    words += row.letter;
    words += ", ";
  } else {
    words += "    ";
  }
  words += "--";
  words += row.name;
  if (row.value != nullptr) {
    words += ' ';
    words += row.value;
  }
  return words;
}

void append_options(std::string& text, std::span<const OptionRow> rows, Support support, const char* heading) {
  bool first = true;
  for (const OptionRow& row : rows) {
    if (row.support != support) continue;
    if (first) text += heading;
    first = false;
    append_line(text, option_words(row), row.help);
  }
}

void append_all_options(std::string& text, std::span<const OptionRow> rows) {
  append_options(text, rows, Support::applied, "\nOptions:\n");
  append_options(text, rows, Support::harmless, "\nAccepted, and true without being asked for:\n");
  append_options(text, rows, Support::later, "\nKnown, but not supported by this release:\n");
}

}  // namespace

std::string help_text(const CommandRow* row) {
  std::string text;
  if (row != nullptr) {
    text = std::string("Usage: reaper-runtime [GLOBAL OPTIONS] ") + row->name + " [OPTIONS]";
    if (*row->operands != '\0') (text += ' ') += row->operands;
    (text += "\n\n") += row->summary;
    text += '\n';
    append_all_options(text, {row->options, static_cast<size_t>(row->option_count)});
    return text;
  }
  text = "Usage: reaper-runtime [GLOBAL OPTIONS] COMMAND [OPTIONS] [ID]\n\nAn OCI container runtime.\n\nCommands:\n";
  for (const CommandRow& command : command_rows()) {
    append_line(text, std::string("  ") + command.name + (*command.operands != '\0' ? " " : "") + command.operands,
                command.summary);
  }
  append_all_options(text, global_options());
  text +=
      "\nThe state directory: --root, else $REAPER_RUNTIME_ROOT, else /run/reaper for root, else\n"
      "$XDG_RUNTIME_DIR/reaper, else /run/user/UID/reaper, else /tmp/reaper-UID.\n"
      "reaper-runtime COMMAND --help says more about a command.\n";
  return text;
}

}  // namespace reaper::cli
