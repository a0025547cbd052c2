// The parser. Two passes over one rule: global options up to the command's name, then that command's options, mixed
// with its operands, up to "--".
#include "arguments.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "options.h"

namespace reaper::cli {

namespace {

struct Reader {
  int argc;
  const char* const* argv;
  int next;
  Arguments& out;

  bool done() const { return next >= argc; }
};

std::string quoted(std::string_view word) {
  std::string text = "\"";
  text.append(word);
  return text += '"';
}

std::span<const OptionRow> options_of(const CommandRow* row) {
  return row == nullptr ? global_options() : std::span(row->options, static_cast<size_t>(row->option_count));
}

bool usage_error(Reader& reader, std::string text) {
  text += " (see reaper-runtime ";
  if (reader.out.row != nullptr) (text += reader.out.row->name) += ' ';
  reader.out.error = text + "--help)";
  return false;
}

// "name" as the person would type it.
std::string dashed(const OptionRow& row) {
  return std::string("--") + row.name;
}

const OptionRow* find_long(std::span<const OptionRow> rows, std::string_view name) {
  auto found = std::find_if(rows.begin(), rows.end(), [&](const OptionRow& row) { return name == row.name; });
  return found == rows.end() ? nullptr : &*found;
}

const OptionRow* find_letter(std::span<const OptionRow> rows, char letter) {
  auto found = std::find_if(rows.begin(), rows.end(), [&](const OptionRow& row) { return letter == row.letter; });
  return found == rows.end() ? nullptr : &*found;
}

bool unknown_option(Reader& reader, std::string_view word, std::string_view name) {
  std::string text = "unknown option " + quoted(word);
  if (reader.out.row != nullptr && find_long(global_options(), name) != nullptr) {
    return usage_error(reader, text + ": --" + std::string(name) + " belongs before the command");
  }
  constexpr int most = static_cast<int>(Opt::count);
  const char* names[most];
  int count = 0;
  for (const OptionRow& row : options_of(reader.out.row)) {
    if (count < most) names[count++] = row.name;
  }
  if (const char* near = nearest_word(name, names, count)) text += std::string(": did you mean --") + near + "?";
  return usage_error(reader, text);
}

// Digits only, up to 2^31 - 1: nothing that is counted here needs more.
bool read_number(std::string_view text, uint64_t& out) {
  if (text.empty() || text.size() > 10) return false;
  uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  if (value > INT32_MAX) return false;
  out = value;
  return true;
}

// "3", "0.25": milliseconds, rounded up, so that a time that is not zero never becomes "only look".
bool read_seconds(std::string_view text, uint64_t& out) {
  size_t point = text.find('.');
  uint64_t whole = 0;
  if (!read_number(text.substr(0, point), whole)) return false;
  uint64_t millis = 0;
  if (point != std::string_view::npos) {
    std::string_view fraction = text.substr(point + 1);
    if (fraction.empty() || fraction.find_first_not_of("0123456789") != std::string_view::npos) return false;
    for (size_t i = 0; i < 3; i++)
      millis = millis * 10 + (i < fraction.size() ? static_cast<uint64_t>(fraction[i] - '0') : 0);
    if (fraction.size() > 3 && fraction.find_first_not_of('0', 3) != std::string_view::npos) millis++;
  }
  out = whole * 1000 + millis;
  return true;
}

bool is_choice(std::string_view choices, std::string_view word) {
  while (!choices.empty()) {
    size_t end = std::min(choices.find('|'), choices.size());
    if (choices.substr(0, end) == word) return true;
    choices.remove_prefix(std::min(end + 1, choices.size()));
  }
  return false;
}

bool set_flag(Reader& reader, const OptionRow& row, const char* attached) {
  Value& value = reader.out.values[static_cast<int>(row.opt)];
  if (attached == nullptr || strcmp(attached, "true") == 0) {
    value.set = true;
    value.denied = false;
  } else if (strcmp(attached, "false") == 0) {
    value.set = false;
    value.denied = true;
  } else {
    return usage_error(reader, "option " + dashed(row) + " takes no value but true or false, not " + quoted(attached));
  }
  return true;
}

bool set_value(Reader& reader, const OptionRow& row, const char* attached) {
  if (row.kind == Kind::flag) return set_flag(reader, row, attached);
  const char* text = attached;
  if (text == nullptr && !reader.done()) text = reader.argv[reader.next++];
  if (text == nullptr || *text == '\0') return usage_error(reader, "option " + dashed(row) + " needs a value");
  Value value{true, text, 0};
  if (row.kind == Kind::number && !read_number(text, value.number)) {
    return usage_error(reader, "option " + dashed(row) + " takes a number, not " + quoted(text));
  }
  if (row.kind == Kind::seconds && !read_seconds(text, value.number)) {
    return usage_error(reader, "option " + dashed(row) + " takes seconds, not " + quoted(text));
  }
  if (row.kind == Kind::choice && !is_choice(row.value, text)) {
    return usage_error(reader, "option " + dashed(row) + " takes one of " + row.value + ", not " + quoted(text));
  }
  reader.out.values[static_cast<int>(row.opt)] = value;
  if (row.kind == Kind::each) reader.out.each.emplace_back(row.opt, text);
  return true;
}

// --name, --name=value
bool read_long(Reader& reader, const char* word) {
  const char* equals = strchr(word, '=');
  std::string_view name = equals == nullptr ? std::string_view(word + 2) : std::string_view(word + 2, equals);
  const OptionRow* row = find_long(options_of(reader.out.row), name);
  if (row == nullptr) return unknown_option(reader, word, name);
  return set_value(reader, *row, equals == nullptr ? nullptr : equals + 1);
}

// -x, -xy (flags), -xVALUE, -x=VALUE, -x VALUE
bool read_short(Reader& reader, const char* word) {
  for (const char* at = word + 1; *at != '\0'; at++) {
    const OptionRow* row = find_letter(options_of(reader.out.row), *at);
    if (row == nullptr) return unknown_option(reader, word, {});
    if (row->kind == Kind::flag && at[1] != '=') {
      if (!set_flag(reader, *row, nullptr)) return false;
      continue;
    }
    const char* attached = at[1] == '=' ? at + 2 : at[1] != '\0' ? at + 1 : nullptr;
    return set_value(reader, *row, attached);
  }
  return true;
}

// A lone "-" is an operand, as everywhere.
bool is_option(const char* word) {
  return word[0] == '-' && word[1] != '\0';
}

bool read_option(Reader& reader, const char* word) {
  return word[1] == '-' ? read_long(reader, word) : read_short(reader, word);
}

// Leaves `next` behind the command's name.
bool read_globals(Reader& reader) {
  while (!reader.done()) {
    const char* word = reader.argv[reader.next++];
    bool ended = strcmp(word, "--") == 0;
    if (!ended && is_option(word)) {
      if (!read_option(reader, word)) return false;
      continue;
    }
    if (ended && reader.done()) break;
    if (ended) word = reader.argv[reader.next++];
    const char* names[32];
    int count = 0;
    for (const CommandRow& row : command_rows()) {
      if (strcmp(row.name, word) == 0) reader.out.row = &row;
      if (count < 32) names[count++] = row.name;
    }
    if (reader.out.row != nullptr) {
      reader.out.command = reader.out.row->command;
      return true;
    }
    std::string text = "unknown command " + quoted(word);
    if (const char* near = nearest_word(word, names, count)) text += std::string(": did you mean ") + near + "?";
    return usage_error(reader, text);
  }
  if (reader.out.has(Opt::help) || reader.out.has(Opt::version)) return true;
  return usage_error(reader, "missing command");
}

bool read_command(Reader& reader) {
  const CommandRow& row = *reader.out.row;
  bool ended = false;
  while (!reader.done()) {
    const char* word = reader.argv[reader.next++];
    const bool is_last = reader.out.operand_count == row.max_operands;
    if (!ended && strcmp(word, "--") == 0) {
      ended = true;
    } else if (row.has_words && is_last && (ended || !is_option(word))) {
      reader.out.words = reader.argv + reader.next - 1;
      reader.out.word_count = reader.argc - reader.next + 1;
      break;
    } else if (!ended && is_option(word)) {
      if (!read_option(reader, word)) return false;
    } else if (reader.out.operand_count >= std::min(row.max_operands, max_operands)) {
      return usage_error(reader, "unexpected argument " + quoted(word));
    } else {
      reader.out.operands[reader.out.operand_count++] = word;
    }
  }
  if (reader.out.has(Opt::help) || reader.out.has(Opt::version)) return true;
  if (reader.out.operand_count < row.min_operands) return usage_error(reader, "missing ID");
  return true;
}

// Edits (insert, drop, replace, swap neighbours) from a to b. Words are short: three rows on the stack do.
int distance(std::string_view a, std::string_view b) {
  constexpr size_t most = 32;
  if (a.size() >= most || b.size() >= most) return static_cast<int>(most);
  int before[most + 1] = {}, last[most + 1] = {}, now[most + 1] = {};
  for (size_t j = 0; j <= b.size(); j++) last[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); i++) {
    now[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); j++) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    std::copy(std::begin(last), std::end(last), std::begin(before));
    std::copy(std::begin(now), std::end(now), std::begin(last));
  }
  return last[b.size()];
}

}  // namespace

