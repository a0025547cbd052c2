// /proc/<pid>/stat: state, parent, start time and, of a zombie, its exit code.
#include <unistd.h>

#include "host/facts.h"
#include "host/numbers.h"
#include "host/proc_file.h"

namespace reaper {

namespace {

constexpr uint32_t process_exiting = 4;  // PF_EXITING of the kernel's include/linux/sched.h, which field 9 shows

Error unreadable(int32_t pid) {
  Error error;
  error.code = REAPER_ERR_SYSTEM;
  error.message = "/proc/" + std::to_string(pid) + "/stat has not the form of proc(5)";
  error.stage = "facts";
  return error;
}

// Field 52 reads 0 where the kernel's ptrace check (ptrace_may_access, PTRACE_MODE_READ_FSCREDS) fails. The links in
// /proc/<pid>/ns pass the same check, and that of the user namespace is there for a zombie too.
bool may_see_exit_code(int32_t pid) {
  char target[64];
  const std::string link = "/proc/" + std::to_string(pid) + "/ns/user";
  return readlink(link.c_str(), target, sizeof target) > 0;
}

}  // namespace

Result<ProcessStat> read_process_stat(int32_t pid) {
  const std::string text = TRY(read_process_file(pid, "stat"));
  // Field 2 is the name in parentheses, and a name may hold blanks and parentheses; no later field does.
  const size_t name_end = text.rfind(')');
  const size_t name_begin = text.find('(');
  if (name_end == std::string::npos || name_begin >= name_end) return fail(unreadable(pid));
  std::string_view rest = std::string_view(text).substr(name_end + 1);
  ProcessStat stat;
  stat.name = text.substr(name_begin + 1, name_end - name_begin - 1);
  for (int field = 3; field <= 52; ++field) {
    const std::string_view word = next_word(rest);
    bool good = true;
    if (field == 3) {
      good = word.size() == 1;
      if (good) stat.state = word[0];
    } else if (field == 4 || field == 52) {
      const auto number = parse_number<int32_t>(word);
      good = number.has_value();
      if (good) (field == 4 ? stat.parent : stat.exit_code) = *number;
    } else if (field == 9) {
      const auto flags = parse_number<uint32_t>(word);
      good = flags.has_value();
      if (good) stat.exiting = (*flags & process_exiting) != 0;
    } else if (field == 22) {
      const auto number = parse_number<uint64_t>(word);
      good = number.has_value();
      if (good) stat.start_time = *number;
    }
    if (!good) return fail(unreadable(pid));
  }
  // 'X': dead, being taken away (proc(5)).
  const bool ended = stat.state == 'Z' || stat.state == 'X';
  stat.exit_code_visible = ended && (stat.exit_code != 0 || may_see_exit_code(pid));
  return stat;
}

}  // namespace reaper
