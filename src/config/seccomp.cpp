// linux.seccomp (config-linux.md, Seccomp; seccomp(2)). Whether a system call of that name exists is known where the
// filter is compiled (src/seccomp).
#include <linux/seccomp.h>

#include <algorithm>
#include <array>

#include "config/parse.h"

namespace reaper {
namespace {

constexpr uint32_t default_errno = 1;  // EPERM, as config-linux.md has it
constexpr uint32_t max_errno = 4094;   // the kernel's MAX_ERRNO is 4095, which libseccomp does not take
constexpr uint32_t highest_index = 5;  // a system call has six arguments

constexpr NamedNumber actions[] = {{"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD},
                                   {"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
                                   {"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD},
                                   {"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
                                   {"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO},
                                   {"SCMP_ACT_TRACE", SECCOMP_RET_TRACE},
                                   {"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW},
                                   {"SCMP_ACT_LOG", SECCOMP_RET_LOG},
                                   {"SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF}};
constexpr NamedNumber filter_flags[] = {{"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
                                        {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
                                        {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
                                        {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", Seccomp::flag_wait_killable_recv}};
constexpr NamedNumber operators[] = {{"SCMP_CMP_NE", 1},       {"SCMP_CMP_LT", 2}, {"SCMP_CMP_LE", 3},
                                     {"SCMP_CMP_EQ", 4},       {"SCMP_CMP_GE", 5}, {"SCMP_CMP_GT", 6},
                                     {"SCMP_CMP_MASKED_EQ", 7}};
constexpr std::array<std::string_view, 23> architectures = {
    "SCMP_ARCH_X86",         "SCMP_ARCH_X86_64", "SCMP_ARCH_X32",       "SCMP_ARCH_ARM",     "SCMP_ARCH_AARCH64",
    "SCMP_ARCH_MIPS",        "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64",
    "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",    "SCMP_ARCH_PPC64",     "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390",
    "SCMP_ARCH_S390X",       "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64",  "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_M68K",        "SCMP_ARCH_SH",     "SCMP_ARCH_SHEB"};

// SECCOMP_RET_* with its data: the errno of ERRNO, the message of TRACE.
Result<uint32_t> read_action(const JsonCursor& object, std::string_view action_name, std::string_view errno_name,
                             bool listens) {
  const JsonCursor action = TRY(required_member(object, action_name));
  const uint32_t kind = TRY(read_name(action, "action", actions));
  const auto given = TRY(object.member(errno_name));
  if (kind == SECCOMP_RET_USER_NOTIF && !listens)
    return fail(
        config_error(REAPER_ERR_INVALID, action.pointer(), "it is for a listener, and there is no listenerPath"));
  if (kind != SECCOMP_RET_ERRNO && kind != SECCOMP_RET_TRACE) {
    if (!given) return kind;
    return fail(config_error(REAPER_ERR_INVALID, given->pointer(),
                             "only SCMP_ACT_ERRNO and SCMP_ACT_TRACE have one, not " + TRY(action.string())));
  }
  const uint64_t highest = kind == SECCOMP_RET_ERRNO ? max_errno : uint64_t{SECCOMP_RET_DATA};
  const uint64_t number = given ? TRY(given->unsigned_integer(0, highest)) : default_errno;
  return kind | static_cast<uint32_t>(number);
}

Result<SeccompCondition> read_condition(const JsonCursor& object) {
  SeccompCondition condition;
  const JsonCursor index = TRY(required_member(object, "index"));
  condition.index = static_cast<uint32_t>(TRY(index.unsigned_integer(0, highest_index)));
  const JsonCursor value = TRY(required_member(object, "value"));
  condition.value = TRY(value.unsigned_integer(0, UINT64_MAX));
  if (const auto second = TRY(object.member("valueTwo")))
    condition.value_two = TRY(second->unsigned_integer(0, UINT64_MAX));
  const JsonCursor op = TRY(required_member(object, "op"));
  condition.op = static_cast<SeccompOperator>(TRY(read_name(op, "operator", operators)));
  return condition;
}

Result<SeccompRule> read_rule(const JsonCursor& object, bool listens) {
  SeccompRule rule;
  const JsonCursor names = TRY(required_member(object, "names"));
  rule.names = TRY(read_strings(names));
  if (rule.names.empty())
    return fail(config_error(REAPER_ERR_INVALID, names.pointer(), "at least one system call is wanted here"));
  rule.action = TRY(read_action(object, "action", "errnoRet", listens));
  if (const auto args = TRY(object.member("args")))
    for (const JsonCursor& element : TRY(args->elements())) rule.conditions.push_back(TRY(read_condition(element)));
  return rule;
}

Result<std::vector<std::string>> read_architectures(const JsonCursor& array) {
  std::vector<std::string> names;
  for (const JsonCursor& element : TRY(array.elements())) {
    std::string name = TRY(element.string());
    if (std::ranges::find(architectures, name) == architectures.end())
      return fail(
          config_error(REAPER_ERR_INVALID, element.pointer(),
                       "unknown architecture " + quoted(name) + did_you_mean(nearest_word(name, architectures))));
    names.push_back(std::move(name));
  }
  return names;
}

Result<uint32_t> read_flags(const JsonCursor& array) {
  uint32_t flags = 0;
  for (const JsonCursor& element : TRY(array.elements())) flags |= TRY(read_name(element, "flag", filter_flags));
  return flags;
}

// Rule 105 of the specification: metadata is for somebody.
Result<SeccompListener> read_listener(const JsonCursor& object) {
  SeccompListener listener;
  const auto path = TRY(object.member("listenerPath"));
  const auto metadata = TRY(object.member("listenerMetadata"));
  if (path) listener.path = TRY(path->string());
  if (metadata) listener.metadata = TRY(metadata->string());
  if (!listener.path.empty() && !listener.path.starts_with('/'))
    return fail(config_error(REAPER_ERR_INVALID, path->pointer(), "an absolute path is wanted here"));
  if (!listener.metadata.empty() && listener.path.empty())
    return fail(
        config_error(REAPER_ERR_INVALID, metadata->pointer(), "it is for a listener, and there is no listenerPath"));
  return listener;
}

}  // namespace

bool Seccomp::notifies() const {
  return default_action == SECCOMP_RET_USER_NOTIF ||
         std::ranges::find(rules, uint32_t{SECCOMP_RET_USER_NOTIF}, &SeccompRule::action) != rules.end();
}

Result<std::shared_ptr<const Seccomp>> read_seccomp(const JsonCursor& object, Refusals& refusals) {
  if (TRY(asks_for_nothing(object, "/linux/seccomp"))) return nullptr;
  auto whole = std::make_shared<Seccomp>();
  Seccomp& seccomp = *whole;
  KEEP(refusals, seccomp.listener, read_listener(object));
  // Whether or not its path is a good one.
  const auto path = TRY(object.member("listenerPath"));
  const bool listens = path && path->type() == JsonType::string && !TRY(path->string()).empty();
  KEEP(refusals, seccomp.default_action, read_action(object, "defaultAction", "defaultErrnoRet", listens));
  if (const auto array = TRY(object.member("architectures")))
    KEEP(refusals, seccomp.architectures, read_architectures(*array));
  if (const auto array = TRY(object.member("flags"))) KEEP(refusals, seccomp.flags, read_flags(*array));
  const auto syscalls = TRY(object.member("syscalls"));
  if (!syscalls) return whole;
  for (const JsonCursor& element : TRY(syscalls->elements())) {
    SeccompRule rule;
    KEEP(refusals, rule, read_rule(element, listens));
    seccomp.rules.push_back(std::move(rule));
  }
  return whole;
}

std::vector<std::string_view> seccomp_words(SeccompWords which) {
  std::vector<std::string_view> words;
  std::span<const NamedNumber> rows = actions;
  if (which == SeccompWords::operators) rows = operators;
  if (which == SeccompWords::flags) rows = filter_flags;
  for (const NamedNumber& row : rows) words.push_back(row.name);
  return words;
}

}  // namespace reaper
