// The command line: every form that callers send (docs/cli.md), and what is answered to those that nobody should.
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.h"
#include "options.h"
#include "unit/cmocka_cpp.h"

using namespace reaper::cli;

namespace {

// One line of words, split at spaces ('' is an empty word), and what must come of it, in the form of describe().
struct Row {
  const char* line;
  const char* wanted;
};

std::vector<std::string> split(const char* line) {
  std::vector<std::string> words = {"reaper-runtime"};
  std::string_view rest = line;
  while (!rest.empty()) {
    size_t end = rest.find(' ');
    std::string word(rest.substr(0, end));
    words.push_back(word == "''" ? "" : word);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return words;
}

struct Line {
  explicit Line(const char* text) : words(split(text)) {
    for (const std::string& word : words) argv.push_back(word.c_str());
    argv.push_back(nullptr);
    arguments = parse_arguments(static_cast<int>(words.size()), argv.data());
  }
  std::vector<std::string> words;
  std::vector<const char*> argv;
  Arguments arguments;
};

std::string describe_options(const Arguments& arguments, std::span<const OptionRow> rows) {
  std::string text;
  for (const OptionRow& row : rows) {
    if (!arguments.has(row.opt) || row.opt == Opt::help) continue;
    (text += " ") += row.name;
    if (row.kind != Kind::flag) (text += "=") += arguments.text(row.opt);
    if (row.kind == Kind::number || row.kind == Kind::seconds) text += "#" + std::to_string(arguments.number(row.opt));
  }
  return text;
}

// "COMMAND | options in the table's order | operands", with " help" at the end of the options; or "error: ...".
std::string describe(const Arguments& arguments) {
  if (!arguments.error.empty()) return "error: " + arguments.error;
  std::string text = arguments.row == nullptr ? "none" : arguments.row->name;
  text += describe_options(arguments, global_options());
  if (arguments.row != nullptr) {
    text += describe_options(arguments, {arguments.row->options, static_cast<size_t>(arguments.row->option_count)});
  }
  if (arguments.has(Opt::help)) text += " help";
  for (int i = 0; i < arguments.operand_count; i++) (text += " <") += std::string(arguments.operands[i]) + ">";
  return text;
}

template <size_t N>
void check_rows(const Row (&rows)[N]) {
  for (const Row& row : rows) {
    Line line(row.line);
    std::string got = describe(line.arguments);
    if (got != row.wanted) print_error("line: %s\n", row.line);
    assert_string_equal(got.c_str(), row.wanted);
  }
}

void test_commands(void**) {
  const Row rows[] = {
      {"create web", "create <web>"},
      {"start web", "start <web>"},
      {"run web", "run <web>"},
      {"state web", "state <web>"},
      {"kill web", "kill <web>"},
      {"kill web 15", "kill <web> <15>"},
      {"kill web KILL", "kill <web> <KILL>"},
      {"kill web SIGRTMIN+3", "kill <web> <SIGRTMIN+3>"},
      {"wait web", "wait <web>"},
      {"delete web", "delete <web>"},
      {"list", "list"},
      {"plan", "plan"},
      {"check", "check"},
      {"spec", "spec"},
      {"features", "features"},
  };
  check_rows(rows);
}

void test_global_options(void**) {
  const Row rows[] = {
      {"--root /r state x", "state root=/r <x>"},
      {"--root=/r state x", "state root=/r <x>"},
      {"--root=/a=b state x", "state root=/a=b <x>"},
      {"--root -r state x", "state root=-r <x>"},
      {"--log /l --log-format json create x", "create log=/l log-format=json <x>"},
      {"--log=/l --log-format=text create x", "create log=/l log-format=text <x>"},
      {"--log-level debug state x", "state log-level=debug <x>"},
      {"--log-level=warning state x", "state log-level=warning <x>"},
      {"--debug list", "list debug"},
      {"--debug=true list", "list debug"},
      {"--debug=false list", "list"},
      {"--debug --debug=false list", "list"},
      {"--systemd-cgroup state x", "state systemd-cgroup <x>"},
      {"--cgroup-manager cgroupfs state x", "state cgroup-manager=cgroupfs <x>"},
      {"--cgroup-manager=disabled state x", "state cgroup-manager=disabled <x>"},
      {"--rootless=auto state x", "state rootless=auto <x>"},
      {"--rootless true state x", "state rootless=true <x>"},
      {"--rootless=false state x", "state rootless=false <x>"},
      {"--root /r --log /l --log-format json --systemd-cgroup create --bundle /b --pid-file /p x",
       "create root=/r log=/l log-format=json systemd-cgroup bundle=/b pid-file=/p <x>"},
      {"--root /a --root /b state x", "state root=/b <x>"},
      {"-- state x", "state <x>"},
  };
  check_rows(rows);
}

void test_create_and_run_options(void**) {
  const Row rows[] = {
      {"create -b /b x", "create bundle=/b <x>"},
      {"create -b/b x", "create bundle=/b <x>"},
      {"create -b=/b x", "create bundle=/b <x>"},
      {"create --bundle /b x", "create bundle=/b <x>"},
      {"create --bundle=/b x", "create bundle=/b <x>"},
      {"create x -b /b", "create bundle=/b <x>"},
      {"create x --bundle=/b --pid-file=/p", "create bundle=/b pid-file=/p <x>"},
      {"create --bundle -b x", "create bundle=-b <x>"},
      {"create --bundle -- x", "create bundle=-- <x>"},
      {"create -b /a -b /b x", "create bundle=/b <x>"},
      {"create --pid-file /p x", "create pid-file=/p <x>"},
      {"create --console-socket /s x", "create console-socket=/s <x>"},
      {"create --console-socket=/s x", "create console-socket=/s <x>"},
      {"create --pidfd-socket /s x", "create pidfd-socket=/s <x>"},
      {"create --no-pivot x", "create no-pivot <x>"},
      {"create --no-new-keyring x", "create no-new-keyring <x>"},
      {"create --no-subreaper x", "create no-subreaper <x>"},
      {"create --preserve-fds 2 x", "create preserve-fds=2#2 <x>"},
      {"create --preserve-fds=0 x", "create preserve-fds=0#0 <x>"},
      {"create --strict x", "create strict <x>"},
      {"create -d x", "create detach <x>"},
      {"create --keep x", "create keep <x>"},
      {"create -- x", "create <x>"},
      {"create -- -x", "create <-x>"},
      {"create x --", "create <x>"},
      {"create -b /b -- x", "create bundle=/b <x>"},
      {"create -", "create <->"},
      {"run --bundle /b --keep x", "run bundle=/b keep <x>"},
      {"run --detach --pid-file /p --bundle /b x", "run bundle=/b pid-file=/p detach <x>"},
      {"run -d -b /b x", "run bundle=/b detach <x>"},
      {"run -db /b x", "run bundle=/b detach <x>"},
      {"run x --no-subreaper --no-pivot --no-new-keyring", "run no-new-keyring no-pivot no-subreaper <x>"},
      {"run --preserve-fds 3 --strict x", "run preserve-fds=3#3 strict <x>"},
      {"plan -b /b --strict", "plan bundle=/b strict"},
      {"check --format json --strict", "check strict format=json"},
      {"plan -f text", "plan format=text"},
      {"spec --rootless -b /b", "spec bundle=/b rootless"},
  };
  check_rows(rows);
}

void test_other_options(void**) {
  const Row rows[] = {
      {"kill -a x", "kill all <x>"},
      {"kill --all x 9", "kill all <x> <9>"},
      {"kill x KILL --all", "kill all <x> <KILL>"},
      {"kill x -a 9", "kill all <x> <9>"},
      {"kill --all=false x", "kill <x>"},
      {"delete -f x", "delete force <x>"},
      {"delete --force x", "delete force <x>"},
      {"delete x --force", "delete force <x>"},
      {"delete --force -- x", "delete force <x>"},
      {"delete -- --force", "delete <--force>"},
      {"list -f json", "list format=json"},
      {"list -fjson", "list format=json"},
      {"list --format table -q", "list format=table quiet"},
      {"list --format=json --quiet", "list format=json quiet"},
      {"list -qf json", "list format=json quiet"},
      {"wait --timeout 3 x", "wait timeout=3#3000 <x>"},
      {"wait --timeout=0.25 x", "wait timeout=0.25#250 <x>"},
      {"wait --timeout 0 x", "wait timeout=0#0 <x>"},
      {"wait --timeout 0.0001 x", "wait timeout=0.0001#1 <x>"},
  };
  check_rows(rows);
}

void test_help_and_version(void**) {
  const Row rows[] = {
      {"--help", "none help"},
      {"-h", "none help"},
      {"--version", "none version"},
      {"-v", "none version"},
      {"--root /r --version", "none root=/r version"},
      {"create --help", "create help"},
      {"create -h", "create help"},
      {"create x --help", "create help <x>"},
      {"--help create", "create help"},
      {"list --help", "list help"},
      {"checkpoint --help", "error: unknown command \"checkpoint\" (see reaper-runtime --help)"},
      {"--help checkpoint", "error: unknown command \"checkpoint\" (see reaper-runtime --help)"},
      {"exec --help", "exec help"},
      {"create --help=maybe",
       "error: option --help takes no value but true or false, not \"maybe\" (see reaper-runtime create --help)"},
  };
  check_rows(rows);
}

void test_usage_errors(void**) {
  const Row rows[] = {
      {"", "error: missing command (see reaper-runtime --help)"},
      {"--", "error: missing command (see reaper-runtime --help)"},
      {"--debug", "error: missing command (see reaper-runtime --help)"},
      {"--root", "error: option --root needs a value (see reaper-runtime --help)"},
      {"--root= state x", "error: option --root needs a value (see reaper-runtime --help)"},
      {"--root '' state x", "error: option --root needs a value (see reaper-runtime --help)"},
      {"--log-format xml state x",
       "error: option --log-format takes one of text|json, not \"xml\" (see reaper-runtime --help)"},
      {"--log-format text|json state x",
       "error: option --log-format takes one of text|json, not \"text|json\" (see reaper-runtime --help)"},
      {"--rootless=yes state x",
       "error: option --rootless takes one of auto|true|false, not \"yes\" (see reaper-runtime --help)"},
      {"'' x", "error: unknown command \"\" (see reaper-runtime --help)"},
      {"creat x", "error: unknown command \"creat\": did you mean create? (see reaper-runtime --help)"},
      {"strat x", "error: unknown command \"strat\": did you mean start? (see reaper-runtime --help)"},
      {"del x", "error: unknown command \"del\" (see reaper-runtime --help)"},
      {"delet x", "error: unknown command \"delet\": did you mean delete? (see reaper-runtime --help)"},
      {"CREATE x", "error: unknown command \"CREATE\" (see reaper-runtime --help)"},
      {"--rot /r state x", "error: unknown option \"--rot\": did you mean --root? (see reaper-runtime --help)"},
      {"--rot=/r state x", "error: unknown option \"--rot=/r\": did you mean --root? (see reaper-runtime --help)"},
      {"--bundle /b create x", "error: unknown option \"--bundle\" (see reaper-runtime --help)"},
      {"-x state x", "error: unknown option \"-x\" (see reaper-runtime --help)"},
      {"create --root /r x",
       "error: unknown option \"--root\": --root belongs before the command (see reaper-runtime create --help)"},
      {"create", "error: missing ID (see reaper-runtime create --help)"},
      {"create --", "error: missing ID (see reaper-runtime create --help)"},
      {"start", "error: missing ID (see reaper-runtime start --help)"},
      {"kill --all", "error: missing ID (see reaper-runtime kill --help)"},
      {"create x y", "error: unexpected argument \"y\" (see reaper-runtime create --help)"},
      {"kill x 9 10", "error: unexpected argument \"10\" (see reaper-runtime kill --help)"},
      {"list x", "error: unexpected argument \"x\" (see reaper-runtime list --help)"},
      {"kill x -9", "error: unknown option \"-9\" (see reaper-runtime kill --help)"},
      {"create --bundel /b x",
       "error: unknown option \"--bundel\": did you mean --bundle? (see reaper-runtime create --help)"},
      {"create --preserve-fd 1 x",
       "error: unknown option \"--preserve-fd\": did you mean --preserve-fds? (see reaper-runtime create --help)"},
      {"delete --forse x",
       "error: unknown option \"--forse\": did you mean --force? (see reaper-runtime delete --help)"},
      {"create -bz", "error: missing ID (see reaper-runtime create --help)"},
      {"create x -b", "error: option --bundle needs a value (see reaper-runtime create --help)"},
      {"create x -b=", "error: option --bundle needs a value (see reaper-runtime create --help)"},
      {"create x --pid-file", "error: option --pid-file needs a value (see reaper-runtime create --help)"},
      {"create --preserve-fds x y",
       "error: option --preserve-fds takes a number, not \"x\" (see reaper-runtime create --help)"},
      {"create --preserve-fds=-1 x",
       "error: option --preserve-fds takes a number, not \"-1\" (see reaper-runtime create --help)"},
      {"create --preserve-fds 2147483648 x",
       "error: option --preserve-fds takes a number, not \"2147483648\" (see reaper-runtime create --help)"},
      {"create --preserve-fds 18446744073709551617 x",
       "error: option --preserve-fds takes a number, not \"18446744073709551617\" (see reaper-runtime create --help)"},
      {"create --preserve-fds 1.0 x",
       "error: option --preserve-fds takes a number, not \"1.0\" (see reaper-runtime create --help)"},
      {"wait --timeout 1s x", "error: option --timeout takes seconds, not \"1s\" (see reaper-runtime wait --help)"},
      {"wait --timeout 1. x", "error: option --timeout takes seconds, not \"1.\" (see reaper-runtime wait --help)"},
      {"wait --timeout .5 x", "error: option --timeout takes seconds, not \".5\" (see reaper-runtime wait --help)"},
      {"wait --timeout=-1 x", "error: option --timeout takes seconds, not \"-1\" (see reaper-runtime wait --help)"},
      {"list -f yaml", "error: option --format takes one of table|json, not \"yaml\" (see reaper-runtime list --help)"},
      {"kill -ax y", "error: unknown option \"-ax\" (see reaper-runtime kill --help)"},
  };
  check_rows(rows);
}

// What was read before a usage error still tells where to log it.
void test_error_keeps_the_log(void**) {
  Line line("--log /l --log-format json create --bogus x");
  assert_false(line.arguments.error.empty());
  assert_string_equal(line.arguments.text(Opt::log), "/l");
  assert_string_equal(line.arguments.text(Opt::log_format), "json");
  assert_string_equal(line.arguments.row->name, "create");
}

void test_unsupported_options(void**) {
  const Row rows[] = {
      {"run -d x", ""},
      {"run --detach=false x", ""},
      {"create -d x", ""},
      {"run --console-socket /s x", ""},
      {"create --console-socket=/s x", ""},
      {"create --pidfd-socket /s x", ""},
      {"--systemd-cgroup create x", "--systemd-cgroup is not supported by this release"},
      {"--systemd-cgroup run x", "--systemd-cgroup is not supported by this release"},
      {"--systemd-cgroup=false create x", ""},
      // Its sender must still be able to look at and remove what there is.
      {"--systemd-cgroup state x", ""},
      {"--systemd-cgroup kill x", ""},
      {"--systemd-cgroup delete --force x", ""},
      {"--cgroup-manager systemd create x", "--cgroup-manager systemd is not supported by this release"},
      {"--cgroup-manager cgroupfs create x", ""},
      {"--cgroup-manager disabled run x", ""},
      {"--cgroup-manager systemd delete x", ""},
      {"--rootless=true create x", ""},
      {"create --no-pivot --no-new-keyring --no-subreaper --keep x", ""},
      {"run --no-pivot --no-new-keyring --no-subreaper --keep x", ""},
      {"state x", ""},
  };
  for (const Row& row : rows) {
    Line line(row.line);
    assert_string_equal(line.arguments.error.c_str(), "");
    std::string got = unsupported_option(line.arguments);
    if (got != row.wanted) print_error("line: %s\n", row.line);
    assert_string_equal(got.c_str(), row.wanted);
  }
}

void test_nearest_word(void**) {
  const char* words[] = {"create", "start", "state", "kill", "list", "delete"};
  auto nearest = [&](const char* word) {
    const char* found = nearest_word(word, words, 6);
    return found == nullptr ? "" : found;
  };
  assert_string_equal(nearest("creat"), "create");
  assert_string_equal(nearest("craete"), "create");
  assert_string_equal(nearest("stat"), "start");
  assert_string_equal(nearest("statee"), "state");
  assert_string_equal(nearest("lsit"), "list");
  assert_string_equal(nearest("kil"), "kill");
  assert_string_equal(nearest("x"), "");
  assert_string_equal(nearest(""), "");
  assert_string_equal(nearest("checkpoint"), "");
  assert_string_equal(nearest("createcreatecreatecreatecreatecreatecreate"), "");
}

// Help comes out of the tables: every option of a command stands in it, and every command in the general one.
void test_help_is_complete(void**) {
  std::string general = help_text(nullptr);
  for (const OptionRow& row : global_options()) {
    assert_true(general.find(std::string("--") + row.name) != std::string::npos);
  }
  for (const CommandRow& command : command_rows()) {
    assert_true(general.find(std::string("  ") + command.name) != std::string::npos);
    std::string text = help_text(&command);
    assert_true(text.starts_with(std::string("Usage: reaper-runtime [GLOBAL OPTIONS] ") + command.name));
    for (int i = 0; i < command.option_count; i++) {
      assert_true(text.find(std::string("--") + command.options[i].name) != std::string::npos);
    }
    assert_true(text.ends_with('\n'));
  }
}

// A letter or a name that stands twice in one table would make the second unreachable; max_operands bounds an array.
void test_tables_are_sound(void**) {
  auto check = [](std::span<const OptionRow> rows) {
    for (size_t i = 0; i < rows.size(); i++) {
      assert_true((rows[i].kind == Kind::flag) == (rows[i].value == nullptr));
      for (size_t j = 0; j < i; j++) {
        assert_string_not_equal(rows[i].name, rows[j].name);
        assert_true(rows[i].letter == 0 || rows[i].letter != rows[j].letter);
      }
    }
  };
  check(global_options());
  for (const CommandRow& command : command_rows()) {
    check({command.options, static_cast<size_t>(command.option_count)});
    assert_true(command.min_operands <= command.max_operands);
    assert_true(command.max_operands <= max_operands);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_commands),
      cmocka_unit_test(test_global_options),
      cmocka_unit_test(test_create_and_run_options),
      cmocka_unit_test(test_other_options),
      cmocka_unit_test(test_help_and_version),
      cmocka_unit_test(test_usage_errors),
      cmocka_unit_test(test_error_keeps_the_log),
      cmocka_unit_test(test_unsupported_options),
      cmocka_unit_test(test_nearest_word),
      cmocka_unit_test(test_help_is_complete),
      cmocka_unit_test(test_tables_are_sound),
  };
  return cmocka_run_group_tests_name("cli arguments", tests, nullptr, nullptr);
}
