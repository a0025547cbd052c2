// From what init reports, {operation, fault, errno, numbers, text}, to an error that a person understands.
#include <charconv>
#include <cstring>

#include "host/facts.h"
#include "launch/frames.h"
#include "launch/launch.h"
#include "plan/plan.h"

namespace reaper {

namespace {

using Report = InitReport;

std::string number(uint64_t value, int base = 10) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, base).ptr;
  return std::string(buffer, end);
}

int class_of(int error) {
  if (error == EPERM || error == EACCES) return REAPER_ERR_PERMISSION;
  return error == ENOMEM ? REAPER_ERR_NO_MEMORY : REAPER_ERR_SYSTEM;
}

// What would help, by operation: only where it is certain.
std::string_view hint(const Report& report) {
  if (report.op() == wire::Op::keyring && report.header.error == EDQUOT)
    return "; the caller may have no more keys (kernel.keys.maxkeys; /proc/key-users): create without a new keyring";
  if (report.op() == wire::Op::scheduler && report.header.error == EBUSY)
    return "; the CPUs have no more time for SCHED_DEADLINE";
  if (report.op() == wire::Op::pivot && report.header.error == EINVAL)
    return "; an initial root file system (initramfs) cannot be left so: try --no-pivot";
  if (report.op() == wire::Op::device && report.header.error == EEXIST)
    return "; what stands there is not this device (an empty file: what a container without the right to make devices "
           "has left)";
  if (report.op() == wire::Op::seccomp && report.text == "capset")
    return "; the filter denies what gives CAP_SYS_ADMIN up: set /process/noNewPrivileges";
  if (report.op() == wire::Op::seccomp && report.header.error == EINVAL)
    return "; this kernel does not take the filter or its flags";
  if (report.op() == wire::Op::beside_into && report.header.error == ENOMEM)
    return "; the first process of the pid namespace that is joined has ended";
  if (report.op() == wire::Op::join && report.header.error == EINVAL)
    return "; a pid namespace must be below the caller's, a user namespace another one than the caller's";
  if (report.header.error != EPERM && report.header.error != EACCES) return "";
  switch (report.op()) {
    case wire::Op::rlimit:
      return "; raising a hard limit needs CAP_SYS_RESOURCE";
    case wire::Op::oom_score_adj:
      return "; lowering it below the caller's needs CAP_SYS_RESOURCE";
    case wire::Op::groups:
    case wire::Op::gid:
      return "; needs CAP_SETGID; run as root or leave out /process/user";
    case wire::Op::uid:
      return "; needs CAP_SETUID; run as root or leave out /process/user";
    case wire::Op::bounding:
      return "; needs CAP_SETPCAP";
    case wire::Op::scheduler:
    case wire::Op::io_priority:
      return "; needs CAP_SYS_NICE";
    case wire::Op::unshare:
    case wire::Op::join:
    case wire::Op::hostname:
    case wire::Op::domainname:
      return "; needs CAP_SYS_ADMIN";
    case wire::Op::enter:
    case wire::Op::enter_outer:
      return "; needs CAP_SYS_ADMIN in the namespaces of the container, and the right to look at its process "
             "(ptrace(2))";
    case wire::Op::become_root:
      return report.text == "setgroups" ? "; the user namespace that is joined denies setgroups(2), and the caller has "
                                          "supplementary groups that would stay"
                                        : "";
    case wire::Op::join_process:
      return "; needs CAP_SYS_ADMIN and CAP_SYS_PTRACE";
    case wire::Op::device:
      return "; needs CAP_MKNOD, or the host's own device of that name";
    default:
      return "";
  }
}

Error program_error(const Report& report, std::string message) {
  return {REAPER_ERR_EXEC, report.header.error, std::move(message), report.pointer,
          std::string(operation_name(report.op()))};
}

// The exact words are what podman, docker and conmon search for (callers.md, row 10).
Error executable_error(const Report& report, bool at_start) {
  const std::string name = "exec: \"" + report.text + "\": ";
  switch (static_cast<wire::Fault>(report.header.fault)) {
    case wire::Fault::not_found:
      return program_error(report, name + "executable file not found in $PATH");
    case wire::Fault::not_executable:
      return program_error(report, name + "permission denied");
    default:
      break;
  }
  if (report.header.error == EACCES || report.header.error == EPERM)
    return program_error(report, name + "permission denied");
  if (report.header.error == ENOENT) {
    std::string message = "exec \"" + report.text + "\": no such file or directory";
    if (at_start) message += " (the file itself, or the interpreter that it names)";
    return program_error(report, std::move(message));
  }
  std::string message = name + errno_name(report.header.error);
  if (report.header.error == ENOEXEC) message += ": not a program that this machine runs, and no #! line";
  return program_error(report, std::move(message));
}

