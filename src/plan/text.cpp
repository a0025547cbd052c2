// A Plan as text, for people and for golden tests: reaper_plan() promises its form.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>

#include "core/json.h"
#include "plan/concerns.h"

namespace reaper {

namespace {

constexpr size_t pointer_column = 48;

std::string quoted(const std::string& text) {
  return JsonWriter().string(text).take();
}

std::string octal(uint64_t mode) {
  char text[24];
  snprintf(text, sizeof text, "%04llo", static_cast<unsigned long long>(mode));
  return text;
}

std::string hexadecimal(uint64_t number) {
  char text[24];
  snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
  return text;
}

std::string joined(const std::vector<uint64_t>& numbers, size_t first) {
  std::string text;
  for (size_t i = first; i < numbers.size(); ++i) text += (text.empty() ? "" : ",") + std::to_string(numbers[i]);
  return text.empty() ? "none" : text;
}

std::string names(uint64_t mask) {
  std::string text;
  for (int capability = 0; capability < 64; ++capability)
    if ((mask & planning::capability_bit(capability)) != 0)
      text += (text.empty() ? "" : ",") + capability_name(capability);
  return text;
}

// "none", "all", the names, or what is missing where that is the shorter way to say it.
std::string set_in_words(uint64_t mask, uint64_t last_capability) {
  const uint64_t all = last_capability >= 63 ? ~uint64_t{0} : (uint64_t{1} << (last_capability + 1)) - 1;
  if (mask == 0) return "none";
  if (mask == all) return "all";
  const bool inside = (mask & ~all) == 0;
  if (inside && __builtin_popcountll(all & ~mask) <= 4) return "all but " + names(all & ~mask);
  return names(mask);
}

std::string limit_in_words(uint64_t limit) {
  return limit == RLIM_INFINITY ? "unlimited" : std::to_string(limit);
}

std::string resource_name(uint64_t resource) {
  static constexpr const char* names_by_number[resource_count] = {
      "CPU",     "FSIZE", "DATA",  "STACK",      "CORE",     "RSS",  "NPROC",  "NOFILE",
      "MEMLOCK", "AS",    "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"};
  static_assert(RLIMIT_CPU == 0 && RLIMIT_STACK == 3 && RLIMIT_NOFILE == 7 && RLIMIT_AS == 9 && RLIMIT_RTTIME == 15);
  return resource < resource_count ? std::string("RLIMIT_") + names_by_number[resource] : std::to_string(resource);
}

std::string sets_in_words(uint64_t permitted, uint64_t effective, uint64_t inheritable, uint64_t last_capability) {
  return "permitted=" + set_in_words(permitted, last_capability) +
         " effective=" + set_in_words(effective, last_capability) +
         " inheritable=" + set_in_words(inheritable, last_capability);
}

std::string verify_in_words(const std::vector<uint64_t>& n) {
  std::string text = "uid=" + std::to_string(n[0]) + " gid=" + std::to_string(n[1]) +
                     " groups=" + joined(n, wire::verify_fixed_numbers) + " " + sets_in_words(n[2], n[3], n[4], n[7]) +
                     " ambient=" + set_in_words(n[5], n[7]) + " bounding=" + set_in_words(n[6], n[7]) +
                     " no_new_privs=" + std::to_string(n[8]) + " securebits=" + hexadecimal(n[9]);
  if ((n[10] & wire::verify_no_regain_uid) != 0) text += " no-way-to-uid-0";
  if ((n[10] & wire::verify_no_regain_gid) != 0) text += " no-way-to-gid-0";
  if ((n[10] & wire::verify_no_regain_groups) != 0) text += " no-way-to-other-groups";
  return text;
}

std::string find_in_words(const std::vector<std::string>& strings) {
  // With a slash, execvp(3) does not look at PATH.
  if (strings[0].find('/') != std::string::npos) return quoted(strings[0]);
  return quoted(strings[0]) + " in " + quoted(strings[1]);
}

// The environment may hold secrets: it is counted.
std::string exec_in_words(const Operation& operation) {
  std::string text;
  const size_t argc = operation.numbers[0];
  for (size_t i = 0; i < argc; ++i) text += (i == 0 ? "" : " ") + quoted(operation.strings[i]);
  return text + " with " + std::to_string(operation.strings.size() - argc) + " environment entries";
}

std::string arguments_in_words(const Operation& operation, uint64_t last_capability) {
  const std::vector<uint64_t>& n = operation.numbers;
  switch (operation.op) {
    case wire::Op::session:
    case wire::Op::gate:
    case wire::Op::no_new_privs:
    case wire::Op::wait:
    case wire::Op::signals:
    case wire::Op::not_dumpable:
    case wire::Op::supervise:
    case wire::Op::report:
      return "";
    case wire::Op::rlimit:
      return resource_name(n[0]) + " soft=" + limit_in_words(n[1]) + " hard=" + limit_in_words(n[2]);
    case wire::Op::oom_score_adj:
      return std::to_string(static_cast<int64_t>(n[0]));
    case wire::Op::umask:
      return octal(n[0]);
    case wire::Op::keep_caps:
    case wire::Op::gid:
    case wire::Op::uid:
      return std::to_string(n[0]);
    case wire::Op::bounding:
    case wire::Op::ambient:
      return set_in_words(n[0], last_capability);
    case wire::Op::groups:
      return joined(n, 0);
    case wire::Op::chdir:
      return quoted(operation.strings[0]);
    case wire::Op::find:
      return find_in_words(operation.strings);
    case wire::Op::capabilities:
      return sets_in_words(n[0], n[1], n[2], last_capability);
    case wire::Op::descriptors:
      return "from " + std::to_string(3 + n[0]) + ", " + std::to_string(n[0]) + " extra stay";
    case wire::Op::verify:
      return verify_in_words(n);
    case wire::Op::exec:
      return exec_in_words(operation);
  }
  return "";
}

std::string line_of(size_t number, const Operation& operation, uint64_t last_capability) {
  char prefix[32];
  snprintf(prefix, sizeof prefix, "%3zu  ", number);
  std::string line = prefix + std::string(operation_name(operation.op));
  const std::string arguments = arguments_in_words(operation, last_capability);
  if (!arguments.empty()) line += " " + arguments;
  if (!operation.pointer.empty()) {
    line.resize(std::max(line.size() + 2, pointer_column), ' ');
    line += operation.pointer;
  }
  return line + "\n";
}

}  // namespace

std::string_view operation_name(wire::Op op) {
  switch (op) {
    case wire::Op::session:
      return "setsid";
    case wire::Op::gate:
      return "gate";
    case wire::Op::rlimit:
      return "setrlimit";
    case wire::Op::oom_score_adj:
      return "oom_score_adj";
    case wire::Op::umask:
      return "umask";
    case wire::Op::keep_caps:
      return "keep_caps";
    case wire::Op::bounding:
      return "bounding";
    case wire::Op::groups:
      return "setgroups";
    case wire::Op::gid:
      return "setresgid";
    case wire::Op::uid:
      return "setresuid";
    case wire::Op::chdir:
      return "chdir";
    case wire::Op::find:
      return "find";
    case wire::Op::capabilities:
      return "capset";
    case wire::Op::ambient:
      return "ambient";
    case wire::Op::no_new_privs:
      return "no_new_privs";
    case wire::Op::wait:
      return "wait";
    case wire::Op::signals:
      return "signals";
    case wire::Op::descriptors:
      return "close_range";
    case wire::Op::verify:
      return "verify";
    case wire::Op::exec:
      return "execve";
    case wire::Op::not_dumpable:
      return "not_dumpable";
    case wire::Op::supervise:
      return "supervise";
    case wire::Op::report:
      return "report";
  }
  return "init";  // outside of any operation
}

std::string plan_to_text(const Plan& plan) {
  std::string text;
  uint64_t last_capability = 63;
  bool executes = false;
  for (const Operation& operation : plan.operations) {
    if (operation.op == wire::Op::verify) last_capability = operation.numbers[7];
    executes = executes || operation.op == wire::Op::exec;
  }
  for (size_t i = 0; i < plan.operations.size(); ++i) text += line_of(i + 1, plan.operations[i], last_capability);
  if (executes) {
    const CapabilitySets& after = plan.identity.after_exec;
    text += "after execve: " + sets_in_words(after.permitted, after.effective, after.inheritable, last_capability) +
            " ambient=" + set_in_words(after.ambient, last_capability) +
            " bounding=" + set_in_words(after.bounding, last_capability) + "\n";
  }
  for (const Warning& warning : plan.warnings)
    text += "warning: " + (warning.pointer.empty() ? "" : warning.pointer + ": ") + warning.message + "\n";
  return text;
}

}  // namespace reaper
