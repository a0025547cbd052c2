// A Plan as text, for people and for golden tests: reaper_plan() promises its form.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>

#include "core/json.h"
#include "plan/concerns.h"
#include "plan/fields.h"

namespace reaper {

namespace {

using planning::Field;
using planning::Form;

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

std::string quoted_list(const std::vector<std::string>& strings, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += (i == 0 ? "" : " ") + quoted(strings[i]);
  return text;
}

std::string limit_in_words(uint64_t limit) {
  return limit == RLIM_INFINITY ? "unlimited" : std::to_string(limit);
}

std::string sets_in_words(uint64_t permitted, uint64_t effective, uint64_t inheritable, uint64_t last_capability) {
  return "permitted=" + set_in_words(permitted, last_capability) +
         " effective=" + set_in_words(effective, last_capability) +
         " inheritable=" + set_in_words(inheritable, last_capability);
}

std::string value_in_words(const Operation& operation, const Field& field, uint64_t last_capability) {
  const std::vector<uint64_t>& n = operation.numbers;
  switch (field.form) {
    case Form::number:
    case Form::boolean:
      return std::to_string(n[field.index]);
    case Form::signed_number:
      return std::to_string(static_cast<int64_t>(n[field.index]));
    case Form::octal:
      return octal(n[field.index]);
    case Form::hexadecimal:
      return hexadecimal(n[field.index]);
    case Form::limit:
      return limit_in_words(n[field.index]);
    case Form::resource:
      return planning::resource_name(n[field.index]);
    case Form::word:
      return planning::word_of(operation, field);
    case Form::set:
      return set_in_words(n[field.index], last_capability);
    case Form::flag:
      return "";  // its words say it
    case Form::numbers:
      return joined(n, field.index);
    case Form::first_closed:
      return std::to_string(3 + n[field.index]);
    case Form::how_many:
      return std::to_string(n.size() - field.index);
    case Form::string:
    case Form::search_path:
      return quoted(operation.strings[field.index]);
    case Form::strings:
      return quoted_list(operation.strings, n[field.index]);
    case Form::rest: {
      const std::vector<std::string> rest(operation.strings.begin() + field.index, operation.strings.end());
      return rest.empty() ? "none" : quoted_list(rest, rest.size());
    }
    case Form::other_strings:
      return std::to_string(operation.strings.size() - n[field.index]);
  }
  return "";
}

std::string arguments_in_words(const Operation& operation, uint64_t last_capability) {
  std::string text;
  for (const Field& field : planning::describe(operation.op).fields) {
    if (!planning::has_field(operation, field)) continue;
    if (field.form == Form::flag && (operation.numbers[field.index] & field.mask) == 0) continue;
    if (!text.empty()) text += ' ';
    text += field.before;
    text += value_in_words(operation, field, last_capability);
    text += field.after;
  }
  return text;
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

// The environment may hold secrets: it is counted, as for execve.
std::string line_of(HookKind kind, size_t index, const Hook& hook) {
  std::string line = "hook " + std::string(hook_kind_name(kind)) + "[" + std::to_string(index) + "] " +
                     quoted(hook.path) + " as " + quoted_list(hook.args, hook.args.size()) + " with " +
                     std::to_string(hook.env.size()) + " environment entries";
  if (hook.timeout_s != 0) line += ", at most " + std::to_string(hook.timeout_s) + " s";
  line.resize(std::max(line.size() + 2, pointer_column), ' ');
  return line + hook_pointer(kind, index) + "\n";
}

std::string hook_lines(const Hooks& hooks) {
  std::string text;
  for (size_t number = 0; number < hook_kind_count; ++number) {
    const auto kind = static_cast<HookKind>(number);
    for (size_t i = 0; i < hooks.of(kind).size(); ++i) text += line_of(kind, i, hooks.of(kind)[i]);
  }
  return text;
}

}  // namespace

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
  text += hook_lines(plan.hooks);
  for (const Warning& warning : plan.warnings)
    text += "warning: " + (warning.pointer.empty() ? "" : warning.pointer + ": ") + warning.message + "\n";
  return text;
}

}  // namespace reaper
