// The tables: every command and every option, with the text of its help.
#include "options.h"

namespace reaper::cli {

namespace {

template <int N>
constexpr CommandRow row(Command command, const char* name, const char* operands, int min, int max,
                         const OptionRow (&options)[N], const char* summary) {
  return {command, name, operands, min, max, options, N, summary};
}

constexpr CommandRow with_words(CommandRow row) {
  row.has_words = true;
  return row;
}

constexpr OptionRow flag(Opt opt, const char* name, char letter, const char* help, Support support = Support::applied) {
  return {opt, name, letter, Kind::flag, nullptr, support, help};
}

constexpr OptionRow valued(Opt opt, const char* name, char letter, Kind kind, const char* value, const char* help,
                           Support support = Support::applied) {
  return {opt, name, letter, kind, value, support, help};
}

constexpr auto help_row = flag(Opt::help, "help", 'h', "print this text");
constexpr auto bundle_row =
    valued(Opt::bundle, "bundle", 'b', Kind::text, "DIR", "directory of config.json (default: the working directory)");
constexpr auto strict_row = flag(Opt::strict, "strict", 0, "treat warnings about config.json as errors");
constexpr auto pid_file_row = valued(Opt::pid_file, "pid-file", 0, Kind::text, "FILE", "write the process id to FILE");
constexpr auto preserve_fds_row = valued(Opt::preserve_fds, "preserve-fds", 0, Kind::number, "N",
                                         "pass N more descriptors to the program, from 3 on");
constexpr auto supervise_row = flag(Opt::supervise, "supervise", 0, "keep a supervisor that records the end");
constexpr auto no_pivot_row =
    flag(Opt::no_pivot, "no-pivot", 0, "move the root over the host's, where pivot_root cannot work (initramfs)");
constexpr auto no_new_keyring_row =
    flag(Opt::no_new_keyring, "no-new-keyring", 0, "leave the program the session keyring of the caller");
constexpr auto no_subreaper_row =
    flag(Opt::no_subreaper, "no-subreaper", 0, "do not become a subreaper", Support::harmless);
constexpr auto console_socket_row = valued(Opt::console_socket, "console-socket", 0, Kind::text, "SOCKET",
                                           "send the terminal of the program to SOCKET");
constexpr auto pidfd_socket_row =
    valued(Opt::pidfd_socket, "pidfd-socket", 0, Kind::text, "SOCKET", "send the pidfd to SOCKET");

constexpr OptionRow create_options[] = {
    bundle_row,
    pid_file_row,
    preserve_fds_row,
    strict_row,
    supervise_row,
    no_new_keyring_row,
    // create always returns at once and always keeps the container.
    flag(Opt::detach, "detach", 'd', "return when the container is created", Support::harmless),
    flag(Opt::keep, "keep", 0, "keep the container after its end", Support::harmless),
    no_pivot_row,
    no_subreaper_row,
    console_socket_row,
    pidfd_socket_row,
    help_row,
};

constexpr OptionRow run_options[] = {
    bundle_row,
    pid_file_row,
    preserve_fds_row,
    strict_row,
    no_new_keyring_row,
    flag(Opt::keep, "keep", 0, "keep the container after its end"),
    no_pivot_row,
    no_subreaper_row,
    flag(Opt::detach, "detach", 'd', "return when the program runs; supervised unless --supervise=false"),
    supervise_row,
    console_socket_row,
    pidfd_socket_row,
    help_row,
};

constexpr OptionRow exec_options[] = {
    valued(Opt::process, "process", 'p', Kind::text, "FILE", "take the process from FILE, a process object in JSON"),
    flag(Opt::detach, "detach", 'd', "return when the program runs"),
    flag(Opt::tty, "tty", 't', "give the program a terminal"),
    pid_file_row,
    console_socket_row,
    pidfd_socket_row,
    valued(Opt::cwd, "cwd", 0, Kind::text, "DIR", "working directory in the container"),
    valued(Opt::env, "env", 'e', Kind::each, "NAME=VALUE", "add a variable; several times for several"),
    valued(Opt::user, "user", 'u', Kind::text, "UID[:GID]", "ids in the container; numbers alone"),
    valued(Opt::additional_gids, "additional-gids", 'g', Kind::each, "GID", "add a group; several times for several"),
    valued(Opt::cap, "cap", 'c', Kind::each, "CAP", "add a capability; several times for several"),
    flag(Opt::no_new_privs, "no-new-privs", 0, "nothing that is executed gains privileges"),
    preserve_fds_row,
    flag(Opt::ignore_paused, "ignore-paused", 0, "also in a paused container, when it goes on"),
    valued(Opt::apparmor, "apparmor", 0, Kind::text, "PROFILE", "AppArmor profile of the program"),
    valued(Opt::process_label, "process-label", 0, Kind::text, "LABEL", "SELinux label of the program"),
    no_subreaper_row,
    help_row,
};

constexpr OptionRow only_help[] = {help_row};

constexpr OptionRow kill_options[] = {
    flag(Opt::all, "all", 'a', "every process of the container that can be found"),
    help_row,
};

constexpr OptionRow delete_options[] = {
    flag(Opt::force, "force", 'f', "end the process first; an unknown ID is no error"),
    valued(Opt::timeout, "timeout", 0, Kind::seconds, "SECONDS", "how long processes may take to die (default: 10)"),
    help_row,
};

constexpr OptionRow list_options[] = {
    valued(Opt::format, "format", 'f', Kind::choice, "table|json", "how to print (default: table)"),
    flag(Opt::quiet, "quiet", 'q', "print the ids alone"),
    help_row,
};

constexpr auto text_or_json_row =
    valued(Opt::format, "format", 'f', Kind::choice, "text|json", "how to print (default: text)");
constexpr OptionRow spec_options[] = {
    bundle_row,
    flag(Opt::rootless_spec, "rootless", 0, "the example runs as it stands for every user", Support::harmless),
    help_row,
};

constexpr OptionRow plan_options[] = {bundle_row, strict_row, supervise_row, text_or_json_row, help_row};

constexpr OptionRow wait_options[] = {
    valued(Opt::timeout, "timeout", 0, Kind::seconds, "SECONDS", "give up after this time with exit code 4"),
    help_row,
};

constexpr OptionRow globals[] = {
    valued(Opt::root, "root", 0, Kind::text, "DIR", "state directory (the default stands below)"),
    valued(Opt::log, "log", 0, Kind::text, "FILE", "append errors to FILE as well"),
    valued(Opt::log_format, "log-format", 0, Kind::choice, "text|json", "of the log (default: text)"),
    valued(Opt::log_level, "log-level", 0, Kind::choice, "error|warn|warning|info|debug",
           "debug is --debug; the others change nothing"),
    flag(Opt::debug, "debug", 0, "say more, on stderr and in the log"),
    valued(Opt::cgroup_manager, "cgroup-manager", 0, Kind::choice, "cgroupfs|disabled|systemd",
           "disabled: pass over cgroupsPath; systemd is not supported yet"),
    flag(Opt::version, "version", 'v', "print the release and leave"),
    help_row,
    valued(Opt::rootless, "rootless", 0, Kind::choice, "auto|true|false", "found out without being told",
           Support::harmless),
    // go-runc sends it with every command; only those that would make a cgroup have to refuse it.
    flag(Opt::systemd_cgroup, "systemd-cgroup", 0, "let systemd make the cgroup", Support::later),
};

constexpr CommandRow rows[] = {
    row(Command::create, "create", "ID", 1, 1, create_options, "make a container; its program waits for start"),
    row(Command::start, "start", "ID", 1, 1, only_help, "run the program of a created container"),
    row(Command::run, "run", "ID", 1, 1, run_options,
        "create, start, wait and delete; exits with the program's code, or 128 + signal"),
    with_words(row(Command::exec, "exec", "ID [COMMAND [ARG...]]", 1, 1, exec_options,
                   "run a further process in a running container; exits with its code, or 128 + signal")),
    row(Command::state, "state", "ID", 1, 1, only_help, "print the state of a container as JSON"),
    row(Command::kill, "kill", "ID [SIGNAL]", 1, 2, kill_options, "send a signal (default: TERM)"),
    row(Command::wait, "wait", "ID", 1, 1, wait_options,
        "wait for the end of a container and print how it ended; 3: not known, 4: time-out"),
    row(Command::remove, "delete", "ID", 1, 1, delete_options, "remove a stopped container"),
    row(Command::list, "list", "", 0, 0, list_options, "print the containers of the state directory"),
    row(Command::plan, "plan", "", 0, 0, plan_options, "print what create would do and why; changes nothing"),
    row(Command::check, "check", "", 0, 0, plan_options,
        "print what create and start would fail with, and exit with 1 then; changes nothing"),
    row(Command::spec, "spec", "", 0, 0, spec_options, "write an example of config.json into the bundle"),
    row(Command::features, "features", "", 0, 0, only_help, "print what this build can do as JSON"),
};

}  // namespace

std::span<const CommandRow> command_rows() {
  return rows;
}
std::span<const OptionRow> global_options() {
  return globals;
}

}  // namespace reaper::cli
