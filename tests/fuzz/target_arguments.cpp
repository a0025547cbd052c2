// The command line: words are separated by NUL.
#include <string>
#include <vector>

#include "arguments.h"
#include "fuzz/fuzz.h"

using namespace reaper::cli;
using namespace reaper_test;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<std::string> words = {"reaper-runtime"};
  for (std::string_view rest = text_of(data, size); !rest.empty();) {
    words.emplace_back(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(rest.size(), words.back().size() + 1));
  }
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  argv.push_back(nullptr);
  const Arguments arguments = parse_arguments(static_cast<int>(words.size()), argv.data());
  (void)unsupported_option(arguments);
  (void)help_text(arguments.row);
  const bool helps = arguments.has(Opt::help) || arguments.has(Opt::version);
  if (arguments.error.empty() && !helps)
    promise(arguments.command != Command::none && arguments.operand_count >= arguments.row->min_operands,
            "a line without an error names a command and its operands");
  return 0;
}
