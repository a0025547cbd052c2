// The program's part of a preflight: what reaper-init would find as the target user (src/init/program.cpp), and what
// execve(2) would make of it.
#include <linux/securebits.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "host/access.h"
#include "host/program_head.h"
#include "launch/launch.h"
#include "runtime/check.h"

namespace reaper {

namespace {

constexpr int most_interpreters = 5;  // a script's interpreter may be a script (fs/exec.c, exec_binprm)

std::string joined(const std::string& directory, const std::string& name) {
  std::string path = directory;
  if (!path.ends_with('/')) path += '/';
  return path += name;
}

struct Lookup {
  const PlannedIdentity& identity;
  const ProcessFacts& facts;
  const std::string& cwd;
  Findings& findings;

  Subject subject(uint64_t effective) const { return {identity.uid, identity.gid, identity.groups, effective}; }
  // access(2) is for the real user: uid 0 has its capabilities, others have none.
  Subject finder() const {
    const bool fixup = (identity.securebits & SECBIT_NO_SETUID_FIXUP) == 0;
    return subject(fixup && identity.uid != 0 ? 0 : identity.looks_up_with);
  }
  Subject program() const { return subject(identity.before_exec.effective); }
  std::string absolute(const std::string& path) const { return path.starts_with('/') ? path : joined(cwd, path); }
};

Error failure(wire::Op op, wire::Fault fault, int error, std::string text, std::string_view pointer) {
  InitReport report;
  report.header.op = static_cast<uint16_t>(op);
  report.header.fault = static_cast<uint16_t>(fault);
  report.header.error = error;
  report.pointer = pointer;
  report.text = std::move(text);
  return error_of(report);
}

void note_doubt(const Lookup& lookup, std::string_view pointer, std::string_view verb, const Access& access) {
  lookup.findings.note(pointer, "whether uid " + std::to_string(lookup.identity.uid) + " may " + std::string(verb) +
                                    " \"" + access.where + "\" cannot be told: " + access.why);
}

bool check_cwd(const Lookup& lookup) {
  const Access access = may_enter(lookup.cwd, lookup.subject(lookup.identity.looks_up_with), lookup.facts);
  if (access.verdict == Verdict::unknown) note_doubt(lookup, "/process/cwd", "enter", access);
  if (access.verdict != Verdict::no) return true;
  InitReport report;
  report.header.op = static_cast<uint16_t>(wire::Op::chdir);
  report.header.fault = static_cast<uint16_t>(wire::Fault::directory);
  report.header.error = access.error;
  report.header.a = lookup.identity.uid;
  report.header.b = access.mode;
  report.pointer = "/process/cwd";
  report.text = access.where;
  lookup.findings.add(error_of(report));
  return false;
}

struct Found {
  std::string path;
  Fd file;
};

// What makes execvp(3) try the next entry of PATH.
bool is_passed_over(int error) {
  return error == EACCES || error == ENOENT || error == ENOTDIR;
}

std::optional<Found> find_in_path(const Lookup& lookup, const std::string& name, std::string_view search) {
  constexpr std::string_view pointer = "/process/args/0";
  bool seen = false;
  std::optional<Access> doubt;
  for (bool more = true; more;) {
    const size_t colon = search.find(':');
    more = colon != std::string_view::npos;
    const std::string entry(search.substr(0, colon));
    if (more) search.remove_prefix(colon + 1);
    const std::string path = lookup.absolute(entry.empty() ? name : joined(entry, name));
    Access access = may_execute(path, lookup.finder(), lookup.facts);
    if (access.verdict == Verdict::yes) return Found{path, std::move(access.file)};
    if (access.verdict == Verdict::unknown) {
      if (!doubt) doubt = std::move(access);
      continue;
    }
    seen = seen || access.error == EACCES;
    if (!is_passed_over(access.error)) {
      lookup.findings.add(failure(wire::Op::find, wire::Fault::system_call, access.error, name, pointer));
      return std::nullopt;
    }
  }
  if (doubt)
    note_doubt(lookup, pointer, "execute", *doubt);
  else if (seen)
    lookup.findings.add(failure(wire::Op::find, wire::Fault::not_executable, EACCES, name, pointer));
  else
    lookup.findings.add(failure(wire::Op::find, wire::Fault::not_found, ENOENT, name, pointer));
  return std::nullopt;
}

std::optional<Found> find_program(const Lookup& lookup, const Operation& find) {
  const std::string& name = find.strings[0];
  if (name.find('/') == std::string::npos) return find_in_path(lookup, name, find.strings[1]);
  const std::string path = lookup.absolute(name);
  Access access = may_execute(path, lookup.finder(), lookup.facts);
  if (access.verdict == Verdict::no) {
    const auto fault = access.error == EACCES ? wire::Fault::not_executable : wire::Fault::system_call;
    lookup.findings.add(failure(wire::Op::find, fault, access.error, name, find.pointer));
    return std::nullopt;
  }
  if (access.verdict == Verdict::unknown) note_doubt(lookup, find.pointer, "execute", access);
  return Found{path, std::move(access.file)};
}

// The limits of fs/exec.c: MAX_ARG_STRLEN of one string, and bprm_stack_limits() of all.
bool is_too_big(const Operation& exec, const std::string& program, uint64_t stack_limit) {
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  constexpr uint64_t most = 6U << 20, least = 128U << 10;
  uint64_t size = program.size() + 1 + (exec.strings.size() + 1) * sizeof(char*);
  for (const std::string& text : exec.strings) {
    if (text.size() + 1 > 32 * page) return true;
    size += text.size() + 1;
  }
  return size > std::max(least, std::min(most, stack_limit / 4));
}

uint64_t stack_limit(const Process& process, const ProcessFacts& facts) {
  for (const Rlimit& limit : process.rlimits)
    if (limit.resource == RLIMIT_STACK) return limit.soft;
  return facts.rlimits[RLIMIT_STACK].soft;
}

// What execve(2) would answer, with what it is about at the end.
void add_exec_failure(const Lookup& lookup, const std::string& program, int error, const std::string& about) {
  Error failed = failure(wire::Op::exec, wire::Fault::system_call, error, program, "/process/args");
  if (!about.empty()) failed.message += ": " + about;
  lookup.findings.add(std::move(failed));
}

void note_file_privileges(const Lookup& lookup, const ProgramHead& head) {
  if (lookup.identity.no_new_privs) return;
  if (head.sets_ids)
    lookup.findings.note("/process/args/0", "the program is set-user-id or set-group-id (uid " +
                                                std::to_string(head.uid) + ", gid " + std::to_string(head.gid) +
                                                "): it does not keep the identity of config.json");
  if (head.has_capabilities)
    lookup.findings.note("/process/args/0",
                         "the program has file capabilities, which it gains on top of config.json's");
}

// False: execve(2) would fail with it.
bool check_format(const Lookup& lookup, const std::string& program, const ProgramHead& head) {
  if (head.kind != ProgramKind::other && !head.foreign) return true;
  if (has_other_formats()) {
    lookup.findings.note("/process/args",
                         "it is neither a program of this machine nor a script: whether binfmt_misc "
                         "runs it cannot be told");
    return false;
  }
  add_exec_failure(lookup, program, ENOEXEC, "");
  return false;
}

// The dynamic loader is opened as a program is, and then mapped, not executed in turn.
void check_loader(const Lookup& lookup, const std::string& program, const std::string& loader) {
  if (loader.empty()) return;
  const Access access = may_execute(lookup.absolute(loader), lookup.program(), lookup.facts);
  if (access.verdict == Verdict::no)
    add_exec_failure(lookup, program, access.error, "its dynamic loader is \"" + printable(loader, 256) + "\"");
}

// The file, and what its #! line names, as execve(2) opens them.
void check_exec(const Lookup& lookup, const Found& found) {
  std::string path = found.path;
  for (int depth = 0; depth <= most_interpreters; ++depth) {
    const Access access = may_execute(path, lookup.program(), lookup.facts);
    const std::string about = depth == 0 ? "" : "the interpreter is \"" + printable(path, 256) + "\"";
    if (access.verdict == Verdict::unknown) return note_doubt(lookup, "/process/args", "execute", access);
    if (access.verdict == Verdict::no) return add_exec_failure(lookup, found.path, access.error, about);
    const ProgramHead head = read_program_head(access.file);
    if (depth == 0) note_file_privileges(lookup, head);
    if (head.kind == ProgramKind::unreadable || !check_format(lookup, found.path, head)) return;
    if (head.kind == ProgramKind::elf) return check_loader(lookup, found.path, head.interpreter);
    path = lookup.absolute(head.interpreter);
  }
  add_exec_failure(lookup, found.path, ELOOP, "too many interpreters");
}

}  // namespace

void check_program(const Process& process, const Plan& plan, const ProcessFacts& facts, Findings& findings) {
  const Lookup lookup = {plan.identity, facts, process.cwd, findings};
  if (!check_cwd(lookup)) return;
  std::optional<Found> found;
  for (const Operation& operation : plan.operations) {
    if (operation.op == wire::Op::find) found = find_program(lookup, operation);
    if (operation.op != wire::Op::exec || !found) continue;
    if (is_too_big(operation, found->path, stack_limit(process, facts)))
      add_exec_failure(lookup, found->path, E2BIG, "");
    else
      check_exec(lookup, *found);
  }
}

}  // namespace reaper
