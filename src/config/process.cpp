// process: the program, its environment and its attributes (config.md, Process).
#include "config/parse.h"

namespace reaper {

Result<std::vector<std::string>> read_strings(const JsonCursor& array) {
  std::vector<std::string> strings;
  for (const JsonCursor& element : TRY(array.elements())) strings.push_back(TRY(element.string()));
  return strings;
}

// config.md gives env "the same semantics as environ" of POSIX.1-2008, chapter 8.1, where every string has the form
// name=value; an invalid value MUST be an error. A NAME alone is usually meant as "pass the caller's", which would not
// happen. The entry is not repeated in messages: environments hold secrets. Names that occur twice are passed on as
// given.
Result<std::vector<std::string>> read_env(const JsonCursor& env, Refusals& refusals) {
  auto strings = TRY(read_strings(env));
  for (size_t i = 0; i < strings.size(); ++i) {
    size_t equals = strings[i].find('=');
    if (equals != 0 && equals != std::string::npos) continue;
    const char* problem = equals == 0 ? "this one has no name" : "this one has no \"=\"";
    TRY(refusals.refuse(config_error(REAPER_ERR_INVALID, pointer_join(env.pointer(), i),
                                     std::string("the form is NAME=value; ") + problem)));
  }
  return strings;
}

Result<std::string> read_absolute_path(const JsonCursor& object, std::string_view name) {
  auto path = TRY(required_member(object, name));
  std::string text = TRY(path.string());
  if (!text.starts_with('/'))
    return fail(
        config_error(REAPER_ERR_INVALID, path.pointer(), "an absolute path is wanted here, not " + quoted(text)));
  return text;
}

namespace {

Result<std::vector<std::string>> read_args(const JsonCursor& object) {
  // Optional in the specification for the sake of Windows only ("at least one entry is REQUIRED").
  auto args = TRY(required_member(object, "args"));
  auto strings = TRY(read_strings(args));
  if (strings.empty())
    return fail(config_error(REAPER_ERR_INVALID, args.pointer(), "at least one entry is needed, the program"));
  // execvp(3) can find no program of this name. The other arguments may be empty.
  if (strings[0].empty())
    return fail(config_error(REAPER_ERR_INVALID, pointer_join(args.pointer(), size_t{0}),
                             "the first entry names the program and must not be empty"));
  return strings;
}

// struct winsize (ioctl_tty(2)) counts in 16 bits.
Result<uint16_t> read_size(const JsonCursor& console_size, std::string_view name) {
  auto number = TRY(required_member(console_size, name));
  return static_cast<uint16_t>(TRY(number.unsigned_integer(0, UINT16_MAX)));
}

// config.md: consoleSize MUST be ignored unless terminal is true.
Result<std::optional<Terminal>> read_terminal(const JsonCursor& process, Refusals& refusals) {
  auto flag = TRY(process.member("terminal"));
  if (!flag || !TRY(flag->boolean())) return std::nullopt;
  Terminal terminal;
  if (auto size = TRY(process.member("consoleSize"))) {
    KEEP(refusals, terminal.rows, read_size(*size, "height"));
    KEEP(refusals, terminal.columns, read_size(*size, "width"));
  }
  return terminal;
}

// An LSM reads it from one write(2), of which the kernel takes a page at most (fs/proc/base.c, proc_pid_attr_write).
Result<std::string> read_label(const JsonCursor& label) {
  constexpr size_t max_bytes = 4000;
  std::string text = TRY(label.string());
  if (text.size() > max_bytes)
    return fail(config_error(REAPER_ERR_INVALID, label.pointer(), "a label of more than 4000 bytes"));
  return text;
}

}  // namespace

Result<Process> read_process(const JsonCursor& object, Notes& notes) {
  Process process;
  Refusals& refusals = notes.refusals;
  KEEP(refusals, process.args, read_args(object));
  KEEP(refusals, process.cwd, read_absolute_path(object, "cwd"));
  if (auto env = TRY(object.member("env"))) KEEP(refusals, process.env, read_env(*env, refusals));
  if (auto user = TRY(object.member("user"))) KEEP(refusals, process.user, read_user(*user, notes));
  if (auto capabilities = TRY(object.member("capabilities")))
    KEEP(refusals, process.capabilities, read_capabilities(*capabilities, notes));
  if (auto flag = TRY(object.member("noNewPrivileges"))) KEEP(refusals, process.no_new_privileges, flag->boolean());
  if (auto rlimits = TRY(object.member("rlimits"))) KEEP(refusals, process.rlimits, read_rlimits(*rlimits, notes));
  // proc(5): /proc/PID/oom_score_adj takes -1000...1000.
  if (auto adj = TRY(object.member("oomScoreAdj")))
    KEEP(refusals, process.oom_score_adj, adj->signed_integer(-1000, 1000));
  KEEP(refusals, process.terminal, read_terminal(object, refusals));
  if (auto scheduler = TRY(object.member("scheduler")))
    KEEP(refusals, process.scheduler, read_scheduler(*scheduler, notes));
  if (auto priority = TRY(object.member("ioPriority")))
    KEEP(refusals, process.io_priority, read_io_priority(*priority));
  if (auto affinity = TRY(object.member("execCPUAffinity")))
    KEEP(refusals, process.exec_cpu_affinity, read_exec_cpu_affinity(*affinity));
  if (auto profile = TRY(object.member("apparmorProfile")))
    KEEP(refusals, process.apparmor_profile, read_label(*profile));
  if (auto label = TRY(object.member("selinuxLabel"))) KEEP(refusals, process.selinux_label, read_label(*label));
  return process;
}

}  // namespace reaper
