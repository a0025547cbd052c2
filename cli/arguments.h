// The command line as data: tables of commands and options, and the one parser that reads them. Touches nothing but
// argv, so that unit tests can drive it. What callers send is written down in docs/cli.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reaper::cli {

enum class Command : uint8_t {
  none,
  create,
  start,
  state,
  kill,
  remove,
  run,
  exec,
  list,
  features,
  plan,
  check,
  spec,
  wait
};

enum class Opt : uint8_t {
  // global, before the command
  root,
  log,
  log_format,
  log_level,
  debug,
  systemd_cgroup,
  cgroup_manager,
  rootless,
  version,
  help,
  // of commands
  bundle,
  pid_file,
  preserve_fds,
  strict,
  keep,
  detach,
  console_socket,
  pidfd_socket,
  no_pivot,
  no_new_keyring,
  no_subreaper,
  all,
  force,
  format,
  quiet,
  timeout,
  supervise,
  rootless_spec,  // the global one has a value
  process,
  tty,
  cwd,
  env,
  user,
  additional_gids,
  cap,
  no_new_privs,
  ignore_paused,
  apparmor,
  process_label,
  count,
};

enum class Kind : uint8_t {
  flag,     // no value; `--flag=true` and `--flag=false` are understood
  text,     // any value that is not empty
  number,   // decimal digits
  seconds,  // decimal digits, perhaps with a fraction; kept as milliseconds
  choice,   // one of the words in `value`, which are separated by '|'
  each,     // text that may be given several times, and every one counts
};

enum class Support : uint8_t {
  applied,
  harmless,  // accepted: it asks for something to be left out that this version never does
  later,     // parsed, then answered UNSUPPORTED by name
};

struct OptionRow {
  Opt opt;
  const char* name;  // without dashes
  char letter;       // 0: none
  Kind kind;
  const char* value;  // its name in --help, or the choices; null for a flag
  Support support;
  const char* help;
};

struct CommandRow {
  Command command;
  const char* name;
  const char* operands;  // as in the usage line
  int min_operands;
  int max_operands;
  const OptionRow* options;
  int option_count;
  const char* summary;
  bool has_words = false;  // behind the operands, a command line that is nobody's here
};

struct Value {
  bool set = false;
  const char* text = nullptr;  // of options with a value
  uint64_t number = 0;         // of Kind::number and Kind::seconds
  bool denied = false;         // --flag=false, said last
};

inline constexpr int max_operands = 2;

struct Arguments {
  Command command = Command::none;
  const CommandRow* row = nullptr;  // of `command`
  Value values[static_cast<int>(Opt::count)];
  const char* operands[max_operands] = {};
  int operand_count = 0;
  const char* const* words = nullptr;  // of a row with words
  int word_count = 0;
  std::vector<std::pair<Opt, const char*>> each;  // of Kind::each, in their order
  std::string error;                              // a usage error, or empty; what was read before it is valid

  bool has(Opt opt) const { return values[static_cast<int>(opt)].set; }
  bool denies(Opt opt) const { return values[static_cast<int>(opt)].denied; }
  const char* text(Opt opt) const { return values[static_cast<int>(opt)].text; }
  uint64_t number(Opt opt) const { return values[static_cast<int>(opt)].number; }
  const char* id() const { return operands[0]; }
};

// Reads the whole line. The last of several values for one option wins, as in getopt.
Arguments parse_arguments(int argc, const char* const argv[]);

// The sentence for an option that is known but comes with a later version; empty when there is none.
std::string unsupported_option(const Arguments& arguments);

// The text of `reaper-runtime --help` (null), or that of a command.
std::string help_text(const CommandRow* row);

// The known word that `word` was probably meant to be, or null.
const char* nearest_word(std::string_view word, const char* const candidates[], int count);

}  // namespace reaper::cli