const char* nearest_word(std::string_view word, const char* const candidates[], int count) {
  const char* best = nullptr;
  int least = std::min<int>(3, static_cast<int>(word.size() + 1) / 2 + 1);  // a guess must share more than it changes
  for (int i = 0; i < count; i++) {
    int edits = distance(word, candidates[i]);
    if (edits < least) {
      least = edits;
      best = candidates[i];
    }
  }
  return best;
}

Arguments parse_arguments(int argc, const char* const argv[]) {
  Arguments out;
  Reader reader{argc, argv, 1, out};
  if (read_globals(reader) && out.command != Command::none) read_command(reader);
  return out;
}

std::string unsupported_option(const Arguments& arguments) {
  bool makes_cgroup = arguments.command == Command::create || arguments.command == Command::run;
  if (makes_cgroup && arguments.has(Opt::systemd_cgroup)) return "--systemd-cgroup is not supported by this release";
  if (makes_cgroup && arguments.has(Opt::cgroup_manager) &&
      strcmp(arguments.text(Opt::cgroup_manager), "systemd") == 0) {
    return "--cgroup-manager systemd is not supported by this release";
  }
  if (arguments.row == nullptr) return {};
  for (const OptionRow& row : options_of(arguments.row)) {
    if (row.support == Support::later && arguments.has(row.opt)) {
      return dashed(row) + " is not supported by this release";
    }
  }
  return {};
}

}  // namespace reaper::cli