Error directory_error(const Report& report) {
  const std::string component = "component \"" + report.text + "\" ";
  const std::string uid = "uid " + number(report.header.a);
  std::string why;
  switch (report.header.error) {
    case ENOENT:
      why = component + "is missing";
      break;
    case ENOTDIR:
      why = component + "is not a directory";
      break;
    case EACCES:
      why = component + "cannot be entered by " + uid + " (a mode on the way is 0" + number(report.header.b, 8) + ")";
      break;
    default:
      why = component + "cannot be entered by " + uid;
  }
  return {class_of(report.header.error), report.header.error,
          report.pointer + ": chdir: " + errno_name(report.header.error) + ": " + why, report.pointer, "chdir"};
}

std::string set_text(std::string_view what, uint64_t value) {
  const bool is_set =
      what == "permitted" || what == "effective" || what == "inheritable" || what == "ambient" || what == "bounding";
  return is_set ? "0x" + number(value, 16) : number(value);
}

Error verify_error(const Report& report) {
  const std::string name(operation_name(report.op()));
  Error error = {REAPER_ERR_VERIFY, 0, "", report.pointer, name};
  if (static_cast<wire::Fault>(report.header.fault) == wire::Fault::regained)
    error.message = name + ": " + report.text + " gives root back, which it must not: the program was not executed";
  else
    error.message = name + ": " + report.text + " is " + set_text(report.text, report.header.b) + " instead of " +
                    set_text(report.text, report.header.a) + ": the program was not executed";
  return error;
}

// What the plan could not know of a user namespace that is joined.
Error mapping_error(const Report& report) {
  const std::string id = number(report.header.a);
  const bool differs = report.op() == wire::Op::id_map;
  const bool setup = report.pointer.ends_with("/path");
  std::string why = id + " is in no range of the user namespace that is joined";
  if (setup)
    why = "this version sets a container up as its root: id 0 is in no range of the user namespace that is joined";
  if (differs) why = "the user namespace that is joined has other ranges";
  return {setup ? REAPER_ERR_UNSUPPORTED : REAPER_ERR_INVALID, 0, report.pointer + ": " + why, report.pointer,
          std::string(operation_name(report.op()))};
}

Error call_error(const Report& report) {
  std::string name(report.op() == wire::Op{} ? "setup" : operation_name(report.op()));
  std::string message = report.pointer.empty() ? "" : report.pointer + ": ";
  message += name + ": " + errno_name(report.header.error);
  if (report.op() == wire::Op::bounding || report.op() == wire::Op::ambient)
    message += ": " + capability_name(static_cast<int>(report.header.a));
  else if (!report.text.empty())
    message += ": " + report.text;
  message += hint(report);
  // No memory is missing where a pid namespace is at its end (pid_namespaces(7)).
  const int code = report.op() == wire::Op::beside_into && report.header.error == ENOMEM
                       ? REAPER_ERR_SYSTEM
                       : class_of(report.header.error);
  return {code, report.header.error, std::move(message), report.pointer, std::move(name)};
}

}  // namespace

Error error_from_frame(std::string_view payload) {
  InitReport report;
  if (payload.size() < sizeof report.header)
    return {REAPER_ERR_INTERNAL, EPROTO, "reaper-init sent an error that is cut short", "", "protocol"};
  memcpy(&report.header, payload.data(), sizeof report.header);
  payload.remove_prefix(sizeof report.header);
  if (payload.size() != size_t{report.header.pointer_size} + report.header.text_size)
    return {REAPER_ERR_INTERNAL, EPROTO, "reaper-init sent an error whose lengths do not add up", "", "protocol"};
  report.pointer = payload.substr(0, report.header.pointer_size);
  report.text = payload.substr(report.header.pointer_size);
  Error error = error_of(report);
  error.by_init = true;
  return error;
}

static Error sentence_of(const InitReport& report) {
  switch (static_cast<wire::Fault>(report.header.fault)) {
    case wire::Fault::mismatch:
    case wire::Fault::regained:
      return verify_error(report);
    case wire::Fault::directory:
      return directory_error(report);
    case wire::Fault::escaped:
      return {REAPER_ERR_INVALID, 0, report.pointer + ": \"" + report.text + "\" lies outside the root directory",
              report.pointer, "getcwd"};
    case wire::Fault::malformed:
      return {REAPER_ERR_INTERNAL, EPROTO, "reaper-init cannot read the plan (offset " + number(report.header.a) + ")",
              report.pointer, "protocol"};
    default:
      break;
  }
  const bool maps = report.op() == wire::Op::mapped || report.op() == wire::Op::id_map;
  if (maps && report.header.error == ERANGE) return mapping_error(report);
  if (report.op() == wire::Op::find) return executable_error(report, false);
  if (report.op() == wire::Op::exec) return executable_error(report, true);
  return call_error(report);
}

// What stands in config.json stands in its errors: no byte of it may move a terminal's cursor (core/error.h), and no
// name of a megabyte may push what is said of it out of sight. Callers show 8 KiB at most (conmon), and search its end.
Error error_of(const InitReport& report) {
  constexpr size_t longest_name = 1024;
  InitReport shown = report;
  shown.text = printable(report.text, longest_name);
  Error error = sentence_of(shown);
  error.message = printable(error.message, wire::max_frame_bytes);
  return error;
}

}  // namespace reaper
